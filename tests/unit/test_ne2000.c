/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The NE2000 driver on a controller that behaves like its data sheet, not only like QEMU's: opening,
 * interrupts and the multicast filter.
 */
#include "ne2000_card.h"

static void card_is_what_the_prom_says(void **state)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    struct nic_link link;

    (void)state;
    assert_memory_equal(info.mac, mac, 6);
    assert_memory_equal(&fake_dp8390.page[1][DP8390_PAR0], mac, 6);
    nic_ne2000.link(card, &link);
    assert_true(link.up);
    assert_int_equal(link.speed, 10);
    assert_int_equal(link.duplex, NIC_DUPLEX_FULL);
    assert_int_equal(fake_dp8390.page[0][DP8390_PSTOP], 0xc0);
    assert_int_equal(fake_dp8390.page[0][DP8390_RCR], DP8390_RCR_AB | DP8390_RCR_AM);
    assert_int_equal(fake_dp8390.page[0][DP8390_TCR], 0);
    assert_false(fake_dp8390_line());
}

static void another_address_is_filtered_by_the_driver(void **state)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    uint8_t frame[60] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    (void)state;
    closed(NULL);
    client.mac = mac;
    opened(NULL);
    assert_true(fake_dp8390.page[0][DP8390_RCR] & DP8390_RCR_PRO);
    assert_true(fake_dp8390_receive(frame, 60));
    memcpy(frame, mac, 6);
    assert_true(fake_dp8390_receive(frame, 60));
    memset(frame, 0xff, 6);
    assert_true(fake_dp8390_receive(frame, 60));
    nic_ne2000.poll(card, 64);
    assert_int_equal(received_count, 2);
    assert_memory_equal(received[0].data, mac, 6);
}

static void small_memory_is_noticed(void **state)
{
    (void)state;
    closed(NULL);
    fake_dp8390_create();
    fake_dp8390.memory_end = 0x8000;
    card = open_card();
    assert_non_null(card);
    assert_int_equal(fake_dp8390.page[0][DP8390_PSTOP], 0x80);
}

static void dead_card_is_given_up(void **state)
{
    (void)state;
    fake_dp8390_create();
    fake_dp8390.dead = true;
    assert_null(open_card());
    assert_int_equal(allocated, 0);
}

static void only_its_own_interrupt_is_taken(void **state)
{
    (void)state;
    assert_false(nic_ne2000.interrupt(card)); /* another card's interrupt while this one is
                                               * disabled */
    assert_false(nic_ne2000.interrupts_on(card, false));
    assert_false(nic_ne2000.interrupt(card));
    assert_true(fake_dp8390_receive(frame_of(1, 60), 60));
    assert_true(fake_dp8390_line());
    assert_true(nic_ne2000.interrupt(card));
    assert_false(fake_dp8390_line());
    assert_false(nic_ne2000.interrupt(card));
    assert_true(nic_ne2000.interrupts_on(card, false)); /* the frame is still pending */
    assert_int_equal(nic_ne2000.poll(card, 64), 1);
    assert_int_equal(counters().interrupts, 1);
}

static void polling_silences_the_card(void **state)
{
    (void)state;
    assert_false(nic_ne2000.interrupts_on(card, false));
    (void)nic_ne2000.poll(card, 64);
    assert_true(fake_dp8390_receive(frame_of(1, 60), 60));
    assert_false(fake_dp8390_line());
}

/* 01:00:5e:00:00:01: the CRC that IEEE 802.3 puts behind it begins with the bits 011111. */
static void groups_are_hashed(void **state)
{
    static const uint8_t all_hosts[1][6] = {{1, 0, 0x5e, 0, 0, 1}};
    static const uint8_t expected[8] = {0, 0, 0, 0x80};

    (void)state;
    assert_true(nic_ne2000.set_groups(card, all_hosts, 1));
    assert_memory_equal(&fake_dp8390.page[1][DP8390_MAR0], expected, 8);
    assert_true(nic_ne2000.set_groups(card, NULL, 0));
    assert_int_equal(fake_dp8390.page[1][DP8390_MAR0 + 3], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(card_is_what_the_prom_says),
        TEST(another_address_is_filtered_by_the_driver),
        TEST(small_memory_is_noticed),
        cmocka_unit_test(dead_card_is_given_up),
        TEST(only_its_own_interrupt_is_taken),
        TEST(polling_silences_the_card),
        TEST(groups_are_hashed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
