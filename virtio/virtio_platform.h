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

#include "virtio/virtio_config.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Zeroed memory for what the library keeps and for what it shares with the device: coherent for both, and
 * contiguous for the device. size: bytes. align: bytes, a power of two. Returns NULL when there is
 * none. Never called from interrupt context.
 */
void *virtio_platform_alloc(size_t size, size_t align);

/* Gives back what virtio_platform_alloc() returned; NULL is allowed. */
void virtio_platform_free(void *memory);

#define VIRTIO_UNMAPPED UINT64_MAX /* no address for the device */

#if VIRTIO_CONFIG_DMA_MAP
/* What the device does with mapped memory. */
enum virtio_direction {
    VIRTIO_DEVICE_READS,
    VIRTIO_DEVICE_WRITES,
    VIRTIO_DEVICE_SHARES, /* rings, from _alloc(): both sides at any time, so that it must be coherent */
};

/*
 * Makes memory accessible for the device: writes caches back, sets an IOMMU up, or copies. memory, length: a
 * buffer of the library's or one that the client transmits, contiguous for the device where the port says so of
 * its memory; the processor leaves it alone until _unmap(), but for VIRTIO_DEVICE_SHARES. bus: the address is the one that
 * any device on the bus would use, since the device has agreed to ACCESS_PLATFORM (§6); else it is the
 * physical address. Returns the address for the device, or VIRTIO_UNMAPPED where that cannot be done now. From
 * where the client transmits and polls.
 */
uint64_t virtio_platform_map(const void *memory, size_t length, enum virtio_direction direction,
                             bool bus);

/* Ends it, once for each mapping: invalidates caches, or copies back what the device wrote. Takes what _map()
 * took and returned. */
void virtio_platform_unmap(uint64_t address, const void *memory, size_t length,
                           enum virtio_direction direction, bool bus);
#endif

/* Nanoseconds since some fixed point; never goes back. May be called from interrupt context. */
uint64_t virtio_platform_clock_ns(void);

/* A line for the console or the log, in the manner of printf, without a trailing newline. Uses
 * %s, %d, %u and %x, without widths. */
void virtio_platform_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Barriers between this processor and the device: full, read before read, write before write. The compiler's hold
 * against a device that acts as another processor on the same coherent memory. Where a device that agreed to
 * ORDER_PLATFORM (§6) needs stronger ones, as some processors have for devices, compile with
 * -DVIRTIO_CONFIG_BARRIERS=1 and supply these three.
 */
#if VIRTIO_CONFIG_BARRIERS
void virtio_mb(void);
void virtio_rmb(void);
void virtio_wmb(void);
#else
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
#endif

#ifdef __cplusplus
}
#endif

#endif
