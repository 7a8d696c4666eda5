/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI-to-PCI bridges when the program is the firmware: numbers, windows, and BARs behind them. */
#include <string.h>
#include <unistd.h>

#include "fake_pci.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"

enum {
    SUBORDINATE = 0x1a,
    IO_BASE = 0x1c,
    IO_LIMIT = 0x1d,
    MEMORY_BASE = 0x20,
    MEMORY_LIMIT = 0x22,
    PREFETCHABLE_BASE = 0x24,
    PREFETCHABLE_LIMIT = 0x26,
};

static int empty_machine(void **state)
{
    (void)state;
    fake_pci_reset();
    fake_pci.window[true] = (struct vpci_window){0x4000, 0xffff};
    fake_pci.window[false] = (struct vpci_window){0x10000000, 0x2fffffff};
    return 0;
}

static struct fake_function *add_bridge(unsigned bus, unsigned slot)
{
    struct fake_function *f = fake_pci_add((uint16_t)(bus << 8 | slot << 3), 0x1b36, 1);

    fake_pci_bridge(f, 0);
    return f;
}

static void assert_bus(const struct fake_function *f, unsigned primary, unsigned secondary,
                       unsigned subordinate)
{
    assert_int_equal(fake_pci_get(f, PCI_SECONDARY_BUS - 1, 1), primary);
    assert_int_equal(fake_pci_get(f, PCI_SECONDARY_BUS, 1), secondary);
    assert_int_equal(fake_pci_get(f, SUBORDINATE, 1), subordinate);
}

static void bridges_are_numbered_depth_first(void **state)
{
    struct fake_function *a = add_bridge(0, 3);
    struct fake_function *d = add_bridge(0, 5);
    struct fake_function *b = add_bridge(1, 1); /* the future number of a */
    struct fake_function *c = add_bridge(2, 9);

    (void)state;
    vpci_setup_bridges();
    assert_bus(a, 0, 1, 3);
    assert_bus(b, 1, 2, 3);
    assert_bus(c, 2, 3, 3);
    assert_bus(d, 0, 4, 4);
}

