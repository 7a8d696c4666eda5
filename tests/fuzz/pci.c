/* SPDX-License-Identifier: BSD-2-Clause */
/* From PCI to a running network device: bridges, BARs, capabilities, MSI-X, registers. */
#include <stddef.h>
#include <string.h>

#include "arena.h"
#include "input.h"
#include "machine.h"
#include "platform.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"

enum { CARDS = 2, STEPS = 8 };

static struct virtio_pci cards[CARDS];
static struct virtio_net net;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    (void)context, (void)data, (void)length, (void)more, (void)offload;
    virtio_net_release(&net, buffer);
}

static void transmitted(void *context, void *cookie)
{
    (void)context, (void)cookie;
}

static void link_changed(void *context, bool up)
{
    (void)context, (void)up;
}

static void announce(void *context)
{
    (void)context;
}

static void use(struct virtio_pci *vp)
{
    static const struct virtio_net_client client = {
        .receive = receive,
        .transmitted = transmitted,
        .link = link_changed,
        .announce = announce,
    };
    const struct virtio_net_options options = {
        .features = VIRTIO_NET_FEATURES, .rx_initial = 4, .rx_maximum = 64};
    uint16_t vectors = input_byte() % 5;

    for (uint16_t i = 0; i < vectors; i++) {
        vpci_msix_set(&vp->msix, i, 0xfee00000, i);
    }
    virtio_pci_use_msix(vp, vectors);
    if (virtio_net_open(&net, &vp->dev, &options, &client) != 0) {
        return;
    }
    vpci_enable_line(&vp->pci);
    virtio_net_start(&net);
    for (unsigned i = 0; i < STEPS && input_left() != 0; i++) {
        net.config_changed = true;
        (void)virtio_net_poll(&net, 8);
        (void)virtio_net_interrupts_on(&net, true);
        (void)virtio_net_interrupt(&net);
        (void)virtio_net_set_rx_mode(&net, input_byte());
    }
    if (virtio_net_close(&net) == 0) {
        fuzz_check(arena_blocks() == 0, "memory is left");
    }
}

static bool visit(const struct vpci_device *pci, void *context)
{
    unsigned *count = context;

    for (unsigned nth = 0; vpci_find_capability(pci, input_byte(), nth) != 0; nth++) {
        fuzz_check(nth < 256, "a list of capabilities has no end");
    }
    if (virtio_pci_is_net(pci) && *count < CARDS &&
        virtio_pci_open(&cards[*count], pci, input_byte() % 3) == 0) {
        (*count)++;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned count = 0;

    input_set(data, size);
    platform_reset();
    memset(cards, 0, sizeof cards);
    machine_create();
    vpci_setup_bridges();
    (void)vpci_scan(visit, &count);
    for (unsigned i = 0; i < count; i++) {
        use(&cards[i]);
        platform_reset();
    }
    return 0;
}
