/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packed ring (virtio 1.3 §2.8): a single ring of descriptors that both sides write, in laps. A
 * position is an offset and the lap's wrap counter, which is 1 in the first lap (§2.8.1). Two bits
 * of a descriptor's flags tell in which lap it was made available and used. Only modern devices
 * have packed rings, so everything is little-endian.
 */
#include "virtio/internal/virtqueue_map.h"
#include "virtio/internal/virtqueue_ring.h"
#include "virtio/virtio_platform.h"

enum { LITTLE = true };

static struct pvirtq_desc *descriptors(const struct virtqueue *vq)
{
    return vq->descriptor_area;
}

/*
 * The event suppression structures: the driver writes the Driver Area, the device the Device Area.
 */
static struct pvirtq_event_suppress *driver_event(const struct virtqueue *vq)
{
    return vq->driver_area;
}

static const struct pvirtq_event_suppress *device_event(const struct virtqueue *vq)
{
    return vq->device_area;
}

int virtqueue_packed_allocate(struct virtqueue *vq)
{
    size_t align = vq->dev->transport->queue_align;
    size_t driver = (sizeof(struct pvirtq_desc) * vq->size + align - 1) & ~(align - 1);
    size_t size = driver + 2 * align; /* a cache line for each side's event */
    uint8_t *block = virtio_platform_alloc(size, align);

    if (block == NULL) {
        return VIRTIO_ERROR_NOMEM;
    }
    vq->descriptor_area = block;
    vq->driver_area = block + driver;
    vq->device_area = block + driver + align;
    vq->area_size = (uint32_t)size;
    return 0;
}

/* The position `count` descriptors later, at most a lap. */
static uint16_t advance(const struct virtqueue *vq, uint16_t place, unsigned count)
{
    unsigned off = (place & PVIRTQ_OFF) + count;
    unsigned wrap = place & PVIRTQ_WRAP;

    if (off >= vq->size) {
        off -= vq->size;
        wrap ^= PVIRTQ_WRAP;
    }
    return (uint16_t)(off | wrap);
}

/* True if the descriptor at this position has been used in this position's lap. */
static bool is_used(const struct virtqueue *vq, uint16_t place)
{
    const uint16_t both = VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED;
    uint16_t flags = virtio16_read(LITTLE, &descriptors(vq)[place & PVIRTQ_OFF].flags);

    return (flags & both) == (place & PVIRTQ_WRAP ? both : 0);
}

static inline __attribute__((always_inline)) void
write_desc(struct pvirtq_desc *desc, uint64_t address, uint32_t length, uint16_t id)
{
    virtio64_write(LITTLE, &desc->addr, address);
    virtio32_write(LITTLE, &desc->len, length);
    virtio16_write(LITTLE, &desc->id, id);
}

/* The flags of an available descriptor in this position's lap (§2.8.1). */
static uint16_t available_flag(uint16_t place)
{
    return place & PVIRTQ_WRAP ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED;
}

/* §2.8.7 Indirect Flag: the chain is in a table, in which only the WRITE flag is valid. */
static void write_indirect(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                           unsigned count, uint16_t id)
{
    struct virtqueue_slot *slot = &vq->slot[id];
    struct pvirtq_desc *table =
        (struct pvirtq_desc *)vq->tables + (size_t)slot->table * vq->table_parts;
    struct pvirtq_desc *desc = &descriptors(vq)[vq->avail_idx & PVIRTQ_OFF];
    struct virtqueue_cursor at = virtqueue_first(slot);

    for (unsigned i = 0; i < count; i++) {
        write_desc(&table[i], virtqueue_address(vq, &parts[i], &at), parts[i].length, 0);
        virtio16_write(LITTLE, &table[i].flags, i >= out ? VIRTQ_DESC_F_WRITE : 0);
    }
    write_desc(desc, virtqueue_table_address(vq, slot->table), (uint32_t)(count * sizeof *table),
               id);
    /* The descriptor and its table must be visible before the flags. */
    virtio_wmb();
    virtio16_write(LITTLE, &desc->flags,
                   (uint16_t)(VIRTQ_DESC_F_INDIRECT | available_flag(vq->avail_idx)));
    vq->avail_idx = advance(vq, vq->avail_idx, 1);
    slot->count = 1;
}

