/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device registers through configuration space (virtio 1.3 §4.1.4.9 PCI configuration access
 * capability): for structures in a BAR that has no address, or one above 4 GiB. Three registers of
 * the capability aim at a place in a BAR, the fourth is a window on it.
 *
 * The aim is the same for all contexts. So it is remembered before it is written, and an interrupt
 * handler puts back what is remembered: whether it came before, between or after these writes,
 * they lead to the same aim.
 */
#include "pci/internal/pci_spec.h"
#include "virtio/internal/virtio_pci_transport.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_spec.h"

/*
 * The offset must be a multiple of the length (§4.1.4.9.1), also between two of these writes. So the
 * smaller length is in force while the offset changes: any offset for a length is good for a smaller
 * one, too.
 */
static void take_aim(struct virtio_pci *vp, struct virtio_pci_aim aim)
{
    bool length_first = aim.length < vp->aim.length;

    vp->aim = aim;
    if (length_first) {
        vpci_config_write(&vp->pci, vp->window + VIRTIO_PCI_CAP_LENGTH, 4, aim.length);
    }
    vpci_config_write(&vp->pci, vp->window + VIRTIO_PCI_CAP_BAR, 1, aim.bar);
    vpci_config_write(&vp->pci, vp->window + VIRTIO_PCI_CAP_OFFSET, 4, aim.offset);
    if (!length_first) {
        vpci_config_write(&vp->pci, vp->window + VIRTIO_PCI_CAP_LENGTH, 4, aim.length);
    }
}

bool virtio_pci_window_open(struct virtio_pci *vp)
{
    uint8_t cap;

    for (unsigned nth = 0;
         (cap = vpci_find_capability(&vp->pci, PCI_CAP_VENDOR_SPECIFIC, nth)) != 0; nth++) {
        if (cap + VIRTIO_PCI_CFG_DATA + 4 <= 256 &&
            vpci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_LEN, 1) >= VIRTIO_PCI_CFG_DATA + 4 &&
            vpci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_CFG_TYPE, 1) ==
                VIRTIO_PCI_CAP_PCI_CFG) {
            vp->window = cap;
            vp->aim.length = 4; /* as somebody before may have left it */
            take_aim(vp, (struct virtio_pci_aim){.length = 1});
            return true;
        }
    }
    return false;
}

static struct virtio_pci_aim aim_at(const struct virtio_pci_structure *structure, uint32_t offset,
                                    unsigned width)
{
    return (struct virtio_pci_aim){structure->bar, structure->offset + offset, width};
}

/* A queue's doorbell is often rung twice in a row. */
static void move_aim(struct virtio_pci *vp, struct virtio_pci_aim aim)
{
    if (aim.bar != vp->aim.bar || aim.offset != vp->aim.offset || aim.length != vp->aim.length) {
        take_aim(vp, aim);
    }
}

uint32_t virtio_pci_window_read(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                                uint32_t offset, unsigned width)
{
    move_aim(vp, aim_at(structure, offset, width));
    return vpci_config_read(&vp->pci, vp->window + VIRTIO_PCI_CFG_DATA, width);
}

void virtio_pci_window_write(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                             uint32_t offset, unsigned width, uint32_t value)
{
    move_aim(vp, aim_at(structure, offset, width));
    vpci_config_write(&vp->pci, vp->window + VIRTIO_PCI_CFG_DATA, width, value);
}

uint32_t virtio_pci_window_peek(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                                uint32_t offset, unsigned width)
{
    struct virtio_pci_aim interrupted = vp->aim;
    uint32_t value;

    /* The length in force may not be the one remembered yet, but it is none above 4. */
    vp->aim.length = 4;
    take_aim(vp, aim_at(structure, offset, width));
    value = vpci_config_read(&vp->pci, vp->window + VIRTIO_PCI_CFG_DATA, width);
    take_aim(vp, interrupted);
    return value;
}
