/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio network device as a card of net/nic.h, and the platform functions that it asks for. */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "net/nic.h"
#include "runtime/memory.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_platform.h"

/* net comes first: a card's state is its address. */
struct card {
    struct virtio_net net;
    struct virtio_pci pci;
    struct virtio_net_client client;
};

void *virtio_platform_alloc(size_t size, size_t align)
{
    void *memory = memory_alloc(size, align);

    return memory != NULL ? memset(memory, 0, size) : NULL;
}

void virtio_platform_free(void *memory)
{
    memory_free(memory);
}

/* Both architectures run with addresses untranslated. */
uint64_t virtio_platform_dma_address(const void *memory)
{
    return (uintptr_t)memory;
}

uint64_t virtio_platform_clock_ns(void)
{
    return arch_clock_ns();
}

void virtio_platform_log(const char *format, ...)
{
    va_list args;

    printf("vtnet: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

bool virtio_platform_barrier_is_weak(void)
{
    if (boot_arguments.fence != BOOT_FENCE_AUTO) {
        return boot_arguments.fence == BOOT_FENCE_ON;
    }
    return arch_barrier_is_weak();
}

static void print_features(const char *title, uint64_t features)
{
    printf("vtnet: features %s:", title);
    for (unsigned bit = 0; bit < 64; bit++) {
        if (!virtio_has(features, bit)) {
            continue;
        }
        if (virtio_feature_name(bit) != NULL) {
            printf(" %s", virtio_feature_name(bit));
        } else {
            printf(" %u", bit);
        }
    }
    printf("\n");
}

static uint64_t wanted_features(void)
{
    uint64_t wanted = VIRTIO_NET_FEATURES;
    const char *bad = virtio_feature_parse(boot_arguments.features, &wanted);

    if (bad != NULL) {
        printf("vtnet: boot argument features: '%s' is not understood and ignored, with what "
               "follows; valid is a list like -event_idx,-mrg_rxbuf of names that the device "
               "offers, or bit numbers\n",
               bad);
    }
    return wanted;
}

static enum virtio_pci_interface wanted_interface(void)
{
    switch (boot_arguments.transport) {
    case BOOT_TRANSPORT_LEGACY:
        return VIRTIO_PCI_LEGACY;
    case BOOT_TRANSPORT_MODERN:
        return VIRTIO_PCI_MODERN;
    default:
        return VIRTIO_PCI_ANY;
    }
}

static void *card_open(const struct pci_device *pci, const struct nic_client *client)
{
    struct virtio_net_options options = {
        .features = wanted_features(),
        .mac = boot_arguments.have_mac ? boot_arguments.mac : NULL,
        .rx_initial = (uint16_t)boot_arguments.bufinit,
        .rx_maximum = (uint16_t)boot_arguments.bufmax,
    };
    struct card *card = virtio_platform_alloc(sizeof *card, sizeof(uint64_t));

    if (card == NULL) {
        printf("vtnet: no memory for the network card\n");
        return NULL;
    }
    card->client = (struct virtio_net_client){
        .receive = client->receive,
        .transmitted = client->transmitted,
        .link = client->link,
        .context = client->context,
        .private_size = client->private_size,
    };
    if (virtio_pci_open(&card->pci, pci, wanted_interface()) != 0 ||
        virtio_net_open(&card->net, &card->pci.dev, &options, &card->client) != 0) {
        memory_free(card);
        return NULL;
    }
    printf("vtnet: transport %s, queues of %u (rx) and %u (tx), kicks %s\n",
           card->pci.dev.transport->name, card->net.rx.size, card->net.tx.size,
           card->pci.dev.weak_barrier ? "checked by a register read" : "checked by barriers");
    print_features("offered", card->pci.dev.offered);
    print_features("accepted", card->pci.dev.features);
    return &card->net;
}

static bool card_matches(const struct pci_device *pci)
{
    return virtio_pci_is_net(pci);
}

static const uint8_t *card_mac(void *state)
{
    return ((struct virtio_net *)state)->mac;
}

static bool card_link_up(void *state)
{
    return ((struct virtio_net *)state)->link_up;
}

static unsigned card_headroom(void *state)
{
    return ((struct virtio_net *)state)->header_length;
}

static int card_transmit(void *state, const struct nic_part *parts, unsigned count,
                         unsigned headroom, void *cookie)
{
    struct virtqueue_part chain[NIC_PARTS_MAX];
    int error;

    _Static_assert((int)NIC_PARTS_MAX <= (int)VIRTIO_NET_PARTS_MAX, "parts");
    if (count > NIC_PARTS_MAX) {
        return NIC_PARTS;
    }
    for (unsigned i = 0; i < count; i++) {
        chain[i] = (struct virtqueue_part){parts[i].data, parts[i].length};
    }
    error = virtio_net_transmit(state, chain, count, headroom, cookie);
    if (error == VIRTIO_ERROR_FULL) {
        return NIC_FULL;
    }
    return error == 0 ? 0 : error == VIRTIO_ERROR_TOOBIG ? NIC_PARTS : NIC_DOWN;
}

static unsigned card_room(void *state)
{
    return virtio_net_room(state);
}

static void card_flush(void *state)
{
    virtio_net_flush(state);
}

static unsigned card_poll(void *state, unsigned budget)
{
    return virtio_net_poll(state, budget);
}

static void card_release(void *state, void *buffer)
{
    virtio_net_release(state, buffer);
}

static bool card_interrupts_on(void *state, bool tx)
{
    return virtio_net_interrupts_on(state, tx);
}

static bool card_interrupt(void *state)
{
    return virtio_net_interrupt(state);
}

static uint32_t device_errors(const struct virtqueue_counters *counters)
{
    return counters->bad_id + counters->bad_length + counters->bad_index;
}

static void card_counters(void *state, struct nic_counters *counters)
{
    const struct virtio_net *net = state;

    *counters = (struct nic_counters){
        .rx_frames = net->counters.rx_frames,
        .rx_bytes = net->counters.rx_bytes,
        .tx_frames = net->counters.tx_frames,
        .tx_bytes = net->counters.tx_bytes,
        .interrupts = net->counters.interrupts,
        .interrupts_spurious = net->counters.interrupts_spurious,
        .kicks = net->rx.counters.kicks + net->tx.counters.kicks,
        .kicks_suppressed = net->rx.counters.kicks_suppressed + net->tx.counters.kicks_suppressed,
        .rx_buffers = net->rx_buffers,
        .rx_buffers_bytes = net->rx_buffers * net->rx_buffer_size,
        .rx_dropped = net->counters.rx_bad + net->counters.rx_no_memory,
        .tx_full = net->counters.tx_full,
        .device_errors = device_errors(&net->rx.counters) + device_errors(&net->tx.counters),
    };
}

const struct nic_driver nic_virtio = {
    .name = "virtio-net",
    .matches = card_matches,
    .open = card_open,
    .mac = card_mac,
    .link_up = card_link_up,
    .headroom = card_headroom,
    .transmit = card_transmit,
    .room = card_room,
    .flush = card_flush,
    .poll = card_poll,
    .release = card_release,
    .interrupts_on = card_interrupts_on,
    .interrupt = card_interrupt,
    .counters = card_counters,
};
