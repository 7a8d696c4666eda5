/* SPDX-License-Identifier: BSD-2-Clause */
/* A segment's connection is found at once, and lwIP's list is whole whenever lwIP uses it. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP defines its own */
#include "core/def.c"
#include "net/lwip_port/lookup.c"
#include "pcb_arguments.h"

enum { MOST = 4000, OWN_PORT = 7, FIRST_PORT = 10000 };

struct tcp_pcb *tcp_active_pcbs;
struct ip_globals ip_data;
static struct netif netifs[2] = {{.num = 0}, {.num = 1}};
static struct tcp_pcb pcbs[MOST];
static struct tcp_pcb *found; /* by lwIP, in the latest segment */
static unsigned steps;        /* connections that lwIP looked at for it */
static unsigned listed;
static uint64_t random_state;
static enum { HANDLED, DROPPED, ABANDONED } outcome;

uint32_t lwip_port_random(void)
{
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(random_state >> 32);
}

static void check_list(void)
{
    unsigned count = 0;

    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        count++;
    }
    assert_int_equal(count, listed);
}

/* lwIP's search, and its hook. */
void(tcp_input)(struct pbuf *p, struct netif *netif)
{
    const struct tcp_hdr *header = p->payload;
    struct tcp_pcb *prev = NULL;

    found = NULL;
    steps = 0;
    if (outcome == DROPPED || p->len < TCP_HLEN) {
        return;
    }
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; prev = pcb, pcb = pcb->next) {
        steps++;
        assert_true(pcb->state > LISTEN && pcb->state != TIME_WAIT);
        if ((pcb->netif_idx == NETIF_NO_INDEX || pcb->netif_idx == netif_get_index(netif)) &&
            pcb->remote_port == lwip_ntohs(header->src) &&
            pcb->local_port == lwip_ntohs(header->dest) &&
            ip_addr_eq(&pcb->remote_ip, ip_current_src_addr()) &&
            ip_addr_eq(&pcb->local_ip, ip_current_dest_addr())) {
            if (prev != NULL) {
                prev->next = pcb->next;
                pcb->next = tcp_active_pcbs;
                tcp_active_pcbs = pcb;
            }
            found = pcb;
            break;
        }
    }
    if (outcome == ABANDONED) {
        lookup_end(); /* guard_run() */
    } else if (found != NULL) {
        lookup_found(found);
    }
    check_list();
}

static void open_one(struct tcp_pcb *pcb, const ip_addr_t *remote, u16_t port)
{
    memset(pcb, 0, sizeof *pcb);
    pcb->state = ESTABLISHED;
    pcb->remote_ip = *remote;
    pcb->local_ip = *remote;
    pcb->local_port = OWN_PORT;
    pcb->remote_port = port;
    pcb->next = tcp_active_pcbs;
    tcp_active_pcbs = pcb;
    listed++;
}

static void unlist(struct tcp_pcb *pcb)
{
    struct tcp_pcb **at = &tcp_active_pcbs;

    while (*at != pcb) {
        assert_non_null(*at);
        at = &(*at)->next;
    }
    *at = pcb->next;
    listed--;
}

/* tcp_free() */
static void let_go(struct tcp_pcb *pcb)
{
    if (pcb->ext_args[ID].callbacks != NULL) {
        pcb->ext_args[ID].callbacks->destroy(ID, pcb->ext_args[ID].data);
    }
    memset(pcb, 0xa5, sizeof *pcb); /* whoever uses it finds nonsense */
}

static void receive(const struct tcp_pcb *like, unsigned netif, u16_t length)
{
    struct tcp_hdr header = {.src = lwip_htons(like->remote_port),
                             .dest = lwip_htons(like->local_port)};
    struct pbuf p = {.payload = &header, .len = length, .tot_len = length};

    ip_data.current_iphdr_src = like->remote_ip;
    ip_data.current_iphdr_dest = like->local_ip;
    ip_data.current_input_netif = &netifs[netif];
    port_tcp_search(&p, &netifs[netif]);
    check_list();
}

static const ip_addr_t peer = IPADDR4_INIT_BYTES(10, 0, 0, 99);

static void open_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        open_one(&pcbs[i], &peer, (u16_t)(FIRST_PORT + i));
        receive(&pcbs[i], 0, TCP_HLEN);
        assert_ptr_equal(found, &pcbs[i]);
    }
}

static unsigned in_table(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < SLOTS + PROBES - 1; i++) {
        count += table[i] != NULL;
    }
    return count;
}

static int set_up(void **state)
{
    (void)state;
    tcp_active_pcbs = NULL;
    listed = 0;
    outcome = HANDLED;
    lookup_init();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(table);
    table = NULL;
    return 0;
}

