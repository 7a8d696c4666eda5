/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The split ring (virtio 1.3 §2.7): a descriptor table, an available ring and a used ring. Its
 * indices count entries modulo 2^16.
 */
#include "virtio/internal/virtqueue_map.h"
#include "virtio/internal/virtqueue_ring.h"
#include "virtio/virtio_platform.h"

static struct virtq_desc *descriptors(const struct virtqueue *vq)
{
    return vq->descriptor_area;
}

static struct virtq_avail *avail(const struct virtqueue *vq)
{
    return vq->driver_area;
}

static struct virtq_used *used(const struct virtqueue *vq)
{
    return vq->device_area;
}

/* §2.7.7, §2.7.10: these two 16-bit fields follow the rings and are used only with EVENT_IDX. */
static virtio16_t *used_event(const struct virtqueue *vq)
{
    return &avail(vq)->ring[vq->size];
}

static const virtio16_t *avail_event(const struct virtqueue *vq)
{
    return (const virtio16_t *)&used(vq)->ring[vq->size];
}

static size_t align_up(size_t value, size_t align)
{
    return (value + align - 1) & ~(align - 1);
}

/* The layout of §2.7.2, which legacy devices require. It also suits modern devices. */
int virtqueue_split_allocate(struct virtqueue *vq)
{
    size_t align = vq->dev->transport->queue_align;
    size_t desc_size = sizeof(struct virtq_desc) * vq->size;
    size_t avail_size = sizeof(struct virtq_avail) + sizeof(virtio16_t) * (vq->size + 1u);
    size_t used_size =
        sizeof(struct virtq_used) + sizeof(struct virtq_used_elem) * vq->size + sizeof(virtio16_t);
    size_t used_offset = align_up(desc_size + avail_size, align);
    size_t size = used_offset + align_up(used_size, align);
    uint8_t *block = virtio_platform_alloc(size, align);

    if (block == NULL) {
        return VIRTIO_ERROR_NOMEM;
    }
    vq->descriptor_area = block;
    vq->driver_area = block + desc_size;
    vq->device_area = block + used_offset;
    vq->area_size = (uint32_t)size;
    return 0;
}

static inline __attribute__((always_inline)) void write_desc(const struct virtqueue *vq,
                                                             struct virtq_desc *desc,
                                                             uint64_t address, uint32_t length,
                                                             uint16_t flags, uint16_t next)
{
    bool little = vq->dev->little_endian;

    virtio64_write(little, &desc->addr, address);
    virtio32_write(little, &desc->len, length);
    virtio16_write(little, &desc->flags, flags);
    virtio16_write(little, &desc->next, next);
}

/* §2.7.5.3 Indirect Descriptors: the chain is in a table, and one descriptor points to it. */
static void write_indirect(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                           unsigned count, uint16_t head)
{
    struct virtqueue_slot *slot = &vq->slot[head];
    struct virtq_desc *table =
        (struct virtq_desc *)vq->tables + (size_t)slot->table * vq->table_parts;
    struct virtqueue_cursor at = virtqueue_first(slot);

    for (unsigned i = 0; i < count; i++) {
        write_desc(vq, &table[i], virtqueue_address(vq, &parts[i], &at), parts[i].length,
                   virtqueue_part_flags(i, out, count), (uint16_t)(i + 1));
    }
    write_desc(vq, &descriptors(vq)[head], virtqueue_table_address(vq, slot->table),
               (uint32_t)(count * sizeof *table), VIRTQ_DESC_F_INDIRECT, 0);
    slot->count = 1;
    slot->last = head;
}

/* The chain uses the ring's own descriptors, linked in the order of the free list. */
static void write_direct(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                         unsigned count, uint16_t head)
{
    struct virtqueue_slot *slot = &vq->slot[head];
    struct virtqueue_cursor at = virtqueue_first(slot);
    uint16_t place = head;

    for (unsigned i = 0; i < count; i++) {
        write_desc(vq, &descriptors(vq)[place], virtqueue_address(vq, &parts[i], &at),
                   parts[i].length, virtqueue_part_flags(i, out, count), vq->slot[place].next);
        slot->last = place;
        place = vq->slot[place].next;
    }
    slot->count = (uint16_t)count;
}

/* §2.7.13.2, §2.7.13.3: makes the chain that begins with this descriptor available. */
static void show(struct virtqueue *vq, uint16_t head)
{
    bool little = vq->dev->little_endian;

    virtio16_write(little, &avail(vq)->ring[vq->avail_idx & (vq->size - 1)], head);
    vq->avail_idx++;
    /* The entry and its descriptors must be visible before the index. */
    virtio_wmb();
    virtio16_write(little, &avail(vq)->idx, vq->avail_idx);
}

