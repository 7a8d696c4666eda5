/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/places.h"

#include <stdlib.h>

#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "net/services/limits.h"
#include "net/services/services.h"

enum { SWEEP_MS = 1000 };

/* The limit of a port or of a state. */
struct limit {
    u16_t port;
    u16_t most;
    u32_t idle_ms;
};

static const struct limit ports[] = {
    {SERVICE_PORT_HTTP, PLACES_USUAL, REQUEST_SECONDS * 1000},
    {SERVICE_PORT_IPERF, PLACES_IPERF, IDLE_MEASURED_MS},
    {SERVICE_PORT_NETSERVER, PLACES_NETPERF, IDLE_MS},
    {SERVICE_PORT_ECHO, PLACES_USUAL, IDLE_MS},
    {SERVICE_PORT_SINK, PLACES_USUAL, IDLE_MS},
    {SERVICE_PORT_SOURCE, PLACES_USUAL, IDLE_MS},
    {0, PLACES_USUAL, IDLE_MS}, /* all other ports together: programs, netperf's data */
};
static const struct limit half_open = {0, PLACES_HALF_OPEN, IDLE_HALF_OPEN_MS};
static const struct limit left = {0, PLACES_LEFT, IDLE_LEFT_MS};

/* The record of a connection. */
struct place {
    const struct limit *limit; /* of its port */
    u32_t moved_at;            /* sys_now() of the latest progress */
    u32_t seen;                /* sum of the sequence numbers, to detect progress */
    u32_t wanted_since;        /* start of the SLOW_MS in which the peer must ... */
    u32_t wanted_from;         /* ... acknowledge, from this sequence number on, ... */
    u32_t wanted;              /* ... so many bytes */
};

enum { ID = 0 }; /* index of the place among the pcb's extra arguments */
static bool sweeping;

static struct place *place_of(const struct tcp_pcb *pcb)
{
    return tcp_ext_arg_get(pcb, ID);
}

static const struct limit *limit_of_port(u16_t port)
{
    const struct limit *limit = ports;

    while (limit->port != port && limit->port != 0) {
        limit++;
    }
    return limit;
}

/* The limit that applies to a connection. TF_RXCLOSED: tcp_close() was called. */
static const struct limit *limit_of(const struct tcp_pcb *pcb)
{
    if (pcb->state == SYN_RCVD) {
        return &half_open;
    }
    return pcb->flags & TF_RXCLOSED ? &left : place_of(pcb)->limit;
}

static void want_more(struct place *place, const struct tcp_pcb *pcb, u32_t now)
{
    place->wanted_since = now;
    place->wanted_from = pcb->lastack;
    place->wanted = LWIP_MIN(pcb->snd_lbb - pcb->lastack, (u32_t)SLOW_BYTES);
}

/* Records the progress since the last call. */
static void look_at(struct place *place, const struct tcp_pcb *pcb, u32_t now)
{
    u32_t seen = pcb->rcv_nxt + pcb->lastack;

    if (seen != place->seen) {
        place->seen = seen;
        place->moved_at = now;
    }
    if (pcb->lastack - place->wanted_from >= place->wanted) {
        want_more(place, pcb, now);
    }
}

/* Without a completed handshake the peer address may be forged, so no reset is sent. */
static void end(struct tcp_pcb *pcb)
{
    tcp_abandon(pcb, pcb->state != SYN_RCVD);
}

/*
 * If there are more connections than the limit allows, ends the one that has been without progress
 * longest, except for `newcomer` and `other`.
 */
static void keep_within(const struct limit *limit, const struct tcp_pcb *newcomer,
                        const struct tcp_pcb *other)
{
    struct tcp_pcb *oldest = NULL;
    u32_t now = sys_now(), longest = 0;
    unsigned count = 0;

    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        struct place *place = place_of(pcb);

        if (place == NULL || limit_of(pcb) != limit) {
            continue;
        }
        count++;
        look_at(place, pcb, now);
        if (pcb != newcomer && pcb != other && now - place->moved_at >= longest) {
            longest = now - place->moved_at;
            oldest = pcb;
        }
    }
    if (count > limit->most && oldest != NULL) {
        end(oldest);
    }
}

/* lwIP's list begins with the newest. */
static void keep_time_wait_within(void)
{
    struct tcp_pcb *pcb = tcp_tw_pcbs;

    for (unsigned i = 0; i < PLACES_TIME_WAIT && pcb != NULL; i++) {
        pcb = pcb->next;
    }
    while (pcb != NULL) {
        struct tcp_pcb *next = pcb->next;

        tcp_abort(pcb); /* sends nothing */
        pcb = next;
    }
}

static bool is_lost(const struct tcp_pcb *pcb, u32_t now)
{
    struct place *place = place_of(pcb);

    if (place == NULL) {
        return false;
    }
    look_at(place, pcb, now);
    return now - place->moved_at >= limit_of(pcb)->idle_ms || now - place->wanted_since >= SLOW_MS;
}

/* Runs once a second while there are connections. */
static void sweep(void *context)
{
    struct tcp_pcb *pcb = tcp_active_pcbs;
    u32_t now = sys_now();

    (void)context;
    while (pcb != NULL) {
        if (is_lost(pcb, now)) {
            end(pcb);
            pcb = tcp_active_pcbs; /* restart: the service may have ended other connections too */
        } else {
            pcb = pcb->next;
        }
    }
    sweeping = tcp_active_pcbs != NULL;
    if (sweeping) {
        sys_timeout(SWEEP_MS, sweep, NULL);
    }
}

static void destroyed(u8_t which, void *place)
{
    (void)which;
    free(place);
}

static err_t opened(u8_t which, struct tcp_pcb_listen *listener, struct tcp_pcb *pcb);

static const struct tcp_ext_arg_callbacks callbacks = {destroyed, opened};

static bool add_place(struct tcp_pcb *pcb, const struct limit *limit)
{
    struct place *place = malloc(sizeof *place);

    if (place == NULL) {
        return false;
    }
    place->limit = limit;
    place->seen = pcb->rcv_nxt + pcb->lastack;
    place->moved_at = sys_now();
    want_more(place, pcb, place->moved_at);
    tcp_ext_arg_set(pcb, ID, place);
    tcp_ext_arg_set_callbacks(pcb, ID, &callbacks);
    if (!sweeping) {
        sweeping = true;
        sys_timeout(SWEEP_MS, sweep, NULL);
    }
    return true;
}

/* A SYN has arrived. If this returns an error, lwIP drops it. */
static err_t opened(u8_t which, struct tcp_pcb_listen *listener, struct tcp_pcb *pcb)
{
    (void)which;
    if (!add_place(pcb, limit_of_port(listener->local_port))) {
        return ERR_MEM;
    }
    keep_within(&half_open, pcb, pcb);
    return ERR_OK;
}

void places_watch(struct tcp_pcb *listener)
{
    tcp_ext_arg_set_callbacks(listener, ID, &callbacks);
}

void places_enter(const struct tcp_pcb *pcb)
{
    place_of(pcb)->moved_at = sys_now();
    keep_within(place_of(pcb)->limit, pcb, pcb);
    keep_within(&left, pcb, pcb);
    keep_time_wait_within();
}

bool places_enter_for(struct tcp_pcb *pcb, u16_t port, const struct tcp_pcb *asking)
{
    const struct limit *limit = limit_of_port(port);

    if (!add_place(pcb, limit)) {
        return false;
    }
    keep_within(limit, pcb, asking);
    return true;
}

void places_moved(const struct tcp_pcb *pcb)
{
    place_of(pcb)->moved_at = sys_now();
}
