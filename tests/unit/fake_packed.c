/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake device's work on a packed ring (virtio 1.3 §2.8, from the device's side). It counts the
 * descriptors taken and passed since the queue was enabled. The n-th one's offset is n modulo the
 * ring's size, and its lap n divided by it: wrap counter 1 in even laps.
 */
#include <string.h>

#include "fake_virtio.h"

enum {
    NEXT = 1,
    WRITE = 2,
    INDIRECT = 4,
    AVAIL = 0x80,
    USED = 0x8000,
    ENABLE = 0,
    DISABLE = 1,
    DESC = 2,
};

/* Number of descriptors of each buffer that the device owns, by id. */
static uint16_t lengths[FAKE_QUEUES][65536];

/* The ids in the order of taking. */
static uint16_t order[FAKE_QUEUES][32768];

bool fake_packed(const struct fake_virtio *dev)
{
    return dev->features >> VIRTIO_F_RING_PACKED & 1;
}

static struct fake_queue *packed_queue(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue *q = &dev->queue[queue];

    assert_true(fake_packed(dev) && q->enabled && dev->status & VIRTIO_STATUS_DRIVER_OK);
    if (q->taken == 0 && q->passed == 0) {
        memset(lengths[queue], 0, sizeof lengths[queue]);
    }
    return q;
}

static bool wrap_counter(const struct fake_queue *q, uint64_t n)
{
    return n / q->driver_size % 2 == 0;
}

/* The n-th descriptor: 8 bytes of address, 4 of length, 2 of id, 2 of flags. */
static uint8_t *descriptor(const struct fake_queue *q, uint64_t n)
{
    return fake_dma(q->desc + 16 * (n % q->driver_size), 16);
}

uint16_t fake_place(const struct fake_virtio *dev, unsigned queue, uint64_t count)
{
    const struct fake_queue *q = &dev->queue[queue];

    return (uint16_t)(count % q->driver_size | (wrap_counter(q, count) ? 0x8000 : 0));
}

static uint16_t get16(const uint8_t *b)
{
    return (uint16_t)(b[0] | b[1] << 8);
}

static uint32_t get32(const uint8_t *b)
{
    return get16(b) | (uint32_t)get16(b + 2) << 16;
}

static uint64_t get64(const uint8_t *b)
{
    return get32(b) | (uint64_t)get32(b + 4) << 32;
}

static void put16(uint8_t *b, unsigned value)
{
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
}

/* §2.8.1: available if AVAIL equals the lap's wrap counter and USED does not. */
static bool is_available(const struct fake_queue *q, uint64_t n)
{
    uint16_t flags = get16(descriptor(q, n) + 14);
    bool wrap = wrap_counter(q, n);

    return ((flags & AVAIL) != 0) == wrap && ((flags & USED) != 0) != wrap;
}

/* §2.8.7, §2.8.19: only WRITE may be set in a table. */
static void take_table(const struct fake_virtio *dev, const uint8_t *desc, struct fake_chain *chain)
{
    uint32_t length = get32(desc + 8);
    const uint8_t *table = fake_dma(get64(desc), length);

    assert_true(dev->features >> VIRTIO_F_INDIRECT_DESC & 1);
    assert_true(length > 0 && length % 16 == 0);
    for (const uint8_t *d = table; d < table + length; d += 16) {
        if (get16(d + 14) & ~WRITE) {
            fail_msg("a descriptor in a table has the flags 0x%04x", get16(d + 14));
        }
        fake_add_part(chain, get64(d), get32(d + 8), get16(d + 14) & WRITE);
    }
    chain->indirect = true;
}

bool fake_packed_take(struct fake_virtio *dev, unsigned queue, struct fake_chain *chain, bool keep)
{
    struct fake_queue *q = packed_queue(dev, queue);
    const uint8_t *desc;
    uint16_t flags;

    if (!is_available(q, q->taken)) {
        return false;
    }
    if (q->miscounted) {
        fail_msg("a chain is taken from queue %u that QEMU has miscounted: it breaks", queue);
    }
    *chain = (struct fake_chain){0};
    do {
        if (!is_available(q, q->taken)) {
            fail_msg("descriptor %u of a chain is not available", chain->descriptors);
        }
        desc = descriptor(q, q->taken++);
        flags = get16(desc + 14);
        if (flags & ~(NEXT | WRITE | INDIRECT | AVAIL | USED)) {
            fail_msg("a descriptor has the flags 0x%04x", flags);
        }
        chain->descriptors++;
        if (flags & INDIRECT) {
            assert_false(flags & (NEXT | WRITE));
            assert_int_equal(chain->descriptors, 1);
            take_table(dev, desc, chain);
        } else {
            fake_add_part(chain, get64(desc), get32(desc + 8), flags & WRITE);
        }
        assert_true(chain->descriptors <= q->driver_size);
    } while (flags & NEXT);
    chain->head = get16(desc + 12); /* §2.8.6: the last descriptor has the id */
    assert_true(chain->head < q->driver_size);
    if (!keep) {
        assert_int_equal(lengths[queue][chain->head], 0); /* ids in use must be unique */
        lengths[queue][chain->head] = (uint16_t)chain->descriptors;
        order[queue][q->taken_buffers++ % 32768] = chain->head;
    }
    return true;
}

