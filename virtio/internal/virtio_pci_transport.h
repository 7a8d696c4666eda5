/* SPDX-License-Identifier: BSD-2-Clause */
/* The interfaces between the files of virtio over PCI. */
#ifndef VTNET_VIRTIO_PCI_TRANSPORT_H
#define VTNET_VIRTIO_PCI_TRANSPORT_H

#include "virtio/virtio_pci.h"

/*
 * The two transports. windowed: structures may be accessed through the window. Both return 0, or
 * VIRTIO_ERROR_NODEV if the device lacks the interface.
 */
int virtio_pci_legacy_attach(struct virtio_pci *vp);
int virtio_pci_modern_attach(struct virtio_pci *vp, bool windowed);

/* For the transports: handles a vector that the device refused. */
void virtio_pci_vector_refused(struct virtio_pci *vp);

/* The window. Finds its capability; returns false if there is none. */
bool virtio_pci_window_open(struct virtio_pci *vp);

/* Access registers of a windowed structure. width: 1, 2 or 4 bytes. Not from interrupt context. */
uint32_t virtio_pci_window_read(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                                uint32_t offset, unsigned width);
void virtio_pci_window_write(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                             uint32_t offset, unsigned width, uint32_t value);

/* The same from interrupt context: restores the window for the interrupted code. */
uint32_t virtio_pci_window_peek(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                                uint32_t offset, unsigned width);

#endif
