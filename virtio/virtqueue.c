/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue: descriptors out, used buffers in, and who notifies whom. */
#include "virtio/virtqueue.h"

#include <string.h>

#include "virtio/virtio_platform.h"

enum { NO_TABLE = -1 };

/* §2.7.10: these two 16-bit fields follow the rings, and exist with EVENT_IDX only. */
static virtio16_t *used_event(struct virtqueue *vq)
{
    return &vq->avail->ring[vq->size];
}

static virtio16_t *avail_event(struct virtqueue *vq)
{
    return (virtio16_t *)&vq->used->ring[vq->size];
}

static size_t align_up(size_t value, size_t align)
{
    return (value + align - 1) & ~(align - 1);
}

/* Lays out the three rings in one block, as §2.7.2 has it for legacy and as suits modern ones. */
static int allocate_rings(struct virtqueue *vq)
{
    size_t align = vq->dev->transport->queue_align;
    size_t desc_size = sizeof(struct virtq_desc) * vq->size;
    size_t avail_size = sizeof(struct virtq_avail) + sizeof(virtio16_t) * (vq->size + 1u);
    size_t used_size =
        sizeof(struct virtq_used) + sizeof(struct virtq_used_elem) * vq->size + sizeof(virtio16_t);
    size_t used_offset = align_up(desc_size + avail_size, align);
    uint8_t *block = virtio_platform_alloc(used_offset + align_up(used_size, align), align);

    if (block == NULL) {
        return VIRTIO_ERROR_NOMEM;
    }
    vq->desc = (struct virtq_desc *)block;
    vq->avail = (struct virtq_avail *)(block + desc_size);
    vq->used = (struct virtq_used *)(block + used_offset);
    return 0;
}

static int allocate_tables(struct virtqueue *vq, uint16_t tables)
{
    if (tables == 0 || !virtio_has(vq->dev->features, VIRTIO_F_INDIRECT_DESC)) {
        return 0;
    }
    vq->tables = virtio_platform_alloc(sizeof(struct virtq_desc) * VIRTQUEUE_PARTS_MAX * tables,
                                       sizeof(struct virtq_desc));
    vq->table_next = virtio_platform_alloc(sizeof(int16_t) * tables, sizeof(int16_t));
    if (vq->tables == NULL || vq->table_next == NULL) {
        return VIRTIO_ERROR_NOMEM;
    }
    vq->table_count = tables;
    for (int16_t i = 0; i < (int16_t)tables; i++) {
        vq->table_next[i] = i + 1 < (int16_t)tables ? (int16_t)(i + 1) : NO_TABLE;
    }
    vq->free_table = 0;
    return 0;
}

int virtqueue_create(struct virtqueue *vq, struct virtio_device *dev, uint16_t index, uint16_t size,
                     uint16_t tables)
{
    uint16_t largest = dev->transport->queue_size(dev, index);
    int error;

    *vq = (struct virtqueue){.dev = dev, .index = index, .free_table = NO_TABLE};
    if (largest == 0 || largest > VIRTQ_SIZE_MAX || (largest & (largest - 1)) != 0) {
        virtio_platform_log("virtio: queue %u has the impossible size %u", index, largest);
        return VIRTIO_ERROR_IO;
    }
    vq->size = dev->transport->legacy || size > largest ? largest : size;
    vq->event_idx = virtio_has(dev->features, VIRTIO_F_EVENT_IDX);
    vq->free_count = vq->size;
    vq->slot = virtio_platform_alloc(sizeof *vq->slot * vq->size, sizeof(void *));
    error = vq->slot == NULL ? VIRTIO_ERROR_NOMEM : allocate_rings(vq);
    if (error == 0) {
        error = allocate_tables(vq, tables);
    }
    if (error == 0) {
        for (uint16_t i = 0; i < vq->size; i++) {
            vq->slot[i].next = (uint16_t)(i + 1);
        }
        error = dev->transport->queue_enable(dev, vq);
    }
    if (error != 0) {
        virtqueue_destroy(vq);
    }
    return error;
}

void virtqueue_destroy(struct virtqueue *vq)
{
    virtio_platform_free(vq->table_next);
    virtio_platform_free(vq->tables);
    virtio_platform_free(vq->desc);
    virtio_platform_free(vq->slot);
    *vq = (struct virtqueue){0};
}

static void write_desc(const struct virtqueue *vq, struct virtq_desc *desc,
                       const struct virtqueue_part *part, uint16_t flags, uint16_t next)
{
    bool little = vq->dev->little_endian;

    virtio64_write(little, &desc->addr, virtio_platform_dma_address(part->data));
    virtio32_write(little, &desc->len, part->length);
    virtio16_write(little, &desc->flags, flags);
    virtio16_write(little, &desc->next, next);
}