/* How many descriptors a used entry with this id covers: the whole chain of a buffer. */
unsigned fake_packed_length(struct fake_virtio *dev, unsigned queue, uint32_t id)
{
    packed_queue(dev, queue);
    return lengths[queue][id & 0xffff] != 0 ? lengths[queue][id & 0xffff] : 1;
}

void fake_packed_push(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length,
                      unsigned buffers, unsigned descriptors)
{
    struct fake_queue *q = packed_queue(dev, queue);

    assert_true(q->used_descs < sizeof q->used_desc / sizeof q->used_desc[0]);
    q->used_desc[q->used_descs++] = (struct fake_used){q->passed, (uint16_t)id, length};
    q->passed += descriptors;
    for (; buffers > 0; buffers--, q->passed_buffers++) {
        if (dev->features >> VIRTIO_F_IN_ORDER & 1) { /* the other ids of a batch are free too */
            lengths[queue][order[queue][q->passed_buffers % 32768]] = 0;
        }
    }
    lengths[queue][id & 0xffff] = 0;
}

/*
 * §2.8.9: the first one is written last, so that the driver sees all or none. The address of a used
 * descriptor has no meaning (§2.8.4), so it is overwritten.
 */
void fake_packed_show(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue *q = packed_queue(dev, queue);

    for (unsigned i = q->used_descs; i > q->shown; i--) {
        const struct fake_used *used = &q->used_desc[i - 1];
        uint8_t *desc = descriptor(q, used->at);
        uint16_t flags = wrap_counter(q, used->at) ? AVAIL | USED : 0;

        if (used->length != 0 && !dev->omits_write_flag) {
            flags |= WRITE; /* §2.8.3 */
        }
        memset(desc, 0xee, 8);
        put16(desc + 8, used->length & 0xffff);
        put16(desc + 10, used->length >> 16);
        put16(desc + 12, used->id);
        put16(desc + 14, flags);
    }
    q->shown = q->used_descs;
}

uint16_t fake_driver_event(struct fake_virtio *dev, unsigned queue)
{
    return get16(fake_dma(packed_queue(dev, queue)->avail, 4));
}

uint16_t fake_driver_event_flags(struct fake_virtio *dev, unsigned queue)
{
    return get16((uint8_t *)fake_dma(packed_queue(dev, queue)->avail, 4) + 2);
}

/* §2.8.10 literally: the event triggers when this very descriptor is written as used. */
bool fake_packed_wants_interrupt(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue *q = packed_queue(dev, queue);
    uint16_t flags = fake_driver_event_flags(dev, queue);
    uint16_t event = fake_driver_event(dev, queue);
    bool wants = flags == ENABLE;

    if (flags == DESC) {
        assert_true(dev->features >> VIRTIO_F_EVENT_IDX & 1);
        assert_true((event & 0x7fff) < q->driver_size);
        for (unsigned i = 0; i < q->used_descs; i++) {
            wants |= fake_place(dev, queue, q->used_desc[i].at) == event;
        }
    } else if (flags != ENABLE && flags != DISABLE) {
        fail_msg("the driver's event flags are 0x%04x", flags);
    }
    q->used_descs = 0;
    q->shown = 0;
    return wants;
}

void fake_set_device_event(struct fake_virtio *dev, unsigned queue, uint16_t place, uint16_t flags)
{
    uint8_t *event = fake_dma(packed_queue(dev, queue)->used, 4);

    put16(event, place);
    put16(event + 2, flags);
}

void fake_packed_want_kick(struct fake_virtio *dev, unsigned queue, bool want)
{
    struct fake_queue *q = packed_queue(dev, queue);
    bool event_idx = dev->features >> VIRTIO_F_EVENT_IDX & 1;

    fake_set_device_event(dev, queue, fake_place(dev, queue, q->taken),
                          !want       ? DISABLE
                          : event_idx ? DESC
                                      : ENABLE);
}
