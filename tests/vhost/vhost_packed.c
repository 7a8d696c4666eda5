/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packed ring (virtio 1.3 §2.8) from the device's side. A position is an offset, with the lap's
 * wrap counter in bit 15.
 */
#include "tests/vhost/vhost_lies.h"
#include "tests/vhost/vhost_ring.h"

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t id, flags;
};
struct event {
    uint16_t place, flags;
};

enum { BOTH = VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED };

static uint16_t advance(const struct queue *queue, uint16_t place, unsigned count)
{
    unsigned offset = (place & PVIRTQ_OFF) + count;

    return (uint16_t)(offset < queue->size ? offset | (place & PVIRTQ_WRAP)
                                           : (offset - queue->size) | (~place & PVIRTQ_WRAP));
}

static struct descriptor *at(const struct queue *queue, uint16_t place)
{
    return (struct descriptor *)queue->desc + (place & PVIRTQ_OFF);
}

static uint16_t available_flag(uint16_t place)
{
    return place & PVIRTQ_WRAP ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED;
}

static uint16_t used_flags(uint16_t place)
{
    return place & PVIRTQ_WRAP ? BOTH : 0;
}

static bool is_available(const struct queue *queue, uint16_t place)
{
    uint16_t flags = __atomic_load_n(&at(queue, place)->flags, __ATOMIC_SEQ_CST);

    return (flags & BOTH) == available_flag(place);
}

static bool take(struct queue *queue, struct chain *chain)
{
    const struct descriptor *desc;

    if (!is_available(queue, queue->next)) {
        return false;
    }
    chain->count = chain->descriptors = 0;
    do {
        const struct descriptor *table;

        desc = at(queue, queue->next);
        if (desc->flags & VIRTQ_DESC_F_INDIRECT) {
            table = guest_memory(desc->address, desc->length);
            for (unsigned i = 0; table != NULL && i < desc->length / sizeof *table; i++) {
                chain_add(chain, table[i].address, table[i].length);
            }
        } else {
            chain_add(chain, desc->address, desc->length);
        }
        chain->id = desc->id; /* the id in the last descriptor */
        chain->descriptors++;
        queue->next = advance(queue, queue->next, 1);
    } while (desc->flags & VIRTQ_DESC_F_NEXT && chain->descriptors < queue->size);
    return true;
}

/* §2.8.10: true if the event is among the descriptors from `before` to the used position. */
static bool wants_interrupt(const struct queue *queue, uint16_t before)
{
    const struct event *event = queue->avail;
    unsigned flags = event->flags & RING_EVENT_FLAGS_MASK;
    unsigned ahead =
        ((event->place & PVIRTQ_OFF) + queue->size - (before & PVIRTQ_OFF)) % queue->size;
    unsigned shown =
        ((queue->used_idx & PVIRTQ_OFF) + queue->size - (before & PVIRTQ_OFF)) % queue->size;

    if (flags != RING_EVENT_FLAGS_DESC || !agreed(VIRTIO_F_EVENT_IDX)) {
        return flags != RING_EVENT_FLAGS_DISABLE;
    }
    return ahead < shown && ((advance(queue, before, ahead) ^ event->place) & PVIRTQ_WRAP) == 0;
}

/* The first descriptor's flags are written last and make all of them visible. */
static bool show(struct queue *queue)
{
    const uint16_t first = queue->used_idx;

    for (unsigned i = 0; i < queue->pending_count; i++) {
        struct descriptor *desc = at(queue, queue->used_idx);

        desc->id = (uint16_t)queue->pending[i].id;
        desc->length = queue->pending[i].length;
        if (i != 0) {
            desc->flags = used_flags(queue->used_idx);
        }
        queue->used_idx = advance(queue, queue->used_idx, queue->pending[i].descriptors);
    }
    if (queue->pending_count != 0) {
        __atomic_store_n(&at(queue, first)->flags, used_flags(first), __ATOMIC_SEQ_CST);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return wants_interrupt(queue, first);
}

static bool want_kick(struct queue *queue, bool wanted)
{
    struct event *event = queue->used;

    if (wanted && agreed(VIRTIO_F_EVENT_IDX)) {
        event->place = queue->next;
        __atomic_store_n(&event->flags, RING_EVENT_FLAGS_DESC, __ATOMIC_SEQ_CST);
    } else {
        event->flags = wanted ? RING_EVENT_FLAGS_ENABLE : RING_EVENT_FLAGS_DISABLE;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return is_available(queue, queue->next);
}

/*
 * Marks a descriptor as used; if it is available, takes it as used itself. The driver may make it
 * available at the same time: then returns false.
 */
static bool pretend_used(struct queue *queue, uint16_t place)
{
    uint16_t *flags = &at(queue, place)->flags;
    uint16_t seen = __atomic_load_n(flags, __ATOMIC_SEQ_CST);

    do {
        if ((seen & BOTH) == available_flag(place) && place != queue->next) {
            return false;
        }
    } while (!__atomic_compare_exchange_n(flags, &seen, used_flags(place), false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    if ((seen & BOTH) == available_flag(place)) {
        queue->next = queue->used_idx = advance(queue, place, 1);
    }
    return true;
}

/*
 * There is no index, so descriptors are marked as used, at most half a lap, since the driver may
 * not have seen the last used ones. For the same reason this cannot be undone.
 */
static void jump(struct queue *queue, int by)
{
    uint16_t place = queue->used_idx;

    for (int i = 0; i < by && i < queue->size / 2 && pretend_used(queue, place); i++) {
        place = advance(queue, place, 1);
    }
}

/* From the waiting descriptors up to the used position. */
static void spoil_descriptors(struct queue *queue)
{
    uint16_t place = queue->next;

    for (unsigned i = 0; i < queue->size; i++, place = advance(queue, place, 1)) {
        if (!is_available(queue, place)) {
            lies_noise(at(queue, place), sizeof(struct descriptor) - sizeof(uint16_t));
        }
    }
}

static void spoil_avail(struct queue *queue)
{
    lies_noise(queue->avail, sizeof(struct event));
}

/* Changes ids, lengths and the used flag of all used descriptors. */
static void spoil_used(struct queue *queue)
{
    uint16_t place = queue->next;

    for (unsigned i = 0; i < queue->size; i++, place = advance(queue, place, 1)) {
        if (!is_available(queue, place)) {
            lies_noise(at(queue, place), sizeof(struct descriptor));
        }
    }
}

const struct ring packed_ring = {
    .take = take,
    .show = show,
    .want_kick = want_kick,
    .jump = jump,
    .spoil_descriptors = spoil_descriptors,
    .spoil_avail = spoil_avail,
    .spoil_used = spoil_used,
};
