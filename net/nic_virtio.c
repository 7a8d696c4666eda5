/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio network device as a card of net/nic.h, and the platform functions that it asks for. */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "net/nic.h"
#include "net/nic_vectors.h"
#include "runtime/memory.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_platform.h"

/* net comes first: a card's state is its address. */
struct card {
    struct virtio_net net;
    struct virtio_pci pci;
    struct virtio_net_client client;
    const struct nic_client *user;
    struct nic_vectors vectors;
    uint64_t asked; /* features: of those offered, what the boot arguments allow */
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

static bool barrier_is_weak(void)
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
    /* What the stack cannot do anything with yet. */
    uint64_t wanted = VIRTIO_NET_FEATURES &
                      ~(virtio_bit(VIRTIO_NET_F_GUEST_USO4) | virtio_bit(VIRTIO_NET_F_GUEST_USO6) |
                        virtio_bit(VIRTIO_NET_F_HOST_USO));
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

/* What the driver says and what the stack hears: the same, in the words of each. */
static void card_receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                         const struct virtio_net_offload *offload)
{
    const struct card *card = context;
    struct nic_offload o = {
        .checksum = offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .checked = offload->flags & VIRTIO_NET_HDR_F_DATA_VALID,
        .checksum_start = offload->csum_start,
        .checksum_offset = offload->csum_offset,
        .segment_size = offload->gso_size,
        .header_length = offload->hdr_len,
    };

    switch (offload->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        o.segments = NIC_WHOLE;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV4:
        o.segments = NIC_TCP4;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        o.segments = NIC_TCP6;
        break;
    default:
        o.segments = NIC_UDP;
        break;
    }
    card->user->receive(card->user->context, buffer, data, length, more, &o);
}

static void card_transmitted(void *context, void *cookie)
{
    const struct card *card = context;

    card->user->transmitted(card->user->context, cookie);
}

static void card_link(void *context, bool up)
{
    const struct card *card = context;

    card->user->link(card->user->context, up);
}

static void card_announce(void *context)
{
    const struct card *card = context;

    card->user->announce(card->user->context);
}

static void handle_vector(void *state, unsigned vector)
{
    virtio_net_interrupt_vector(state, (uint16_t)vector);
}

/* Opens the device with the interrupts wanted, which it may not take. */
static bool open_device(struct card *card, const struct pci_device *pci,
                        const struct virtio_net_options *options)
{
    int error;

    if (virtio_pci_open(&card->pci, pci, wanted_interface()) != 0) {
        return false;
    }
    if (boot_arguments.irq != BOOT_IRQ_INTX &&
        nic_vectors_connect(&card->vectors, &card->pci.msix, VIRTIO_NET_VECTORS, handle_vector,
                            &card->net)) {
        virtio_pci_use_msix(&card->pci, (uint16_t)card->vectors.count);
    }
    error = virtio_net_open(&card->net, &card->pci.dev, options, &card->client);
    if (error != 0 || card->pci.dev.vectors == 0) {
        virtio_pci_use_line(&card->pci);
        nic_vectors_free(&card->vectors);
    }
    if (boot_arguments.irq == BOOT_IRQ_MSIX && card->vectors.count == 0) {
        printf("vtnet: irq=msix: this machine or card has no MSI-X\n");
    }
    return error == 0;
}

