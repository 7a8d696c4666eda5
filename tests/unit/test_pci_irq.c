/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines on a PC and on QEMU's two PReP machines. The mapping of pins and slots to lines
 * on prep was determined with QEMU 4.2.0, for each slot and behind bridges.
 */
#include "fake_machine.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"

static int empty_machine(void **state)
{
    (void)state;
    fake_pci_reset();
    return 0;
}

static void add(unsigned slot, unsigned function, uint32_t id, uint16_t class, uint8_t pin)
{
    struct fake_function *f =
        fake_pci_add(BDF(0, slot, function), (uint16_t)id, (uint16_t)(id >> 16));

    fake_pci_set(f, PCI_CLASS, 2, class);
    fake_pci_set(f, PCI_INTERRUPT_PIN, 1, pin);
}

static bool note_line(const struct vpci_device *device, void *context)
{
    ((uint8_t *)context)[device->bdf & 255] = device->irq_line;
    return true;
}

static uint8_t line_of(unsigned slot, unsigned function)
{
    uint8_t lines[256] = {0};

    vpci_scan(note_line, lines);
    return lines[slot << 3 | function];
}

static void prep_spreads_slots_over_two_lines(void **state)
{
    (void)state;
    for (unsigned slot = 3; slot < 32; slot++) {
        fake_machine_prep();
        fake_machine_add_transitional(BDF(0, slot, 0));
        assert_int_equal(line_of(slot, 0), slot % 2 == 0 ? 9 : 11);
    }
}

/* -vga none: the display is the last device added. */
static void prep_without_a_display_has_the_card_at_slot_2(void **state)
{
    (void)state;
    fake_machine_prep();
    fake_pci.functions--;
    fake_machine_add_transitional(BDF(0, 2, 0));
    assert_int_equal(line_of(2, 0), 9);
}

static void prep_spreads_pins_over_two_lines(void **state)
{
    (void)state;
    fake_machine_prep();
    add(5, 0, 0x802910ec, 0x0200, 2);
    add(6, 0, 0x802910ec, 0x0200, 2);
    add(7, 0, 0x12098086, 0x0200, 3);
    add(8, 0, 0x12098086, 0x0200, 4);
    assert_int_equal(line_of(5, 0), 9);
    assert_int_equal(line_of(6, 0), 11);
    assert_int_equal(line_of(7, 0), 11);
    assert_int_equal(line_of(8, 0), 11);
}

static void functions_of_a_device_have_pins_of_their_own(void **state)
{
    struct fake_function *first;

    (void)state;
    fake_machine_prep();
    first = fake_machine_add_transitional(BDF(0, 4, 0));
    fake_pci_set(first, PCI_HEADER_TYPE, 1, 0x80);
    fake_pci_set(fake_machine_add_modern(BDF(0, 4, 1)), PCI_INTERRUPT_PIN, 1, 2);
    fake_machine_add_legacy(BDF(0, 4, 2));
    assert_int_equal(line_of(4, 0), 9);
    assert_int_equal(line_of(4, 1), 11);
    assert_int_equal(line_of(4, 2), 9);
}

static uint8_t line_behind_one_bridge(unsigned bridge, unsigned slot)
{
    fake_machine_prep();
    fake_machine_add_bridge(BDF(0, bridge, 0));
    fake_machine_add_legacy(BDF(1, slot, 0));
    vpci_setup_bridges();
    return vpci_irq_line(BDF(1, slot, 0));
}

static uint8_t line_behind_two_bridges(unsigned outer, unsigned inner, unsigned slot)
{
    fake_machine_prep();
    fake_machine_add_bridge(BDF(0, outer, 0));
    fake_machine_add_bridge(BDF(1, inner, 0));
    fake_machine_add_legacy(BDF(2, slot, 0));
    vpci_setup_bridges();
    return vpci_irq_line(BDF(2, slot, 0));
}

/* A pin behind a bridge is rotated by its slot and arrives as a pin of the bridge. */
static void behind_a_bridge_of_prep_the_pin_is_turned(void **state)
{
    (void)state;
    assert_int_equal(line_behind_one_bridge(3, 1), 9);
    assert_int_equal(line_behind_one_bridge(4, 1), 11);
    assert_int_equal(line_behind_one_bridge(3, 2), 11);
    assert_int_equal(line_behind_one_bridge(4, 2), 9);
    assert_int_equal(line_behind_one_bridge(3, 5), 9);
    assert_int_equal(line_behind_one_bridge(4, 5), 11);
    assert_int_equal(line_behind_one_bridge(5, 31), 9);
    assert_int_equal(line_behind_two_bridges(5, 6, 3), 9);
    assert_int_equal(line_behind_two_bridges(5, 7, 3), 11);
}

