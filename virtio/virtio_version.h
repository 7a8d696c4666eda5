/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of virtio/ and pci/. CONTRIBUTING.md, "Versions", says what it guarantees. */
#ifndef VTNET_VIRTIO_VERSION_H
#define VTNET_VIRTIO_VERSION_H

#define VIRTIO_NET_VERSION_MAJOR 1
#define VIRTIO_NET_VERSION_MINOR 0
#define VIRTIO_NET_VERSION_PATCH 0
#define VIRTIO_NET_VERSION                                                                         \
    (VIRTIO_NET_VERSION_MAJOR << 16 | VIRTIO_NET_VERSION_MINOR << 8 | VIRTIO_NET_VERSION_PATCH)

#endif
