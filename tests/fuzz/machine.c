/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <string.h>

#include "input.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"
#include "pci/pci_platform.h"
#include "virtio/virtio_spec.h"

enum {
    FUNCTIONS = 4,
    REGISTERS = 0x1000, /* implemented bytes of each BAR; the rest mirrors them */
    MODERN_BAR = 4,
    COMMON = 0,
    NOTIFY = 0x400,
    ISR = 0x800,
    CONFIG = 0xc00,
    ACCESSES_MAX = 3000000, /* per input; more means an endless loop */
};

static struct function {
    uint16_t bdf;
    uint8_t config[256];
    uint32_t mask[VPCI_BARS]; /* writable address bits of each BAR */
    uint8_t registers[VPCI_BARS][REGISTERS];
    uint64_t offered;
    uint16_t queue_size;
} functions[FUNCTIONS];
static unsigned function_count;
static unsigned other_roots;
static bool lies;      /* also for reads of configuration space: then BARs are not tracked */
static unsigned until; /* reads before the next lie; 0: none */
static unsigned accesses;

static uint32_t get(const uint8_t *at, unsigned width)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < width; i++) {
        value |= (uint32_t)at[i] << 8 * i;
    }
    return value;
}

static void put(uint8_t *at, unsigned width, uint32_t value)
{
    for (unsigned i = 0; i < width; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

static void capability(struct function *f, unsigned at, unsigned next, unsigned type,
                       uint32_t offset, uint32_t length)
{
    put(f->config + at, 4, PCI_CAP_VENDOR_SPECIFIC | next << 8 | 20 << 16 | type << 24);
    put(f->config + at + 4, 4, MODERN_BAR);
    put(f->config + at + 8, 4, offset);
    put(f->config + at + 12, 4, length);
    put(f->config + at + 16, 4, 4); /* distance of the doorbells */
}

static void make_card(struct function *f, bool transitional)
{
    static const uint8_t network[] = {0x52, 0x54, 0, 1, 2, 3, 1, 0, 1, 0, 0xdc, 5};

    put(f->config, 4,
        VIRTIO_PCI_VENDOR |
            (uint32_t)(transitional ? VIRTIO_PCI_DEVICE_NET_TRANSITIONAL : VIRTIO_PCI_DEVICE_NET)
                << 16);
    put(f->config + PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
    put(f->config + PCI_CLASS, 2, VPCI_CLASS_NETWORK << 8);
    put(f->config + PCI_SUBSYSTEM_ID, 2, VIRTIO_ID_NET);
    put(f->config + PCI_BAR0, 4, 0xc001);
    put(f->config + PCI_BAR0 + 4, 4, 0xe0180000);
    put(f->config + PCI_BAR0 + 16, 4, 0xe0100004);
    f->mask[0] = transitional ? 0xffffffc0 : 0;
    f->mask[1] = 0xfffff000;
    f->mask[4] = 0xffffc000;
    f->mask[5] = 0xffffffff;
    f->config[PCI_CAPABILITIES] = 0x40;
    capability(f, 0x40, 0x54, VIRTIO_PCI_CAP_COMMON_CFG, COMMON, 64);
    capability(f, 0x54, 0x68, VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY, 0x100);
    capability(f, 0x68, 0x7c, VIRTIO_PCI_CAP_ISR_CFG, ISR, 1);
    capability(f, 0x7c, 0x90, VIRTIO_PCI_CAP_DEVICE_CFG, CONFIG, 20);
    capability(f, 0x90, 0xa4, VIRTIO_PCI_CAP_PCI_CFG, 0, 4);
    put(f->config + 0xa4, 4, PCI_CAP_MSIX | 2 << 16);
    put(f->config + 0xa8, 4, 1); /* the table: BAR 1, offset 0 */
    memcpy(f->registers[MODERN_BAR] + CONFIG, network, sizeof network);
    memcpy(f->registers[0] + VIRTIO_PCI_LEGACY_CONFIG, network, sizeof network);
    f->offered = input_u64();
    f->offered = ~f->offered;
    f->queue_size = (uint16_t)(1 << input_byte() % 16);
}

static void make_bridge(struct function *f)
{
    put(f->config, 4, 0x00011b36);
    put(f->config + PCI_CLASS, 2, PCI_CLASS_BRIDGE_PCI);
    f->config[PCI_HEADER_TYPE] = 1;
    f->config[PCI_SECONDARY_BUS] = input_byte();
    f->config[PCI_SECONDARY_BUS + 1] = input_byte();
    f->config[PCI_CAPABILITIES] = 0;
}

/* The first function is a card on bus 0, so that one is found. */
static void make_function(struct function *f, bool first)
{
    uint8_t kind = input_byte();
    unsigned changes = input_byte() % 32;

    memset(f, 0, sizeof *f);
    f->bdf = first ? 3 << 3 : input_u16() & 0x3ff;
    if (kind % 4 == 3) {
        make_bridge(f);
    } else {
        make_card(f, kind % 4 == 1);
    }
    for (unsigned i = 0; i < changes; i++) {
        uint8_t at = input_byte();

        f->config[at] = input_byte();
    }
    if (kind & 8) {
        f->mask[input_byte() % VPCI_BARS] = input_u32();
    }
}

void machine_create(void)
{
    uint8_t shape = input_byte();

    function_count = 1 + shape % FUNCTIONS;
    other_roots = shape >> 2 & 3;
    lies = shape & 16;
    until = shape & 32 ? input_byte() : 0;
    accesses = 0;
    for (unsigned i = 0; i < function_count; i++) {
        make_function(&functions[i], i == 0);
    }
}

/* True if this read is a lie; sets *value. */
static bool is_lie(uint32_t *value)
{
    fuzz_check(++accesses < ACCESSES_MAX, "an endless loop");
    if (until == 0 || --until != 0) {
        return false;
    }
    *value = input_u32();
    until = input_byte();
    return true;
}

static struct function *find(uint16_t bdf)
{
    unsigned i = 0;

    while (i < function_count && functions[i].bdf != bdf) {
        i++;
    }
    return i < function_count ? &functions[i] : NULL;
}

static void check_config(unsigned offset, unsigned width)
{
    fuzz_check((width == 1 || width == 2 || width == 4) && offset % width == 0 &&
                   offset + width <= 256,
               "configuration space is accessed where there is none");
}

/* The window to BARs, if the first card's capability is unchanged. */
static uint32_t window_access(struct function *f, unsigned width, bool write, uint32_t value)
{
    uint8_t *at = f->registers[f->config[0x94] % VPCI_BARS] +
                  get(f->config + 0x98, 4) % (REGISTERS - sizeof(uint32_t));

    if (write) {
        put(at, width, value);
    }
    return get(at, width);
}

uint32_t vpci_platform_config_read(uint16_t bdf, unsigned offset, unsigned width)
{
    struct function *f = find(bdf);
    uint32_t value;

    check_config(offset, width);
    if (is_lie(&value) && lies) {
        return value;
    }
    if (f == NULL) {
        return UINT32_MAX >> (32 - 8 * width);
    }
    return offset == 0xa0 ? window_access(f, width, false, 0) : get(f->config + offset, width);
}

void vpci_platform_config_write(uint16_t bdf, unsigned offset, unsigned width, uint32_t value)
{
    struct function *f = find(bdf);
    unsigned bar = (offset - PCI_BAR0) / 4;

    check_config(offset, width);
    if (f == NULL) {
        return;
    }
    if (offset >= PCI_BAR0 && bar < VPCI_BARS && width == 4) {
        put(f->config + offset, 4,
            (value & f->mask[bar]) | (get(f->config + offset, 4) & 15 & ~f->mask[bar]));
    } else if (offset == 0xa0) {
        window_access(f, width, true, value);
    } else if (offset >= PCI_COMMAND) {
        put(f->config + offset, width, value);
    }
}

/* The register at an address; NULL: no device decodes it. */
static uint8_t *locate(bool io, uint32_t address, struct function **whose, unsigned *bar,
                       uint32_t *offset)
{
    for (unsigned i = 0; i < function_count * VPCI_BARS; i++) {
        struct function *f = &functions[i / VPCI_BARS];
        uint32_t low = get(f->config + PCI_BAR0 + 4 * (i % VPCI_BARS), 4);
        uint32_t mask = f->mask[i % VPCI_BARS] & (low & 1 ? ~3u : ~15u);

        if (mask != 0 && (low & 1) == io && address - (low & mask) < (mask & -mask)) {
            *whose = f;
            *bar = i % VPCI_BARS;
            *offset = (address - (low & mask)) % (REGISTERS - sizeof(uint32_t));
            return f->registers[*bar] + *offset;
        }
    }
    fuzz_check(lies, "a register is accessed that is in no BAR");
    return NULL;
}

/* Values provided by a device: its features and the sizes of its queues. */
static void answer(struct function *f, unsigned bar)
{
    uint8_t *common = f->registers[MODERN_BAR] + COMMON;
    uint8_t *legacy = f->registers[0];

    if (bar == MODERN_BAR) {
        uint32_t half = get(common + VIRTIO_PCI_COMMON_DEVICE_FEATURE_SELECT, 4) & 1;
        uint32_t queue = get(common + VIRTIO_PCI_COMMON_QUEUE_SELECT, 2);

        put(common + VIRTIO_PCI_COMMON_DEVICE_FEATURE, 4, (uint32_t)(f->offered >> 32 * half));
        put(common + VIRTIO_PCI_COMMON_NUM_QUEUES, 2, 3);
        put(common + VIRTIO_PCI_COMMON_QUEUE_SIZE, 2, f->queue_size);
        put(common + VIRTIO_PCI_COMMON_QUEUE_NOTIFY_OFF, 2, queue);
        put(common + VIRTIO_PCI_COMMON_QUEUE_RESET, 2, 0);
    } else if (bar == 0) {
        put(legacy + VIRTIO_PCI_LEGACY_DEVICE_FEATURES, 4, (uint32_t)f->offered);
        put(legacy + VIRTIO_PCI_LEGACY_QUEUE_SIZE, 2, f->queue_size);
    }
}

/* Nothing is translated. */
bool vpci_platform_map(uint32_t address, uint32_t size, uintptr_t *at)
{
    (void)size;
    *at = address;
    return true;
}

uint32_t vpci_platform_read(bool io, uintptr_t address, unsigned width)
{
    struct function *f;
    uint32_t offset, value;
    unsigned bar;
    const uint8_t *at = locate(io, (uint32_t)address, &f, &bar, &offset);

    if (is_lie(&value)) {
        return value;
    }
    if (at == NULL) {
        return UINT32_MAX;
    }
    answer(f, bar);
    return get(at, width);
}

void vpci_platform_write(bool io, uintptr_t address, unsigned width, uint32_t value)
{
    struct function *f;
    uint32_t offset;
    unsigned bar;
    uint8_t *at = locate(io, (uint32_t)address, &f, &bar, &offset);

    if (at != NULL) {
        put(at, width, value);
    }
}

unsigned vpci_platform_other_roots(void)
{
    return other_roots;
}

struct vpci_window vpci_platform_window(bool io)
{
    return io ? (struct vpci_window){0x1000, 0xffff} : (struct vpci_window){0x80000000, 0x8fffffff};
}
