/* SPDX-License-Identifier: BSD-2-Clause */
/* The PCI core: scan, base address registers, capabilities, decoding. */
#include <string.h>

#include "fake_pci.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"

static uint16_t seen[64];
static unsigned seen_count;

static bool note_function(const struct vpci_device *device, void *context)
{
    assert_true(seen_count < 64);
    seen[seen_count++] = device->bdf;
    return context == NULL || device->bdf != *(uint16_t *)context;
}

static void scan(void)
{
    unsigned visited;

    seen_count = 0;
    visited = vpci_scan(note_function, NULL);
    assert_int_equal(visited, seen_count);
}

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

static bool copy_function(const struct vpci_device *device, void *context)
{
    *(struct vpci_device *)context = *device;
    return true;
}

static void scan_of_an_empty_machine_finds_nothing(void **state)
{
    (void)state;
    scan();
    assert_int_equal(seen_count, 0);
}

static void scan_reports_ids_class_and_interrupt(void **state)
{
    struct fake_function *f = fake_pci_add(31 << 3, 0x1234, 0x5678);
    struct vpci_device expected = {
        .bdf = 31 << 3,
        .vendor = 0x1234,
        .device = 0x5678,
        .subsystem = 0x9abc,
        .class_code = 0x0280,
        .revision = 7,
        .irq_line = 15,
        .irq_pin = 4,
    };
    struct vpci_device got;

    (void)state;
    fake_pci_set(f, PCI_CLASS, 2, 0x0280);
    fake_pci_set(f, PCI_REVISION_ID, 1, 7);
    fake_pci_set(f, PCI_SUBSYSTEM_ID, 2, 0x9abc);
    fake_pci_set(f, PCI_INTERRUPT_LINE, 1, 15);
    fake_pci_set(f, PCI_INTERRUPT_PIN, 1, 4);
    memset(&got, 0, sizeof got);
    assert_int_equal(vpci_scan(copy_function, &got), 1);
    assert_int_equal(got.bdf, expected.bdf);
    assert_int_equal(got.vendor, expected.vendor);
    assert_int_equal(got.device, expected.device);
    assert_int_equal(got.subsystem, expected.subsystem);
    assert_int_equal(got.class_code, expected.class_code);
    assert_int_equal(got.revision, expected.revision);
    assert_int_equal(got.irq_line, expected.irq_line);
    assert_int_equal(got.irq_pin, expected.irq_pin);
}

static void functions_count_only_where_the_header_says_so(void **state)
{
    struct fake_function *multi = fake_pci_add(4 << 3, 1, 1);

    (void)state;
    fake_pci_add(2 << 3, 1, 1);
    fake_pci_add(2 << 3 | 1, 1, 2); /* some devices answer at all functions */
    fake_pci_add(4 << 3 | 7, 1, 2); /* with gaps in between */
    fake_pci_add(5 << 3 | 1, 1, 2); /* without function 0 the device does not exist */
    fake_pci_bridge(fake_pci_add(6 << 3, 1, 1), 0);
    fake_pci_add(6 << 3 | 1, 1, 2); /* a bridge whose header does not say multifunction */
    fake_pci_set(multi, PCI_HEADER_TYPE, 1, 0x80);
    scan();
    assert_int_equal(seen_count, 4);
    assert_int_equal(seen[0], 2 << 3);
    assert_int_equal(seen[1], 4 << 3);
    assert_int_equal(seen[2], 4 << 3 | 7);
    assert_int_equal(seen[3], 6 << 3);
}

static void scan_goes_over_bridges(void **state)
{
    (void)state;
    fake_pci_bridge(fake_pci_add(1 << 3, 1, 1), 3);
    fake_pci_bridge(fake_pci_add(3 << 8 | 2 << 3, 1, 1), 200);
    fake_pci_add(200 << 8 | 31 << 3, 1, 1);
    fake_pci_add(9 << 3, 1, 1);
    fake_pci_add(77 << 8, 1, 1); /* on a bus without a bridge */
    scan();
    assert_int_equal(seen_count, 4);
    assert_int_equal(seen[2], 200 << 8 | 31 << 3);
    assert_int_equal(seen[3], 9 << 3);
}

