/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake device's work on the driver's rings (virtio 1.3 §2.7, from the device's side), with what
 * both kinds of ring share. fake_packed.c implements the packed ring.
 */
#include <string.h>

#include "fake_virtio.h"

enum { DESC_SIZE = 16, AVAIL_RING = 4, USED_RING = 4, USED_ELEM = 8 };

static struct fake_queue *live_queue(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue *q = &dev->queue[queue];

    assert_true(q->enabled && dev->status & VIRTIO_STATUS_DRIVER_OK);
    return q;
}

static struct fake_queue *split_queue(struct fake_virtio *dev, unsigned queue)
{
    assert_false(fake_packed(dev));
    return live_queue(dev, queue);
}

static bool has_event_idx(const struct fake_virtio *dev)
{
    return dev->features >> VIRTIO_F_EVENT_IDX & 1;
}

static uint16_t get16(struct fake_virtio *dev, uint64_t address)
{
    return (uint16_t)fake_get(dev, fake_dma(address, 2), 2);
}

uint16_t fake_avail_flags(struct fake_virtio *dev, unsigned queue)
{
    return get16(dev, split_queue(dev, queue)->avail);
}

uint16_t fake_avail_idx(struct fake_virtio *dev, unsigned queue)
{
    return get16(dev, split_queue(dev, queue)->avail + 2);
}

uint16_t fake_used_event(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue *q = split_queue(dev, queue);

    return get16(dev, q->avail + AVAIL_RING + 2u * q->driver_size);
}

static void *avail_event(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue *q = split_queue(dev, queue);

    return fake_dma(q->used + USED_RING + USED_ELEM * q->driver_size, 2);
}

void fake_set_avail_event(struct fake_virtio *dev, unsigned queue, uint16_t event)
{
    fake_put(dev, avail_event(dev, queue), 2, event);
}

uint16_t fake_get_avail_event(struct fake_virtio *dev, unsigned queue)
{
    return (uint16_t)fake_get(dev, avail_event(dev, queue), 2);
}

void fake_set_used_flags(struct fake_virtio *dev, unsigned queue, uint16_t flags)
{
    fake_put(dev, fake_dma(split_queue(dev, queue)->used, 2), 2, flags);
}

void fake_want_kick(struct fake_virtio *dev, unsigned queue, bool want)
{
    uint16_t next = live_queue(dev, queue)->last_avail;

    if (fake_packed(dev)) {
        fake_packed_want_kick(dev, queue, want);
    } else if (has_event_idx(dev)) {
        fake_set_avail_event(dev, queue, want ? next : (uint16_t)(next + 0x8000));
    } else {
        fake_set_used_flags(dev, queue, want ? 0 : VIRTQ_USED_F_NO_NOTIFY);
    }
}

/* A descriptor. Its layout in memory is the same in the ring and in an indirect table. */
struct desc {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};

static struct desc get_desc(struct fake_virtio *dev, uint64_t table, unsigned index)
{
    const uint8_t *d = fake_dma(table + DESC_SIZE * index, DESC_SIZE);

    return (struct desc){
        .address = fake_get(dev, d, 8),
        .length = (uint32_t)fake_get(dev, d + 8, 4),
        .flags = (uint16_t)fake_get(dev, d + 12, 2),
        .next = (uint16_t)fake_get(dev, d + 14, 2),
    };
}

void fake_add_part(struct fake_chain *chain, uint64_t address, uint32_t length, bool write)
{
    assert_true(length > 0 && chain->count < FAKE_PARTS_MAX);
    fake_dma(address, length);
    if (chain->count > 0 && chain->part[chain->count - 1].write) {
        assert_true(write); /* §2.7.4.2, §2.8.17: device-readable parts come first */
    }
    chain->part[chain->count++] = (struct fake_part){address, length, write};
}

/* Follows a chain in the ring or in an indirect table. Returns the number of its descriptors. */
static unsigned walk(struct fake_virtio *dev, uint64_t table, unsigned size, unsigned at,
                     struct fake_chain *chain, struct desc *indirect)
{
    for (unsigned steps = 1;; steps++) {
        struct desc desc;

        if (at >= size || steps > size) {
            fail_msg("a chain goes on at %u of %u or never ends", at, size);
        }
        desc = get_desc(dev, table, at);
        if (desc.flags & ~(VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_INDIRECT)) {
            fail_msg("descriptor %u has the flags 0x%04x", at, desc.flags);
        }
        if (desc.flags & VIRTQ_DESC_F_INDIRECT) {
            assert_true(dev->features >> VIRTIO_F_INDIRECT_DESC & 1);
            assert_non_null(indirect);                           /* no nested tables */
            assert_int_equal(desc.flags, VIRTQ_DESC_F_INDIRECT); /* not with NEXT */
            *indirect = desc;
            return steps;
        }
        fake_add_part(chain, desc.address, desc.length, desc.flags & VIRTQ_DESC_F_WRITE);
        if (!(desc.flags & VIRTQ_DESC_F_NEXT)) {
            return steps;
        }
        at = desc.next;
    }
}

/* §2.7.9, §2.7.5: with IN_ORDER, chains take consecutive descriptors, with wrap. */
static void check_in_order(struct fake_virtio *dev, struct fake_queue *q,
                           const struct fake_chain *chain)
{
    if (!(dev->features >> VIRTIO_F_IN_ORDER & 1)) {
        return;
    }
    if (chain->head != q->next_descriptor) {
        fail_msg("in order, a chain begins at %u instead of %u", chain->head, q->next_descriptor);
    }
    for (unsigned i = 0; i + 1 < chain->descriptors; i++) {
        unsigned at = (chain->head + i) & (q->driver_size - 1u);

        assert_int_equal(get_desc(dev, q->desc, at).next, (at + 1) & (q->driver_size - 1u));
    }
    q->next_descriptor = (uint16_t)((chain->head + chain->descriptors) & (q->driver_size - 1u));
}

/* §2.7.5.3.1: the same within an indirect table. */
static void check_table_in_order(struct fake_virtio *dev, uint64_t table, unsigned count)
{
    for (unsigned i = 0; dev->features >> VIRTIO_F_IN_ORDER & 1 && i + 1 < count; i++) {
        assert_int_equal(get_desc(dev, table, i).next, i + 1);
    }
}

static bool take(struct fake_virtio *dev, unsigned queue, struct fake_chain *chain, bool keep)
{
    struct fake_queue *q = live_queue(dev, queue);
    uint16_t waiting;
    struct desc table = {0};

    if (fake_packed(dev)) {
        return fake_packed_take(dev, queue, chain, keep);
    }
    waiting = (uint16_t)(fake_avail_idx(dev, queue) - q->last_avail);

    if (waiting > q->driver_size) {
        fail_msg("%u buffers are available in a ring of %u", waiting, q->driver_size);
    }
    if (waiting == 0) {
        return false;
    }
    *chain = (struct fake_chain){
        .head = get16(dev, q->avail + AVAIL_RING + 2u * (q->last_avail & (q->driver_size - 1))),
    };
    q->last_avail++;
    chain->descriptors = walk(dev, q->desc, q->driver_size, chain->head, chain, &table);
    check_in_order(dev, q, chain);
    if (table.length != 0) {
        chain->indirect = true;
        assert_int_equal(table.length % DESC_SIZE, 0);
        check_table_in_order(dev, table.address, table.length / DESC_SIZE);
        assert_int_equal(walk(dev, table.address, table.length / DESC_SIZE, 0, chain, NULL),
                         table.length / DESC_SIZE); /* exactly the chain */
    }
    return true;
}

bool fake_take(struct fake_virtio *dev, unsigned queue, struct fake_chain *chain)
{
    return take(dev, queue, chain, false);
}

unsigned fake_peek(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue before = *live_queue(dev, queue);
    struct fake_chain chain;
    unsigned count = 0;

    while (take(dev, queue, &chain, true)) {
        count++;
    }
    dev->queue[queue] = before;
    return count;
}

unsigned fake_owned(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue *q = live_queue(dev, queue);

    if (fake_packed(dev)) {
        return fake_peek(dev, queue) + (unsigned)(q->taken_buffers - q->passed_buffers);
    }
    return (uint16_t)(fake_avail_idx(dev, queue) - q->used_idx);
}

uint16_t fake_next_place(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue before = *live_queue(dev, queue);
    struct fake_chain chain;
    uint16_t place;

    if (!fake_packed(dev)) {
        return fake_avail_idx(dev, queue);
    }
    while (take(dev, queue, &chain, true)) {
    }
    place = fake_place(dev, queue, dev->queue[queue].taken);
    dev->queue[queue] = before;
    return place;
}

size_t fake_gather(const struct fake_chain *chain, void *to, size_t size)
{
    size_t length = 0;

    for (unsigned i = 0; i < chain->count && !chain->part[i].write; i++) {
        const struct fake_part *part = &chain->part[i];

        assert_true(length + part->length <= size);
        memcpy((uint8_t *)to + length, fake_dma(part->address, part->length), part->length);
        length += part->length;
    }
    return length;
}

size_t fake_scatter(const struct fake_chain *chain, const void *from, size_t size)
{
    size_t done = 0;

    for (unsigned i = 0; i < chain->count && done < size; i++) {
        const struct fake_part *part = &chain->part[i];
        size_t length = size - done < part->length ? size - done : part->length;

        if (part->write) {
            memcpy(fake_dma(part->address, length), (const uint8_t *)from + done, length);
            done += length;
        }
    }
    return done;
}

void fake_push(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length)
{
    unsigned descriptors = fake_packed(dev) ? fake_packed_length(dev, queue, id) : 0;

    fake_push_batch(dev, queue, id, length, 1, descriptors);
}

void fake_push_batch(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length,
                     unsigned buffers, unsigned descriptors)
{
    struct fake_queue *q = live_queue(dev, queue);
    uint8_t *elem;

    if (fake_packed(dev)) {
        fake_packed_push(dev, queue, id, length, buffers, descriptors);
        return;
    }
    elem = fake_dma(q->used + USED_RING + USED_ELEM * (q->used_idx & (q->driver_size - 1u)), 8);
    fake_put(dev, elem, 4, id);
    fake_put(dev, elem + 4, 4, length);
    q->used_idx = (uint16_t)(q->used_idx + buffers);
}

/*
 * §2.7.7.2, §2.7.10: steps through the indices instead of comparing them, to be independent of the
 * formula.
 */
static bool wants_interrupt(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue *q = &dev->queue[queue];
    uint16_t flags;

    if (fake_packed(dev)) {
        return fake_packed_wants_interrupt(dev, queue);
    }
    flags = fake_avail_flags(dev, queue);
    assert_in_range(flags, 0, has_event_idx(dev) ? 0 : 1); /* §2.7.7.1 */
    if (!has_event_idx(dev)) {
        return !(flags & VIRTQ_AVAIL_F_NO_INTERRUPT);
    }
    for (uint16_t i = q->signalled; i != q->used_idx; i++) {
        if (i == fake_used_event(dev, queue)) {
            return true;
        }
    }
    return false;
}

void fake_show(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue *q = live_queue(dev, queue);

    if (fake_packed(dev)) {
        fake_packed_show(dev, queue);
    } else {
        fake_put(dev, fake_dma(q->used + 2, 2), 2, q->used_idx);
    }
}

void fake_publish(struct fake_virtio *dev, unsigned queue)
{
    struct fake_queue *q = live_queue(dev, queue);

    fake_show(dev, queue);
    if (wants_interrupt(dev, queue)) {
        fake_interrupt(dev, VIRTIO_ISR_QUEUE, q->vector);
        q->interrupts++;
    }
    q->signalled = q->used_idx;
}

void fake_use(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length)
{
    fake_push(dev, queue, id, length);
    fake_publish(dev, queue);
}

bool fake_tx_take(struct fake_virtio *dev)
{
    if (!fake_take(dev, VIRTIO_NET_QUEUE_TX, &dev->tx_chain)) {
        return false;
    }
    dev->tx_length = fake_gather(&dev->tx_chain, dev->tx_data, sizeof dev->tx_data);
    dev->tx_frames++;
    return true;
}

void fake_tx_drop(struct fake_virtio *dev)
{
    struct fake_queue *q = &dev->queue[VIRTIO_NET_QUEUE_TX];
    struct fake_chain chain;

    while (!q->miscounted && fake_take(dev, VIRTIO_NET_QUEUE_TX, &chain)) {
        fake_use(dev, VIRTIO_NET_QUEUE_TX, chain.head, 0);
        q->miscounted = fake_packed(dev);
    }
}

unsigned fake_tx_run(struct fake_virtio *dev)
{
    unsigned frames = 0;

    while (fake_tx_take(dev)) {
        fake_use(dev, VIRTIO_NET_QUEUE_TX, dev->tx_chain.head, dev->lie_used_length);
        frames++;
    }
    fake_want_kick(dev, VIRTIO_NET_QUEUE_TX, true);
    return frames;
}

static size_t writable(const struct fake_chain *chain)
{
    size_t length = 0;

    for (unsigned i = 0; i < chain->count; i++) {
        assert_true(chain->part[i].write);
        length += chain->part[i].length;
    }
    return length;
}

/* §5.1.6.6: without ANY_LAYOUT or VERSION_1 the header has its own descriptor. */
static void check_layout(const struct fake_virtio *dev, const struct fake_chain *chain,
                         size_t header)
{
    uint64_t any = (uint64_t)1 << VIRTIO_F_VERSION_1 | (uint64_t)1 << VIRTIO_F_ANY_LAYOUT;

    if (!(dev->features & any)) {
        assert_true(chain->count > 1 && chain->part[0].length == header);
    }
}

bool fake_rx(struct fake_virtio *dev, const void *frame, size_t length)
{
    static uint8_t data[FAKE_FRAME_MAX + 12];
    struct fake_queue *q = live_queue(dev, VIRTIO_NET_QUEUE_RX);
    bool mergeable = dev->features >> VIRTIO_NET_F_MRG_RXBUF & 1;
    size_t header = mergeable || fake_virtio_little(dev) ? 12 : 10;
    struct fake_queue start = *q;
    struct fake_chain chain[64];
    unsigned count = 0;
    size_t room = 0;
    size_t done = 0;

    if (length > FAKE_FRAME_MAX) {
        fail_msg("a frame of %zu bytes", length);
        return false;
    }
    while (room < header + length) {
        if (count == (mergeable ? 64 : 1) || !take(dev, VIRTIO_NET_QUEUE_RX, &chain[count], true)) {
            *q = start;
            return false;
        }
        check_layout(dev, &chain[count], header);
        room += writable(&chain[count++]);
    }
    *q = start;
    for (unsigned i = 0; i < count; i++) {
        assert_true(fake_take(dev, VIRTIO_NET_QUEUE_RX, &chain[i]));
    }
    memset(data, 0, header);
    data[0] = dev->rx_offload.flags;
    data[1] = dev->rx_offload.gso_type;
    fake_put(dev, data + 2, 2, dev->rx_offload.hdr_len);
    fake_put(dev, data + 4, 2, dev->rx_offload.gso_size);
    fake_put(dev, data + 6, 2, dev->rx_offload.csum_start);
    fake_put(dev, data + 8, 2, dev->rx_offload.csum_offset);
    memcpy(data + header, frame, length);
    if (header == 12) {
        fake_put(dev, data + 10, 2,
                 dev->lie_num_buffers < 0 ? count : (unsigned)dev->lie_num_buffers);
    }
    for (unsigned i = 0; i < count; i++) {
        size_t part = fake_scatter(&chain[i], data + done, header + length - done);

        fake_push(dev, VIRTIO_NET_QUEUE_RX, chain[i].head, (uint32_t)part + dev->lie_used_length);
        done += part;
    }
    fake_publish(dev, VIRTIO_NET_QUEUE_RX);
    return true;
}