/* §2.8.21.1 Placing Available Buffers Into The Descriptor Ring */
static void write_direct(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                         unsigned count, uint16_t id)
{
    uint16_t place = vq->avail_idx;
    struct pvirtq_desc *first = &descriptors(vq)[place & PVIRTQ_OFF];
    struct virtqueue_cursor at = virtqueue_first(&vq->slot[id]);
    uint16_t first_flags = 0;

    for (unsigned i = 0; i < count; i++) {
        struct pvirtq_desc *desc = &descriptors(vq)[place & PVIRTQ_OFF];
        uint16_t flags = (uint16_t)(virtqueue_part_flags(i, out, count) | available_flag(place));

        write_desc(desc, virtqueue_address(vq, &parts[i], &at), parts[i].length, id);
        if (i == 0) {
            first_flags = flags;
        } else {
            virtio16_write(LITTLE, &desc->flags, flags);
        }
        place = advance(vq, place, 1);
    }
    /*
     * The first descriptor's flags make the whole chain available: the rest must be visible before
     * them.
     */
    virtio_wmb();
    virtio16_write(LITTLE, &first->flags, first_flags);
    vq->avail_idx = place;
    vq->slot[id].count = (uint16_t)count;
}

void virtqueue_packed_add_single(struct virtqueue *vq, const struct virtqueue_part *part,
                                 bool writes, uint16_t id)
{
    uint16_t place = vq->avail_idx;
    struct pvirtq_desc *desc = &descriptors(vq)[place & PVIRTQ_OFF];
    struct virtqueue_cursor at = virtqueue_first(&vq->slot[id]);

    write_desc(desc, virtqueue_address(vq, part, &at), part->length, id);
    /* The descriptor must be visible before its flags. */
    virtio_wmb();
    virtio16_write(LITTLE, &desc->flags,
                   (uint16_t)((writes ? VIRTQ_DESC_F_WRITE : 0) | available_flag(place)));
    vq->avail_idx = advance(vq, place, 1);
}

/* §2.8.21 Supplying Buffers to The Device */
unsigned virtqueue_packed_add(struct virtqueue *vq, const struct virtqueue_part *parts,
                              unsigned out, unsigned count, uint16_t id)
{
    if (vq->slot[id].table != VIRTQUEUE_NO_TABLE) {
        write_indirect(vq, parts, out, count, id);
    } else {
        write_direct(vq, parts, out, count, id);
    }
    vq->slot[id].last = id;
    return vq->slot[id].count;
}

/*
 * §2.8.10 Driver and Device Event Suppression. Reserved values, and DESC without the feature,
 * suppress nothing.
 */
bool virtqueue_packed_wants_kick(const struct virtqueue *vq)
{
    unsigned flags = virtio16_read(LITTLE, &device_event(vq)->flags) & RING_EVENT_FLAGS_MASK;
    unsigned place;
    unsigned event;

    if (flags != RING_EVENT_FLAGS_DESC || !vq->event_idx) {
        return flags != RING_EVENT_FLAGS_DISABLE;
    }
    /*
     * The device writes the event before the flags that make it valid, so the driver reads them in
     * reverse order.
     */
    virtio_rmb();
    place = virtio16_read(LITTLE, &device_event(vq)->desc);
    event = place & PVIRTQ_OFF;
    if ((place ^ vq->avail_idx) & PVIRTQ_WRAP) {
        event -= vq->size; /* it lies in the lap before ours */
    }
    return virtqueue_passes((uint16_t)event, vq->avail_idx & PVIRTQ_OFF, vq->unkicked);
}

bool virtqueue_packed_wants_next(const struct virtqueue *vq)
{
    unsigned flags = virtio16_read(LITTLE, &device_event(vq)->flags) & RING_EVENT_FLAGS_MASK;

    if (flags != RING_EVENT_FLAGS_DESC || !vq->event_idx) {
        return flags != RING_EVENT_FLAGS_DISABLE;
    }
    virtio_rmb();
    return virtio16_read(LITTLE, &device_event(vq)->desc) == vq->avail_idx;
}

