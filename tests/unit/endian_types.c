/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiled once for each MISTAKE. 0 is the correct access to fields shared with the device; the
 * compiler must reject each of the others. See tests/unit/endian-types.
 */
#include "virtio/virtio_spec.h"

struct rings {
    struct virtq_desc *desc;
    struct virtq_avail *avail;
    struct virtq_used *used;
    struct pvirtq_desc *packed;
    struct pvirtq_event_suppress *event;
};

uint32_t touch(struct rings *vq, struct virtio_net_hdr *header, bool little);

uint32_t touch(struct rings *vq, struct virtio_net_hdr *header, bool little)
{
#if MISTAKE == 0
    virtio16_write(little, &vq->avail->idx, 1);
    virtio64_write(little, &vq->desc[0].addr, 1);
    virtio16_write(little, &vq->event->flags, virtio16_read(little, &vq->packed[0].flags));
    return virtio16_read(little, &vq->used->idx) + virtio32_read(little, &vq->used->ring[0].len) +
           virtio16_read(little, &header->num_buffers);
#elif MISTAKE == 1
    uint16_t x = vq->used->idx;

    return x;
#elif MISTAKE == 2
    vq->avail->idx = 1;
#elif MISTAKE == 3
    return vq->used->ring[0].len + 1;
#elif MISTAKE == 4
    vq->desc[0].addr = (uintptr_t)vq;
#elif MISTAKE == 5
    return virtio16_read(little, &vq->used->ring[0].id); /* of another width */
#elif MISTAKE == 6
    if (header->num_buffers) {
        return 1;
    }
#elif MISTAKE == 7
    return (uint32_t)vq->avail->flags;
#elif MISTAKE == 8
    return vq->used->flags & VIRTQ_USED_F_NO_NOTIFY;
#elif MISTAKE == 9
    uint16_t *idx = &vq->used->idx;

    return *idx;
#elif MISTAKE == 10
    vq->packed[0].flags = VIRTQ_DESC_F_AVAIL;
#elif MISTAKE == 11
    return vq->event->flags == RING_EVENT_FLAGS_DESC;
#endif
    (void)vq, (void)header, (void)little;
    return 0;
}
