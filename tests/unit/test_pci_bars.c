/* SPDX-License-Identifier: BSD-2-Clause */
/* Base address registers: their sizes, and addresses for those without one. */
#include <string.h>

#include "fake_pci.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"

static int empty_machine(void **state)
{
    (void)state;
    fake_pci_reset();
    return 0;
}

static struct vpci_device device_of(const struct fake_function *function)
{
    return (struct vpci_device){.bdf = function->bdf};
}

static void bars_are_sized_and_left_as_they_were(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);
    uint8_t before[256];

    (void)state;
    fake_pci_bar(f, 0, FAKE_BAR_IO, 32, 0xc100);
    fake_pci_bar(f, 1, FAKE_BAR_MEM32, 4096, 0xe0001000);
    fake_pci_bar(f, 2, FAKE_BAR_MEM64, 0x4000, 0xe0010000);
    fake_pci_bar(f, 5, FAKE_BAR_MEM32, 16, 0xe0020000);
    f->bar_flags[2] |= 8; /* prefetchable */
    fake_pci_set(f, PCI_BAR0 + 8, 1, 0x0c);
    fake_pci_set(f, PCI_COMMAND, 2, 0x0503);
    memcpy(before, f->config, sizeof before);
    vpci_setup_bars(&device);
    assert_memory_equal(f->config, before, sizeof before);
    assert_int_equal(fake_pci.bars_written_while_decoding, 0);
    assert_true(device.bar[0].io && !device.bar[1].io && device.bar[2].wide);
    assert_int_equal(device.bar[0].size, 32);
    assert_int_equal(device.bar[0].address, 0xc100);
    assert_int_equal(device.bar[1].size, 4096);
    assert_int_equal(device.bar[2].size, 0x4000);
    assert_int_equal(device.bar[2].address, 0xe0010000);
    assert_int_equal(device.bar[3].size, 0); /* the upper half is not a separate BAR */
    assert_int_equal(device.bar[4].size, 0);
    assert_int_equal(device.bar[5].size, 16);
}

static void huge_64_bit_bar_is_sized(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);

    (void)state;
    fake_pci_bar(f, 0, FAKE_BAR_MEM64, (uint64_t)1 << 34, (uint64_t)3 << 34);
    vpci_setup_bars(&device);
    assert_true(device.bar[0].size == (uint64_t)1 << 34);
    assert_true(device.bar[0].address == (uint64_t)3 << 34);
    assert_int_equal(device.bar[1].size, 0); /* the upper half is not a separate BAR */
}

static void io_bar_of_16_bits_is_sized(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);

    (void)state;
    fake_pci_bar(f, 0, FAKE_BAR_IO, 64, 0xc100);
    f->bar_mask[0] = 0xffc0; /* §6.2.5.1: the upper half may be hardwired to zero */
    vpci_setup_bars(&device);
    assert_int_equal(device.bar[0].size, 64);
    assert_int_equal(device.bar[0].address, 0xc100);
}

/* If a BAR stores only some bits of an address, it is used at that address or not at all. */
static void bars_are_believed_by_what_they_keep(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);

    (void)state;
    fake_pci.window[false] = (struct vpci_window){0xe0000000, 0xe0ffffff};
    fake_pci_bar(f, 0, FAKE_BAR_IO, 32, 0xc000);
    f->bar_mask[0] = 0xa2e0;
    fake_pci_bar(f, 1, FAKE_BAR_MEM32, 0x1000, 0);
    f->bar_mask[1] = 0x00fff000;
    vpci_setup_bars(&device);
    assert_int_equal(device.bar[0].size, 32);
    assert_int_equal(device.bar[0].address, 0x8000);
    assert_int_equal(fake_pci_bar_address(f, 0), 0x8000);
    assert_int_equal(device.bar[1].address, 0);
    assert_int_equal(fake_pci_bar_address(f, 1), 0);
}

static void registers_that_are_no_bars_have_no_size(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);

    (void)state;
    f->bar_mask[1] = UINT32_MAX; /* stores any value */
    fake_pci_bar(f, 5, FAKE_BAR_MEM32, 0x1000, 0xe0001000);
    f->bar_flags[5] |= 4; /* 64-bit, but without a register for the upper half */
    fake_pci_set(f, PCI_BAR0 + 20, 1, 4);
    vpci_setup_bars(&device);
    assert_int_equal(device.bar[1].size, 0);
    assert_false(device.bar[5].wide);
    assert_int_equal(device.bar[5].size, 0x1000);
    assert_int_equal(device.bar[5].address, 0xe0001000);
}

static void check_placed(const struct fake_function *f, const struct vpci_device *device, bool io)
{
    for (unsigned i = 0; i < 6; i++) {
        uint64_t start = fake_pci_bar_address(f, i);

        if (device->bar[i].size == 0 || device->bar[i].io != io) {
            continue;
        }
        assert_int_equal(start, device->bar[i].address);
        assert_int_equal(start % device->bar[i].size, 0);
        assert_true(start >= fake_pci.window[io].first);
        assert_true(start + device->bar[i].size - 1 <= fake_pci.window[io].last);
    }
}

