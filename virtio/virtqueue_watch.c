/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of buffers that the device has had for long. */
#include "virtio/virtqueue.h"

#include "virtio/internal/virtqueue_ring.h"

void virtqueue_remind(struct virtqueue *vq)
{
    if (vq->in_flight != 0 && !vq->broken && !vq->stopped) {
        vq->counters.kicks++;
        vq->dev->transport->notify(vq->dev, vq);
    }
}

bool virtqueue_overtaken(struct virtqueue *vq)
{
    uint32_t taken = vq->counters.buffers - vq->watched_from;
    unsigned still_out = 0;
    bool overtaken;

    for (uint16_t id = 0; id < vq->slots; id++) {
        if (vq->slot[id].cookie != NULL) {
            still_out += vq->slot[id].watched;
            vq->slot[id].watched = true;
        }
    }
    /* More buffers came back than watched ones did: so one that was added later is among them. */
    overtaken = still_out != 0 && taken > vq->watched - still_out;
    vq->watched = vq->in_flight;
    vq->watched_from = vq->counters.buffers;
    return overtaken;
}

void virtqueue_look_behind(struct virtqueue *vq)
{
    bool hidden = !vq->broken && !vq->stopped && vq->in_flight != 0 && virtqueue_ring_hides_one(vq);

    if (hidden && vq->hidden && vq->hidden_at == vq->used_idx) {
        vq->counters.bad_index++;
        virtqueue_break(vq, "a used descriptor is missing before others");
    }
    vq->hidden = hidden;
    vq->hidden_at = vq->used_idx;
}
