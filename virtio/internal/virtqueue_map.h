/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses of a queue's memory for the device: those of virtio_platform_map() or, without
 * mapping (VIRTIO_CONFIG_DMA_MAP), its pointers. For virtqueue.c and the two ring formats.
 */
#ifndef VTNET_VIRTQUEUE_MAP_H
#define VTNET_VIRTQUEUE_MAP_H

#include "virtio/virtio_platform.h"
#include "virtio/virtqueue.h"

/* Iterates over the parts of a buffer. */
struct virtqueue_cursor {
    const struct virtqueue_mapping *at;
};

#if VIRTIO_CONFIG_DMA_MAP

/* Maps memory that both sides use at any time. Returns false if that is not possible now. */
bool virtqueue_share(const struct virtio_device *dev, const void *memory, size_t size,
                     uint64_t *address);
void virtqueue_unshare(const struct virtio_device *dev, const void *memory, size_t size,
                       uint64_t address);

/* Allocates what is needed to map parts of buffers. 0 or VIRTIO_ERROR_NOMEM. */
int virtqueue_map_create(struct virtqueue *vq);
void virtqueue_map_destroy(struct virtqueue *vq);

/* Maps all parts of a buffer, or none. 0 or VIRTIO_ERROR_NOMEM. */
int virtqueue_map(struct virtqueue *vq, struct virtqueue_slot *slot,
                  const struct virtqueue_part *parts, unsigned out, unsigned count);
void virtqueue_unmap(struct virtqueue *vq, struct virtqueue_slot *slot);

/* The addresses of the parts, one after another. */
struct virtqueue_cursor virtqueue_first(const struct virtqueue_slot *slot);
uint64_t virtqueue_address(const struct virtqueue *vq, const struct virtqueue_part *part,
                           struct virtqueue_cursor *cursor);

#else

static inline bool virtqueue_share(const struct virtio_device *dev, const void *memory, size_t size,
                                   uint64_t *address)
{
    (void)size;
    *address = (uintptr_t)memory + dev->address_offset;
    return true;
}

static inline void virtqueue_unshare(const struct virtio_device *dev, const void *memory,
                                     size_t size, uint64_t address)
{
    (void)dev, (void)memory, (void)size, (void)address;
}

static inline int virtqueue_map_create(struct virtqueue *vq)
{
    (void)vq;
    return 0;
}

static inline void virtqueue_map_destroy(struct virtqueue *vq)
{
    (void)vq;
}

static inline int virtqueue_map(struct virtqueue *vq, struct virtqueue_slot *slot,
                                const struct virtqueue_part *parts, unsigned out, unsigned count)
{
    (void)vq, (void)slot, (void)parts, (void)out, (void)count;
    return 0;
}

static inline void virtqueue_unmap(struct virtqueue *vq, struct virtqueue_slot *slot)
{
    (void)vq, (void)slot;
}

static inline struct virtqueue_cursor virtqueue_first(const struct virtqueue_slot *slot)
{
    (void)slot;
    return (struct virtqueue_cursor){NULL};
}

static inline uint64_t virtqueue_address(const struct virtqueue *vq,
                                         const struct virtqueue_part *part,
                                         struct virtqueue_cursor *cursor)
{
    (void)cursor;
    return (uintptr_t)part->data + vq->dev->address_offset;
}

#endif

#endif
