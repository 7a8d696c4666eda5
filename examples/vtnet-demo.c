/* SPDX-License-Identifier: BSD-2-Clause */
/* The demonstration: a guest that answers ping and has all of net/services/services.h. */
#include "boot/boot.h"
#include "net/net.h"
#include "net/services/services.h"

int main(void)
{
    if (!net_start() || !echo_start() || !sink_start() || !source_start() || !stats_start() ||
        !netserver_start() || !iperf_start()) {
        return 1;
    }
    net_run();
    return 0;
}
