/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fuzzed device's work on the driver's rings. It does not trust what it may have overwritten.
 */
#include <string.h>

#include "arena.h"
#include "device.h"
#include "input.h"
#include "virtio/virtio_spec.h"

enum { DESC_SIZE = 16, FRAME_MAX = 1600 };

bool device_packed(void)
{
    return virtio_has(device.dev.features, VIRTIO_F_RING_PACKED);
}

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)value);
    put16(at + 2, (uint16_t)(value >> 16));
}

/* A descriptor of either format. */
struct desc {
    uint8_t *data;
    uint32_t length;
    uint16_t flags, next; /* split */
    uint16_t id;          /* packed */
};

static struct desc get_desc(const uint8_t *at)
{
    uint64_t address;
    uint32_t length;
    bool packed = device_packed();

    memcpy(&address, at, 8);
    memcpy(&length, at + 8, 4);
    return (struct desc){
        .data = (uint8_t *)(uintptr_t)address,
        .length = length,
        .flags = get16(at + (packed ? 14 : 12)),
        .next = get16(at + 14),
        .id = get16(at + 12),
    };
}

/*
 * True if the descriptor's memory is valid. It must be if only the driver has written the
 * descriptor.
 */
static bool is_memory(const struct desc *desc)
{
    bool good = desc->length != 0 && arena_shares(desc->data, desc->length);

    fuzz_check(good || !device.honest, "a descriptor of memory that is not there");
    return good;
}

static void add_part(struct device_chain *chain, const struct desc *desc, bool write)
{
    if (is_memory(desc) && write && chain->count < DEVICE_PARTS) {
        chain->part[chain->count++] = (struct device_part){desc->data, desc->length};
    }
}

static void add_table(struct device_chain *chain, const struct desc *table)
{
    if (!is_memory(table)) {
        return;
    }
    for (uint32_t at = 0; at + DESC_SIZE <= table->length; at += DESC_SIZE) {
        struct desc desc = get_desc(table->data + at);

        add_part(chain, &desc, desc.flags & VIRTQ_DESC_F_WRITE);
    }
}

static bool take_split(struct device_queue *q, struct device_chain *chain)
{
    uint16_t at;

    if (get16(q->driver + (2)) == q->avail) {
        return false;
    }
    at = get16(q->driver + (4 + 2u * (q->avail++ & (q->entries - 1u))));
    *chain = (struct device_chain){.id = at};
    while (at < q->entries && chain->descriptors < q->entries) {
        struct desc desc = get_desc(q->descriptors + ((size_t)DESC_SIZE * at));

        chain->descriptors++;
        if (desc.flags & VIRTQ_DESC_F_INDIRECT) {
            add_table(chain, &desc);
            break;
        }
        add_part(chain, &desc, desc.flags & VIRTQ_DESC_F_WRITE);
        if (!(desc.flags & VIRTQ_DESC_F_NEXT)) {
            break;
        }
        at = desc.next;
    }
    return true;
}

static uint16_t advance(const struct device_queue *q, uint16_t place, unsigned count)
{
    unsigned off = (place & PVIRTQ_OFF) + count;
    unsigned wrap = place & PVIRTQ_WRAP;

    while (off >= q->entries) {
        off -= q->entries;
        wrap ^= PVIRTQ_WRAP;
    }
    return (uint16_t)(off | wrap);
}

static bool take_packed(struct device_queue *q, struct device_chain *chain)
{
    uint16_t place = q->avail;

    *chain = (struct device_chain){0};
    for (;;) {
        struct desc desc = get_desc(q->descriptors + ((size_t)DESC_SIZE * (place & PVIRTQ_OFF)));
        bool wrap = place & PVIRTQ_WRAP;

        if (chain->descriptors == 0 && (!!(desc.flags & VIRTQ_DESC_F_AVAIL) != wrap ||
                                        !!(desc.flags & VIRTQ_DESC_F_USED) == wrap)) {
            return false;
        }
        chain->id = desc.id;
        chain->descriptors++;
        place = advance(q, place, 1);
        if (desc.flags & VIRTQ_DESC_F_INDIRECT) {
            add_table(chain, &desc);
        } else {
            add_part(chain, &desc, desc.flags & VIRTQ_DESC_F_WRITE);
        }
        if (!(desc.flags & VIRTQ_DESC_F_NEXT) || desc.flags & VIRTQ_DESC_F_INDIRECT ||
            chain->descriptors == q->entries) {
            break;
        }
    }
    q->avail = place;
    return true;
}

