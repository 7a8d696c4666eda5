/* SPDX-License-Identifier: BSD-2-Clause */
/* Recognises a virtio network device on PCI and chooses between its interfaces. */
#include "virtio/virtio_pci.h"

#include "virtio/virtio_platform.h"
#include "virtio/virtio_spec.h"

bool virtio_pci_is_net(const struct pci_device *pci)
{
    if (pci->vendor != VIRTIO_PCI_VENDOR) {
        return false;
    }
    return pci->device == VIRTIO_PCI_DEVICE_NET ||
           (pci->device == VIRTIO_PCI_DEVICE_NET_TRANSITIONAL && pci->subsystem == VIRTIO_ID_NET);
}

int virtio_pci_open(struct virtio_pci *vp, const struct pci_device *pci,
                    enum virtio_pci_interface interface)
{
    vp->pci = *pci;
    pci_setup_bars(&vp->pci);
    pci_enable(&vp->pci);
    if (interface != VIRTIO_PCI_LEGACY && virtio_pci_modern_attach(vp) == 0) {
        return 0;
    }
    if (interface != VIRTIO_PCI_MODERN && virtio_pci_legacy_attach(vp) == 0) {
        return 0;
    }
    virtio_platform_log("virtio: " PCI_BDF_FORMAT " has no usable %s interface",
                        PCI_BDF_ARGS(pci->bdf),
                        interface == VIRTIO_PCI_LEGACY   ? "legacy"
                        : interface == VIRTIO_PCI_MODERN ? "modern"
                                                         : "legacy or modern");
    return VIRTIO_ERROR_NODEV;
}
