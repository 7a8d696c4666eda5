/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio over PCI: the legacy interface (I/O ports) and the modern one (capabilities). */
#ifndef VTNET_VIRTIO_PCI_H
#define VTNET_VIRTIO_PCI_H

#include "pci/pci.h"
#include "virtio/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One of the modern interface's structures. */
struct virtio_pci_structure {
    uint8_t capability; /* offset of the one that names it; 0: not found */
    uint8_t bar;
    bool windowed;   /* its BAR is out of reach: accessed through the window */
    uint32_t offset; /* in the BAR, bytes */
    uint32_t size;
    struct vpci_region direct; /* where it is not windowed */
};

/* What the window (virtio_pci_window.c) is open on. */
struct virtio_pci_aim {
    uint8_t bar;
    uint32_t offset;
    uint32_t length; /* of the access: 1, 2 or 4 */
};

struct virtio_pci {
    struct virtio_device dev; /* first: a transport's functions cast it back */
    struct vpci_device pci;
    struct vpci_msix msix;
    struct vpci_region legacy;                               /* legacy: all of its registers */
    struct virtio_pci_structure common, notify, isr, config; /* modern */
    uint32_t notify_multiplier;
    uint8_t window; /* offset of the PCI configuration access capability; 0: none */
    struct virtio_pci_aim aim;
};

/* Which of a transitional device's two interfaces to use. */
enum virtio_pci_interface {
    VIRTIO_PCI_ANY, /* modern where its BARs can be reached, else legacy, else modern all the same */
    VIRTIO_PCI_LEGACY,
    VIRTIO_PCI_MODERN,
};

/* Whether this PCI function is a virtio network device (§4.1.2, §4.1.2.1). */
bool virtio_pci_is_net(const struct vpci_device *pci);

/*
 * Sets up its BARs, enables it and chooses the transport. Without virtio_pci_use_msix() it
 * interrupts by its line, from vpci_enable_line() on. 0; ERROR_NODEV where it has no usable interface
 * of the kind wanted (the reason has been logged); ERROR_INVAL where that is none.
 */
int virtio_pci_open(struct virtio_pci *vp, const struct vpci_device *pci,
                    enum virtio_pci_interface interface);

/*
 * Interrupts by the first `vectors` entries of the table, at most vp->msix.entries, each of which
 * vpci_msix_set() has filled in; 0: by the line. Between virtio_pci_open() and
 * virtio_device_begin(). Where the device then refuses a vector, it goes back to the line: that is
 * so where dev.vectors is 0 afterwards.
 */
void virtio_pci_use_msix(struct virtio_pci *vp, uint16_t vectors);

#ifdef __cplusplus
}
#endif

#endif
