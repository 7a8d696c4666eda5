/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Build options. Set them on the compiler's command line, with the same values for the library and
 * its users. What is left out takes no memory if the compiler optimises and the linker removes
 * unused sections (-ffunction-sections -fdata-sections -Wl,--gc-sections) or takes the library from
 * an archive; docs/porting.md has the sizes.
 */
#ifndef VTNET_VIRTIO_CONFIG_H
#define VTNET_VIRTIO_CONFIG_H

/*
 * 0: memory is coherent, and a pointer plus virtio_device.bus_offset is its address for the device;
 * nothing is mapped. 1: each buffer is mapped for the device and unmapped afterwards, by
 * virtio_platform_map() and _unmap(). Needed with an IOMMU, with caches that are not coherent, or
 * in a kernel with virtual addresses.
 */
#ifndef VIRTIO_CONFIG_DMA_MAP
#define VIRTIO_CONFIG_DMA_MAP 0
#endif

/* 1: packed rings. 0: split rings only, without virtqueue_packed.c. */
#ifndef VIRTIO_CONFIG_PACKED
#define VIRTIO_CONFIG_PACKED 1
#endif

/*
 * 1: the control queue. 0: virtio_net_set_...() are not supported, the device is not told of
 * options.mac, and a device that sends nothing for long is reset without a test command before;
 * without virtio_net_ctrl.c and virtio_net_filters.c.
 */
#ifndef VIRTIO_CONFIG_CTRL
#define VIRTIO_CONFIG_CTRL 1
#endif

/* 1: checksum and segmentation offloads, and received frames in several buffers. 0: none. */
#ifndef VIRTIO_CONFIG_OFFLOADS
#define VIRTIO_CONFIG_OFFLOADS 1
#endif

/*
 * The interfaces of a PCI device: I/O ports (virtio_pci_legacy.c), structures in BARs
 * (virtio_pci_modern.c), and access to the latter through configuration space
 * (virtio_pci_window.c), for a BAR that cannot be accessed.
 */
#ifndef VIRTIO_CONFIG_LEGACY
#define VIRTIO_CONFIG_LEGACY 1
#endif
#ifndef VIRTIO_CONFIG_MODERN
#define VIRTIO_CONFIG_MODERN 1
#endif
#ifndef VIRTIO_CONFIG_WINDOW
#define VIRTIO_CONFIG_WINDOW 1
#endif
#if !VIRTIO_CONFIG_LEGACY && !VIRTIO_CONFIG_MODERN
#error "VIRTIO_CONFIG_LEGACY or VIRTIO_CONFIG_MODERN must be 1"
#endif

/* 1: faults are logged. 0: no texts; virtio_platform_log() is never called. */
#ifndef VIRTIO_CONFIG_LOG
#define VIRTIO_CONFIG_LOG 1
#endif

/*
 * 1: a debug build. A call that breaks the rules for contexts at the top of virtio_net.h ends in
 * virtio_platform_broken(), which the port then provides: one while another one runs for the same
 * device, a start from a function of the client, and a release of a buffer that the client does not
 * have. 0: no code and no memory for that.
 */
#ifndef VIRTIO_DEBUG
#define VIRTIO_DEBUG 0
#endif

/* 1: the port provides virtio_mb(), virtio_rmb() and virtio_wmb(). */
#ifndef VIRTIO_CONFIG_BARRIERS
#define VIRTIO_CONFIG_BARRIERS 0
#endif

#endif
