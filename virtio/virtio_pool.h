/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is given at start, for a system without an allocator that gives blocks as virtio_platform_alloc() must:
 *
 *     static _Alignas(4096) uint8_t memory[64 * 1024];
 *     static struct virtio_pool pool;
 *
 *     virtio_pool_init(&pool, memory, sizeof memory);          before anything else
 *
 *     void *virtio_platform_alloc(size_t size, size_t align)   { return virtio_pool_alloc(&pool, size, align); }
 *     void virtio_platform_free(void *memory)                  { virtio_pool_free(&pool, memory); }
 *
 * Not locked: the library calls both with the lock held that its caller holds. With several devices, each with a lock of
 * its own, the port takes another one round these two.
 */
#ifndef VTNET_VIRTIO_POOL_H
#define VTNET_VIRTIO_POOL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct virtio_pool_block;

struct virtio_pool {
    struct virtio_pool_block *free; /* in the order of their addresses */
    size_t used, peak; /* bytes now, and at the most, with what each block takes beside its size */
};

/* The memory is the pool's from here on; contiguous for the device, and coherent. */
void virtio_pool_init(struct virtio_pool *pool, void *memory, size_t size);

/* Zeroed memory, or NULL where no free block is long enough. align: a power of two. */
void *virtio_pool_alloc(struct virtio_pool *pool, size_t size, size_t align);

/* Takes back what virtio_pool_alloc() returned; NULL is allowed. */
void virtio_pool_free(struct virtio_pool *pool, void *memory);

#ifdef __cplusplus
}
#endif

#endif