static void bridges_that_form_a_loop_are_visited_once(void **state)
{
    (void)state;
    fake_pci_bridge(fake_pci_add(1 << 3, 1, 1), 2);
    fake_pci_bridge(fake_pci_add(2 << 8, 1, 1), 1);          /* down */
    fake_pci_bridge(fake_pci_add(1 << 8 | 1 << 3, 1, 1), 2); /* back up */
    fake_pci_bridge(fake_pci_add(2 << 8 | 1 << 3, 1, 1), 2); /* itself */
    fake_pci_bridge(fake_pci_add(2 << 8 | 2 << 3, 1, 1), 0); /* not configured by the firmware */
    scan();
    assert_int_equal(seen_count, 5);
}

static uintptr_t stack_first, stack_last;

static bool note_stack(const struct vpci_device *device, void *context)
{
    (void)device, (void)context;
    stack_last = (uintptr_t)__builtin_frame_address(0);
    stack_first = stack_first != 0 ? stack_first : stack_last;
    return true;
}

/* Bridges may be nested as deep as there are buses; the stack of a small system is limited. */
static void bridges_behind_bridges_take_no_stack(void **state)
{
    (void)state;
    for (unsigned bus = 0; bus < 30; bus++) {
        fake_pci_bridge(fake_pci_add((uint16_t)(bus << 8 | 1 << 3), 1, 1), (uint8_t)(bus + 1));
    }
    stack_first = 0;
    assert_int_equal(vpci_scan(note_stack, NULL), 30);
    assert_int_equal(stack_last, stack_first);
}