static uint16_t part_flags(unsigned i, unsigned out, unsigned count)
{
    return (uint16_t)((i >= out ? VIRTQ_DESC_F_WRITE : 0) |
                      (i + 1 < count ? VIRTQ_DESC_F_NEXT : 0));
}

/* §2.7.5.3 Indirect Descriptors: the chain lies in a table, one descriptor points to it. */
static void add_indirect(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                         unsigned count)
{
    struct virtqueue_slot *slot = &vq->slot[vq->free_head];
    struct virtq_desc *table = &vq->tables[vq->free_table * VIRTQUEUE_PARTS_MAX];
    struct virtqueue_part whole = {table, (uint32_t)(count * sizeof *table)};

    for (unsigned i = 0; i < count; i++) {
        write_desc(vq, &table[i], &parts[i], part_flags(i, out, count), (uint16_t)(i + 1));
    }
    write_desc(vq, &vq->desc[vq->free_head], &whole, VIRTQ_DESC_F_INDIRECT, 0);
    slot->table = vq->free_table;
    vq->free_table = vq->table_next[vq->free_table];
    slot->count = 1;
    slot->last = vq->free_head;
}

/* The chain lies in the ring's own descriptors, linked in the order of the free list. */
static void add_direct(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                       unsigned count)
{
    struct virtqueue_slot *slot = &vq->slot[vq->free_head];
    uint16_t at = vq->free_head;

    for (unsigned i = 0; i < count; i++) {
        write_desc(vq, &vq->desc[at], &parts[i], part_flags(i, out, count), vq->slot[at].next);
        slot->last = at;
        at = vq->slot[at].next;
    }
    slot->table = NO_TABLE;
    slot->count = (uint16_t)count;
}

static bool takes_table(const struct virtqueue *vq, unsigned parts)
{
    return parts > 1 && parts <= VIRTQUEUE_PARTS_MAX && vq->free_table != NO_TABLE;
}

bool virtqueue_has_room(const struct virtqueue *vq, unsigned parts)
{
    return vq->free_count >= (takes_table(vq, parts) ? 1 : parts);
}

/* §2.7.13 Supplying Buffers to The Device */
int virtqueue_add(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                  unsigned in, void *cookie)
{
    unsigned count = out + in;
    uint16_t head = vq->free_head;
    bool little = vq->dev->little_endian;

    if (vq->broken) {
        return VIRTIO_ERROR_BROKEN;
    }
    if (count > vq->size) {
        return VIRTIO_ERROR_TOOBIG;
    }
    if (!virtqueue_has_room(vq, count)) {
        vq->counters.full++;
        return VIRTIO_ERROR_FULL;
    }
    if (takes_table(vq, count)) {
        add_indirect(vq, parts, out, count);
    } else {
        add_direct(vq, parts, out, count);
    }
    vq->slot[head].cookie = cookie;
    vq->slot[head].in_length = 0;
    for (unsigned i = out; i < count; i++) {
        vq->slot[head].in_length += parts[i].length;
    }
    vq->free_head = vq->slot[vq->slot[head].last].next;
    vq->free_count = (uint16_t)(vq->free_count - vq->slot[head].count);
    vq->in_flight++;

    virtio16_write(little, &vq->avail->ring[vq->avail_idx & (vq->size - 1)], head);
    vq->avail_idx++;
    /* Older buffers than a ring holds have been used, and no event can lie there: cut them off
     * before the distance outgrows 16 bits. */
    if ((uint16_t)(vq->avail_idx - vq->kicked_idx) > vq->size) {
        vq->kicked_idx = (uint16_t)(vq->avail_idx - vq->size);
    }
    /* The device must not see the index before the entry and its descriptors. */
    virtio_wmb();
    virtio16_write(little, &vq->avail->idx, vq->avail_idx);
    return 0;
}

