/* SPDX-License-Identifier: BSD-2-Clause */
/* The demonstration: a guest that answers ping and provides all of net/services/services.h. */
#include <stdio.h>

#include "arch/arch.h"
#include "boot/boot.h"
#include "console/console.h"
#include "examples/net_config.h"
#include "net/addresses.h"
#include "net/net.h"
#include "net/services/services.h"

/* True if a card has the default addresses of QEMU's -netdev user. */
static bool is_user_network(const struct netif *netif)
{
    return ip4_addr_get_u32(netif_ip4_gw(netif)) == PP_HTONL(0x0a000202) &&
           ip4_addr_get_u32(netif_ip4_addr(netif)) == PP_HTONL(0x0a00020f);
}

/* Only on the screen: a reader of the serial console knows QEMU already. */
static void say_what_to_try(const struct netif *netif)
{
    char text[160], ip[IP4ADDR_STRLEN_MAX];

    if (is_user_network(netif)) {
        arch_screen_say(
            "\nQEMU's user network lets in only ports that it forwards. Start QEMU with\n"
            "    -nic user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:10080-:80\n"
            "and try on the host\n"
            "    curl http://127.0.0.1:10080/\n");
        return;
    }
    ip4addr_ntoa_r(netif_ip4_addr(netif), ip, sizeof ip);
    snprintf(text, sizeof text, "\nTry on the host: ping %s, curl http://%s/, iperf -c %s\n", ip,
             ip, ip);
    arch_screen_say(text);
}

int main(void)
{
    addresses_on_ready(say_what_to_try);
    if (!net_start(net_config_from_boot()) || !echo_start() || !sink_start() || !source_start() ||
        !stats_start() || !netserver_start() || !iperf_start()) {
        return 1;
    }
    console_start();
    net_run();
    return 0;
}
