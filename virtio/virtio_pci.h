/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio over PCI: the legacy interface (I/O ports) and the modern one (capabilities). */
#ifndef VIRTIO_PCI_H
#define VIRTIO_PCI_H

#include "pci/pci.h"
#include "virtio/virtio.h"

struct virtio_pci {
    struct virtio_device dev; /* first: a transport's functions cast it back */
    struct pci_device pci;
    struct pci_region legacy; /* legacy: all of its registers */
    struct pci_region common; /* modern: the four structures */
    struct pci_region notify;
    struct pci_region isr;
    struct pci_region config;
    uint32_t notify_multiplier;
};

/* Which of a transitional device's two interfaces to use. */
enum virtio_pci_interface {
    VIRTIO_PCI_ANY, /* modern where the device has it, else legacy */
    VIRTIO_PCI_LEGACY,
    VIRTIO_PCI_MODERN,
};

/* Whether this PCI function is a virtio network device (§4.1.2, §4.1.2.1). */
bool virtio_pci_is_net(const struct pci_device *pci);

/*
 * Sets up its BARs, enables it and chooses the transport. 0; ERROR_NODEV where it has no usable
 * interface of the kind wanted (the reason has been logged).
 */
int virtio_pci_open(struct virtio_pci *vp, const struct pci_device *pci,
                    enum virtio_pci_interface interface);

/* The two transports. Both return 0, or ERROR_NODEV where the device lacks that interface. */
int virtio_pci_legacy_attach(struct virtio_pci *vp);
int virtio_pci_modern_attach(struct virtio_pci *vp);

#endif
