/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver of net/nic.h for Intel's 8255x family, which includes the 82559. It is a baseline to
 * compare virtio with, so it uses the hardware well: frames are not copied in either direction, the
 * card is notified once per burst of frames, and interrupts are disabled while there is work.
 */
#include <stdio.h>

#include "arch/arch.h"
#include "net/legacy/i82559.h"
#include "runtime/memory.h"

enum {
    MTU = 1500,
    SEGMENT = MTU - 40, /* bytes of TCP data per frame */
};

static bool card_matches(const struct vpci_device *pci)
{
    return pci->vendor == I82559_VENDOR &&
           (pci->device == I82559_DEVICE || pci->device == I82559_DEVICE_ER);
}

static bool open_registers(struct i82559 *card, const struct vpci_device *pci)
{
    struct vpci_device device = *pci;

    vpci_setup_bars(&device);
    if (!vpci_map(&device, I82559_BAR_MEMORY, 0, I82559_REGISTERS, &card->csr) &&
        !vpci_map(&device, I82559_BAR_IO, 0, I82559_REGISTERS, &card->csr)) {
        printf("vtnet: i82559: its registers have no address\n");
        return false;
    }
    vpci_enable(&device);
    return true;
}

static bool bring_up(struct i82559 *card, const struct vpci_device *pci)
{
    if (!open_registers(card, pci) || !i82559_start(card)) {
        return false;
    }
    if (card->client->mac != NULL) {
        memcpy(card->mac, card->client->mac, sizeof card->mac);
    }
    if (!i82559_tx_open(card)) {
        printf("vtnet: i82559: no memory for command blocks\n");
        return false;
    }
    return i82559_configure(card) && i82559_set_address(card) && i82559_set_groups(card, NULL, 0) &&
           i82559_rx_open(card);
}

static void *card_open(const struct vpci_device *pci, const struct nic_client *client,
                       struct nic_info *info)
{
    struct i82559 *card = memory_alloc(sizeof *card, sizeof(uint64_t));

    if (card == NULL) {
        printf("vtnet: no memory for the network card\n");
        return NULL;
    }
    *card = (struct i82559){
        .client = client,
        .rx_buffers_max =
            client->config->rx_memory != 0 ? client->config->rx_memory : (unsigned)I82559_RX_MEMORY,
    };
    if (!bring_up(card, pci)) {
        if (card->csr.size != 0) {
            vpci_write32(&card->csr, I82559_PORT, I82559_PORT_SOFTWARE_RESET);
        }
        i82559_rx_close(card);
        i82559_tx_close(card);
        memory_free(card);
        return NULL;
    }
    (void)i82559_link_changed(card);
    printf("vtnet: i82559: revision %u, registers in %s, %u RFDs of %u bytes, %u TxCBs\n",
           pci->revision, card->csr.io ? "I/O space" : "memory", (unsigned)card->rx_limit,
           (unsigned)card->buffer_size, (unsigned)I82559_TX_FRAMES);
    info->mtu = MTU;
    memcpy(info->mac, card->mac, sizeof info->mac);
    return card;
}

static void card_link(void *state, struct nic_link *link)
{
    const struct i82559 *card = state;

    *link = (struct nic_link){
        .up = card->link_up,
        .speed = card->speed,
        .duplex = card->full_duplex ? NIC_DUPLEX_FULL : NIC_DUPLEX_HALF,
    };
}

static uint32_t card_window(void *state, bool sending)
{
    return i82559_window(state, sending) * (uint32_t)SEGMENT;
}

static int card_transmit(void *state, struct virtqueue_part *parts, unsigned count,
                         unsigned headroom, const struct virtio_net_offload *offload, void *cookie)
{
    (void)headroom;
    (void)offload;
    return i82559_transmit(state, parts, count, cookie);
}

static bool card_has_room(void *state, unsigned frames, unsigned parts, unsigned spare)
{
    const struct i82559 *card = state;

    (void)parts;
    return frames + spare <= I82559_TX_FRAMES - 1 - card->tx_in_flight;
}

static void card_flush(void *state)
{
    i82559_flush(state);
}

