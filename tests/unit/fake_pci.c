/* SPDX-License-Identifier: BSD-2-Clause */
/* The PCI machine of fake_pci.h. */
#include "fake_pci.h"
#include "pci/internal/pci_spec.h"

#include <string.h>

#include "pci/pci.h"

enum { BARS = 6 };

struct fake_pci fake_pci;

void fake_pci_reset(void)
{
    memset(&fake_pci, 0, sizeof fake_pci);
    fake_pci.window[false] = (struct vpci_window){0xe0000000, 0xefffffff};
    fake_pci.window[true] = (struct vpci_window){0xc000, 0xffff};
}

uint32_t fake_pci_get(const struct fake_function *function, unsigned offset, unsigned width)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < width; i++) {
        value |= (uint32_t)function->config[offset + i] << 8 * i;
    }
    return value;
}

void fake_pci_set(struct fake_function *function, unsigned offset, unsigned width, uint32_t value)
{
    for (unsigned i = 0; i < width; i++) {
        function->config[offset + i] = (uint8_t)(value >> 8 * i);
    }
}

struct fake_function *fake_pci_add(uint16_t bdf, uint16_t vendor, uint16_t device)
{
    struct fake_function *function = &fake_pci.function[fake_pci.functions++];

    assert_true(fake_pci.functions <= sizeof fake_pci.function / sizeof fake_pci.function[0]);
    memset(function, 0, sizeof *function);
    function->bdf = bdf;
    fake_pci_set(function, PCI_VENDOR_ID, 2, vendor);
    fake_pci_set(function, PCI_DEVICE_ID, 2, device);
    return function;
}

void fake_pci_bridge(struct fake_function *function, uint8_t secondary)
{
    fake_pci_set(function, PCI_CLASS, 2, PCI_CLASS_BRIDGE_PCI);
    fake_pci_set(function, PCI_HEADER_TYPE, 1, 1);
    fake_pci_set(function, PCI_SECONDARY_BUS, 1, secondary);
}

void fake_pci_bar(struct fake_function *function, unsigned index, enum fake_bar_kind kind,
                  uint64_t size, uint64_t address)
{
    static const uint32_t flags[] = {[FAKE_BAR_IO] = 1, [FAKE_BAR_MEM32] = 0, [FAKE_BAR_MEM64] = 4};
    uint64_t mask = -size;

    function->bar_flags[index] = flags[kind];
    function->bar_mask[index] = (uint32_t)mask;
    fake_pci_set(function, PCI_BAR0 + 4 * index, 4, (uint32_t)address | flags[kind]);
    if (kind == FAKE_BAR_MEM64) {
        function->bar_mask[index + 1] = (uint32_t)(mask >> 32);
        function->bar_upper[index + 1] = true;
        fake_pci_set(function, PCI_BAR0 + 4 * (index + 1), 4, (uint32_t)(address >> 32));
    }
}

static bool is_wide(const struct fake_function *function, unsigned index)
{
    return index + 1 < BARS && function->bar_upper[index + 1];
}

uint64_t fake_pci_bar_address(const struct fake_function *function, unsigned index)
{
    uint64_t address = fake_pci_get(function, PCI_BAR0 + 4 * index, 4) & function->bar_mask[index];

    if (is_wide(function, index)) {
        address |= (uint64_t)fake_pci_get(function, PCI_BAR0 + 4 * (index + 1), 4) << 32;
    }
    return address;
}

static uint64_t bar_size(const struct fake_function *function, unsigned index)
{
    uint64_t mask = function->bar_mask[index];

    if (is_wide(function, index)) {
        mask |= (uint64_t)function->bar_mask[index + 1] << 32;
    } else if (mask != 0) {
        mask |= (uint64_t)UINT32_MAX << 32;
    }
    return mask & -mask;
}

static void trace(enum fake_space space, bool write, uint16_t bdf, uint32_t address, unsigned width,
                  uint32_t value)
{
    if (fake_pci.tracing && fake_pci.traced < sizeof fake_pci.trace / sizeof fake_pci.trace[0]) {
        fake_pci.trace[fake_pci.traced++] =
            (struct fake_access){space, write, bdf, address, width, value};
    }
}

static struct fake_function *find_function(uint16_t bdf)
{
    for (unsigned i = 0; i < fake_pci.functions; i++) {
        if (fake_pci.function[i].bdf == bdf) {
            return &fake_pci.function[i];
        }
    }
    return NULL;
}

static void check_access(unsigned offset, unsigned width)
{
    assert_true(width == 1 || width == 2 || width == 4);
    assert_int_equal(offset % width, 0);
}

static uint32_t ones(unsigned width)
{
    return UINT32_MAX >> (32 - 8 * width);
}

