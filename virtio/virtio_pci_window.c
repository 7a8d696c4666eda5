/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access to device registers through configuration space (virtio 1.3 §4.1.4.9 PCI configuration
 * access capability), for structures in a BAR without an address or above 4 GiB. Three registers of
 * the capability select a place in a BAR; the fourth is a window to it.
 *
 * All contexts share the window. So the selection is recorded before it is written, and an
 * interrupt handler restores what is recorded. Whether the interrupt comes before, between or after
 * these writes, the result is the same selection.
 */
#include "pci/internal/pci_spec.h"
#include "virtio/internal/virtio_pci_transport.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_spec.h"

/*
 * The offset must be a multiple of the length (§4.1.4.9.1), also between two of these writes. So
 * the smaller length is used while the offset changes: an offset that is valid for a length is
 * valid for a smaller one too.
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

/* Nothing to do if unchanged: a queue's doorbell is often rung twice in a row. */
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

    /* The current length may not be recorded yet, but it is at most 4. */
    vp->aim.length = 4;
    take_aim(vp, aim_at(structure, offset, width));
    value = vpci_config_read(&vp->pci, vp->window + VIRTIO_PCI_CFG_DATA, width);
    take_aim(vp, interrupted);
    return value;
}
