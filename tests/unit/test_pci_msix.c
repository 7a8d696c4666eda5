/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSI-X capability and its table, as seen by the function. */
#include <string.h>

#include "fake_pci.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"

enum { CAP = 0x50, TABLE_BAR = 2, TABLE = 0x40, ENTRIES = 5, BAR_SIZE = 0x1000 };
#define BAR_ADDRESS 0xe0004000u

static struct fake_function *function;
static struct vpci_device device;
static struct vpci_msix msix;

static void config_write(void *context, unsigned offset, unsigned width, uint32_t value)
{
    assert_ptr_equal(context, &device);
    fake_pci_set(function, offset, width, value);
}

static int function_with_msix(void **state)
{
    (void)state;
    fake_pci_reset();
    function = fake_pci_add(3 << 3, 1, 1);
    function->config_write = config_write;
    function->context = &device;
    fake_pci_bar(function, TABLE_BAR, FAKE_BAR_MEM64, BAR_SIZE, BAR_ADDRESS);
    fake_pci_set(function, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
    fake_pci_set(function, PCI_CAPABILITIES, 1, CAP);
    fake_pci_set(function, CAP, 2, PCI_CAP_MSIX);
    fake_pci_set(function, CAP + 2, 2, ENTRIES - 1);
    fake_pci_set(function, CAP + 4, 4, TABLE | TABLE_BAR);
    device = (struct vpci_device){.bdf = 3 << 3};
    return 0;
}

static void open_function(void)
{
    memset(&msix, 0xa5, sizeof msix);
    vpci_setup_bars(&device);
    vpci_enable(&device);
    vpci_msix_open(&device, &msix);
}

static uint32_t control(void)
{
    return fake_pci_get(function, CAP + 2, 2);
}

static void table_is_found_and_left_off(void **state)
{
    (void)state;
    fake_pci_set(function, CAP + 2, 2, 0xc000 | (ENTRIES - 1)); /* as left by a previous driver */
    open_function();
    assert_int_equal(msix.entries, ENTRIES);
    assert_int_equal(msix.table.base, (BAR_ADDRESS + TABLE) ^ FAKE_MAPPED);
    assert_int_equal(control(), ENTRIES - 1);
}

static void function_without_msix_has_no_entries(void **state)
{
    (void)state;
    fake_pci_set(function, CAP, 1, 5); /* MSI */
    open_function();
    assert_int_equal(msix.entries, 0);
    fake_pci.tracing = true;
    vpci_msix_enable(&msix, false); /* has no effect then */
    assert_int_equal(fake_pci.traced, 0);
}

static void largest_table_is_counted(void **state)
{
    (void)state;
    fake_pci_bar(function, TABLE_BAR, FAKE_BAR_MEM64, 0x10000, 0xe0010000);
    fake_pci_set(function, CAP + 2, 2, 0x7ff);
    open_function();
    assert_int_equal(msix.entries, 2048);
}

/* The function has the capability, but its table is not accessible: MSI-X is disabled anyway. */
static void check_unreachable(void)
{
    fake_pci_set(function, CAP + 2, 2, 0x8000 | (ENTRIES - 1));
    open_function();
    assert_int_equal(msix.entries, 0);
    assert_int_equal(control(), ENTRIES - 1);
}

static void table_out_of_reach_has_no_entries(void **state)
{
    (void)state;
    fake_pci_set(function, PCI_BAR0 + 4 * TABLE_BAR + 4, 4, 1); /* above 4 GiB */
    check_unreachable();
    function_with_msix(NULL);
    fake_pci_set(function, CAP + 4, 4, BAR_SIZE | TABLE_BAR); /* behind its BAR */
    check_unreachable();
    function_with_msix(NULL);
    fake_pci_set(function, CAP + 4, 4, (BAR_SIZE - 8) | TABLE_BAR); /* half behind it */
    check_unreachable();
    function_with_msix(NULL);
    fake_pci_set(function, CAP + 4, 4, TABLE | 6); /* there is no such BAR */
    check_unreachable();
    function_with_msix(NULL);
    fake_pci_bar(function, 0, FAKE_BAR_IO, 256, 0xc000); /* not allowed in I/O space */
    fake_pci_set(function, CAP + 4, 4, 0);
    check_unreachable();
}

static void capability_at_the_edge_is_none(void **state)
{
    (void)state;
    fake_pci_set(function, PCI_CAPABILITIES, 1, 0xf8);
    fake_pci_set(function, 0xf8, 2, PCI_CAP_MSIX);
    fake_pci_set(function, 0xfa, 2, ENTRIES - 1);
    fake_pci_set(function, 0xfc, 4, TABLE | TABLE_BAR);
    open_function();
    assert_int_equal(msix.entries, 0);
}

/* In this order: masked, address, data, unmasked; no other writes. */
static void entry_is_filled_in_while_masked(void **state)
{
    const struct {
        uint32_t offset, value;
    } expected[] = {{12, 1}, {0, 0xfee01000}, {4, 0}, {8, 0x4155}, {12, 0}};

    (void)state;
    open_function();
    fake_pci.tracing = true;
    vpci_msix_set(&msix, 3, 0xfee01000, 0x4155);
    assert_int_equal(fake_pci.traced, 5);
    for (unsigned i = 0; i < 5; i++) {
        const struct fake_access *access = &fake_pci.trace[i];

        assert_true(access->write && access->space == FAKE_MEMORY && access->width == 4);
        assert_int_equal(access->address, BAR_ADDRESS + TABLE + 3 * 16 + expected[i].offset);
        assert_int_equal(access->value, expected[i].value);
    }
}

static void switch_leaves_the_other_bits(void **state)
{
    (void)state;
    open_function();
    fake_pci_set(function, CAP + 2, 2, 0x7000 | (ENTRIES - 1)); /* function mask and reserved
                                                                 * bits */
    vpci_msix_enable(&msix, true);
    assert_int_equal(control(), 0xb000 | (ENTRIES - 1));
    vpci_msix_enable(&msix, false);
    assert_int_equal(control(), 0x3000 | (ENTRIES - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(table_is_found_and_left_off, function_with_msix),
        cmocka_unit_test_setup(function_without_msix_has_no_entries, function_with_msix),
        cmocka_unit_test_setup(largest_table_is_counted, function_with_msix),
        cmocka_unit_test_setup(table_out_of_reach_has_no_entries, function_with_msix),
        cmocka_unit_test_setup(capability_at_the_edge_is_none, function_with_msix),
        cmocka_unit_test_setup(entry_is_filled_in_while_masked, function_with_msix),
        cmocka_unit_test_setup(switch_leaves_the_other_bits, function_with_msix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
