/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI core on QEMU's two PReP machines, from their recorded configuration spaces. The program
 * is their firmware, so nothing is numbered or assigned. The expected addresses are those of QEMU's
 * "info pci" when this firmware ran on the same machines.
 */
#include "fake_machine.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"

enum {
    IO_BASE = 0x1c, /* of a bridge */
    IO_LIMIT = 0x1d,
    MEMORY_BASE = 0x20,
    MEMORY_LIMIT = 0x22,
};

/* A group's state selects one of the two machines. */
static int prep_machine(void **state)
{
    *state = fake_machine_prep;
    return 0;
}

static int machine_40p(void **state)
{
    *state = fake_machine_40p;
    return 0;
}

static void start_machine(void **state)
{
    ((void (*)(void)) * state)();
}

static bool note_function(const struct vpci_device *device, void *context)
{
    ((bool *)context)[device->bdf & 0xff] = true;
    return true;
}

static void the_scan_finds_all_that_is_there(void **state)
{
    bool seen[256] = {false};
    unsigned machine;

    start_machine(state);
    machine = fake_pci.functions;
    fake_machine_add_transitional(BDF(0, 3, 0));
    fake_machine_add_bridge(BDF(0, 5, 0));
    fake_machine_add_legacy(BDF(1, 1, 0));
    assert_int_equal(vpci_scan(note_function, seen), machine + 2);
    assert_true(seen[BDF(0, 3, 0)]);
    assert_true(seen[BDF(0, 5, 0)]);
    assert_false(seen[BDF(0, 1, 1)]);
    vpci_setup_bridges();
    assert_int_equal(vpci_scan(note_function, seen), machine + 3);
}

static void assert_bar(const struct fake_function *f, const struct vpci_device *device,
                       unsigned index, uint64_t address, uint64_t size)
{
    assert_int_equal(device->bar[index].address, address);
    assert_int_equal(device->bar[index].size, size);
    assert_int_equal(fake_pci_bar_address(f, index), address);
}

static void a_card_on_the_first_bus_gets_addresses(void **state)
{
    struct fake_function *card;
    struct vpci_device device;

    start_machine(state);
    card = fake_machine_add_transitional(BDF(0, 3, 0));
    fake_machine_add_bridge(BDF(0, 5, 0));
    device = (struct vpci_device){.bdf = card->bdf};
    vpci_setup_bridges();
    vpci_setup_bars(&device);
    assert_true(device.bar[0].io);
    assert_true(device.bar[4].wide);
    assert_bar(card, &device, 0, 0xffe0, 0x20);
    assert_bar(card, &device, 4, 0x2fffc000, 0x4000);
    assert_int_equal(fake_pci.bars_written_while_decoding, 0);
}

static void a_modern_card_has_no_io(void **state)
{
    struct fake_function *card;
    struct vpci_device device;

    start_machine(state);
    card = fake_machine_add_modern(BDF(0, 4, 0));
    device = (struct vpci_device){.bdf = card->bdf};
    vpci_setup_bars(&device);
    assert_bar(card, &device, 0, 0, 0);
    assert_bar(card, &device, 4, 0x2fffc000, 0x4000);
}

static void the_next_card_gets_what_lies_below(void **state)
{
    struct fake_function *first, *second;
    struct vpci_device device;

    start_machine(state);
    first = fake_machine_add_transitional(BDF(0, 3, 0));
    second = fake_machine_add_transitional(BDF(0, 4, 0));
    device = (struct vpci_device){.bdf = first->bdf};
    vpci_setup_bars(&device);
    device = (struct vpci_device){.bdf = second->bdf};
    vpci_setup_bars(&device);
    assert_bar(second, &device, 0, 0xffc0, 0x20);
    assert_bar(second, &device, 4, 0x2fff8000, 0x4000);
}

static void a_bridge_is_numbered_and_forwards(void **state)
{
    struct fake_function *bridge, *card;
    struct vpci_device device;

    start_machine(state);
    bridge = fake_machine_add_bridge(BDF(0, 5, 0));
    card = fake_machine_add_transitional(BDF(1, 1, 0));
    device = (struct vpci_device){.bdf = card->bdf};
    vpci_setup_bridges();
    vpci_setup_bars(&device);
    assert_int_equal(fake_pci_get(bridge, PCI_SECONDARY_BUS, 1), 1);
    assert_int_equal(fake_pci_get(bridge, IO_BASE, 1) & 0xf0, 0x40);
    assert_int_equal(fake_pci_get(bridge, IO_LIMIT, 1) & 0xf0, 0x40);
    assert_int_equal(fake_pci_get(bridge, MEMORY_BASE, 2), 0x1000);
    assert_int_equal(fake_pci_get(bridge, MEMORY_LIMIT, 2), 0x1030);
    assert_bar(card, &device, 0, 0x4fe0, 0x20);
    assert_bar(card, &device, 4, 0x103fc000, 0x4000);
}

/* Common, notification, ISR status, device and PCI configuration, in reverse order. */
static void the_modern_interface_is_in_the_capability_list(void **state)
{
    static const uint8_t offset[] = {0x84, 0x70, 0x60, 0x50, 0x40};
    static const uint8_t type[] = {5, 2, 4, 3, 1};
    struct vpci_device device = {.bdf = BDF(0, 3, 0)};

    start_machine(state);
    fake_machine_add_transitional(device.bdf);
    for (unsigned i = 0; i < sizeof offset; i++) {
        assert_int_equal(vpci_find_capability(&device, PCI_CAP_VENDOR_SPECIFIC, i), offset[i]);
        assert_int_equal(vpci_config_read(&device, offset[i] + 3u, 1), type[i]);
    }
    assert_int_equal(vpci_find_capability(&device, PCI_CAP_VENDOR_SPECIFIC, 5), 0);
    device.bdf = BDF(0, 4, 0);
    fake_machine_add_legacy(device.bdf);
    assert_int_equal(vpci_find_capability(&device, PCI_CAP_VENDOR_SPECIFIC, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scan_finds_all_that_is_there),
        cmocka_unit_test(a_card_on_the_first_bus_gets_addresses),
        cmocka_unit_test(a_modern_card_has_no_io),
        cmocka_unit_test(the_next_card_gets_what_lies_below),
        cmocka_unit_test(a_bridge_is_numbered_and_forwards),
        cmocka_unit_test(the_modern_interface_is_in_the_capability_list),
    };
    int failed = cmocka_run_group_tests_name("prep", tests, prep_machine, NULL);

    return failed + cmocka_run_group_tests_name("40p", tests, machine_40p, NULL);
}
