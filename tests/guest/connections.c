/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As many TCP connections as there is memory for, on port 84. Each echoes what it gets. "A" and a
 * port in two bytes makes it abort the connection whose peer has this port, "C" close it; if that is
 * another connection, the text is echoed.
 */
#include "boot/boot.h"
#include "examples/net_config.h"
#include "net/net.h"
#include "net/services/listen.h"
#include "net/services/services.h"

enum { PORT = 84, MANY = 8192, ORDER = 3 };

static struct tcp_pcb *connections[MANY];
static unsigned count;

static struct tcp_pcb **find(unsigned port)
{
    for (unsigned i = 0; i < count; i++) {
        if (connections[i] != NULL && connections[i]->remote_port == port) {
            return &connections[i];
        }
    }
    return NULL;
}

/* Obeys if the data is an order. Returns ERR_ABRT if it ended this connection. */
static err_t obey(const struct tcp_pcb *pcb, const struct pbuf *p)
{
    uint8_t order[ORDER];
    struct tcp_pcb **at, *other;

    if (p->tot_len != ORDER || pbuf_copy_partial(p, order, ORDER, 0) != ORDER) {
        return ERR_OK;
    }
    at = find((unsigned)order[1] << 8 | order[2]);
    if (at == NULL) {
        return ERR_OK;
    }
    other = *at;
    *at = NULL;
    if (order[0] == 'A') {
        tcp_abort(other);
        return other == pcb ? ERR_ABRT : ERR_OK;
    }
    return order[0] == 'C' ? leave_tcp(other) : ERR_OK;
}

static err_t received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct tcp_pcb **own = context;

    (void)error;
    if (p == NULL) {
        *own = NULL;
        return leave_tcp(pcb);
    }
    tcp_recved(pcb, p->tot_len);
    error = obey(pcb, p);
    for (const struct pbuf *q = p; *own != NULL && q != NULL; q = q->next) {
        (void)tcp_write(pcb, q->payload, q->len, TCP_WRITE_FLAG_COPY);
    }
    pbuf_free(p);
    return error;
}

static void failed(void *context, err_t error)
{
    (void)error;
    *(struct tcp_pcb **)context = NULL;
}

static err_t opened(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)context;
    if (error != ERR_OK || count == MANY) {
        return ERR_VAL;
    }
    connections[count] = pcb;
    tcp_arg(pcb, &connections[count++]);
    tcp_recv(pcb, received);
    tcp_err(pcb, failed);
    return ERR_OK;
}

/* Without the places of listen_tcp(), which are fewer. */
static bool listen_without_places(void)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);

    if (pcb == NULL || tcp_bind(pcb, IP_ANY_TYPE, PORT) != ERR_OK ||
        (pcb = tcp_listen(pcb)) == NULL) {
        return false;
    }
    tcp_accept(pcb, opened);
    return true;
}

int main(void)
{
    if (!net_start(net_config_from_boot()) || !echo_start() || !stats_start() || !sink_start() ||
        !listen_without_places()) {
        return 1;
    }
    net_run();
    return 0;
}
