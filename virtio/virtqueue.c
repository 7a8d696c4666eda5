/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part that is common to both ring formats: records of the buffers in flight, indirect tables,
 * checks of what the device writes, notifications, creation and reset.
 */
#include "virtio/virtqueue.h"

#include <string.h>

#include "virtio/internal/virtqueue_map.h"
#include "virtio/internal/virtqueue_ring.h"
#include "virtio/virtio_platform.h"

/* Initialises an empty ring with all slots and tables free. */
static void clear(struct virtqueue *vq)
{
    memset(vq->descriptor_area, 0, vq->area_size);
    vq->avail_idx = virtqueue_is_packed(vq) ? PVIRTQ_WRAP : 0;
    vq->used_idx = vq->avail_idx;
    vq->unkicked = 0;
    vq->batch_left = 0;
    vq->free_head = 0;
    vq->free_tail = (uint16_t)(vq->slots - 1u);
    vq->oldest = 0;
    vq->free_count = vq->slots;
    for (uint16_t i = 0; i < vq->slots; i++) {
        vq->slot[i].next = (uint16_t)((i + 1u) % vq->slots);
    }
    vq->free_tables = vq->table_count;
    vq->free_table = vq->table_count > 0 ? 0 : VIRTQUEUE_NO_TABLE;
    for (int16_t i = 0; i < (int16_t)vq->table_count; i++) {
        vq->table_next[i] =
            i + 1 < (int16_t)vq->table_count ? (int16_t)(i + 1) : VIRTQUEUE_NO_TABLE;
    }
    vq->broken = false;
}

static size_t table_bytes(uint16_t tables, uint16_t parts)
{
    return sizeof(struct virtq_desc) * parts * tables;
}

static int allocate_tables(struct virtqueue *vq, uint16_t tables, uint16_t parts)
{
    if (tables == 0 || !virtio_has(vq->dev->features, VIRTIO_F_INDIRECT_DESC)) {
        return 0;
    }
    vq->tables = virtio_platform_alloc(table_bytes(tables, parts), sizeof(struct virtq_desc));
    vq->table_next = virtio_platform_alloc(sizeof *vq->table_next * tables, sizeof(int16_t));
    vq->table_count = tables;
    vq->table_parts = parts;
    if (vq->tables == NULL || vq->table_next == NULL ||
        !virtqueue_share(vq->dev, vq->tables, table_bytes(tables, parts), &vq->tables_address)) {
        return VIRTIO_ERROR_NOMEM;
    }
    return 0;
}

static int allocate_ring(struct virtqueue *vq)
{
    int error = virtqueue_ring_allocate(vq);

    if (error == 0 &&
        !virtqueue_share(vq->dev, vq->descriptor_area, vq->area_size, &vq->area_address)) {
        error = VIRTIO_ERROR_NOMEM;
    }
    return error;
}

int virtqueue_create(struct virtqueue *vq, struct virtio_device *dev, uint16_t index, uint16_t size,
                     uint16_t tables, uint16_t table_parts)
{
    bool packed = VIRTIO_CONFIG_PACKED && virtio_has(dev->features, VIRTIO_F_RING_PACKED);
    uint16_t largest;
    int error;

    if (size == 0 || size > VIRTQ_SIZE_MAX || (!packed && (size & (size - 1)) != 0) ||
        tables > INT16_MAX ||
        (tables != 0 && (table_parts == 0 || table_parts > VIRTQUEUE_PARTS_MAX))) {
        *vq = (struct virtqueue){0};
        return VIRTIO_ERROR_INVAL;
    }
    largest = dev->transport->queue_size(dev, index);
    *vq = (struct virtqueue){
        .dev = dev,
        .index = index,
        .packed = packed,
        .event_idx = virtio_has(dev->features, VIRTIO_F_EVENT_IDX),
        .in_order = virtio_has(dev->features, VIRTIO_F_IN_ORDER),
        .area_address = VIRTIO_UNMAPPED,
        .tables_address = VIRTIO_UNMAPPED,
    };
    if (largest == 0 || largest > VIRTQ_SIZE_MAX || (!packed && (largest & (largest - 1)) != 0)) {
        virtio_log("virtio: queue %u has the impossible size %u", index, largest);
        return VIRTIO_ERROR_IO;
    }
    vq->size = dev->transport->legacy || size > largest ? largest : size;
    vq->slots = size < vq->size ? size : vq->size;
    vq->slot = virtio_platform_alloc(sizeof *vq->slot * vq->slots, sizeof(void *));
    error = vq->slot == NULL ? VIRTIO_ERROR_NOMEM : allocate_ring(vq);
    if (error == 0) {
        error = allocate_tables(vq, tables, table_parts);
    }
    if (error == 0) {
        error = virtqueue_map_create(vq);
    }
    if (error == 0) {
        clear(vq);
        error = dev->transport->queue_enable(dev, vq);
    }
    if (error != 0) {
        virtqueue_destroy(vq);
    }
    return error;
}