static void bars_without_address_get_one_that_nobody_has(void **state)
{
    struct fake_function *other = fake_pci_add(2 << 3, 1, 1);
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct fake_function *beyond;
    struct vpci_device device = device_of(f);
    uint64_t taken[] = {0xefff8000, 0xeffe0000, 0xefff0000};

    (void)state;
    /* The top of both windows is occupied, partly behind a bridge. */
    fake_pci_bar(other, 0, FAKE_BAR_IO, 256, 0xff00);
    fake_pci_bar(other, 1, FAKE_BAR_MEM32, 0x8000, taken[0]);
    fake_pci_bar(other, 2, FAKE_BAR_MEM64, 0x10000, taken[1]);
    fake_pci_bridge(fake_pci_add(4 << 3, 1, 1), 1);
    beyond = fake_pci_add(1 << 8 | 5 << 3, 1, 1);
    fake_pci_bar(beyond, 0, FAKE_BAR_MEM32, 16, taken[2]);
    fake_pci_bar(f, 0, FAKE_BAR_IO, 64, 0);
    fake_pci_bar(f, 1, FAKE_BAR_MEM32, 0x1000, 0);
    fake_pci_bar(f, 2, FAKE_BAR_MEM32, 0x1000, 0);
    fake_pci_bar(f, 4, FAKE_BAR_MEM64, 0x4000, 0);
    vpci_setup_bars(&device);
    check_placed(f, &device, false);
    check_placed(f, &device, true);
    fake_pci_set(f, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    fake_pci_set(other, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    fake_pci_set(beyond, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    for (unsigned bar = 0; bar < 5; bar++) {
        for (uint64_t i = 0; i < device.bar[bar].size; i += 16) {
            /* Two that decode it fail the test. */
            struct vpci_region region;

            assert_true(vpci_map(&device, bar, (uint32_t)i, 1, &region));
            vpci_read8(&region, 0);
        }
    }
    assert_int_equal(fake_pci.unclaimed, 0);
    assert_int_equal(fake_pci_bar_address(other, 1), taken[0]);
    assert_int_equal(fake_pci_bar_address(beyond, 0), taken[2]);
}

static void bar_that_fits_nowhere_keeps_address_0(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);
    struct vpci_region region;

    (void)state;
    fake_pci.window[false] = (struct vpci_window){0xe0000800, 0xe0002fff};
    fake_pci_bar(f, 0, FAKE_BAR_MEM32, 0x4000, 0);
    fake_pci_bar(f, 1, FAKE_BAR_MEM32, 0x1000, 0);
    fake_pci_bar(f, 2, FAKE_BAR_MEM32, 0x1000, 0);
    fake_pci_bar(f, 3, FAKE_BAR_MEM32, 0x1000, 0);
    vpci_setup_bars(&device);
    assert_int_equal(device.bar[0].address, 0);
    assert_int_equal(fake_pci_bar_address(f, 0), 0);
    assert_false(vpci_map(&device, 0, 0, 4, &region));
    assert_int_equal(device.bar[1].address, 0xe0002000);
    assert_int_equal(device.bar[2].address, 0xe0001000);
    assert_int_equal(device.bar[3].address, 0);
}

/* The window ends below the first possible address of such a BAR. */
static void bar_larger_than_what_lies_below_the_window_keeps_address_0(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);

    (void)state;
    fake_pci.window[true] = (struct vpci_window){0x100, 0x7ff};
    fake_pci_bar(f, 0, FAKE_BAR_IO, 0x1000, 0);
    vpci_setup_bars(&device);
    assert_int_equal(device.bar[0].address, 0);
    assert_int_equal(fake_pci_bar_address(f, 0), 0);
}

static void io_and_memory_do_not_collide(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);

    (void)state;
    fake_pci_bar(fake_pci_add(2 << 3, 1, 1), 0, FAKE_BAR_IO, 0x1000, 0xd000);
    fake_pci.window[false] = (struct vpci_window){0xd000, 0xdfff};
    fake_pci_bar(f, 0, FAKE_BAR_MEM32, 0x1000, 0);
    vpci_setup_bars(&device);
    assert_int_equal(fake_pci_bar_address(f, 0), 0xd000);
}

static void window_at_the_end_of_32_bits_is_used(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);
    struct vpci_region region;

    (void)state;
    fake_pci.window[false] = (struct vpci_window){0xffff0000, 0xffffffff};
    fake_pci_bar(f, 0, FAKE_BAR_MEM64, 0x10000, 0);
    vpci_setup_bars(&device);
    assert_int_equal(fake_pci_bar_address(f, 0), 0xffff0000);
    assert_true(vpci_map(&device, 0, 0xfffc, 4, &region));
}

static void decoding_is_off_while_a_bar_gets_its_address(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);

    (void)state;
    fake_pci_bar(f, 0, FAKE_BAR_MEM64, 0x1000, 0);
    fake_pci_set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    vpci_setup_bars(&device);
    assert_int_not_equal(fake_pci_bar_address(f, 0), 0);
    assert_int_equal(fake_pci_get(f, PCI_COMMAND, 2), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_int_equal(fake_pci.bars_written_while_decoding, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bars_are_sized_and_left_as_they_were, empty_machine),
        cmocka_unit_test_setup(huge_64_bit_bar_is_sized, empty_machine),
        cmocka_unit_test_setup(io_bar_of_16_bits_is_sized, empty_machine),
        cmocka_unit_test_setup(bars_are_believed_by_what_they_keep, empty_machine),
        cmocka_unit_test_setup(registers_that_are_no_bars_have_no_size, empty_machine),
        cmocka_unit_test_setup(bars_without_address_get_one_that_nobody_has, empty_machine),
        cmocka_unit_test_setup(bar_that_fits_nowhere_keeps_address_0, empty_machine),
        cmocka_unit_test_setup(bar_larger_than_what_lies_below_the_window_keeps_address_0,
                               empty_machine),
        cmocka_unit_test_setup(io_and_memory_do_not_collide, empty_machine),
        cmocka_unit_test_setup(window_at_the_end_of_32_bits_is_used, empty_machine),
        cmocka_unit_test_setup(decoding_is_off_while_a_bar_gets_its_address, empty_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
