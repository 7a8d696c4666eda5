/* SPDX-License-Identifier: BSD-2-Clause */
/* A PCI function: regions of its BARs, its command register and its capabilities. */
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
        cmocka_unit_test_setup(map_refuses_what_lies_outside, empty_machine),
        cmocka_unit_test_setup(enable_switches_on_what_a_driver_needs, empty_machine),
        cmocka_unit_test_setup(capabilities_are_found_by_number, empty_machine),
        cmocka_unit_test_setup(capability_lists_with_loops_end, empty_machine),
        cmocka_unit_test_setup(capability_pointers_into_the_header_end_the_list, empty_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
