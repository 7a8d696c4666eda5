/* SPDX-License-Identifier: BSD-2-Clause */
/* The scan of the PCI buses. */
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
