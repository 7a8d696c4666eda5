/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last line of defence: a failed assertion of lwIP ends only the handling of the current packet
 * or timer. No code runs on after an assertion has failed. The connection is removed from lwIP's
 * lists and never touched again, and the memory of connection and packet is not freed, since both
 * may be half changed. This leak is counted.
 */
#include <stdbool.h>
#include <stdio.h>

#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"
#include "net/lwip_port/guard.h"
#include "net/lwip_port/lookup.h"
#include "runtime/panic.h"

struct guard_counters guard_counters;

static void *context[5]; /* of __builtin_setjmp() in guard_run() */
static bool running;
static struct tcp_pcb *connection;

/* LWIP_PLATFORM_ASSERT */
void port_assertion_failed(const char *message)
{
    if (!running) {
        panic("lwIP: %s", message);
    }
    running = false;
    if (guard_counters.assertions++ == 0) {
        printf("vtnet: lwIP: %s: a packet or a connection is given up; more are only counted\n",
               message);
    }
    __builtin_longjmp(context, 1);
}

static bool unlink_from(struct tcp_pcb **list, const struct tcp_pcb *pcb)
{
    while (*list != NULL && *list != pcb) {
        list = &(*list)->next;
    }
    if (*list == NULL) {
        return false;
    }
    *list = pcb->next;
    return true;
}

static void end_connection(struct tcp_pcb *pcb)
{
    lookup_forget(pcb);
    if (!unlink_from(&tcp_active_pcbs, pcb)) {
        unlink_from(&tcp_tw_pcbs, pcb);
        return;
    }
    tcp_active_pcbs_changed = 1;
    guard_counters.connections_ended++;
    tcp_rst(pcb, pcb->snd_nxt, pcb->rcv_nxt, &pcb->local_ip, &pcb->remote_ip, pcb->local_port,
            pcb->remote_port);
    if (pcb->errf != NULL) {
        pcb->errf(pcb->callback_arg, ERR_ABRT);
    }
}

void guard_segment_of(struct tcp_pcb *pcb)
{
    connection = pcb;
}

static bool __attribute__((noinline)) run(void (*step)(void *argument), void *argument)
{
    if (__builtin_setjmp(context) != 0) {
        return false;
    }
    running = true;
    step(argument);
    running = false;
    return true;
}

static void __attribute__((noinline)) give_up(void)
{
    tcp_input_pcb = NULL;
    lookup_end();
    if (connection != NULL) {
        end_connection(connection);
    }
}

bool guard_run(void (*step)(void *argument), void *argument)
{
    connection = NULL;
    if (run(step, argument)) {
        return true;
    }
    give_up();
    return false;
}

/* tcp_tmr() handles connections in the order of their list and marks each one. */
void guard_after_tcp_timer(void)
{
    struct tcp_pcb *pcb = tcp_active_pcbs;

    while (pcb != NULL && pcb->next != NULL && pcb->next->last_timer == pcb->last_timer) {
        pcb = pcb->next;
    }
    if (pcb != NULL) {
        end_connection(pcb);
    }
}
