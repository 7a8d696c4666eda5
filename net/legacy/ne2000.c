/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver of net/nic.h for the NE2000 on PCI (Realtek RTL8029AS, QEMU's ne2k_pci). The processor
 * copies every frame through the card's 32-bit data port, which takes most of the time.
 */
#include "net/legacy/ne2000.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "runtime/memory.h"

enum {
    MTU = 1500,
    SEGMENT = MTU - 40, /* bytes of TCP data per frame */
    FRAME_PAGES = 6,    /* pages of the largest frame in the ring */
    SPEED = 10,         /* Mbit/s */
    RX_INTERRUPTS = DP8390_ISR_PRX | DP8390_ISR_RXE | DP8390_ISR_OVW,
    TX_INTERRUPTS = DP8390_ISR_PTX | DP8390_ISR_TXE,
    HASH_POLYNOMIAL = 0x04c11db7,
};

static bool card_matches(const struct vpci_device *pci)
{
    return pci->vendor == RTL8029_VENDOR && pci->device == RTL8029_DEVICE;
}

static bool open_card(struct ne2000 *card, const struct vpci_device *pci)
{
    struct vpci_device device = *pci;

    vpci_setup_bars(&device);
    if (!vpci_map(&device, 0, 0, NE2000_IO_SIZE, &card->io) || !card->io.io) {
        printf("vtnet: NE2000: its registers have no address\n");
        return false;
    }
    vpci_enable(&device);
    if (!ne2000_reset(card)) {
        printf("vtnet: NE2000: no answer to a reset, or no Ethernet address\n");
        return false;
    }
    if (!ne2000_rx_create(card)) {
        printf("vtnet: NE2000: no memory for receive buffers\n");
        return false;
    }
    return true;
}

static void *card_open(const struct vpci_device *pci, const struct nic_client *client,
                       struct nic_info *info)
{
    struct ne2000 *card = memory_alloc(sizeof *card, sizeof(uint64_t));

    if (card == NULL) {
        printf("vtnet: no memory for the network card\n");
        return NULL;
    }
    memset(card, 0, sizeof *card);
    card->client = client;
    if (!open_card(card, pci)) {
        memory_free(card);
        return NULL;
    }
    memcpy(card->mac, client->mac != NULL ? client->mac : card->prom_mac, sizeof card->mac);
    ne2000_start(card);
    printf("vtnet: NE2000, ring of %u pages on the card, up to %u receive buffers of %u bytes\n",
           (unsigned)(card->stop - NE2000_RING_FIRST), (unsigned)NE2000_RX_BUFFERS,
           (unsigned)card->buffer_size);
    info->mtu = MTU;
    memcpy(info->mac, card->mac, sizeof info->mac);
    return card;
}

/* The controller does not tell whether there is a cable. */
static void card_link(void *state, struct nic_link *link)
{
    const struct ne2000 *card = state;

    *link = (struct nic_link){
        .up = true,
        .speed = SPEED,
        .duplex = card->full_duplex ? NIC_DUPLEX_FULL : NIC_DUPLEX_HALF,
    };
}

/*
 * When the ring has no room for the largest frame, QEMU's card drops all frames silently. A
 * connection whose last segments or acknowledgements are lost then stalls for 200 ms or more. So
 * half of the ring, less one frame, is for segments and half for acknowledgements.
 */
static uint32_t card_window(void *state, bool sending)
{
    const struct ne2000 *card = state;
    uint32_t pages = (card->stop - NE2000_RING_FIRST - FRAME_PAGES - 1u) / 2;

    return (sending ? pages : pages / FRAME_PAGES) * SEGMENT;
}

static int card_transmit(void *state, struct virtqueue_part *parts, unsigned count,
                         unsigned headroom, const struct virtio_net_offload *offload, void *cookie)
{
    (void)headroom;
    (void)offload;
    return ne2000_tx_add(state, parts, count, cookie);
}

static bool card_has_room(void *state, unsigned frames, unsigned parts, unsigned spare)
{
    return ne2000_tx_has_room(state, frames, parts, spare);
}

static void card_flush(void *state)
{
    ne2000_tx_pump(state);
}

static void interrupts_off(struct ne2000 *card)
{
    /*
     * In this order: while IMR is not 0, the top half must see it in `enabled`, so that it can
     * silence the card.
     */
    if (card->enabled != 0) {
        ne2000_write(card, DP8390_IMR, 0);
        card->enabled = 0;
    }
}

static void card_reclaim(void *state)
{
    ne2000_tx_pump(state);
    ne2000_tx_reclaim(state);
}

static unsigned card_poll(void *state, unsigned budget)
{
    struct ne2000 *card = state;

    interrupts_off(card);
    ne2000_tx_pump(card);
    ne2000_tx_reclaim(card);
    return ne2000_rx_poll(card, budget); /* acknowledges; flush() follows */
}

static void card_release(void *state, void *buffer)
{
    ne2000_rx_release(state, buffer);
}

static bool card_scarce(void *state)
{
    return ne2000_rx_scarce(state);
}

/*
 * The top 6 bits of the address's Ethernet CRC (IEEE 802.3 §3.2.9). Each byte's lowest bit comes
 * first.
 */
static unsigned hash_of(const uint8_t address[6])
{
    uint32_t crc = UINT32_MAX;

    for (unsigned bit = 0; bit < 48; bit++) {
        bool carry = (crc >> 31) != (address[bit / 8] >> bit % 8 & 1u);

        crc = crc << 1 ^ (carry ? HASH_POLYNOMIAL : 0);
    }
    return crc >> 26;
}

static bool card_set_groups(void *state, const uint8_t (*groups)[6], unsigned count)
{
    struct ne2000 *card = state;

    memset(card->hash, 0, sizeof card->hash);
    for (unsigned i = 0; i < count; i++) {
        unsigned hash = hash_of(groups[i]);

        card->hash[hash / 8] |= (uint8_t)(1u << hash % 8);
    }
    ne2000_write_hash(card);
    return true;
}

/* The card does not filter VLANs: it receives all. */
static bool card_set_vlan(void *state, uint16_t vlan, bool on)
{
    (void)state;
    (void)vlan;
    (void)on;
    return true;
}

/*
 * ISR keeps the events since poll() acknowledged them, and the line is asserted while a bit is set
 * in both ISR and IMR. So no event is lost.
 */
static bool card_interrupts_on(void *state, bool tx)
{
    struct ne2000 *card = state;
    uint8_t wanted = RX_INTERRUPTS | (ne2000_tx_waits(card) ? TX_INTERRUPTS : 0);
    bool enabled;

    if (card->next != card->current || (tx && card->tx.reclaimed != card->tx.copied) ||
        ne2000_read(card, DP8390_ISR) & wanted) {
        return true;
    }
    enabled = arch_interrupts_save(); /* another card on the line may run the top half at any
                                       * time */
    card->enabled = wanted;
    ne2000_write(card, DP8390_IMR, wanted);
    arch_interrupts_restore(enabled);
    return false;
}

static bool card_interrupt(void *state)
{
    struct ne2000 *card = state;

    /*
     * If IMR is 0, the interrupt is another card's, and a register page without ISR may be
     * selected.
     */
    if (card->enabled == 0 || !(ne2000_read(card, DP8390_ISR) & card->enabled)) {
        return false;
    }
    ne2000_write(card, DP8390_IMR, 0);
    card->enabled = 0;
    card->counters.interrupts++;
    return true;
}

static void card_counters(void *state, struct nic_counters *counters)
{
    const struct ne2000 *card = state;

    *counters = card->counters;
    ne2000_rx_counters(card, counters);
}

static void card_describe(void *state, struct nic_description *description)
{
    (void)state;
    *description = (struct nic_description){
        .transport = "32-bit data port",
        .ring = "NE2000",
        .interrupts = "INTx",
    };
}

const struct nic_driver nic_ne2000 = {
    .name = "NE2000",
    .matches = card_matches,
    .open = card_open,
    .link = card_link,
    .window = card_window,
    .transmit = card_transmit,
    .has_room = card_has_room,
    .flush = card_flush,
    .reclaim = card_reclaim,
    .poll = card_poll,
    .release = card_release,
    .scarce = card_scarce,
    .set_groups = card_set_groups,
    .set_vlan = card_set_vlan,
    .interrupts_on = card_interrupts_on,
    .interrupt = card_interrupt,
    .counters = card_counters,
    .describe = card_describe,
};
