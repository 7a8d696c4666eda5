/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two cards on one interrupt line and one network send each other count= frames alternately, then
 * as many simultaneously. A card is polled only after its interrupt. If an interrupt on the shared
 * line is lost, the run ends there.
 */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/boot.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"

#define STALL_NS UINT64_C(2000000000)
enum { HEADROOM = 16, FRAME = 60, CARDS = 2 };

static struct card {
    struct virtio_pci pci;
    struct virtio_net net;
    struct virtio_net_client client;
    uint8_t frame[HEADROOM + FRAME];
    unsigned received;
} cards[CARDS];
static unsigned opened;

static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    struct card *card = context;

    (void)data, (void)length, (void)offload;
    card->received += !more;
    virtio_net_release(&card->net, buffer);
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

static bool handle_interrupt(void *context)
{
    return virtio_net_interrupt(&((struct card *)context)->net);
}

/* A vpci_scan() visitor. */
static bool open_card(const struct vpci_device *device, void *context)
{
    struct virtio_net_options options = {
        .features = VIRTIO_NET_FEATURES,
        .weak_barrier = arch_barrier_is_weak(),
    };
    struct card *card = &cards[opened];

    if (!virtio_pci_is_net(device)) {
        return true;
    }
    card->client = (struct virtio_net_client){
        .receive = receive,
        .transmitted = transmitted,
        .link = link_changed,
        .announce = announce,
        .context = card,
    };
    if (virtio_pci_open(&card->pci, device, VIRTIO_PCI_ANY) != 0 ||
        virtio_net_open(&card->net, &card->pci.dev, &options, &card->client) != 0 ||
        !arch_irq_register(device->irq_line, handle_interrupt, card)) {
        *(bool *)context = false;
        return false;
    }
    vpci_enable_line(device);
    virtio_net_start(&card->net);
    memset(card->frame + HEADROOM, 0xff, 6); /* to all stations, an experimental EtherType */
    memcpy(card->frame + HEADROOM + 6, card->net.mac, 6);
    card->frame[HEADROOM + 12] = 0x88;
    card->frame[HEADROOM + 13] = 0xb5;
    return ++opened < CARDS;
}

static void send(struct card *card)
{
    struct virtqueue_part part = {card->frame + HEADROOM, FRAME};

    virtio_net_transmit(&card->net, &part, 1, HEADROOM, NULL, card);
    virtio_net_flush(&card->net);
}

/* Sleeps until both have received that many frames. Returns false if an interrupt is missing. */
static bool wait_for(unsigned first, unsigned second)
{
    uint64_t start = arch_clock_ns();

    while (cards[0].received != first || cards[1].received != second) {
        arch_interrupts_off();
        if (!cards[0].net.interrupted && !cards[1].net.interrupted) {
            arch_wait();
        }
        arch_interrupts_on();
        for (unsigned i = 0; i < CARDS; i++) {
            if (cards[i].net.interrupted) {
                do {
                    virtio_net_poll(&cards[i].net, 64);
                } while (virtio_net_interrupts_on(&cards[i].net, false));
            }
        }
        if (arch_clock_ns() - start > STALL_NS) {
            return false;
        }
    }
    return true;
}

int main(void)
{
    unsigned received = 0;
    bool well = true;

    vpci_scan(open_card, &well);
    if (!well || opened < CARDS || cards[0].pci.pci.irq_line != cards[1].pci.pci.irq_line) {
        printf("vtnet: sharedline: there are no two cards on one line\n");
        return 1;
    }
    for (unsigned i = 0; i < CARDS; i++) {
        virtio_net_interrupts_on(&cards[i].net, false);
    }
    for (unsigned i = 0; i < boot_arguments.count && well; i++) {
        send(&cards[0]);
        well = wait_for(received, received + 1);
        send(&cards[1]);
        received++;
        well = well && wait_for(received, received);
    }
    for (unsigned i = 0; i < boot_arguments.count && well; i++) {
        send(&cards[0]);
        send(&cards[1]);
        received++;
        well = wait_for(received, received);
    }
    printf("vtnet: sharedline: line %u, %u and %u frames, %u and %u interrupts, %u unclaimed: %s\n",
           cards[0].pci.pci.irq_line, cards[0].received, cards[1].received,
           (unsigned)cards[0].net.counters.interrupts, (unsigned)cards[1].net.counters.interrupts,
           (unsigned)arch_irq_unclaimed, well ? "well" : "an interrupt was lost");
    return !well;
}
