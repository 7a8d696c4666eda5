/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines, on a PC and on QEMU's two PReP machines. Their configuration spaces are those
 * that the firmware finds: of a 40p as QEMU 7.2 lists it (info pci), of prep as QEMU 4.0 builds it.
 */
#include "fake_pci.h"
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
        fake_pci_add((uint16_t)(slot << 3 | function), (uint16_t)id, (uint16_t)(id >> 16));

    fake_pci_set(f, PCI_CLASS, 2, class);
    fake_pci_set(f, PCI_INTERRUPT_PIN, 1, pin);
}

static void add_prep(void)
{
    add(0, 0, 0x48011057, 0x0600, 0); /* Motorola Raven, the host bridge */
    add(1, 0, 0x04848086, 0x0601, 1); /* Intel 82378, the PCI-to-ISA bridge */
    add(2, 0, 0x11111234, 0x0300, 0); /* the display */
}

static void add_40p(void)
{
    add(0, 0, 0x48011057, 0x0600, 0);
    add(1, 0, 0x00011000, 0x0100, 1); /* LSI 53C810, SCSI */
    add(2, 0, 0x11111234, 0x0300, 0);
    add(11, 0, 0x04848086, 0x0601, 1);
}

static bool note_line(const struct pci_device *device, void *context)
{
    ((uint8_t *)context)[device->bdf & 255] = device->irq_line;
    return true;
}

static uint8_t line_of(unsigned slot, unsigned function)
{
    uint8_t lines[256] = {0};

    pci_scan(note_line, lines);
    return lines[slot << 3 | function];
}

static void prep_spreads_slots_and_pins_over_two_lines(void **state)
{
    (void)state;
    add_prep();
    add(3, 0, 0x10001af4, 0x0200, 1);
    add(4, 0, 0x10001af4, 0x0200, 1);
    add(5, 0, 0x802910ec, 0x0200, 2);
    add(6, 0, 0x802910ec, 0x0200, 2);
    add(7, 0, 0x12098086, 0x0200, 3);
    add(8, 0, 0x12098086, 0x0200, 4);
    assert_int_equal(line_of(3, 0), 11);
    assert_int_equal(line_of(4, 0), 9);
    assert_int_equal(line_of(5, 0), 9);
    assert_int_equal(line_of(6, 0), 11);
    assert_int_equal(line_of(7, 0), 11);
    assert_int_equal(line_of(8, 0), 11);
}

/* Seen on QEMU 4.0: slot 2, pin A on line 9. */
static void prep_without_a_display_has_the_card_at_slot_2(void **state)
{
    (void)state;
    add(0, 0, 0x48011057, 0x0600, 0);
    add(1, 0, 0x04848086, 0x0601, 1);
    add(2, 0, 0x10001af4, 0x0200, 1);
    assert_int_equal(line_of(2, 0), 9);
}

static void functions_of_a_device_have_pins_of_their_own(void **state)
{
    (void)state;
    add_prep();
    add(4, 0, 0x10001af4, 0x0200, 1);
    add(4, 1, 0x10001af4, 0x0200, 2);
    fake_pci_set(&fake_pci.function[3], PCI_HEADER_TYPE, 1, 0x80);
    assert_int_equal(line_of(4, 0), 9);
    assert_int_equal(line_of(4, 1), 11);
}

/* A pin behind a bridge is turned by its slot, and arrives as the bridge's. */
static void behind_a_bridge_of_prep_the_pin_is_turned(void **state)
{
    (void)state;
    add_prep();
    fake_pci_bridge(fake_pci_add(4 << 3, 0x1b36, 1), 1);
    fake_pci_bridge(fake_pci_add(1 << 8 | 3 << 3, 0x1b36, 1), 2);
    fake_pci_set(fake_pci_add(1 << 8 | 5 << 3, 0x1af4, 0x1000), PCI_INTERRUPT_PIN, 1, 1);
    fake_pci_set(fake_pci_add(2 << 8 | 5 << 3, 0x1af4, 0x1000), PCI_INTERRUPT_PIN, 1, 1);
    assert_int_equal(pci_irq_line(1 << 8 | 5 << 3), 11);
    assert_int_equal(pci_irq_line(2 << 8 | 5 << 3), 9);
}

static void everything_is_on_line_15_of_a_40p(void **state)
{
    (void)state;
    add_40p();
    add(3, 0, 0x10001af4, 0x0200, 1);
    add(4, 0, 0x10411af4, 0x0200, 1);
    add(5, 0, 0x12098086, 0x0200, 4);
    assert_int_equal(line_of(1, 0), 15);
    assert_int_equal(line_of(3, 0), 15);
    assert_int_equal(line_of(4, 0), 15);
    assert_int_equal(line_of(5, 0), 15);
}

/* What other firmware may have written there does not say where the wire goes. */
static void on_prep_the_register_does_not_count(void **state)
{
    (void)state;
    add_40p();
    add(3, 0, 0x10001af4, 0x0200, 1);
    fake_pci_set(&fake_pci.function[4], PCI_INTERRUPT_LINE, 1, 5);
    assert_int_equal(line_of(3, 0), 15);
}

static void elsewhere_the_register_counts(void **state)
{
    (void)state;
    add(0, 0, 0x12378086, 0x0600, 0); /* a PC's host bridge, and by chance an 82378 at 11 */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(prep_spreads_slots_and_pins_over_two_lines, empty_machine),
        cmocka_unit_test_setup(prep_without_a_display_has_the_card_at_slot_2, empty_machine),
        cmocka_unit_test_setup(functions_of_a_device_have_pins_of_their_own, empty_machine),
        cmocka_unit_test_setup(behind_a_bridge_of_prep_the_pin_is_turned, empty_machine),
        cmocka_unit_test_setup(everything_is_on_line_15_of_a_40p, empty_machine),
        cmocka_unit_test_setup(on_prep_the_register_does_not_count, empty_machine),
        cmocka_unit_test_setup(elsewhere_the_register_counts, empty_machine),
        cmocka_unit_test_setup(a_raven_without_its_bridge_is_another_machine, empty_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
