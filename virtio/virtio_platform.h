/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that virtio/ requires from the system. A port provides these and, for the PCI
 * transports, those of pci/pci_platform.h. If several threads serve several devices, any of them
 * may be called by several threads at once.
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
 * Allocates zeroed memory, for the library's own data and for memory shared with the device. It
 * must be coherent, and contiguous for the device. size: bytes. align: bytes, a power of two.
 * Returns NULL if there is none. Never called from interrupt context.
 */
void *virtio_platform_alloc(size_t size, size_t align);

/* Frees memory of virtio_platform_alloc(). NULL is allowed. */
void virtio_platform_free(void *memory);

#define VIRTIO_UNMAPPED UINT64_MAX /* not an address for the device */

#if VIRTIO_CONFIG_DMA_MAP
/* How the device uses mapped memory. */
enum virtio_direction {
    VIRTIO_DEVICE_READS,
    VIRTIO_DEVICE_WRITES,
    VIRTIO_DEVICE_SHARES, /* rings, from virtio_platform_alloc(): used by both sides at any time,
                           * so coherent */
};

/*
 * Makes memory accessible for the device: writes caches back, sets up an IOMMU, or copies. memory,
 * length: a buffer of the library or one that the client transmits; contiguous for the device if
 * the port guarantees that for its memory. The processor does not access it until
 * virtio_platform_unmap(), except with VIRTIO_DEVICE_SHARES. bus: ACCESS_PLATFORM is negotiated
 * (§6), so the address is the one for devices on the bus; false: it is the physical address.
 * Returns the address for the device, or VIRTIO_UNMAPPED if it is not possible now. Called in the
 * contexts in which the client transmits and polls.
 */
uint64_t virtio_platform_map(const void *memory, size_t length, enum virtio_direction direction,
                             bool bus);

/*
 * Undoes virtio_platform_map(), once per mapping: invalidates caches, or copies back what the
 * device wrote. It gets the arguments and the result of virtio_platform_map().
 */
void virtio_platform_unmap(uint64_t address, const void *memory, size_t length,
                           enum virtio_direction direction, bool bus);
#endif

/* Nanoseconds since an arbitrary start. Never decreases. May be called from interrupt context. */
uint64_t virtio_platform_clock_ns(void);

/*
 * Writes a line to the console or log; format as for printf, without a final newline. Only %s, %d,
 * %u and %x are used, without widths.
 */
void virtio_platform_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As the library calls it. Without texts the compiler still checks the arguments. */
#if VIRTIO_CONFIG_LOG
#define virtio_log(...) virtio_platform_log(__VA_ARGS__)
#else
#define virtio_log(...)                                                                            \
    do {                                                                                           \
        if (0) {                                                                                   \
            virtio_platform_log(__VA_ARGS__);                                                      \
        }                                                                                          \
    } while (0)
#endif

#if VIRTIO_DEBUG
/* A rule for the caller was broken. Logs it and stops; must not return. */
void virtio_platform_broken(const char *rule);
#endif

/*
 * Barriers between this processor and the device: full, read before read, write before write. The
 * compiler's fences suffice if the device behaves like another processor with the same coherent
 * memory. A device that negotiates ORDER_PLATFORM (§6) may need the stronger barriers that some
 * processors have for devices. In that case compile with -DVIRTIO_CONFIG_BARRIERS=1 and provide
 * these three.
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
