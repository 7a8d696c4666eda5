/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio over PCI: the legacy interface (I/O ports) and the modern one (capabilities). */
#ifndef VTNET_VIRTIO_PCI_H
#define VTNET_VIRTIO_PCI_H

#include "pci/pci.h"
#include "virtio/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A structure of the modern interface. */
struct virtio_pci_structure {
    uint8_t capability; /* offset of the capability that describes it; 0: not found */
    uint8_t bar;
    bool windowed;   /* its BAR cannot be accessed, so it is accessed through the window */
    uint32_t offset; /* in the BAR, bytes */
    uint32_t size;
    struct vpci_region direct; /* unless it is windowed */
};

/* The place to which the window (virtio_pci_window.c) points. */
struct virtio_pci_aim {
    uint8_t bar;
    uint32_t offset;
    uint32_t length; /* of the access: 1, 2 or 4 */
};

struct virtio_pci {
    struct virtio_device dev; /* must be first: the transport's functions cast it back */
    struct vpci_device pci;
    struct vpci_msix msix;
    struct vpci_region legacy;                               /* legacy: all registers */
    struct virtio_pci_structure common, notify, isr, config; /* modern */
    uint32_t notify_multiplier;
    uint8_t window; /* offset of the PCI configuration access capability; 0: none */
    struct virtio_pci_aim aim;
};

/* Which interface of a transitional device to use. */
enum virtio_pci_interface {
    VIRTIO_PCI_ANY, /* modern if its BARs are accessible, else legacy, else modern through the
                     * window */
    VIRTIO_PCI_LEGACY,
    VIRTIO_PCI_MODERN,
};

/* True if this PCI function is a virtio network device (§4.1.2, §4.1.2.1). */
bool virtio_pci_is_net(const struct vpci_device *pci);

/*
 * Sets up the BARs, enables the device and chooses the transport. Unless virtio_pci_use_msix() is
 * called, the device uses its interrupt line, after vpci_enable_line(). Open one device at a time,
 * as BARs without an address get one that must be free. 0; VIRTIO_ERROR_NODEV if it
 * has no usable interface of the requested kind (the reason is logged); VIRTIO_ERROR_INVAL if there
 * is no such kind.
 */
int virtio_pci_open(struct virtio_pci *vp, const struct vpci_device *pci,
                    enum virtio_pci_interface interface);

/*
 * Uses the first `vectors` entries of the MSI-X table, at most vp->msix.entries, each set by
 * vpci_msix_set(); 0: the interrupt line. Call it between virtio_pci_open() and
 * virtio_device_begin(). If the device refuses a vector later, it falls back to the line:
 * dev.vectors is then 0.
 */
void virtio_pci_use_msix(struct virtio_pci *vp, uint16_t vectors);

#ifdef __cplusplus
}
#endif

#endif