static void each_is_found_at_once(void **state)
{
    const struct tcp_pcb *head;

    (void)state;
    open_many(MOST);
    assert_int_equal(in_table(), MOST);
    head = tcp_active_pcbs;
    for (unsigned i = 0; i < MOST; i++) {
        receive(&pcbs[i], 0, TCP_HLEN);
        assert_ptr_equal(found, &pcbs[i]);
        assert_int_equal(steps, 1);
        assert_ptr_equal(tcp_active_pcbs, head);
    }
}

static void list_is_whole_after_a_segment_without_hook(void **state)
{
    const struct tcp_pcb *head;

    (void)state;
    open_many(10);
    head = tcp_active_pcbs;
    outcome = DROPPED; /* a wrong checksum, for one */
    receive(&pcbs[3], 0, TCP_HLEN);
    assert_ptr_equal(tcp_active_pcbs, head);
    outcome = ABANDONED;
    receive(&pcbs[3], 0, TCP_HLEN);
    assert_ptr_equal(tcp_active_pcbs, head);
    outcome = HANDLED;
    receive(&pcbs[3], 0, TCP_HLEN - 1);
    assert_ptr_equal(tcp_active_pcbs, head);
    assert_null(found);
}

static void freed_ones_leave_the_table(void **state)
{
    (void)state;
    open_many(100);
    for (unsigned i = 0; i < 100; i++) {
        struct tcp_pcb gone = pcbs[i];

        unlist(&pcbs[i]);
        let_go(&pcbs[i]);
        receive(&gone, 0, TCP_HLEN);
        assert_null(found);
        assert_int_equal(in_table(), 99 - i);
    }
}

static void closed_ones_are_not_used(void **state)
{
    (void)state;
    open_many(3);
    unlist(&pcbs[0]);
    pcbs[0].state = TIME_WAIT;
    receive(&pcbs[0], 0, TCP_HLEN);
    assert_null(found);
    open_one(&pcbs[3], &peer, pcbs[0].remote_port); /* the same ports again */
    receive(&pcbs[0], 0, TCP_HLEN);
    receive(&pcbs[1], 0, TCP_HLEN);
    receive(&pcbs[0], 0, TCP_HLEN);
    assert_ptr_equal(found, &pcbs[3]);
    assert_int_equal(steps, 1);
    unlist(&pcbs[1]); /* as guard.c does, which never frees it */
    lookup_forget(&pcbs[1]);
    receive(&pcbs[1], 0, TCP_HLEN);
    assert_null(found);
}

static void listening_ones_do_not_enter(void **state)
{
    struct tcp_pcb listening = {.state = LISTEN};

    (void)state;
    lookup_found(&listening);
    assert_int_equal(in_table(), 0);
}

static void addresses_and_cards_differ(void **state)
{
    static const ip_addr_t addresses[] = {
        IPADDR4_INIT_BYTES(10, 0, 0, 99), IPADDR4_INIT_BYTES(10, 0, 0, 98),
        IPADDR6_INIT(1, 2, 3, 4),         IPADDR6_INIT(1, 2, 3, 5),
        IPADDR6_INIT(0, 2, 3, 4),
    };
    enum { COUNT = sizeof addresses / sizeof addresses[0] };

    (void)state;
    for (unsigned i = 0; i < 2 * COUNT; i++) {
        open_one(&pcbs[i], &addresses[i / 2], FIRST_PORT);
        pcbs[i].netif_idx = (u8_t)(1 + i % 2);
        receive(&pcbs[i], i % 2, TCP_HLEN);
    }
    for (unsigned i = 0; i < 2 * COUNT; i++) {
        receive(&pcbs[i], i % 2, TCP_HLEN);
        assert_ptr_equal(found, &pcbs[i]);
        assert_int_equal(steps, 1);
    }
}

static void those_without_room_are_found_by_lwip(void **state)
{
    (void)state;
    memset(keys, 0, sizeof keys); /* all share a slot */
    open_many(PROBES + 4);
    assert_int_equal(in_table(), PROBES);
    for (unsigned i = 0; i < PROBES + 4; i++) {
        receive(&pcbs[i], 0, TCP_HLEN);
        assert_ptr_equal(found, &pcbs[i]);
        assert_true(i >= PROBES || steps == 1);
    }
    unlist(&pcbs[0]);
    let_go(&pcbs[0]);
    receive(&pcbs[PROBES], 0, TCP_HLEN); /* takes its place */
    receive(&pcbs[1], 0, TCP_HLEN);
    receive(&pcbs[PROBES], 0, TCP_HLEN);
    assert_int_equal(steps, 1);
}

static void works_without_memory(void **state)
{
    (void)state;
    free(table);
    table = NULL;
    open_many(5);
    receive(&pcbs[0], 0, TCP_HLEN);
    assert_ptr_equal(found, &pcbs[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_is_found_at_once),
        TEST(list_is_whole_after_a_segment_without_hook),
        TEST(freed_ones_leave_the_table),
        TEST(closed_ones_are_not_used),
        TEST(listening_ones_do_not_enter),
        TEST(addresses_and_cards_differ),
        TEST(those_without_room_are_found_by_lwip),
        TEST(works_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
