/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups and VLANs told to the card, repeatedly if it did not accept them. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/lwip_port/groups.c"
#include "net/lwip_port/vlan.c"

#ifndef lwip_htons /* a macro on big-endian hosts */
u16_t lwip_htons(u16_t x)
{
    return PP_HTONS(x);
}
#endif

static uint8_t told[TOLD_MAX][6];
static unsigned told_count, tells;
static uint16_t told_vlan;
static bool works;

static bool fake_set_groups(void *state, const uint8_t (*groups)[6], unsigned count)
{
    (void)state;
    tells++;
    if (works) {
        memcpy(told, groups, count * sizeof *groups);
        told_count = count;
    }
    return works;
}

static bool fake_set_vlan(void *state, uint16_t vlan, bool on)
{
    (void)state;
    assert_true(on);
    tells++;
    told_vlan = works ? vlan : told_vlan;
    return works;
}

static struct {
    sys_timeout_handler handler;
    void *argument;
} timers[2];

void sys_timeout(u32_t ms, sys_timeout_handler handler, void *argument)
{
    unsigned i = timers[0].handler != NULL;

    assert_int_equal(ms, INTERFACE_ASK_CARD_AGAIN_MS);
    assert_true(timers[i].handler == NULL); /* one each */
    timers[i].handler = handler;
    timers[i].argument = argument;
}

void sys_untimeout(sys_timeout_handler handler, void *argument)
{
    for (unsigned i = 0; i < 2; i++) {
        if (timers[i].handler == handler && timers[i].argument == argument) {
            timers[i].handler = NULL;
        }
    }
}

static void run_timers(void)
{
    for (unsigned i = 0; i < 2; i++) {
        sys_timeout_handler handler = timers[i].handler;

        timers[i].handler = NULL;
        if (handler != NULL) {
            handler(timers[i].argument);
        }
    }
}

static const struct nic_driver driver = {.set_groups = fake_set_groups, .set_vlan = fake_set_vlan};
static struct interface interface;

static void start(bool all_groups)
{
    memset(&interface, 0, sizeof interface);
    memset(timers, 0, sizeof timers);
    interface.nic.driver = &driver;
    interface.all_groups = all_groups;
    interface.vlan = 7;
    interface.netif.state = &interface;
    told_count = tells = 0;
    told_vlan = 0;
    interface_groups_init(&interface.netif);
}

static void join_ipv4(uint8_t last, bool in)
{
    ip4_addr_t group;

    IP4_ADDR(&group, 239, 129, 2, last);
    assert_int_equal(
        filter_ip4(&interface.netif, &group, in ? NETIF_ADD_MAC_FILTER : NETIF_DEL_MAC_FILTER),
        ERR_OK);
}

static void groups_are_told(void **state)
{
    static const uint8_t mac[] = {0x01, 0x00, 0x5e, 0x01, 0x02, 0x03};

    (void)state;
    works = true;
    start(false);
    join_ipv4(3, true);
    assert_int_equal(told_count, 1);
    assert_memory_equal(told[0], mac, 6);
    join_ipv4(3, true); /* a second time */
    assert_int_equal(tells, 1);
    join_ipv4(3, false);
    assert_int_equal(told_count, 1);
    join_ipv4(3, false);
    assert_int_equal(told_count, 0);
    assert_null(timers[0].handler);
}

/* The card is late with a command: neither the join, however many follow, nor the VLAN is lost. */
static void card_that_is_late_is_asked_again(void **state)
{
    (void)state;
    works = false;
    start(false);
    interface_vlan_tell(&interface);
    join_ipv4(1, true);
    join_ipv4(2, true);
    for (unsigned i = 0; i < 5; i++) {
        run_timers();
    }
    assert_int_equal(tells, 3 + 5 * 2);
    assert_int_equal(told_count, 0);
    works = true;
    run_timers();
    assert_int_equal(told_count, 2);
    assert_int_equal(told_vlan, 7);
    assert_true(timers[0].handler == NULL && timers[1].handler == NULL);
    join_ipv4(1, false);
    join_ipv4(2, false);
}

/* The request to receive all multicast is repeated too. */
static void all_groups_are_told_again(void **state)
{
    (void)state;
    works = false;
    start(true);
    assert_int_equal(tells, 1);
    join_ipv4(1, true);
    assert_int_equal(tells, 1);
    works = true;
    run_timers();
    assert_int_equal(told_count, TOLD_MAX);
    join_ipv4(1, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_told),
        cmocka_unit_test(card_that_is_late_is_asked_again),
        cmocka_unit_test(all_groups_are_told_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
