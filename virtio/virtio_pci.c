/* SPDX-License-Identifier: BSD-2-Clause */
/* Recognises a virtio network device on PCI and chooses its interface. */
#include "virtio/virtio_pci.h"
#include "virtio/internal/virtio_pci_transport.h"

#include "virtio/virtio_platform.h"
#include "virtio/virtio_spec.h"

bool virtio_pci_is_net(const struct vpci_device *pci)
{
    if (pci->vendor != VIRTIO_PCI_VENDOR) {
        return false;
    }
    return pci->device == VIRTIO_PCI_DEVICE_NET ||
           (pci->device == VIRTIO_PCI_DEVICE_NET_TRANSITIONAL && pci->subsystem == VIRTIO_ID_NET);
}

void virtio_pci_use_msix(struct virtio_pci *vp, uint16_t vectors)
{
    if (vectors > vp->msix.entries) {
        vectors = vp->msix.entries;
    }
    vpci_msix_enable(&vp->msix, vectors != 0);
    vp->dev.vectors = vectors;
}

/*
 * §4.1.5.1.2 allows the driver to continue without MSI-X. Vectors accepted before are no longer
 * valid.
 */
void virtio_pci_vector_refused(struct virtio_pci *vp)
{
    if (vp->dev.connected) {
        vp->dev.trouble = "it refuses an MSI-X vector"; /* the line has no handler */
        return;
    }
    virtio_log("virtio: " VPCI_BDF_FORMAT " refuses an MSI-X vector: it is switched off",
               VPCI_BDF_ARGS(vp->pci.bdf));
    virtio_pci_use_msix(vp, 0);
}

static bool is_below_4_gib(const struct vpci_bar *bar)
{
    return bar->address <= UINT32_MAX && bar->address + bar->size <= (uint64_t)UINT32_MAX + 1;
}

/*
 * The index of the first BAR that has structures and is not accessible, or VPCI_BARS if all have an
 * address below 4 GiB.
 */
static unsigned bar_out_of_reach(const struct vpci_device *pci)
{
    unsigned bar = 0;

    while (bar < VPCI_BARS && (pci->bar[bar].size == 0 ||
                               (pci->bar[bar].address != 0 && is_below_4_gib(&pci->bar[bar])))) {
        bar++;
    }
    return bar;
}

static const char *reason(const struct vpci_bar *bar)
{
    return bar->address == 0      ? "has no address"
           : !is_below_4_gib(bar) ? "lies above 4 GiB"
                                  : "cannot be mapped";
}

static void log_windowed(const struct virtio_pci *vp)
{
    virtio_log("virtio: " VPCI_BDF_FORMAT " BAR %u %s: the device is used through "
               "configuration space, which is slow",
               VPCI_BDF_ARGS(vp->pci.bdf), vp->common.bar, reason(&vp->pci.bar[vp->common.bar]));
}

static int refuse(const struct virtio_pci *vp, enum virtio_pci_interface interface)
{
    static const char *const names[] = {"legacy or modern", "legacy", "modern"};
    unsigned bar = bar_out_of_reach(&vp->pci);

    if (interface == VIRTIO_PCI_LEGACY || bar == VPCI_BARS) {
        virtio_log("virtio: " VPCI_BDF_FORMAT " has no usable %s interface",
                   VPCI_BDF_ARGS(vp->pci.bdf), names[interface]);
    } else {
        virtio_log("virtio: " VPCI_BDF_FORMAT " has no usable %s interface: BAR %u %s; give "
                   "the device its legacy interface, or make room below 4 GiB with "
                   "fewer or smaller PCI devices",
                   VPCI_BDF_ARGS(vp->pci.bdf), names[interface], bar, reason(&vp->pci.bar[bar]));
    }
    return VIRTIO_ERROR_NODEV;
}

/* §2.2.3: a device with both interfaces that does not offer VERSION_1 is a legacy device. */
static void attach_legacy_device(struct virtio_pci *vp)
{
    if (VIRTIO_CONFIG_LEGACY &&
        !virtio_has(vp->dev.transport->get_features(&vp->dev), VIRTIO_F_VERSION_1)) {
        (void)virtio_pci_legacy_attach(vp);
    }
}

int virtio_pci_open(struct virtio_pci *vp, const struct vpci_device *pci,
                    enum virtio_pci_interface interface)
{
    if ((unsigned)interface > VIRTIO_PCI_MODERN) {
        return VIRTIO_ERROR_INVAL;
    }
    vp->pci = *pci;
    vpci_setup_bars(&vp->pci);
    vpci_enable(&vp->pci);
    vpci_msix_open(&vp->pci, &vp->msix);
    vp->dev.vectors = 0;
    vp->dev.resetting = false;
    vp->dev.live = false;
    vp->dev.connected = false;
    if (VIRTIO_CONFIG_MODERN && interface != VIRTIO_PCI_LEGACY &&
        virtio_pci_modern_attach(vp, false) == 0) {
        if (interface == VIRTIO_PCI_ANY) {
            attach_legacy_device(vp);
        }
        return 0;
    }
    if (VIRTIO_CONFIG_LEGACY && interface != VIRTIO_PCI_MODERN &&
        virtio_pci_legacy_attach(vp) == 0) {
        return 0;
    }
    if (VIRTIO_CONFIG_WINDOW && VIRTIO_CONFIG_MODERN && interface != VIRTIO_PCI_LEGACY &&
        virtio_pci_modern_attach(vp, true) == 0) {
        log_windowed(vp);
        return 0;
    }
    return refuse(vp, interface);
}
