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
    struct pci_region direct; /* where it is not windowed */
};

/* What the window (virtio_pci_window.c) is open on. */
struct virtio_pci_aim {
    uint8_t bar;
    uint32_t offset;
    uint32_t length; /* of the access: 1, 2 or 4 */
};

struct virtio_pci {
    struct virtio_device dev; /* first: a transport's functions cast it back */
    struct pci_device pci;
    struct pci_msix msix;
    struct pci_region legacy;                                /* legacy: all of its registers */
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
bool virtio_pci_is_net(const struct pci_device *pci);

/*
 * Sets up its BARs, enables it and chooses the transport. Without virtio_pci_use_msix() it
 * interrupts by its line, from pci_enable_line() on. 0; ERROR_NODEV where it has no usable interface
 * of the kind wanted (the reason has been logged).
 */
int virtio_pci_open(struct virtio_pci *vp, const struct pci_device *pci,
                    enum virtio_pci_interface interface);

/*
 * Interrupts by the first `vectors` entries of the table, at most vp->msix.entries, each of which
 * pci_msix_set() has filled in; 0: by the line. Between virtio_pci_open() and
 * virtio_device_begin(). Where the device then refuses a vector, it goes back to the line: that is
 * so where dev.vectors is 0 afterwards.
 */
void virtio_pci_use_msix(struct virtio_pci *vp, uint16_t vectors);

/*
 * The two transports. windowed: whether structures may be accessed through the window. Both return
 * 0, or ERROR_NODEV where the device lacks that interface.
 */
int virtio_pci_legacy_attach(struct virtio_pci *vp);
int virtio_pci_modern_attach(struct virtio_pci *vp, bool windowed);

/* For the transports: the device did not take a vector. */
void virtio_pci_vector_refused(struct virtio_pci *vp);

/* The window. Finds its capability: false where there is none. */
bool virtio_pci_window_open(struct virtio_pci *vp);

/* Registers of a windowed structure; width: 1, 2 or 4 bytes. Not from interrupt context. */
uint32_t virtio_pci_window_read(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                                uint32_t offset, unsigned width);
void virtio_pci_window_write(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                             uint32_t offset, unsigned width, uint32_t value);

/* The same from interrupt context: leaves the window as it is for what was interrupted. */
uint32_t virtio_pci_window_peek(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                                uint32_t offset, unsigned width);

#ifdef __cplusplus
}
#endif

#endif
