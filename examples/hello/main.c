/* SPDX-License-Identifier: BSD-2-Clause */
/* The shortest program: on TCP port 1234 it sends a line and closes. */
#include "boot/boot.h"
#include "examples/net_config.h"
#include "net/net.h"
#include "net/services/listen.h"

enum { PORT = 1234 };
static const char line[] = "hello from bare metal\n";

/* Called for each connection. If it returns an error, lwIP ends the connection. */
static err_t greet(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)context;
    if (error == ERR_OK) {
        error = tcp_write(pcb, line, sizeof line - 1, 0); /* not copied: it stays where it is */
    }
    return error == ERR_OK ? tcp_close(pcb) : error;
}

int main(void)
{
    if (!net_start(net_config_from_boot()) || !listen_tcp(PORT, greet)) {
        return 1;
    }
    net_run();
    return 0;
}