static void everything_is_on_line_15_of_a_40p(void **state)
{
    (void)state;
    fake_machine_40p();
    fake_machine_add_transitional(BDF(0, 3, 0));
    fake_machine_add_modern(BDF(0, 4, 0));
    fake_machine_add_bridge(BDF(0, 5, 0));
    fake_machine_add_legacy(BDF(1, 1, 0));
    add(6, 0, 0x12098086, 0x0200, 4);
    vpci_setup_bridges();
    assert_int_equal(line_of(1, 0), 15);
    assert_int_equal(line_of(3, 0), 15);
    assert_int_equal(line_of(4, 0), 15);
    assert_int_equal(line_of(6, 0), 15);
    assert_int_equal(vpci_irq_line(BDF(1, 1, 0)), 15);
}

/* A value written by other firmware does not change the wiring. */
static void on_prep_the_register_does_not_count(void **state)
{
    (void)state;
    fake_machine_40p();
    fake_pci_set(fake_machine_add_transitional(BDF(0, 3, 0)), PCI_INTERRUPT_LINE, 1, 5);
    assert_int_equal(line_of(3, 0), 15);
}

static void elsewhere_the_register_counts(void **state)
{
    (void)state;
    add(0, 0, 0x12378086, 0x0600, 0); /* a PC's host bridge, with an 82378 in slot 11 by
                                       * coincidence */
    add(11, 0, 0x04848086, 0x0601, 1);
    add(3, 0, 0x10001af4, 0x0200, 1);
    fake_pci_set(&fake_pci.function[2], PCI_INTERRUPT_LINE, 1, 10);
    assert_int_equal(line_of(3, 0), 10);
}

static void a_raven_without_its_bridge_is_another_machine(void **state)
{
    (void)state;
    add(0, 0, 0x48011057, 0x0600, 0);
    add(3, 0, 0x10001af4, 0x0200, 1);
    fake_pci_set(&fake_pci.function[1], PCI_INTERRUPT_LINE, 1, 255);
    assert_int_equal(line_of(3, 0), 255);
}

static bool count(const struct vpci_device *device, void *context)
{
    (void)device;
    (*(unsigned *)context)++;
    return true;
}

/*
 * Each bridge has an interrupt pin: to find its line the bridges above are searched, but not
 * recursively again.
 */
static void lines_behind_many_bridges_do_not_take_for_ever(void **state)
{
    unsigned functions = 0;

    (void)state;
    fake_machine_prep();
    for (unsigned bus = 0; bus < 12; bus++) {
        fake_machine_add_bridge((uint16_t)BDF(bus, 20, 0));
    }
    vpci_setup_bridges();
    fake_pci.config_reads = 0;
    vpci_scan(count, &functions);
    assert_in_range(functions, 11, 20);
    assert_in_range(fake_pci.config_reads, 1, 40000);
}

/* The wiring depends on the pin; a function without one has the line in its register. */
static void a_function_without_a_pin_has_the_line_that_is_written(void **state)
{
    (void)state;
    fake_machine_40p();
    add(6, 0, 0x12098086, 0x0200, 0);
    assert_int_equal(line_of(6, 0), 0);
    fake_machine_prep();
    add(6, 0, 0x12098086, 0x0200, 0);
    assert_int_equal(line_of(6, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prep_spreads_slots_over_two_lines),
        cmocka_unit_test(prep_without_a_display_has_the_card_at_slot_2),
        cmocka_unit_test(prep_spreads_pins_over_two_lines),
        cmocka_unit_test(functions_of_a_device_have_pins_of_their_own),
        cmocka_unit_test(behind_a_bridge_of_prep_the_pin_is_turned),
        cmocka_unit_test(lines_behind_many_bridges_do_not_take_for_ever),
        cmocka_unit_test(everything_is_on_line_15_of_a_40p),
        cmocka_unit_test(on_prep_the_register_does_not_count),
        cmocka_unit_test_setup(elsewhere_the_register_counts, empty_machine),
        cmocka_unit_test_setup(a_raven_without_its_bridge_is_another_machine, empty_machine),
        cmocka_unit_test(a_function_without_a_pin_has_the_line_that_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