uint32_t vpci_platform_config_read(uint16_t bdf, unsigned offset, unsigned width)
{
    const struct fake_function *function = find_function(bdf);
    uint32_t value = ones(width);

    check_access(offset, width);
    assert_true(offset + width <= 256);
    fake_pci.config_reads++;
    if (function != NULL) {
        if (function->config_read != NULL && offset >= FAKE_CAPABILITY_AREA) {
            function->config_read(function->context, offset, width);
        }
        value = fake_pci_get(function, offset, width);
    }
    trace(FAKE_CONFIG, false, bdf, offset, width, value);
    return value;
}

void vpci_platform_config_write(uint16_t bdf, unsigned offset, unsigned width, uint32_t value)
{
    struct fake_function *function = find_function(bdf);
    unsigned bar = (offset - PCI_BAR0) / 4;

    check_access(offset, width);
    trace(FAKE_CONFIG, true, bdf, offset, width, value);
    if (function == NULL) {
        return;
    }
    if (offset == PCI_COMMAND) {
        fake_pci_set(function, offset, width < 2 ? 1 : 2, value & 0x7ff);
    } else if (fake_pci_get(function, PCI_HEADER_TYPE, 1) == 1 && offset >= PCI_BAR0 + 8 &&
               offset < 0x30) {
        fake_pci_set(function, offset, width, value); /* a bridge's numbers and windows */
    } else if (offset >= PCI_BAR0 && bar < BARS) {
        assert_int_equal(width, 4);
        if (fake_pci_get(function, PCI_COMMAND, 2) & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)) {
            fake_pci.bars_written_while_decoding++;
        }
        fake_pci_set(function, offset, 4,
                     (value & function->bar_mask[bar]) | function->bar_flags[bar]);
    } else if (offset == PCI_INTERRUPT_LINE) {
        fake_pci_set(function, offset, 1, value);
    } else if (function->config_write != NULL && offset >= FAKE_CAPABILITY_AREA) {
        function->config_write(function->context, offset, width, value);
    }
}

/*
 * The function whose BAR contains this address. Address 0 is not decoded; two functions are an
 * error.
 */
static struct fake_function *decode(bool io, uint32_t address, unsigned *bar, uint32_t *offset)
{
    struct fake_function *found = NULL;

    for (unsigned i = 0; i < fake_pci.functions; i++) {
        struct fake_function *f = &fake_pci.function[i];
        uint32_t enabled = fake_pci_get(f, PCI_COMMAND, 2);

        if (!(enabled & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY))) {
            continue;
        }
        for (unsigned b = 0; b < BARS; b++) {
            uint64_t start = fake_pci_bar_address(f, b);

            if (f->bar_upper[b] || start == 0 || io != (f->bar_flags[b] == 1) || address < start ||
                address - start >= bar_size(f, b)) {
                continue;
            }
            if (found != NULL) {
                fail_msg("two BARs decode 0x%x", (unsigned)address);
            }
            found = f;
            *bar = b;
            *offset = (uint32_t)(address - start);
        }
    }
    return found;
}

bool vpci_platform_map(uint32_t address, uint32_t size, uintptr_t *at)
{
    assert_true(size > 0);
    if (fake_pci.unmappable) {
        return false;
    }
    *at = address ^ FAKE_MAPPED;
    return true;
}

uint32_t vpci_platform_read(bool io, uintptr_t at, unsigned width)
{
    uint32_t address = (uint32_t)(io ? at : at ^ FAKE_MAPPED);
    uint32_t value = ones(width);
    uint32_t offset;
    unsigned bar;
    struct fake_function *function = decode(io, address, &bar, &offset);

    check_access(address, width);
    if (function == NULL) {
        fake_pci.unclaimed++;
    } else if (function->read != NULL) {
        value = function->read(function->context, bar, offset, width);
    }
    trace(io ? FAKE_IO : FAKE_MEMORY, false, 0, address, width, value);
    return value;
}

void vpci_platform_write(bool io, uintptr_t at, unsigned width, uint32_t value)
{
    uint32_t address = (uint32_t)(io ? at : at ^ FAKE_MAPPED);
    uint32_t offset;
    unsigned bar;
    struct fake_function *function = decode(io, address, &bar, &offset);

    check_access(address, width);
    trace(io ? FAKE_IO : FAKE_MEMORY, true, 0, address, width, value);
    if (function == NULL) {
        fake_pci.unclaimed++;
    } else if (function->write != NULL) {
        function->write(function->context, bar, offset, width, value & ones(width));
    }
}

unsigned vpci_platform_other_roots(void)
{
    return fake_pci.other_roots;
}

struct vpci_window vpci_platform_window(bool io)
{
    return fake_pci.window[io];
}
