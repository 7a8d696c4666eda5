/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Echo and source on a card whose guest offloads can be changed at run time. A datagram to UDP port
 * 82 with text like "-guest_tso4,-guest_csum" disables these; it is sent back when that is done.
 */
#include <stdio.h>

#include "boot/boot.h"
#include "examples/net_config.h"
#include "net/lwip_port/interface.h"
#include "net/net.h"
#include "net/services/listen.h"
#include "net/services/services.h"
#include "virtio/virtio_net.h"

enum { PORT = 82 };

static void receive(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                    u16_t port)
{
    struct virtio_net *net = net_interface(0)->nic.state;
    uint64_t offloads = net->dev->features;
    char text[64] = "";

    (void)context;
    pbuf_copy_partial(p, text, sizeof text - 1, 0);
    virtio_feature_parse(text, &offloads);
    printf("vtnet: guestoffloads: %s: result %d\n", text,
           virtio_net_set_guest_offloads(net, offloads));
    udp_sendto(pcb, p, from, port);
    pbuf_free(p);
}

int main(void)
{
    if (!net_start(net_config_from_boot()) || !echo_start() || !source_start() ||
        !listen_udp(PORT, receive)) {
        return 1;
    }
    net_run();
    return 0;
}