static void a_bridge_forwards_what_is_behind_it(void **state)
{
    struct fake_function *a = add_bridge(0, 3);
    struct fake_function *b = add_bridge(1, 1);
    struct fake_function *c = add_bridge(0, 4);

    (void)state;
    vpci_setup_bridges();
    assert_int_equal(fake_pci_get(a, IO_BASE, 1), 0x40);
    assert_int_equal(fake_pci_get(a, IO_LIMIT, 1), 0x50);
    assert_int_equal(fake_pci_get(b, IO_BASE, 1), 0x50);
    assert_int_equal(fake_pci_get(b, IO_LIMIT, 1), 0x50);
    assert_int_equal(fake_pci_get(c, IO_BASE, 1), 0x60);
    assert_int_equal(fake_pci_get(a, MEMORY_BASE, 2), 0x1000);
    assert_int_equal(fake_pci_get(a, MEMORY_LIMIT, 2), 0x1070);
    assert_int_equal(fake_pci_get(b, MEMORY_BASE, 2), 0x1040);
    assert_int_equal(fake_pci_get(b, MEMORY_LIMIT, 2), 0x1070);
    assert_int_equal(fake_pci_get(c, MEMORY_BASE, 2), 0x1080);
    assert_true(fake_pci_get(a, PREFETCHABLE_BASE, 2) > fake_pci_get(a, PREFETCHABLE_LIMIT, 2));
    assert_int_equal(fake_pci_get(a, PCI_COMMAND, 2) & 7,
                     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void what_the_firmware_numbered_is_left_alone(void **state)
{
    struct fake_function *a = add_bridge(0, 3);
    struct fake_function *b = add_bridge(0, 4);

    (void)state;
    fake_pci_set(a, PCI_SECONDARY_BUS, 1, 7);
    vpci_setup_bridges();
    assert_bus(a, 0, 7, 0);
    assert_bus(b, 0, 0, 0);
}

static void more_bridges_than_numbers_are_survived(void **state)
{
    (void)state;
    for (unsigned slot = 0; slot < 12; slot++) {
        add_bridge(0, slot);
    }
    vpci_setup_bridges();
    assert_bus(&fake_pci.function[7], 0, 8, 8);
    assert_bus(&fake_pci.function[8], 0, 0, 0);
}

static void bars_behind_a_bridge_lie_in_its_window(void **state)
{
    struct fake_function *outer = add_bridge(0, 3);
    struct fake_function *inner = add_bridge(1, 1);
    struct fake_function *card = fake_pci_add(2 << 8 | 2 << 3, 0x1af4, 0x1000);
    struct vpci_device device = {.bdf = card->bdf};

    (void)state, (void)outer, (void)inner;
    fake_pci_bar(card, 0, FAKE_BAR_IO, 0x20, 0);
    fake_pci_bar(card, 1, FAKE_BAR_MEM32, 0x1000, 0);
    fake_pci_bar(card, 4, FAKE_BAR_MEM64, 0x4000, 0);
    vpci_setup_bridges();
    vpci_setup_bars(&device);
    assert_int_equal(device.bar[0].address, 0x5fe0);
    assert_int_equal(device.bar[1].address, 0x107ff000);
    assert_int_equal(device.bar[4].address, 0x107f8000);
}

static void bars_before_a_bridge_lie_outside_its_window(void **state)
{
    struct fake_function *bridge = add_bridge(0, 3);
    struct fake_function *card = fake_pci_add(4 << 3, 0x1af4, 0x1000);
    struct vpci_device device = {.bdf = card->bdf};

    (void)state;
    vpci_setup_bridges();
    /* Its window covers the top of all, so there is only room below. */
    fake_pci_set(bridge, MEMORY_BASE, 2, 0x2ff0);
    fake_pci_set(bridge, MEMORY_LIMIT, 2, 0x2ff0);
    fake_pci_set(bridge, IO_BASE, 1, 0xf0);
    fake_pci_set(bridge, IO_LIMIT, 1, 0xf0);
    fake_pci_bar(card, 0, FAKE_BAR_IO, 0x20, 0);
    fake_pci_bar(card, 1, FAKE_BAR_MEM32, 0x1000, 0);
    vpci_setup_bars(&device);
    assert_int_equal(device.bar[0].address, 0xefe0);
    assert_int_equal(device.bar[1].address, 0x2feff000);
}

/* Behind its two BARs a bridge has other registers: bus numbers, windows. */
static void only_two_registers_of_a_bridge_are_bars(void **state)
{
    struct fake_function *bridge = add_bridge(0, 3);
    struct fake_function *card = fake_pci_add(4 << 3, 0x1af4, 0x1000);
    struct vpci_device device = {.bdf = card->bdf};

    (void)state;
    vpci_setup_bridges();
    fake_pci_bar(card, 1, FAKE_BAR_MEM32, 0x1000, 0);
    fake_pci.tracing = true;
    vpci_setup_bars(&device);
    for (unsigned i = 0; i < fake_pci.traced; i++) {
        const struct fake_access *access = &fake_pci.trace[i];

        assert_false(access->space == FAKE_CONFIG && access->write && access->bdf == bridge->bdf &&
                     access->address >= PCI_BAR0 + 8);
    }
}

/* Its base is above its limit; both are inside the BAR's place. */
static void closed_window_takes_no_room(void **state)
{
    struct fake_function *bridge = add_bridge(0, 3);
    struct fake_function *card = fake_pci_add(4 << 3, 0x1af4, 0x1000);
    struct vpci_device device = {.bdf = card->bdf};

    (void)state;
    vpci_setup_bridges();
    fake_pci_set(bridge, MEMORY_BASE, 2, 0x2800);
    fake_pci_set(bridge, MEMORY_LIMIT, 2, 0x2100);
    fake_pci_bar(card, 1, FAKE_BAR_MEM32, 0x10000000, 0);
    vpci_setup_bars(&device);
    assert_int_equal(device.bar[1].address, 0x20000000);
}

static void no_room_behind_a_bridge_is_no_address(void **state)
{
    struct fake_function *bridge = add_bridge(0, 3);
    struct fake_function *card = fake_pci_add(1 << 8 | 2 << 3, 0x1af4, 0x1000);
    struct vpci_device device = {.bdf = card->bdf};

    (void)state, (void)bridge;
    fake_pci_bar(card, 1, FAKE_BAR_MEM32, 0x800000, 0);
    vpci_setup_bridges();
    vpci_setup_bars(&device);
    assert_int_equal(device.bar[1].address, 0);
}

static unsigned seen[3];

static bool look(const struct vpci_device *device, void *context)
{
    (void)context;
    seen[0] += device->bdf == 0x8118;
    seen[1] += device->bdf == 0xc0f8;
    seen[2]++;
    return true;
}

/*
 * Like QEMU's pxb: at 80:00.0 a bridge to bus 81. And a root bus whose first device is in the last
 * slot. They are scanned only if the platform reports other roots.
 */
static void other_root_buses_are_scanned(void **state)
{
    (void)state;
    for (unsigned roots = 0; roots <= 3; roots++) { /* and a root bus without devices */
        unsigned visited;

        memset(seen, 0, sizeof seen);
        fake_pci_reset();
        fake_pci.other_roots = roots;
        fake_pci_add(0x0018, 0x8086, 0x1237);
        fake_pci_bridge(fake_pci_add(0x8000, 0x1b36, 1), 0x81);
        fake_pci_add(0x8118, 0x1af4, 0x1000);
        fake_pci_add(0xc0f8, 0x1af4, 0x1000);
        fake_pci.tracing = true;
        visited = vpci_scan(look, NULL);
        assert_int_equal(visited, seen[2]);
        for (unsigned i = 0; roots == 0 && i < fake_pci.traced; i++) {
            assert_int_equal(fake_pci.trace[i].bdf >> 8, 0);
        }
        assert_int_equal(seen[0], roots >= 1);
        assert_int_equal(seen[1], roots >= 2);
        assert_int_equal(seen[2], roots == 0 ? 1 : roots == 1 ? 3 : 4);
    }
}

/* A root bus has the number that the first bridge will get, and contains the bridge. */
static void a_bridge_to_its_own_bus_is_survived(void **state)
{
    struct fake_function *f;

    (void)state;
    fake_pci.other_roots = 1;
    f = add_bridge(1, 2);
    alarm(10);
    vpci_setup_bridges();
    alarm(0);
    assert_bus(f, 1, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bridges_are_numbered_depth_first, empty_machine),
        cmocka_unit_test_setup(a_bridge_forwards_what_is_behind_it, empty_machine),
        cmocka_unit_test_setup(what_the_firmware_numbered_is_left_alone, empty_machine),
        cmocka_unit_test_setup(more_bridges_than_numbers_are_survived, empty_machine),
        cmocka_unit_test_setup(bars_behind_a_bridge_lie_in_its_window, empty_machine),
        cmocka_unit_test_setup(bars_before_a_bridge_lie_outside_its_window, empty_machine),
        cmocka_unit_test_setup(only_two_registers_of_a_bridge_are_bars, empty_machine),
        cmocka_unit_test_setup(closed_window_takes_no_room, empty_machine),
        cmocka_unit_test_setup(no_room_behind_a_bridge_is_no_address, empty_machine),
        cmocka_unit_test_setup(other_root_buses_are_scanned, empty_machine),
        cmocka_unit_test_setup(a_bridge_to_its_own_bus_is_survived, empty_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