void virtqueue_split_add_single(struct virtqueue *vq, const struct virtqueue_part *part,
                                bool writes, uint16_t id)
{
    struct virtqueue_cursor at = virtqueue_first(&vq->slot[id]);

    write_desc(vq, &descriptors(vq)[id], virtqueue_address(vq, part, &at), part->length,
               writes ? VIRTQ_DESC_F_WRITE : 0, 0);
    show(vq, id);
}

/* §2.7.13 Supplying Buffers to The Device */
unsigned virtqueue_split_add(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                             unsigned count, uint16_t id)
{
    if (vq->slot[id].table != VIRTQUEUE_NO_TABLE) {
        write_indirect(vq, parts, out, count, id);
    } else {
        write_direct(vq, parts, out, count, id);
    }
    show(vq, id);
    return 1;
}

/* §2.7.10 Available Buffer Notification Suppression */
bool virtqueue_split_wants_kick(const struct virtqueue *vq)
{
    bool little = vq->dev->little_endian;

    if (vq->event_idx) {
        return virtqueue_passes(virtio16_read(little, avail_event(vq)), vq->avail_idx,
                                vq->unkicked);
    }
    return !(virtio16_read(little, &used(vq)->flags) & VIRTQ_USED_F_NO_NOTIFY);
}

bool virtqueue_split_wants_next(const struct virtqueue *vq)
{
    bool little = vq->dev->little_endian;

    if (vq->event_idx) {
        return virtio16_read(little, avail_event(vq)) == vq->avail_idx;
    }
    return !(virtio16_read(little, &used(vq)->flags) & VIRTQ_USED_F_NO_NOTIFY);
}

/*
 * With IN_ORDER an entry covers all buffers up to its own, at most as many as the index says
 * (§2.7.9). Returns their number. 0: the queue is broken now.
 */
static unsigned begin_batch(struct virtqueue *vq, uint32_t id, uint32_t length, uint16_t pending)
{
    unsigned in_ring;
    unsigned covered = virtqueue_covered(vq, id, &in_ring);

    if (covered == 0) {
        virtqueue_bad_id(vq);
    } else if (covered > pending) {
        vq->counters.bad_index++;
        virtqueue_break(vq, "a used entry covers more buffers than the used index");
        covered = 0;
    }
    vq->batch_left = (uint16_t)covered;
    vq->batch_length = length;
    return covered;
}

/* §2.7.14 Receiving Used Buffers From The Device */
bool virtqueue_split_next_used(struct virtqueue *vq, uint32_t *id, uint32_t *length)
{
    bool little = vq->dev->little_endian;
    uint16_t pending = (uint16_t)(virtio16_read(little, &used(vq)->idx) - vq->used_idx);
    const struct virtq_used_elem *elem = &used(vq)->ring[vq->used_idx & (vq->size - 1)];
    unsigned covered = 1;

    if (pending == 0) {
        return false;
    }
    if (pending > vq->in_flight) {
        vq->counters.bad_index++;
        virtqueue_break(vq, "the used index jumped");
        return false;
    }
    /* The index must be read before the entry and the data that the device wrote to the buffer. */
    virtio_rmb();
    *id = virtio32_read(little, &elem->id);
    *length = virtio32_read(little, &elem->len);
    if (vq->in_order) {
        covered = begin_batch(vq, *id, *length, pending);
    } else if (!virtqueue_has(vq, *id)) {
        virtqueue_bad_id(vq);
        covered = 0;
    }
    vq->used_idx = (uint16_t)(vq->used_idx + covered);
    return covered != 0;
}

/* §2.7.7 Used Buffer Notification Suppression */
void virtqueue_split_interrupts_off(struct virtqueue *vq)
{
    bool little = vq->dev->little_endian;

    if (vq->event_idx) {
        /*
         * Set the event index as far away as possible (65,535 buffers) so that no interrupt is
         * sent.
         */
        virtio16_write(little, used_event(vq), (uint16_t)(vq->used_idx - 1));
    } else {
        virtio16_write(little, &avail(vq)->flags, VIRTQ_AVAIL_F_NO_INTERRUPT);
    }
}

bool virtqueue_split_interrupts_on(struct virtqueue *vq, uint16_t after)
{
    bool little = vq->dev->little_endian;

    if (vq->event_idx) {
        virtio16_write(little, used_event(vq), (uint16_t)(vq->used_idx + after - 1));
    } else {
        virtio16_write(little, &avail(vq)->flags, 0);
    }
    /*
     * The request must be visible before the driver checks for used buffers. The device checks for
     * the request after it published a used index, so at least one side sees the other's write.
     */
    virtio_device_fence(vq->dev);
    return (uint16_t)(virtio16_read(little, &used(vq)->idx) - vq->used_idx) >= after;
}
