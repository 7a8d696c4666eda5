/* SPDX-License-Identifier: BSD-2-Clause */
/* The split ring (virtio 1.3 §2.7) from the device's side. */
#include "tests/vhost/vhost_lies.h"
#include "tests/vhost/vhost_ring.h"

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};
struct avail {
    uint16_t flags, idx, ring[]; /* used_event follows */
};
struct used {
    uint16_t flags, idx;
    struct {
        uint32_t id, length;
    } ring[]; /* avail_event follows */
};

/* Adds the parts of the descriptors from `index` on; the table has `size`. */
static void add_parts(struct chain *chain, const struct descriptor *desc, unsigned size,
                      unsigned index)
{
    for (unsigned n = 0; n < size && index < size; n++) {
        const struct descriptor *d = &desc[index];

        if (d->flags & VIRTQ_DESC_F_INDIRECT) {
            const struct descriptor *table = guest_memory(d->address, d->length);

            if (table != NULL && table != desc) {
                add_parts(chain, table, d->length / sizeof *d, 0);
            }
            return;
        }
        if (!chain_add(chain, d->address, d->length) || !(d->flags & VIRTQ_DESC_F_NEXT)) {
            return;
        }
        index = d->next;
    }
}

/*
 * The number of waiting chains. An impossible index was written by a lie; then the previous one is
 * used.
 */
static uint16_t waiting(struct queue *queue)
{
    struct avail *avail = queue->avail;
    uint16_t idx = __atomic_load_n(&avail->idx, __ATOMIC_SEQ_CST);

    if ((uint16_t)(idx - queue->next) <= queue->size) {
        queue->seen = idx;
    }
    return (uint16_t)(queue->seen - queue->next);
}

static bool take(struct queue *queue, struct chain *chain)
{
    struct avail *avail = queue->avail;

    if (waiting(queue) == 0) {
        return false;
    }
    *chain = (struct chain){.id = avail->ring[queue->next % queue->size], .descriptors = 1};
    queue->next++;
    add_parts(chain, queue->desc, queue->size, chain->id);
    return true;
}

/* §2.7.7, §2.7.8 */
static bool show(struct queue *queue)
{
    const struct avail *avail = queue->avail;
    struct used *used = queue->used;
    uint16_t before = queue->used_idx;
    uint16_t event;

    for (unsigned i = 0; i < queue->pending_count; i++) {
        used->ring[queue->used_idx % queue->size].id = queue->pending[i].id;
        used->ring[queue->used_idx % queue->size].length = queue->pending[i].length;
        queue->used_idx++;
    }
    __atomic_store_n(&used->idx, queue->used_idx, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    event = avail->ring[queue->size];
    return agreed(VIRTIO_F_EVENT_IDX)
               ? (uint16_t)(queue->used_idx - event - 1) < (uint16_t)(queue->used_idx - before)
               : !(avail->flags & VIRTQ_AVAIL_F_NO_INTERRUPT);
}

/* §2.7.10 */
static bool want_kick(struct queue *queue, bool wanted)
{
    struct used *used = queue->used;
    uint16_t *event = (uint16_t *)&used->ring[queue->size];

    used->flags = wanted ? 0 : VIRTQ_USED_F_NO_NOTIFY;
    if (agreed(VIRTIO_F_EVENT_IDX)) {
        __atomic_store_n(event, (uint16_t)(queue->next - !wanted), __ATOMIC_SEQ_CST);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return waiting(queue) != 0;
}

static void jump(struct queue *queue, int by)
{
    struct used *used = queue->used;

    __atomic_store_n(&used->idx, (uint16_t)(queue->used_idx + by), __ATOMIC_SEQ_CST);
}

static void spoil_descriptors(struct queue *queue)
{
    const struct avail *avail = queue->avail;
    struct descriptor *desc = queue->desc;
    bool needed[QUEUE_MAX] = {0};

    for (uint16_t n = waiting(queue), i = 0; i < n && i < queue->size; i++) {
        uint16_t id = avail->ring[(uint16_t)(queue->next + i) % queue->size];

        for (unsigned k = 0; k < queue->size && id < queue->size; k++) {
            needed[id] = true;
            if (!(desc[id].flags & VIRTQ_DESC_F_NEXT)) {
                break;
            }
            id = desc[id].next;
        }
    }
    for (unsigned i = 0; i < queue->size; i++) {
        if (!needed[i]) {
            lies_noise(&desc[i], sizeof desc[i]);
        }
    }
}

/*
 * Changes all entries that it has taken, the flags, the event index, and writes an impossible
 * index.
 */
static void spoil_avail(struct queue *queue)
{
    struct avail *avail = queue->avail;
    uint16_t n = waiting(queue);

    for (unsigned i = n; i < queue->size; i++) {
        lies_noise(&avail->ring[(uint16_t)(queue->next + i) % queue->size], sizeof avail->ring[0]);
    }
    lies_noise(&avail->flags, sizeof avail->flags);
    lies_noise(&avail->ring[queue->size], sizeof avail->ring[0]);
    avail->idx = (uint16_t)(queue->next + queue->size + 1u + lies_random(0x7000));
}

static void spoil_used(struct queue *queue)
{
    struct used *used = queue->used;

    lies_noise(used->ring, queue->size * sizeof used->ring[0]);
}

const struct ring split_ring = {
    .take = take,
    .show = show,
    .want_kick = want_kick,
    .jump = jump,
    .spoil_descriptors = spoil_descriptors,
    .spoil_avail = spoil_avail,
    .spoil_used = spoil_used,
};
