/* SPDX-License-Identifier: BSD-2-Clause */
/* What is built in. Each can be set on the compiler's command line, for the library and for its users alike. */
#ifndef VTNET_VIRTIO_CONFIG_H
#define VTNET_VIRTIO_CONFIG_H

/*
 * 0: memory is coherent, and its address for a device is its pointer (virtio_device.bus_offset apart): nothing is
 * mapped. 1: each buffer is mapped for the device and unmapped again, by virtio_platform_map() and _unmap(): for
 * an IOMMU, for caches that are not coherent, for a kernel with addresses of its own.
 */
#ifndef VIRTIO_CONFIG_DMA_MAP
#define VIRTIO_CONFIG_DMA_MAP 0
#endif

/* 1: the port supplies virtio_mb(), virtio_rmb() and virtio_wmb(). */
#ifndef VIRTIO_CONFIG_BARRIERS
#define VIRTIO_CONFIG_BARRIERS 0
#endif

#endif