/* §2.7.10: whether moving the index from old to new passes the event, modulo 2^16. */
static bool passes_event(uint16_t event, uint16_t new, uint16_t old)
{
    return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

static bool device_wants_kick(struct virtqueue *vq)
{
    bool little = vq->dev->little_endian;

    if (vq->event_idx) {
        return passes_event(virtio16_read(little, avail_event(vq)), vq->avail_idx, vq->kicked_idx);
    }
    return !(virtio16_read(little, &vq->used->flags) & VIRTQ_USED_F_NO_NOTIFY);
}

bool virtqueue_wanted(struct virtqueue *vq)
{
    bool little = vq->dev->little_endian;

    if (vq->event_idx) {
        return virtio16_read(little, avail_event(vq)) == vq->avail_idx;
    }
    return !(virtio16_read(little, &vq->used->flags) & VIRTQ_USED_F_NO_NOTIFY);
}

/* §2.7.13.4 Notifying The Device */
bool virtqueue_kick(struct virtqueue *vq)
{
    bool wanted;

    if (vq->avail_idx == vq->kicked_idx || vq->broken) {
        return false;
    }
    /* The published index must be seen before we read whether the device wants to be told: it
     * does the same the other way round, and one of the two must see the other's. */
    virtio_mb();
    wanted = device_wants_kick(vq);
    if (!wanted && vq->dev->weak_barrier) {
        virtio_device_fence(vq->dev);
        wanted = device_wants_kick(vq);
        vq->counters.kicks_saved += wanted;
    }
    if (!wanted) {
        vq->counters.kicks_suppressed++;
        return false;
    }
    vq->kicked_idx = vq->avail_idx;
    vq->counters.kicks++;
    vq->dev->transport->notify(vq->dev, vq);
    return true;
}

static void *release_chain(struct virtqueue *vq, uint16_t head)
{
    struct virtqueue_slot *slot = &vq->slot[head];
    void *cookie = slot->cookie;

    if (slot->table != NO_TABLE) {
        vq->table_next[slot->table] = vq->free_table;
        vq->free_table = slot->table;
    }
    vq->slot[slot->last].next = vq->free_head;
    vq->free_head = head;
    vq->free_count = (uint16_t)(vq->free_count + slot->count);
    vq->in_flight--;
    slot->cookie = NULL;
    return cookie;
}

static void break_queue(struct virtqueue *vq, uint16_t pending)
{
    vq->counters.bad_index++;
    vq->broken = true;
    virtio_platform_log("virtio: queue %u: the device says %u buffers are used, it had %u; the "
                        "queue is stopped",
                        vq->index, pending, vq->in_flight);
}

/* §2.7.14 Receiving Used Buffers From The Device */
void *virtqueue_get(struct virtqueue *vq, uint32_t *length)
{
    bool little = vq->dev->little_endian;

    /* Bad entries are skipped, but a device that never ceases to write them must not hold us. */
    for (unsigned looked = 0; looked < vq->size && !vq->broken; looked++) {
        uint16_t pending = (uint16_t)(virtio16_read(little, &vq->used->idx) - vq->used_idx);
        const struct virtq_used_elem *elem = &vq->used->ring[vq->used_idx & (vq->size - 1)];
        uint32_t id;

        if (pending == 0) {
            break;
        }
        if (pending > vq->in_flight) {
            break_queue(vq, pending);
            break;
        }
        /* The entry, and what the device wrote to the buffer, must not be read before the index
         * that says they are there. */
        virtio_rmb();
        id = virtio32_read(little, &elem->id);
        *length = virtio32_read(little, &elem->len);
        vq->used_idx++;
        if (id >= vq->size || vq->slot[id].cookie == NULL) {
            vq->counters.bad_id++; /* not a chain's head, or completed twice */
            continue;
        }
        if (*length > vq->slot[id].in_length) {
            /* A legacy device may say anything where it only reads (§2.7.14.1). */
            vq->counters.bad_length += vq->slot[id].in_length != 0;
            *length = vq->slot[id].in_length;
        }
        return release_chain(vq, (uint16_t)id);
    }
    return NULL;
}

void *virtqueue_detach(struct virtqueue *vq)
{
    for (uint16_t head = 0; head < vq->size && vq->in_flight != 0; head++) {
        if (vq->slot[head].cookie != NULL) {
            return release_chain(vq, head);
        }
    }
    return NULL;
}

/* §2.7.7 Used Buffer Notification Suppression */
void virtqueue_interrupts_off(struct virtqueue *vq)
{
    bool little = vq->dev->little_endian;

    if (vq->event_idx) {
        /* The event farthest away: 65,535 buffers from now. */
        virtio16_write(little, used_event(vq), (uint16_t)(vq->used_idx - 1));
    } else {
        virtio16_write(little, &vq->avail->flags, VIRTQ_AVAIL_F_NO_INTERRUPT);
    }
}

bool virtqueue_interrupts_on(struct virtqueue *vq, uint16_t after)
{
    bool little = vq->dev->little_endian;

    if (vq->broken) {
        return false; /* nothing will be taken from it, whatever it says */
    }
    if (vq->event_idx) {
        virtio16_write(little, used_event(vq), (uint16_t)(vq->used_idx + after - 1));
    } else {
        virtio16_write(little, &vq->avail->flags, 0);
    }
    /* The request must be seen before we look for what the device used meanwhile: it looks for the
     * request after it published a used index, and one of the two must see the other's. */
    virtio_device_fence(vq->dev);
    return (uint16_t)(virtio16_read(little, &vq->used->idx) - vq->used_idx) >= after;
}