unsigned device_take(struct device_queue *q)
{
    struct device_chain *chain;

    if (q->entries == 0 || !(device.status & VIRTIO_STATUS_DRIVER_OK)) {
        return 0;
    }
    while (q->chains < DEVICE_CHAINS) {
        chain = &q->chain[q->chains];
        if (!(device_packed() ? take_packed(q, chain) : take_split(q, chain))) {
            break;
        }
        q->chains++;
    }
    return q->chains;
}

static void push_split(struct device_queue *q, uint32_t id, uint32_t length, unsigned by)
{
    uint8_t *elem = q->device + (4 + 8u * (q->used & (q->entries - 1u)));

    put32(elem, id);
    put32(elem + 4, length);
    q->used = (uint16_t)(q->used + by);
    put16(q->device + (2), q->used);
}

static void push_packed(struct device_queue *q, uint32_t id, uint32_t length, unsigned descriptors)
{
    uint8_t *desc = q->descriptors + ((size_t)DESC_SIZE * (q->used & PVIRTQ_OFF));

    put32(desc + 8, length);
    put16(desc + 12, (uint16_t)id);
    put16(desc + 14, q->used & PVIRTQ_WRAP ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0);
    q->used = advance(q, q->used, descriptors);
}

/* Writes a header and a frame from the input to the parts of a chain. */
static uint32_t fill(const struct device_chain *chain, bool first, uint16_t buffers)
{
    uint8_t bytes[64] = {0};
    uint32_t length = 0;

    if (first) {
        bytes[0] = input_byte() & 7;
        bytes[1] = input_byte();
        input_bytes(bytes + 2, 8);
        put16(bytes + 10, buffers);
    }
    for (unsigned i = 0; i < chain->count; i++) {
        const struct device_part *part = &chain->part[i];
        uint32_t size = part->length < sizeof bytes ? part->length : (uint32_t)sizeof bytes;

        if (arena_shares(part->data, size)) {
            memcpy(part->data, bytes, size);
        }
        length += part->length;
    }
    return length < FRAME_MAX ? length : FRAME_MAX;
}

static void drop(struct device_queue *q, unsigned which)
{
    q->chains--;
    memmove(&q->chain[which], &q->chain[which + 1], (q->chains - which) * sizeof q->chain[0]);
}

/* With IN_ORDER a used entry covers all chains up to its own. */
static void use(struct device_queue *q, unsigned which, uint32_t id, uint32_t length, bool keep)
{
    unsigned first = virtio_has(device.dev.features, VIRTIO_F_IN_ORDER) ? 0 : which;
    unsigned buffers = which - first + 1;
    unsigned descriptors = 0;

    for (unsigned i = first; i <= which; i++) {
        descriptors += q->chain[i].descriptors;
    }
    if (device_packed()) {
        push_packed(q, id, length, descriptors);
    } else {
        push_split(q, id, length, buffers);
    }
    while (!keep && buffers-- > 0) {
        drop(q, first);
    }
}

/*
 * A frame of several buffers, with the number in its header or another one; one of them has any
 * length.
 */
static void use_merged(struct device_queue *q, bool truly)
{
    uint8_t how = input_byte();
    unsigned count = 1 + how % (how < 192 ? 6 : DEVICE_CHAINS);
    uint16_t said = truly ? 0 : input_edge();
    unsigned liar = truly ? DEVICE_CHAINS : input_byte();

    count = count < q->chains ? count : q->chains;
    for (unsigned i = 0; i < count; i++) {
        uint32_t length = fill(&q->chain[0], i == 0, truly ? (uint16_t)count : said);

        use(q, 0, q->chain[0].id, i == liar ? input_edge() : length, false);
    }
}

void device_use(struct device_queue *q, unsigned which, bool truly)
{
    struct device_chain *chain;
    uint32_t id, length;
    uint8_t lies;

    if (q->entries == 0 || q->chains == 0) {
        return;
    }
    if (q == &device.queue[VIRTIO_NET_QUEUE_RX] &&
        virtio_has(device.dev.features, VIRTIO_NET_F_MRG_RXBUF)) {
        use_merged(q, truly);
        return;
    }
    chain = &q->chain[which % q->chains];
    length = q == &device.queue[VIRTIO_NET_QUEUE_RX] ? fill(chain, true, 1) : chain->count;
    id = chain->id;
    lies = truly ? 0 : input_byte();
    device.honest &= !(lies & 17);
    if (lies & 1) {
        id = lies & 2 ? input_u32() : input_edge();
    }
    if (lies & 4) {
        length = lies & 8 ? input_u32() : input_edge();
    }
    use(q, which % q->chains, id, length, lies & 16);
}
