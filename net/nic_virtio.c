/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver of net/nic.h for the virtio network device. */
#include "net/nic_virtio.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "net/nic_vectors.h"
#include "runtime/memory.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_platform.h"

/* net must be first: a card's state is its address. */
struct card {
    struct virtio_net net;
    struct virtio_pci pci;
    struct virtio_net_client client;
    struct nic_vectors vectors;
    uint64_t asked; /* offered features that the boot arguments allow */
};

static bool barrier_is_weak(const struct nic_config *config)
{
    if (config->fence != NIC_FENCE_AUTO) {
        return config->fence == NIC_FENCE_ON;
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

static uint64_t wanted_features(const struct nic_config *config)
{
    uint64_t wanted = VIRTIO_NET_FEATURES;
    const char *bad = NULL;

    if (config->bounded) {
        /* A pass has a limit of frames, and each joined frame would count as many datagrams. */
        wanted &= ~(virtio_bit(VIRTIO_NET_F_GUEST_USO4) | virtio_bit(VIRTIO_NET_F_GUEST_USO6));
    }
    if (config->features != NULL) {
        bad = virtio_feature_parse(config->features, &wanted);
    }
    if (bad != NULL) {
        printf("vtnet: boot argument features: '%s' is not understood and ignored, with what "
               "follows; valid is a list like -event_idx,-mrg_rxbuf of names that the device "
               "offers, or bit numbers\n",
               bad);
    }
    return wanted;
}

static enum virtio_pci_interface wanted_interface(const struct nic_config *config)
{
    switch (config->transport) {
    case NIC_TRANSPORT_LEGACY:
        return VIRTIO_PCI_LEGACY;
    case NIC_TRANSPORT_MODERN:
        return VIRTIO_PCI_MODERN;
    default:
        return VIRTIO_PCI_ANY;
    }
}

static void handle_vector(void *state, unsigned vector)
{
    virtio_net_interrupt_vector(state, (uint16_t)vector);
}

/* Opens the device with the wanted interrupts, which it may refuse. */
static bool open_device(struct card *card, const struct vpci_device *pci,
                        const struct nic_config *config, const struct virtio_net_options *options)
{
    int error;

    if (virtio_pci_open(&card->pci, pci, wanted_interface(config)) != 0) {
        return false;
    }
    if (config->irq != NIC_IRQ_INTX &&
        nic_vectors_connect(&card->vectors, &card->pci.msix, VIRTIO_NET_VECTORS, handle_vector,
                            &card->net)) {
        virtio_pci_use_msix(&card->pci, (uint16_t)card->vectors.count);
    }
    error = virtio_net_open(&card->net, &card->pci.dev, options, &card->client);
    if (error != 0 || card->pci.dev.vectors == 0) {
        virtio_pci_use_msix(&card->pci, 0);
        nic_vectors_free(&card->vectors);
    }
    if (config->irq == NIC_IRQ_MSIX && card->vectors.count == 0) {
        printf("vtnet: irq=msix: this machine or card has no MSI-X\n");
    }
    return error == 0;
}

static uint32_t offloads_of(uint64_t features)
{
    static const struct {
        uint8_t feature, offload;
    } map[] = {
        {VIRTIO_NET_F_CSUM, NIC_SEND_CHECKSUM},          {VIRTIO_NET_F_HOST_TSO4, NIC_SEND_TCP4},
        {VIRTIO_NET_F_HOST_TSO6, NIC_SEND_TCP6},         {VIRTIO_NET_F_HOST_USO, NIC_SEND_UDP},
        {VIRTIO_NET_F_GUEST_CSUM, NIC_RECEIVE_CHECKSUM},
    };
    uint32_t offloads = 0;

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (virtio_has(features, map[i].feature)) {
            offloads |= map[i].offload;
        }
    }
    return offloads;
}

static void *card_open(const struct vpci_device *pci, const struct nic_client *client,
                       struct nic_info *info)
{
    const struct nic_config *config = client->config;
    struct virtio_net_options options = {
        .features = wanted_features(config),
        .mac = client->mac,
        /*
         * Fewer are allowed here: the clock's tick makes the loop check whether the device waits
         * for more.
         */
        .rx_initial =
            config->rx_initial != 0 ? config->rx_initial : (uint16_t)VIRTIO_NET_RX_INITIAL,
        .rx_maximum = config->rx_maximum,
        .rx_memory = config->rx_memory,
        .rx_quiet_ms = config->rx_quiet_ms,
        .rx_fixed = config->rx_fixed,
        .weak_barrier = barrier_is_weak(config),
        .bus_offset = arch_bus_address(NULL), /* on a PReP machine RAM has another address on the
                                               * bus */
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
        .announce = client->announce,
        .context = client->context,
        .private_size = client->private_size,
    };
    if (!open_device(card, pci, config, &options)) {
        memory_free(card);
        return NULL;
    }
    card->asked = card->pci.dev.offered & options.features;
    printf("vtnet: transport %s, queues of %u (rx) and %u (tx), kicks %s\n",
           card->pci.dev.transport->name, card->net.rx.size, card->net.tx.size,
           card->pci.dev.weak_barrier ? "checked by a register read" : "checked by barriers");
    print_features("offered", card->pci.dev.offered);
    print_features("asked", card->asked);
    print_features("accepted", card->pci.dev.features);
    *info = (struct nic_info){
        .mtu = card->net.mtu,
        .headroom = card->net.header_length,
        .vectors = (uint16_t)card->vectors.count,
        .offloads = offloads_of(card->pci.dev.features),
    };
    memcpy(info->mac, card->net.mac, sizeof info->mac);
    return &card->net;
}

static void card_start(void *state)
{
    virtio_net_start(state);
}

static bool card_matches(const struct vpci_device *pci)
{
    return virtio_pci_is_net(pci);
}

static void card_link(void *state, struct nic_link *link)
{
    static const enum nic_duplex duplexes[] = {
        [VIRTIO_NET_DUPLEX_HALF] = NIC_DUPLEX_HALF,
        [VIRTIO_NET_DUPLEX_FULL] = NIC_DUPLEX_FULL,
    };
    const struct virtio_net *net = state;

    *link = (struct nic_link){
        .up = net->link_up,
        .speed = net->speed,
        .duplex =
            net->duplex == VIRTIO_NET_DUPLEX_UNKNOWN ? NIC_DUPLEX_UNKNOWN : duplexes[net->duplex],
    };
}

static int card_transmit(void *state, struct virtqueue_part *parts, unsigned count,
                         unsigned headroom, const struct virtio_net_offload *offload, void *cookie)
{
    int error = virtio_net_transmit(state, parts, count, headroom, offload, cookie);

    _Static_assert((int)NIC_PARTS_MAX <= (int)VIRTIO_NET_PARTS_MAX, "parts");
    switch (error) {
    case 0:
        return 0;
    case VIRTIO_ERROR_FULL:
        return NIC_FULL;
    case VIRTIO_ERROR_TOOBIG:
        return NIC_PARTS;
    default:
        return NIC_DOWN;
    }
}

static bool card_has_room(void *state, unsigned frames, unsigned parts, unsigned spare)
{
    return virtio_net_has_room(state, frames, parts, spare);
}

static void card_flush(void *state)
{
    virtio_net_flush(state);
}

static void card_reclaim(void *state)
{
    (void)virtio_net_reclaim(state);
}

static unsigned card_poll(void *state, unsigned budget)
{
    return virtio_net_poll(state, budget);
}

static void card_release(void *state, void *buffer)
{
    virtio_net_release(state, buffer);
}

static bool card_scarce(void *state)
{
    return virtio_net_scarce(state);
}

/* Only a device that owes an answer may do it later; one without filters receives all. */
static bool card_set_groups(void *state, const uint8_t (*groups)[6], unsigned count)
{
    return virtio_net_set_mac_table(state, NULL, 0, groups, count) != VIRTIO_ERROR_IO;
}

static bool card_set_vlan(void *state, uint16_t vlan, bool on)
{
    return virtio_net_set_vlan(state, vlan, on) != VIRTIO_ERROR_IO;
}

static bool card_set_promiscuous(void *state, bool on)
{
    return virtio_net_set_rx_mode(state, on ? VIRTIO_NET_RX_PROMISC : 0) == 0;
}

static void card_reset(void *state)
{
    virtio_net_reset(state);
}

static bool card_interrupts_on(void *state, bool tx)
{
    return virtio_net_interrupts_on(state, tx);
}

static bool card_interrupt(void *state)
{
    return virtio_net_interrupt(state);
}

static void card_counters(void *state, struct nic_counters *counters)
{
    nic_virtio_counters(state, counters);
}

static void card_describe(void *state, struct nic_description *description)
{
    static const char *const rings[2][2] = {{"split", "split in order"},
                                            {"packed", "packed in order"}};
    const struct card *card = state;
    const struct virtio_device *dev = &card->pci.dev;

    *description = (struct nic_description){
        .transport = dev->transport->name,
        .ring = rings[virtio_has(dev->features, VIRTIO_F_RING_PACKED)]
                     [virtio_has(dev->features, VIRTIO_F_IN_ORDER)],
        .interrupts = card->vectors.count != 0 ? "MSI-X" : "INTx",
        .offered = dev->offered,
        .asked = card->asked,
        .accepted = dev->features,
        .feature_name = virtio_feature_name,
    };
}

const struct nic_driver nic_virtio = {
    .name = "virtio-net",
    .matches = card_matches,
    .open = card_open,
    .start = card_start,
    .link = card_link,
    .transmit = card_transmit,
    .has_room = card_has_room,
    .flush = card_flush,
    .reclaim = card_reclaim,
    .poll = card_poll,
    .release = card_release,
    .scarce = card_scarce,
    .set_groups = card_set_groups,
    .set_vlan = card_set_vlan,
    .set_promiscuous = card_set_promiscuous,
    .reset = card_reset,
    .interrupts_on = card_interrupts_on,
    .interrupt = card_interrupt,
    .counters = card_counters,
    .describe = card_describe,
};
