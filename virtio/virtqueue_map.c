/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps memory for the device, and unmaps it once (VIRTIO_CONFIG_DMA_MAP). */
#include "virtio/internal/virtqueue_map.h"

#if VIRTIO_CONFIG_DMA_MAP

static bool bus(const struct virtio_device *dev)
{
    return virtio_has(dev->features, VIRTIO_F_ACCESS_PLATFORM);
}

bool virtqueue_share(const struct virtio_device *dev, const void *memory, size_t size,
                     uint64_t *address)
{
    *address = virtio_platform_map(memory, size, VIRTIO_DEVICE_SHARES, bus(dev));
    return *address != VIRTIO_UNMAPPED;
}

void virtqueue_unshare(const struct virtio_device *dev, const void *memory, size_t size,
                       uint64_t address)
{
    if (memory != NULL && address != VIRTIO_UNMAPPED) {
        virtio_platform_unmap(address, memory, size, VIRTIO_DEVICE_SHARES, bus(dev));
    }
}

/*
 * One mapping for each part that can be in flight: one per descriptor of the ring and of the
 * tables.
 */
int virtqueue_map_create(struct virtqueue *vq)
{
    unsigned count = vq->slots + (unsigned)vq->table_count * vq->table_parts;

    vq->mappings = (struct virtqueue_mapping *)virtio_platform_alloc(sizeof *vq->mappings * count,
                                                                     sizeof(uint64_t));
    if (vq->mappings == NULL) {
        return VIRTIO_ERROR_NOMEM;
    }
    for (unsigned i = 0; i + 1 < count; i++) {
        vq->mappings[i].next = &vq->mappings[i + 1];
    }
    vq->free_mapping = vq->mappings;
    return 0;
}

/* Also unmaps what nobody has taken back. */
void virtqueue_map_destroy(struct virtqueue *vq)
{
    for (unsigned id = 0; vq->mappings != NULL && id < vq->slots; id++) {
        virtqueue_unmap(vq, &vq->slot[id]);
    }
    virtio_platform_free(vq->mappings);
}

int virtqueue_map(struct virtqueue *vq, struct virtqueue_slot *slot,
                  const struct virtqueue_part *parts, unsigned out, unsigned count)
{
    struct virtqueue_mapping **end = &slot->mapped;

    slot->mapped = NULL;
    for (unsigned i = 0; i < count; i++) {
        struct virtqueue_mapping *mapping = vq->free_mapping;

        *mapping = (struct virtqueue_mapping){
            .address = virtio_platform_map(parts[i].data, parts[i].length,
                                           i >= out ? VIRTIO_DEVICE_WRITES : VIRTIO_DEVICE_READS,
                                           bus(vq->dev)),
            .memory = parts[i].data,
            .length = parts[i].length,
            .writes = i >= out,
            .next = mapping->next,
        };
        if (mapping->address == VIRTIO_UNMAPPED) {
            virtqueue_unmap(vq, slot);
            return VIRTIO_ERROR_NOMEM;
        }
        vq->free_mapping = mapping->next;
        mapping->next = NULL;
        *end = mapping;
        end = &mapping->next;
    }
    return 0;
}

void virtqueue_unmap(struct virtqueue *vq, struct virtqueue_slot *slot)
{
    while (slot->mapped != NULL) {
        struct virtqueue_mapping *mapping = slot->mapped;

        virtio_platform_unmap(mapping->address, mapping->memory, mapping->length,
                              mapping->writes ? VIRTIO_DEVICE_WRITES : VIRTIO_DEVICE_READS,
                              bus(vq->dev));
        slot->mapped = mapping->next;
        mapping->next = vq->free_mapping;
        vq->free_mapping = mapping;
    }
}

struct virtqueue_cursor virtqueue_first(const struct virtqueue_slot *slot)
{
    return (struct virtqueue_cursor){slot->mapped};
}

uint64_t virtqueue_address(const struct virtqueue *vq, const struct virtqueue_part *part,
                           struct virtqueue_cursor *cursor)
{
    uint64_t address = cursor->at->address;

    (void)vq;
    (void)part;
    cursor->at = cursor->at->next;
    return address;
}

#endif