static void card_reclaim(void *state)
{
    (void)i82559_reclaim(state);
}

static unsigned card_poll(void *state, unsigned budget)
{
    struct i82559 *card = state;
    bool interrupted = card->interrupted;
    unsigned reclaimed, frames;

    card->interrupted = false;
    reclaimed = i82559_reclaim(card);
    frames = i82559_rx_poll(card, budget);
    if (frames == 0 && i82559_link_changed(card)) {
        card->client->link(card->client->context, card->link_up);
    }
    if (interrupted) {
        card->counters.rx.interrupts += frames != 0;
        card->counters.tx.interrupts += reclaimed != 0;
        card->counters.interrupts_spurious += frames + reclaimed == 0;
    }
    return frames;
}

static void card_release(void *state, void *buffer)
{
    i82559_release(state, buffer);
}

static bool card_scarce(void *state)
{
    return i82559_scarce(state);
}

static bool card_set_groups(void *state, const uint8_t (*groups)[6], unsigned count)
{
    return i82559_set_groups(state, groups, count);
}

/* The card receives all VLANs. */
static bool card_set_vlan(void *state, uint16_t vlan, bool on)
{
    (void)state;
    (void)vlan;
    (void)on;
    return true;
}

/*
 * Clears the old causes, so that only new events interrupt, and then looks for work that arrived
 * before. The read of the status returns after all earlier writes of the card have reached memory.
 */
static bool card_interrupts_on(void *state, bool tx)
{
    struct i82559 *card = state;
    uint8_t mask = I82559_MASK_CNA | I82559_MASK_ER | I82559_MASK_FCP;
    uint16_t status;

    /*
     * Buffers may be with the card as transmitted frames. They come back only when somebody polls.
     */
    tx |= card->rx_posted < card->rx_limit;
    if (!tx) {
        mask |= I82559_MASK_CX;
    }
    vpci_write8(&card->csr, I82559_SCB_ACK, UINT8_MAX);
    status = vpci_read16(&card->csr, I82559_SCB_STATUS);
    i82559_read_barrier();
    i82559_rx_restart(card, status);
    i82559_tx_restart(card, status);
    if (i82559_rx_ready(card) || (tx && i82559_tx_ready(card))) {
        return true;
    }
    card->masked = false;
    vpci_write8(&card->csr, I82559_SCB_MASK, mask);
    return false;
}

/* Acknowledges all causes: an unused one would also keep the line asserted. */
static bool card_interrupt(void *state)
{
    struct i82559 *card = state;
    uint8_t causes;

    if (card->masked) {
        return false;
    }
    causes = vpci_read8(&card->csr, I82559_SCB_ACK);
    if (causes == 0 || causes == UINT8_MAX) { /* another device's interrupt, or the card is gone */
        return false;
    }
    card->masked = true;
    vpci_write8(&card->csr, I82559_SCB_MASK, I82559_MASK_ALL);
    vpci_write8(&card->csr, I82559_SCB_ACK, causes);
    card->interrupted = true;
    card->counters.interrupts++;
    return true;
}

static void card_counters(void *state, struct nic_counters *counters)
{
    const struct i82559 *card = state;

    *counters = card->counters;
    counters->rx_posted = card->rx_posted;
    counters->rx_limit = card->rx_limit;
    counters->rx_limit_peak = card->rx_limit;
    counters->rx_initial = card->rx_limit;
    counters->rx_maximum = card->rx_limit;
    counters->rx_buffers = card->rx_buffers;
    counters->rx_buffers_peak = card->rx_peak;
    counters->rx_buffers_max = card->rx_buffers_max;
    counters->rx_held = (uint64_t)card->rx_buffers * card->buffer_size;
    counters->rx_held_peak = (uint64_t)card->rx_peak * card->buffer_size;
}

static void card_describe(void *state, struct nic_description *description)
{
    const struct i82559 *card = state;

    *description = (struct nic_description){
        .transport = card->csr.io ? "SCB in I/O space" : "SCB in memory",
        .ring = "TxCB and RFD lists",
        .interrupts = "INTx",
    };
}

const struct nic_driver nic_i82559 = {
    .name = "i82559",
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
