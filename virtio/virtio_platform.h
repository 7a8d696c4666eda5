/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that virtio/ asks of the system it lives in. A port supplies the functions below, and those
 * of pci/pci_platform.h for the PCI transports.
 */
#ifndef VTNET_VIRTIO_PLATFORM_H
#define VTNET_VIRTIO_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Memory that the device can reach, zeroed. size: bytes. align: bytes, a power of two. Returns
 * NULL when there is none. Never called from interrupt context.
 */
void *virtio_platform_alloc(size_t size, size_t align);

/* Gives back what virtio_platform_alloc() returned; NULL is allowed. */
void virtio_platform_free(void *memory);

/*
 * The address by which the device reaches `memory`: the one place where a pointer becomes one.
 * memory: anywhere in a block of virtio_platform_alloc(), or in a frame that is transmitted; what
 * follows it there must be contiguous for the device. bus: the address that any device on the bus
 * would use, through an offset of the host bridge or an IOMMU, since the device has agreed to
 * ACCESS_PLATFORM (§6); else it is the physical address. On most machines both are the same.
 */
uint64_t virtio_platform_dma_address(const void *memory, bool bus);

/* Nanoseconds since some fixed point; never goes back. May be called from interrupt context. */
uint64_t virtio_platform_clock_ns(void);

/* A line for the console or the log, in the manner of printf, without a trailing newline. Uses
 * %s, %d, %u and %x, without widths. */
void virtio_platform_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Barriers between this processor and the device, which acts as another processor on the same
 * coherent memory (no ORDER_PLATFORM): full, read before read, write before write.
 */
static inline void virtio_mb(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void virtio_rmb(void)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void virtio_wmb(void)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

#ifdef __cplusplus
}
#endif

#endif
