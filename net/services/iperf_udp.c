/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iperf 2 over UDP: a server that counts streams and answers the last datagram of each with a
 * report.
 */
#include <string.h>

#include "arch/arch.h"
#include "lwip/ip.h"
#include "net/services/clients.h"
#include "net/services/iperf.h"
#include "net/services/iperf_stream.h"
#include "net/services/listen.h"
#include "net/services/services.h"

enum {
    STREAMS_MAX = 32,    /* one more replaces the stream that has been silent longest */
    SILENCE_US = 250000, /* pause that separates two tests from the same port */
};

/*
 * The datagrams from one port of a client. Entries of ended tests stay, because the client may ask
 * for a lost report again.
 */
static struct source {
    ip_addr_t address;
    u16_t port; /* 0: unused */
    bool ended; /* the last datagram has arrived */
    uint64_t heard_us;
    struct iperf_stream stream;
} sources[STREAMS_MAX];

static struct source *find(const ip_addr_t *address, u16_t port)
{
    static struct source *latest = sources;
    struct source *silent = sources;

    if (latest->port == port && ip_addr_eq(&latest->address, address)) {
        return latest;
    }
    for (struct source *s = sources; s < sources + STREAMS_MAX; s++) {
        if (s->port == port && ip_addr_eq(&s->address, address)) {
            latest = s;
            return s;
        }
        if (s->heard_us < silent->heard_us) {
            silent = s;
        }
    }
    memset(silent, 0, sizeof *silent);
    silent->address = *address;
    silent->port = port;
    latest = silent;
    return silent;
}

static void answer(struct udp_pcb *pcb, const struct source *source)
{
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, IPERF_REPORT, PBUF_RAM);

    if (p == NULL) {
        return; /* the client will ask again */
    }
    iperf_stream_report(&source->stream, p->payload);
    answer_udp(pcb, p, &source->address, source->port, ip_current_dest_addr());
    pbuf_free(p);
}

/* True if the datagram begins a new test: a client may reuse its port, or may have been killed. */
static bool begins(const struct source *source, const struct iperf_datagram *datagram,
                   uint64_t now_us)
{
    bool silence = now_us - source->heard_us >= SILENCE_US;

    if (datagram->last) {
        return false;
    }
    return datagram->number <= 1 ? source->ended || silence : source->ended && silence;
}

/* Returns true if the datagram requests the report. */
static bool count(struct source *source, const struct iperf_datagram *datagram, u16_t bytes)
{
    uint64_t now_us = arch_clock_ns() / 1000;

    if (begins(source, datagram, now_us)) {
        source->ended = false;
        memset(&source->stream, 0, sizeof source->stream);
    }
    if (!source->ended) {
        iperf_stream_count(&source->stream, datagram, bytes, now_us);
        source->ended = datagram->last;
        source->heard_us = now_us;
    }
    if (datagram->last) {
        source->heard_us = now_us;
    }
    return datagram->last;
}

static void udp_receive(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    uint8_t head[IPERF_DATAGRAM_HEAD];
    struct iperf_datagram datagram;

    (void)context;
    if (port != 0 &&
        iperf_datagram_read(&datagram, head, pbuf_copy_partial(p, head, IPERF_DATAGRAM_HEAD, 0))) {
        struct source *source = find(from, port);

        if (count(source, &datagram, p->tot_len) &&
            client_may_have_more(p, from, port, IPERF_REPORT)) {
            answer(pcb, source);
        }
    }
    pbuf_free(p);
}

bool iperf_udp_start(void)
{
    return listen_udp(SERVICE_PORT_IPERF, udp_receive);
}
