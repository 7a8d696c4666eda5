/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The i82559 driver on the card of fake_i82559.h, which checks what the driver does and its memory:
 * opening, interrupts, filters and the link.
 */
#include "i82559_card.h"

static struct nic_link link_of(void *card)
{
    struct nic_link link;

    driver->link(card, &link);
    return link;
}

static void test_open(void **unused)
{
    uint32_t at = fake.ru_next;
    unsigned rfds = 1;

    (void)unused;
    assert_memory_equal(info.mac, mac, 6);
    assert_memory_equal(fake.address, mac, 6);
    assert_int_equal(fake.configuration[0], 22);
    assert_int_equal(fake.configuration[6] & 0x10, 0x10); /* standard TxCB */
    assert_int_equal(fake.configuration[15] & 1, 0);      /* not promiscuous */
    assert_int_equal(fake.configuration[21] & 8, 0);      /* not all multicast */
    assert_int_equal(fake.mask & 1, 1);
    assert_int_equal(fake.ru_state, FAKE_RU_READY);
    assert_int_equal(fake.cu_state, FAKE_CU_SUSPENDED);
    for (; !(fake_i82559_get16(at + 2) & 0x8000); rfds++) {
        assert_int_equal(fake_i82559_get16(at + 14), 1520);
        at = fake_i82559_get32(at + 4);
    }
    assert_int_equal(rfds, RFDS);
    assert_int_equal(counters().rx_held % RFDS, 0);
    assert_true(link_of(state).up);
}

static void test_io_space_and_other_address(void **unused)
{
    static const uint8_t other[6] = {2, 0, 0, 0, 0, 0x42};

    (void)unused;
    fake_pci_reset();
    client.mac = other;
    state = open_on(false);
    assert_non_null(state);
    assert_memory_equal(info.mac, other, 6);
    assert_memory_equal(fake.address, other, 6);
}

static void test_cannot_open(void **unused)
{
    struct vpci_device pci;
    unsigned live = fake_platform.live;
    unsigned allocations = fake_platform.allocations;

    (void)unused;
    assert_int_equal(vpci_scan(note_device, &pci), 1);
    assert_non_null(driver->open(&pci, &client, &info));
    allocations = fake_platform.allocations - allocations;
    live = fake_platform.live;
    for (unsigned nth = 1; nth <= allocations - RFDS; nth++) {
        fake_platform.fail_nth = nth;
        assert_null(driver->open(&pci, &client, &info));
        assert_int_equal(fake_platform.live, live);
    }
    config.rx_memory = 1 << 10; /* less than one receive buffer */
    assert_null(driver->open(&pci, &client, &info));
    config.rx_memory = 0;
    fake.eeprom[5]++; /* wrong checksum */
    assert_null(driver->open(&pci, &client, &info));
    fake.eeprom[5]--;
    fake.commands_lost = true;
    assert_null(driver->open(&pci, &client, &info));
    fake.commands_lost = false;
    fake.deaf = true;
    assert_null(driver->open(&pci, &client, &info));
    assert_int_equal(fake_platform.live, live);
}

static void test_interrupts(void **unused)
{
    (void)unused;
    assert_true(arrive(1));
    assert_false(fake_i82559_line(&fake));
    assert_false(driver->interrupt(state)); /* another card's interrupt while ours are disabled */
    assert_true(driver->interrupts_on(state, false));
    assert_int_equal(driver->poll(state, 64), 1);
    assert_false(driver->interrupts_on(state, false));
    assert_false(fake_i82559_line(&fake)); /* raised for the frame that was taken */
    assert_false(driver->interrupt(state));
    assert_true(arrive(2));
    assert_true(fake_i82559_line(&fake));
    assert_true(driver->interrupt(state));
    assert_false(fake_i82559_line(&fake));
    assert_true(arrive(3));
    assert_false(fake_i82559_line(&fake));
    assert_int_equal(driver->poll(state, 64), 2);
    assert_false(driver->interrupts_on(state, false));
    fake.ack |= 4; /* a cause that is not enabled */
    assert_true(driver->interrupt(state));
    assert_false(fake_i82559_line(&fake));
    driver->poll(state, 64);
    assert_int_equal(counters().interrupts, 2);
    assert_int_equal(counters().interrupts_spurious, 1);
}

static void test_groups(void **unused)
{
    uint8_t groups[65][6] = {{1, 0, 0x5e, 0, 0, 1}, {1, 0, 0x5e, 1, 2, 3}};
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    assert_int_equal(send(data, 1, 0), 0); /* transmitted while the card is notified */
    assert_true(driver->set_groups(state, (const uint8_t(*)[6])groups, 2));
    assert_int_equal(fake.groups[0], 2);
    assert_memory_equal(fake.groups + 1, groups, 12);
    assert_int_equal(fake.sent, 1);
    assert_int_equal(send(data, 1, 0), 0); /* transmitted later */
    driver->flush(state);
    assert_int_equal(fake.sent, 2);
    assert_true(driver->set_groups(state, (const uint8_t(*)[6])groups, 65));
    assert_int_equal(fake.configuration[21] & 8, 8); /* all multicast */
    assert_true(driver->set_groups(state, (const uint8_t(*)[6])groups, 64));
    assert_int_equal(fake.configuration[21] & 8, 0);
    assert_int_equal(fake.groups[0], 64);
}

/* A filter that could not be set is set by the next call. */
static void test_groups_are_told_again(void **unused)
{
    static const uint8_t groups[65][6];
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    fake_platform.clock_step = 1000000;
    fake.commands_lost = true;
    assert_int_equal(send(data, 1, 0), 0);
    driver->flush(state);
    assert_false(driver->set_groups(state, groups, 65)); /* a frame remains in flight for too
                                                          * long */
    assert_int_equal(fake.configuration[21] & 8, 0);
    fake.commands_lost = false;
    assert_int_equal(send(data, 1, 0), 0);
    driver->flush(state);
    assert_true(driver->set_groups(state, groups, 65));
    assert_int_equal(fake.configuration[21] & 8, 8);
}

static void test_link(void **unused)
{

    (void)unused;
    assert_int_equal(link_of(state).speed, 100);
    assert_int_equal(link_of(state).duplex, NIC_DUPLEX_FULL);
    fake.link = false;
    driver->poll(state, 64);
    assert_int_equal(got.links, 0); /* the link is read every two seconds */
    fake_platform.clock_ns += UINT64_C(2100000000);
    driver->poll(state, 64);
    assert_int_equal(got.links, -1);
    assert_false(link_of(state).up);
    fake.link = true;
    fake_platform.clock_ns += UINT64_C(2100000000);
    driver->poll(state, 64);
    assert_true(link_of(state).up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_open, setup),
        cmocka_unit_test_setup(test_io_space_and_other_address, setup),
        cmocka_unit_test_setup(test_cannot_open, setup),
        cmocka_unit_test_setup(test_interrupts, setup),
        cmocka_unit_test_setup(test_groups, setup),
        cmocka_unit_test_setup(test_groups_are_told_again, setup),
        cmocka_unit_test_setup(test_link, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