static void *card_open(const struct pci_device *pci, const struct nic_client *client)
{
    struct virtio_net_options options = {
        .features = wanted_features(),
        .mac = client->mac,
        .rx_initial = (uint16_t)boot_arguments.bufinit,
        .rx_maximum = (uint16_t)boot_arguments.bufmax,
        .rx_memory = boot_arguments.bufmem << 10,
        .rx_quiet_ms = boot_arguments.rxquiet,
        .rx_fixed = boot_arguments.rxdyn == 0 || boot_arguments.bounded != 0,
        .weak_barrier = barrier_is_weak(),
    };
    struct card *card = virtio_platform_alloc(sizeof *card, sizeof(uint64_t));

    if (card == NULL) {
        printf("vtnet: no memory for the network card\n");
        return NULL;
    }
    card->user = client;
    card->client = (struct virtio_net_client){
        .receive = card_receive,
        .transmitted = card_transmitted,
        .link = card_link,
        .announce = card_announce,
        .context = card,
        .private_size = client->private_size,
    };
    if (!open_device(card, pci, &options)) {
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

static uint32_t card_speed(void *state, bool *full_duplex)
{
    const struct virtio_net *net = state;

    *full_duplex = net->full_duplex;
    return net->speed;
}

static unsigned card_headroom(void *state)
{
    return ((struct virtio_net *)state)->header_length;
}

static uint16_t card_mtu(void *state)
{
    return ((struct virtio_net *)state)->mtu;
}

static uint32_t card_offloads(void *state)
{
    static const struct {
        uint8_t feature, offload;
    } map[] = {
        {VIRTIO_NET_F_CSUM, NIC_SEND_CHECKSUM},  {VIRTIO_NET_F_HOST_TSO4, NIC_SEND_TCP4},
        {VIRTIO_NET_F_HOST_TSO6, NIC_SEND_TCP6}, {VIRTIO_NET_F_HOST_ECN, NIC_SEND_ECN},
        {VIRTIO_NET_F_HOST_USO, NIC_SEND_UDP},   {VIRTIO_NET_F_GUEST_CSUM, NIC_RECEIVE_CHECKSUM},
    };
    const struct virtio_net *net = state;
    uint32_t offloads = 0;

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (virtio_has(net->dev->features, map[i].feature)) {
            offloads |= map[i].offload;
        }
    }
    return offloads;
}

static struct virtio_net_offload to_wire(const struct nic_offload *offload)
{
    static const uint8_t types[] = {
        [NIC_WHOLE] = VIRTIO_NET_HDR_GSO_NONE,
        [NIC_TCP4] = VIRTIO_NET_HDR_GSO_TCPV4,
        [NIC_TCP6] = VIRTIO_NET_HDR_GSO_TCPV6,
        [NIC_UDP] = VIRTIO_NET_HDR_GSO_UDP_L4,
    };

    return (struct virtio_net_offload){
        .flags = offload->checksum ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0,
        .gso_type = types[offload->segments] | (offload->ecn ? VIRTIO_NET_HDR_GSO_ECN : 0),
        .csum_start = offload->checksum_start,
        .csum_offset = offload->checksum_offset,
        .gso_size = offload->segment_size,
        .hdr_len = offload->header_length,
    };
}

static int card_transmit(void *state, const struct nic_part *parts, unsigned count,
                         unsigned headroom, const struct nic_offload *offload, void *cookie)
{
    struct virtqueue_part chain[NIC_PARTS_MAX];
    struct virtio_net_offload wire;
    int error;

    _Static_assert((int)NIC_PARTS_MAX <= (int)VIRTIO_NET_PARTS_MAX, "parts");
    if (count > NIC_PARTS_MAX) {
        return NIC_PARTS;
    }
    for (unsigned i = 0; i < count; i++) {
        chain[i] = (struct virtqueue_part){parts[i].data, parts[i].length};
    }
    if (offload != NULL) {
        wire = to_wire(offload);
    }
    error =
        virtio_net_transmit(state, chain, count, headroom, offload != NULL ? &wire : NULL, cookie);
    if (error == VIRTIO_ERROR_FULL) {
        return NIC_FULL;
    }
    return error == 0 ? 0 : error == VIRTIO_ERROR_TOOBIG ? NIC_PARTS : NIC_DOWN;
}

static bool card_has_room(void *state, unsigned frames, unsigned parts, unsigned spare)
{
    return virtio_net_has_room(state, frames, parts, spare);
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

static bool card_scarce(void *state)
{
    return virtio_net_scarce(state);
}

static bool card_set_groups(void *state, const uint8_t (*groups)[6], unsigned count)
{
    return virtio_net_set_mac_table(state, NULL, 0, groups, count) == 0;
}

static bool card_set_vlan(void *state, uint16_t vlan, bool on)
{
    return virtio_net_set_vlan(state, vlan, on) == 0;
}

static bool card_interrupts_on(void *state, bool tx)
{
    return virtio_net_interrupts_on(state, tx);
}

static bool card_interrupt(void *state)
{
    return virtio_net_interrupt(state);
}

static unsigned card_vectors(void *state)
{
    return ((const struct card *)state)->vectors.count;
}

static struct nic_queue_counters queue_counters(const struct virtqueue *vq, uint64_t packets,
                                                uint64_t bytes)
{
    return (struct nic_queue_counters){
        .packets = packets,
        .bytes = bytes,
        .kicks = vq->counters.kicks,
        .kicks_suppressed = vq->counters.kicks_suppressed,
        .kicks_saved = vq->counters.kicks_saved,
        .full = vq->counters.full,
        .bad_id = vq->counters.bad_id,
        .bad_length = vq->counters.bad_length,
        .bad_index = vq->counters.bad_index,
    };
}

static void card_counters(void *state, struct nic_counters *counters)
{
    const struct virtio_net *net = state;
    const struct virtio_net_counters *c = &net->counters;

    *counters = (struct nic_counters){
        .rx = queue_counters(&net->rx, c->rx_frames, c->rx_bytes),
        .tx = queue_counters(&net->tx, c->tx_frames, c->tx_bytes),
        .ctrl = queue_counters(&net->ctrl, 0, 0),
        .interrupts = c->interrupts,
        .interrupts_spurious = c->interrupts_spurious,
        .interrupts_config = c->interrupts_config,
        .rx_bad = c->rx_bad,
        .rx_no_memory = c->rx_no_memory,
        .rx_at_ceiling = c->rx_at_ceiling,
        .rx_posted = net->rx_posted,
        .rx_limit = net->rx_limit,
        .rx_limit_peak = net->rx_limit_peak,
        .rx_initial = net->rx_initial,
        .rx_maximum = net->rx_maximum,
        .rx_ups = c->rx_ups,
        .rx_downs = c->rx_downs,
        .rx_buffers = net->rx_buffers,
        .rx_buffers_peak = net->rx_peak,
        .rx_buffers_max = net->rx_buffers_max,
        .rx_held = (uint64_t)net->rx_buffers * net->rx_buffer_size,
        .rx_held_peak = (uint64_t)net->rx_peak * net->rx_buffer_size,
    };
    counters->tx.full = c->tx_full; /* as the stack sees it */
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
    .mac = card_mac,
    .link_up = card_link_up,
    .speed = card_speed,
    .mtu = card_mtu,
    .offloads = card_offloads,
    .headroom = card_headroom,
    .transmit = card_transmit,
    .has_room = card_has_room,
    .flush = card_flush,
    .poll = card_poll,
    .release = card_release,
    .scarce = card_scarce,
    .set_groups = card_set_groups,
    .set_vlan = card_set_vlan,
    .interrupts_on = card_interrupts_on,
    .interrupt = card_interrupt,
    .vectors = card_vectors,
    .counters = card_counters,
    .describe = card_describe,
};
