/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Echo, statistics, and port 83, whose input makes an assertion of lwIP fail: a datagram does so
 * while it is handled or, if its text is "timer", in its timer. Over TCP, data does so while it is
 * handled or, with "timer", in the connection's timer.
 */
#include <string.h>

#include "boot/boot.h"
#include "examples/net_config.h"
#include "lwip/timeouts.h"
#include "net/net.h"
#include "net/services/listen.h"
#include "net/services/services.h"

enum { PORT = 83 };

static unsigned connections;

static bool says_timer(struct pbuf *p)
{
    bool timer = pbuf_memcmp(p, 0, "timer", 5) == 0;

    pbuf_free(p);
    return timer;
}

static void fail(void *context)
{
    (void)context;
    LWIP_ASSERT("of tests/guest/assertion.c", false);
}

static void receive(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                    u16_t port)
{
    (void)context, (void)pcb, (void)from, (void)port;
    if (says_timer(p)) {
        sys_timeout(1, fail, NULL);
    } else {
        fail(NULL);
    }
}

static err_t polled(void *context, struct tcp_pcb *pcb)
{
    (void)pcb;
    fail(context);
    return ERR_OK;
}

static err_t received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    (void)error;
    if (p == NULL) {
        return leave_tcp(pcb);
    }
    if (says_timer(p)) {
        tcp_poll(pcb, polled, 1);
    } else {
        fail(context);
    }
    return ERR_OK;
}

static void failed(void *context, err_t error)
{
    (void)context, (void)error;
    connections--;
}

static err_t opened(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)context;
    if (error != ERR_OK || connections != 0) {
        return ERR_VAL; /* one at a time: the end of the previous one must have been reported */
    }
    connections++;
    tcp_recv(pcb, received);
    tcp_err(pcb, failed);
    return ERR_OK;
}

int main(void)
{
    if (!net_start(net_config_from_boot()) || !echo_start() || !stats_start() || !sink_start() ||
        !listen_udp(PORT, receive) || !listen_tcp(PORT, opened)) {
        return 1;
    }
    net_run();
    return 0;
}