void virtqueue_destroy(struct virtqueue *vq)
{
    virtqueue_map_destroy(vq);
    virtio_platform_free(vq->table_next);
    virtqueue_unshare(vq->dev, vq->tables, table_bytes(vq->table_count, vq->table_parts),
                      vq->tables_address);
    virtio_platform_free(vq->tables);
    virtqueue_unshare(vq->dev, vq->descriptor_area, vq->area_size, vq->area_address);
    virtio_platform_free(vq->descriptor_area);
    virtio_platform_free(vq->slot);
    *vq = (struct virtqueue){0};
}

/*
 * True if the device does not use the queue: it has released it, or has been reset and is not live.
 */
static bool is_ours(const struct virtqueue *vq)
{
    return vq->released || !vq->dev->live;
}

int virtqueue_reset_begin(struct virtqueue *vq)
{
    if (!virtio_has(vq->dev->features, VIRTIO_F_RING_RESET)) {
        return VIRTIO_ERROR_UNSUPPORTED;
    }
    if (vq->stopped || !vq->dev->live) {
        return VIRTIO_ERROR_INVAL;
    }
    vq->stopped = true;
    vq->overdue = false;
    vq->reset_since = virtio_platform_clock_ns();
    vq->dev->transport->queue_reset(vq->dev, vq);
    return 0;
}

bool virtqueue_reset_ended(struct virtqueue *vq)
{
    if (vq->stopped && !vq->released) {
        vq->released = vq->dev->transport->queue_is_reset(vq->dev, vq);
    }
    if (vq->released || !vq->stopped) {
        return vq->released;
    }
    if (!vq->overdue && virtio_platform_clock_ns() - vq->reset_since > VIRTIO_RESET_TIMEOUT_NS) {
        vq->overdue = true;
        vq->dev->trouble = "it does not finish the reset of a queue";
        virtio_log("virtio: the device does not finish the reset of queue %u", vq->index);
    }
    return false;
}

int virtqueue_reset(struct virtqueue *vq)
{
    int error = virtqueue_reset_begin(vq);

    while (error == 0 && !virtqueue_reset_ended(vq)) {
        error = vq->overdue ? VIRTIO_ERROR_IO : 0;
    }
    return error;
}

int virtqueue_restart(struct virtqueue *vq)
{
    int error;

    if (!is_ours(vq) || vq->in_flight != 0) {
        return VIRTIO_ERROR_INVAL;
    }
    clear(vq);
    error = vq->dev->transport->queue_enable(vq->dev, vq);
    vq->stopped = error != 0;
    vq->released = error != 0;
    if (error != 0 && !vq->overdue) {
        vq->dev->trouble = "it does not take a queue back";
        virtio_log("virtio: queue %u cannot be used again after its reset", vq->index);
    }
    vq->overdue = error != 0;
    return error;
}

static bool takes_table(const struct virtqueue *vq, unsigned parts)
{
    return parts > 1 && parts <= vq->table_parts && vq->free_table != VIRTQUEUE_NO_TABLE;
}

bool virtqueue_has_room(const struct virtqueue *vq, unsigned parts)
{
    return vq->free_count >= (takes_table(vq, parts) ? 1 : parts);
}

unsigned virtqueue_descriptors(const struct virtqueue *vq, unsigned chains, unsigned parts)
{
    unsigned in_tables = 0;

    if (takes_table(vq, parts)) {
        in_tables = chains < vq->free_tables ? chains : vq->free_tables;
    }
    return in_tables + (chains - in_tables) * parts;
}

static int16_t take_table(struct virtqueue *vq)
{
    int16_t table = vq->free_table;

    vq->free_table = vq->table_next[table];
    vq->free_tables--;
    return table;
}

/*
 * Checks that each part has memory, that there is at least one, and that the total is below 4 GiB
 * (§2.7.5, §2.8.5). *in_length: bytes of the parts after the first `out`.
 */
static bool measure(const struct virtqueue_part *parts, unsigned out, unsigned count,
                    uint32_t *in_length)
{
    uint32_t total = 0;
    uint32_t read = 0;

    for (unsigned i = 0; i < count; i++) {
        if (parts[i].data == NULL || parts[i].length - 1 >= UINT32_MAX - total) { /* or 0 */
            return false;
        }
        total += parts[i].length;
        read = i < out ? total : read;
    }
    *in_length = total - read;
    return count != 0;
}

