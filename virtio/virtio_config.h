/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Build options. Set them on the compiler's command line, with the same values for the library and
 * its users.
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

/* 1: the port provides virtio_mb(), virtio_rmb() and virtio_wmb(). */
#ifndef VIRTIO_CONFIG_BARRIERS
#define VIRTIO_CONFIG_BARRIERS 0
#endif

#endif