static void scan_stops_when_told(void **state)
{
    uint16_t last = 2 << 8 | 1 << 3;

    (void)state;
    fake_pci_bridge(fake_pci_add(1 << 3, 1, 1), 2);
    fake_pci_add(2 << 8, 1, 1);
    fake_pci_add(2 << 8 | 1 << 3, 1, 1);
    fake_pci_add(2 << 8 | 2 << 3, 1, 1);
    fake_pci_add(7 << 3, 1, 1);
    seen_count = 0;
    assert_int_equal(vpci_scan(note_function, &last), 3);
    assert_int_equal(seen[seen_count - 1], last);
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

static void map_refuses_what_lies_outside(void **state)
{
    struct vpci_device device = {
        .bar =
            {
                [0] = {.address = 0xc000, .size = 64, .io = true},
                [2] = {.address = (uint64_t)1 << 32, .size = 0x1000, .wide = true},
                [4] = {.address = 0xfffff000, .size = 0x2000, .wide = true},
                [5] = {.address = 0, .size = 0x1000},
            },
    };
    struct vpci_device top = {
        .bar = {{.address = UINT64_MAX - 0xfff, .size = 0x1000, .wide = true}},
    };
    struct vpci_region region = {0};

    (void)state;
    assert_true(vpci_map(&device, 0, 16, 48, &region));
    assert_true(region.io && region.base == 0xc010 && region.size == 48);
    assert_false(vpci_map(&device, 0, 16, 49, &region));
    assert_false(vpci_map(&device, 0, UINT32_MAX, 2, &region)); /* the sum overflows to 1 */
    assert_false(vpci_map(&device, 1, 0, 1, &region));          /* not implemented */
    assert_false(vpci_map(&device, 2, 0, 4, &region));          /* above 4 GiB */
    assert_true(vpci_map(&device, 4, 0, 0x1000, &region));
    assert_false(vpci_map(&device, 4, 0, 0x1001, &region)); /* extends beyond 4 GiB */
    assert_false(vpci_map(&device, 5, 0, 4, &region));      /* no address */
    assert_false(vpci_map(&device, 6, 0, 4, &region));
    assert_false(vpci_map(&device, 7, 0, 4, &region));
    assert_false(vpci_map(&top, 0, 0, 0x1000, &region)); /* the end overflows to 0 */
    assert_int_equal(region.base, 0xfffff000 ^ FAKE_MAPPED);
    fake_pci.unmappable = true;
    assert_true(vpci_map(&device, 0, 16, 48, &region)); /* I/O space needs no mapping */
    assert_false(vpci_map(&device, 4, 0, 4, &region));
    assert_true(region.io && region.base == 0xc010 && region.size == 48); /* left as it was */
}

static void enable_switches_on_what_a_driver_needs(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = device_of(f);

    (void)state;
    fake_pci_set(f, PCI_COMMAND, 2, 0x0140); /* SERR, parity */
    vpci_enable(&device);
    assert_int_equal(fake_pci_get(f, PCI_COMMAND, 2), 0x0547); /* INTx is off */
    vpci_enable_line(&device);
    assert_int_equal(fake_pci_get(f, PCI_COMMAND, 2), 0x0147);
}

static struct vpci_device with_capabilities(struct fake_function *f, uint8_t first)
{
    fake_pci_set(f, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
    fake_pci_set(f, PCI_CAPABILITIES, 1, first);
    return device_of(f);
}

static void capabilities_are_found_by_number(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = with_capabilities(f, 0x43); /* the two low bits are reserved */

    (void)state;
    fake_pci_set(f, 0x40, 2, 0x09 | 0xfe << 8);
    fake_pci_set(f, 0xfc, 2, 0x05 | 0x71 << 8);
    fake_pci_set(f, 0x70, 2, 0x09);
    assert_int_equal(vpci_find_capability(&device, 9, 0), 0x40);
    assert_int_equal(vpci_find_capability(&device, 5, 0), 0xfc);
    assert_int_equal(vpci_find_capability(&device, 9, 1), 0x70);
    assert_int_equal(vpci_find_capability(&device, 9, 2), 0);
    assert_int_equal(vpci_find_capability(&device, 5, 1), 0);
    fake_pci_set(f, PCI_STATUS, 2, 0); /* the pointer is then invalid */
    assert_int_equal(vpci_find_capability(&device, 9, 0), 0);
}

static void capability_lists_with_loops_end(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 1, 1);
    struct vpci_device device = with_capabilities(f, 0x40);
    unsigned nth = 0;

    (void)state;
    fake_pci_set(f, 0x40, 2, 0x09 | 0x40 << 8); /* points to itself */
    while (vpci_find_capability(&device, 9, nth) != 0) {
        assert_true(++nth <= 64);
    }
    fake_pci_set(f, 0x40, 2, 0x09 | 0x50 << 8);
    fake_pci_set(f, 0x50, 2, 0x05 | 0x40 << 8);
    for (nth = 0; vpci_find_capability(&device, 5, nth) != 0;) {
        assert_true(++nth <= 64);
    }
    assert_int_equal(vpci_find_capability(&device, 1, 0), 0);
}

static void capability_pointers_into_the_header_end_the_list(void **state)
{
    struct fake_function *f = fake_pci_add(3 << 3, 0x0909, 0x0909);
    struct vpci_device device = with_capabilities(f, 0x3c);

    (void)state;
    fake_pci_set(f, 0x3c, 4, 0x09090909);
    assert_int_equal(vpci_find_capability(&device, 9, 0), 0);
    fake_pci_set(f, PCI_CAPABILITIES, 1, 0x40);
    fake_pci_set(f, 0x40, 2, 0x05 | 0x02 << 8);
    assert_int_equal(vpci_find_capability(&device, 9, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(scan_of_an_empty_machine_finds_nothing, empty_machine),
        cmocka_unit_test_setup(scan_reports_ids_class_and_interrupt, empty_machine),
        cmocka_unit_test_setup(functions_count_only_where_the_header_says_so, empty_machine),
        cmocka_unit_test_setup(scan_goes_over_bridges, empty_machine),
        cmocka_unit_test_setup(bridges_that_form_a_loop_are_visited_once, empty_machine),
        cmocka_unit_test_setup(bridges_behind_bridges_take_no_stack, empty_machine),
        cmocka_unit_test_setup(scan_stops_when_told, empty_machine),
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
        cmocka_unit_test_setup(map_refuses_what_lies_outside, empty_machine),
        cmocka_unit_test_setup(enable_switches_on_what_a_driver_needs, empty_machine),
        cmocka_unit_test_setup(capabilities_are_found_by_number, empty_machine),
        cmocka_unit_test_setup(capability_lists_with_loops_end, empty_machine),
        cmocka_unit_test_setup(capability_pointers_into_the_header_end_the_list, empty_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