/*
 * A buffer is with the device. added: entries of the ring. Only the last `size` of them count: older
 * ones have been used, so the device's event index cannot point at them.
 */
static void count_added(struct virtqueue *vq, const struct virtqueue_slot *slot, unsigned added)
{
    unsigned unkicked = vq->unkicked + added;

    vq->unkicked = (uint16_t)(unkicked < vq->size ? unkicked : vq->size);
    vq->free_head = vq->slot[slot->last].next;
    vq->free_count = (uint16_t)(vq->free_count - slot->count);
    vq->in_flight++;
}

static int refuse(struct virtqueue *vq)
{
    vq->counters.full++;
    return VIRTIO_ERROR_FULL;
}

/* The same as the general case, in a third of the instructions: most buffers are like this. */
int virtqueue_add_single(struct virtqueue *vq, const struct virtqueue_part *part, bool writes,
                         void *cookie)
{
    uint16_t id = vq->free_head;
    struct virtqueue_slot *slot = &vq->slot[id];
    int error;

    if (vq->broken || vq->stopped) {
        return vq->broken ? VIRTIO_ERROR_BROKEN : VIRTIO_ERROR_INVAL;
    }
    if (cookie == NULL || part->data == NULL || part->length == 0) {
        return VIRTIO_ERROR_INVAL;
    }
    if (vq->free_count == 0) {
        return refuse(vq);
    }
    slot->watched = false;
    slot->in_length = writes ? part->length : 0;
    error = virtqueue_map(vq, slot, part, !writes, 1);
    if (error != 0) {
        return error;
    }
    slot->cookie = cookie;
    slot->table = VIRTQUEUE_NO_TABLE;
    slot->count = 1;
    slot->last = id;
    virtqueue_ring_add_single(vq, part, writes, id);
    vq->unkicked = (uint16_t)(vq->unkicked + (vq->unkicked < vq->size));
    vq->free_head = slot->next;
    vq->free_count--;
    vq->in_flight++;
    return 0;
}

/* §2.7.13, §2.8.21 Supplying Buffers to The Device */
int virtqueue_add(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                  unsigned in, void *cookie)
{
    unsigned count = out + in;
    uint16_t id = vq->free_head;
    struct virtqueue_slot *slot;
    uint32_t in_length;
    bool table;
    int error;

    if (count == 1 && (out & in) == 0) { /* the sum may have overflowed */
        return virtqueue_add_single(vq, parts, in != 0, cookie);
    }
    if (vq->broken || vq->stopped) {
        return vq->broken ? VIRTIO_ERROR_BROKEN : VIRTIO_ERROR_INVAL;
    }
    if (out > vq->slots || in > vq->slots - out) {
        return VIRTIO_ERROR_TOOBIG;
    }
    if (cookie == NULL || !measure(parts, out, count, &in_length)) {
        return VIRTIO_ERROR_INVAL;
    }
    table = takes_table(vq, count);
    if (vq->free_count < (table ? 1 : count)) {
        return refuse(vq);
    }
    slot = &vq->slot[id];
    slot->cookie = cookie;
    slot->watched = false;
    slot->in_length = in_length;
    error = virtqueue_map(vq, slot, parts, out, count);
    if (error != 0) {
        slot->cookie = NULL;
        return error;
    }
    slot->table = table ? take_table(vq) : VIRTQUEUE_NO_TABLE;
    count_added(vq, slot, virtqueue_ring_add(vq, parts, out, count, id));
    return 0;
}

bool virtqueue_wanted(const struct virtqueue *vq)
{
    return virtqueue_ring_wants_next(vq);
}

/* §2.7.13.4, §2.8.21.2: Notifying The Device, Sending Available Buffer Notifications */
bool virtqueue_try_kick(struct virtqueue *vq)
{
    if (vq->unkicked == 0 || vq->broken || vq->stopped) {
        return false;
    }
    /*
     * The new entries must be visible before the driver reads whether the device wants a
     * notification. The device does the same in reverse order, so at least one side sees the
     * other's write.
     */
    virtio_mb();
    if (!virtqueue_ring_wants_kick(vq)) {
        vq->counters.kicks_suppressed++;
        return false;
    }
    vq->unkicked = 0;
    vq->counters.kicks++;
    vq->dev->transport->notify(vq->dev, vq);
    return true;
}

bool virtqueue_kick_again(struct virtqueue *vq)
{
    bool kicked = virtqueue_try_kick(vq);

    vq->counters.kicks_saved += kicked;
    return kicked;
}

bool virtqueue_kick(struct virtqueue *vq)
{
    if (virtqueue_try_kick(vq)) {
        return true;
    }
    if (vq->unkicked == 0 || vq->broken || vq->stopped || !vq->dev->weak_barrier) {
        return false;
    }
    virtio_device_fence(vq->dev);
    return virtqueue_kick_again(vq);
}