/* True if every buffer in flight takes one descriptor. */
static bool all_single(const struct virtqueue *vq)
{
    return vq->in_flight + vq->free_count == vq->size;
}

/*
 * How many descriptors the used entry with this id covers. The device skips the rest of the chain
 * (§2.8.6), with IN_ORDER all chains of the batch (§2.8.8). 0: the queue is broken now.
 */
static unsigned skipped(struct virtqueue *vq, uint32_t id, uint32_t length)
{
    unsigned in_ring = 0;

    if (vq->in_order) {
        vq->batch_left = (uint16_t)virtqueue_covered(vq, id, &in_ring);
        vq->batch_length = length;
    } else if (virtqueue_has(vq, id)) {
        in_ring = vq->slot[id].count;
    }
    if (in_ring == 0) {
        virtqueue_bad_id(vq);
    }
    return in_ring;
}

/*
 * §2.8.22 Receiving Used Buffers From The Device. The WRITE flag also tells whether the device has
 * written anything (§2.8.3), but QEMU never sets it, so only the length is used.
 */
bool virtqueue_packed_next_used(struct virtqueue *vq, uint32_t *id, uint32_t *length)
{
    const struct pvirtq_desc *desc = &descriptors(vq)[vq->used_idx & PVIRTQ_OFF];
    unsigned skip;

    if (!is_used(vq, vq->used_idx)) {
        return false;
    }
    if (vq->in_flight == 0) {
        vq->counters.bad_index++;
        virtqueue_break(vq, "a descriptor is used that was not available");
        return false;
    }
    /*
     * The flags must be read before the descriptor and the data that the device wrote to the
     * buffer.
     */
    virtio_rmb();
    *id = virtio16_read(LITTLE, &desc->id);
    *length = virtio32_read(LITTLE, &desc->len);
    skip = skipped(vq, *id, *length);
    vq->used_idx = advance(vq, vq->used_idx, skip);
    return skip != 0;
}

/*
 * Used descriptors are contiguous (§2.8.6). In a batch, the first descriptor may appear before the
 * others.
 */
bool virtqueue_packed_hides_one(const struct virtqueue *vq)
{
    uint16_t place = vq->used_idx;

    if (is_used(vq, place)) {
        return false;
    }
    for (unsigned i = vq->free_count; i < vq->size; i++) { /* those in flight */
        if (is_used(vq, place)) {
            return true;
        }
        place = advance(vq, place, 1);
    }
    return false;
}

void virtqueue_packed_interrupts_off(struct virtqueue *vq)
{
    virtio16_write(LITTLE, &driver_event(vq)->flags, RING_EVENT_FLAGS_DISABLE);
}

/*
 * The interrupt is requested for the descriptor that the device will write for the buffer. Its
 * position is known only if all chains are single descriptors and the device writes one for each.
 * Otherwise the next one is requested.
 */
bool virtqueue_packed_interrupts_on(struct virtqueue *vq, uint16_t after)
{
    unsigned ahead = after > 0 && all_single(vq) && !vq->in_order ? after - 1u : 0;
    uint16_t event = advance(vq, vq->used_idx, ahead < vq->size ? ahead : vq->size - 1u);

    if (vq->event_idx) {
        virtio16_write(LITTLE, &driver_event(vq)->desc, event);
        /* The event must be visible before the flags that make it valid. */
        virtio_wmb();
        virtio16_write(LITTLE, &driver_event(vq)->flags, RING_EVENT_FLAGS_DESC);
    } else {
        virtio16_write(LITTLE, &driver_event(vq)->flags, RING_EVENT_FLAGS_ENABLE);
    }
    /*
     * The request must be visible before the driver checks for used buffers. The device checks for
     * the request after it wrote a used descriptor, so at least one side sees the other's write.
     */
    virtio_device_fence(vq->dev);
    return is_used(vq, event);
}