static void *release(struct virtqueue *vq, uint16_t id)
{
    struct virtqueue_slot *slot = &vq->slot[id];
    void *cookie = slot->cookie;

    virtqueue_unmap(vq, slot);
    if (slot->table != VIRTQUEUE_NO_TABLE) {
        vq->table_next[slot->table] = vq->free_table;
        vq->free_table = slot->table;
        vq->free_tables++;
    }
    /*
     * Its slots are used again after all others that are free. So a used id that a device repeats
     * is known to be bad, if not all slots are in flight. With IN_ORDER slots are used round the
     * ring in this way (§2.7.9).
     */
    if (vq->free_count == 0 && (!virtqueue_is_packed(vq) || vq->in_flight == vq->slots)) {
        vq->free_head = id;
    } else {
        vq->slot[vq->free_tail].next = id;
    }
    vq->free_tail = slot->last;
    vq->free_count = (uint16_t)(vq->free_count + slot->count);
    vq->in_flight--;
    slot->cookie = NULL;
    return cookie;
}

void virtqueue_break(struct virtqueue *vq, const char *why)
{
    vq->broken = true;
    vq->dev->trouble = "it broke the rules of a queue";
    virtio_log("virtio: queue %u: %s; %u buffers are in flight, and the queue is stopped",
               vq->index, why, vq->in_flight);
}

/*
 * An id without a buffer in flight, or one that was used before. The buffer that was meant would
 * never come back, and in a packed ring the position of the next entry is unknown.
 */
void virtqueue_bad_id(struct virtqueue *vq)
{
    vq->counters.bad_id++;
    virtqueue_break(vq, "a used id names no buffer that is in flight");
}

unsigned virtqueue_covered(const struct virtqueue *vq, uint32_t id, unsigned *descriptors)
{
    uint16_t at = vq->oldest;
    unsigned buffers = 1;

    if (!virtqueue_has(vq, id)) {
        return 0;
    }
    *descriptors = vq->slot[at].count;
    while (at != id) { /* the loop ends: id is in flight, and slots are used in order */
        at = vq->slot[vq->slot[at].last].next;
        *descriptors += vq->slot[at].count;
        buffers++;
    }
    return buffers;
}

/* Returns the cookie of a used buffer. *length: in: the device's length; out: the bytes written. */
static void *take(struct virtqueue *vq, uint16_t id, uint32_t *length)
{
    uint32_t in_length = vq->slot[id].in_length;

    if (*length > in_length) {
        /*
         * For a buffer that the device only reads, a legacy device may write any length (§2.7.8.1),
         * and in a packed ring the length has no meaning (§2.8.4).
         */
        vq->counters.bad_length += in_length != 0;
        *length = in_length;
    }
    vq->counters.buffers++;
    return release(vq, id);
}

/* Returns the oldest buffer of a batch. */
static void *take_in_order(struct virtqueue *vq, uint32_t *length)
{
    uint16_t id = vq->oldest;

    vq->oldest = vq->slot[vq->slot[id].last].next;
    vq->batch_left--;
    *length = vq->batch_left == 0 ? vq->batch_length : vq->slot[id].in_length;
    return take(vq, id, length);
}

/* §2.7.14, §2.8.22 Receiving Used Buffers From The Device */
void *virtqueue_get(struct virtqueue *vq, uint32_t *length)
{
    uint32_t id;

    if (vq->batch_left != 0) {
        return take_in_order(vq, length);
    }
    if (vq->broken || !virtqueue_ring_next_used(vq, &id, length)) {
        return NULL;
    }
    return vq->in_order ? take_in_order(vq, length) : take(vq, (uint16_t)id, length);
}

void *virtqueue_detach(struct virtqueue *vq)
{
    if (vq->dev == NULL || !is_ours(vq)) {
        return NULL;
    }
    vq->batch_left = 0; /* nothing is owed of what goes back here */
    for (uint16_t id = 0; id < vq->slots && vq->in_flight != 0; id++) {
        if (vq->slot[id].cookie != NULL) {
            return release(vq, id);
        }
    }
    return NULL;
}

void virtqueue_interrupts_off(struct virtqueue *vq)
{
    virtqueue_ring_interrupts_off(vq);
}

bool virtqueue_interrupts_on(struct virtqueue *vq, uint16_t after)
{
    if (vq->broken || vq->stopped) {
        return false; /* no entry will be taken from the queue */
    }
    after = after == 0 ? 1 : after < vq->size ? after : vq->size;
    return vq->batch_left != 0 || virtqueue_ring_interrupts_on(vq, after);
}
