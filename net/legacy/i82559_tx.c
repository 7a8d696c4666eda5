/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The i82559's transmit side: a ring of command blocks with fixed links. The card executes them up
 * to the one with the S bit, on which it suspends. A block is appended by clearing that S bit,
 * followed by CU resume.
 */
#include "arch/arch.h"
#include "net/legacy/i82559.h"
#include "runtime/memory.h"

enum { CB_ALIGN = 16 };

bool i82559_tx_open(struct i82559 *card)
{
    const size_t size = sizeof *card->tx * I82559_TX_FRAMES;

    card->tx = memory_alloc(size, CB_ALIGN);
    card->action = memory_alloc(sizeof *card->action, CB_ALIGN);
    if (card->tx == NULL || card->action == NULL) {
        return false;
    }
    memset(card->tx, 0, size);
    memset(card->action, 0, sizeof *card->action);
    for (unsigned i = 0; i < I82559_TX_FRAMES; i++) {
        struct i82559_txcb *tx = &card->tx[i];

        le16_write(&tx->cb.command, I82559_CB_NOP | I82559_CB_S);
        le32_write(&tx->cb.link, arch_bus_address(&card->tx[(i + 1) % I82559_TX_FRAMES]));
        le32_write(&tx->tbd_array, arch_bus_address(tx->tbd));
        tx->threshold = I82559_THRESHOLD;
    }
    return true;
}

void i82559_tx_close(struct i82559 *card)
{
    memory_free(card->tx);
    memory_free(card->action);
}

void i82559_append(struct i82559 *card, struct i82559_cb *cb, uint16_t command)
{
    le16_write(&cb->status, 0);
    le16_write(&cb->command, command | I82559_CB_S);
    if (card->last != NULL) {
        i82559_write_barrier(); /* the block must be complete in memory before the card can reach
                                 * it */
        le16_write(&card->last->command, card->last_command);
    }
    card->last = cb;
    card->last_command = command;
}

int i82559_transmit(struct i82559 *card, const struct virtqueue_part *parts, unsigned count,
                    void *cookie)
{
    struct i82559_txcb *tx = &card->tx[card->tx_next];
    uint32_t bytes = 0;

    if (card->down) {
        return NIC_DOWN;
    }
    if (count > I82559_TBDS) {
        return NIC_PARTS;
    }
    /* One block stays unused, as the CU may be suspended on it. */
    if (card->tx_in_flight == I82559_TX_FRAMES - 1) {
        card->counters.tx.full++;
        return NIC_FULL;
    }
    for (unsigned i = 0; i < count; i++) {
        le32_write(&tx->tbd[i].address, arch_bus_address(parts[i].data));
        le16_write(&tx->tbd[i].size, (uint16_t)parts[i].length);
        le16_write(&tx->tbd[i].end, i + 1 == count);
        bytes += parts[i].length;
    }
    tx->tbd_count = (uint8_t)count;
    i82559_append(card, &tx->cb, I82559_CB_TRANSMIT | I82559_CB_FLEXIBLE | I82559_CB_I);
    card->cookie[card->tx_next] = cookie;
    card->tx_next = (card->tx_next + 1) % I82559_TX_FRAMES;
    card->tx_in_flight++;
    card->counters.tx.packets++;
    card->counters.tx.bytes += bytes;
    if (++card->tx_unannounced == I82559_FRAMES_A_KICK) {
        i82559_flush(card);
    }
    return 0;
}

/*
 * If the card still works on earlier frames, it may pass the cleared S bit and suspend on the new
 * frame before the resume arrives. It then reads that frame's S bit again, finds it set, and
 * remains suspended.
 */
void i82559_flush(struct i82559 *card)
{
    if (card->tx_unannounced != 0) {
        card->tx_unannounced = 0;
        card->counters.tx.kicks++;
        i82559_command(card, I82559_CU_RESUME, 0);
    }
}

bool i82559_tx_ready(const struct i82559 *card)
{
    return card->tx_in_flight != 0 &&
           le16_read(&card->tx[card->tx_oldest].cb.status) & I82559_STATUS_C;
}

unsigned i82559_reclaim(struct i82559 *card)
{
    unsigned count = 0;

    while (i82559_tx_ready(card)) {
        struct i82559_cb *cb = &card->tx[card->tx_oldest].cb;
        void *cookie = card->cookie[card->tx_oldest];

        if (cb == card->last) {
            card->last_command = I82559_CB_NOP;
        }
        /* If the card executes this block again, it sends nothing and suspends. */
        le16_write(&cb->command, I82559_CB_NOP | I82559_CB_S);
        card->tx_oldest = (card->tx_oldest + 1) % I82559_TX_FRAMES;
        card->tx_in_flight--;
        count++;
        card->client->transmitted(card->client->context, cookie);
    }
    return count;
}

void i82559_tx_restart(struct i82559 *card, uint16_t status)
{
    if (card->tx_in_flight > card->tx_unannounced && !(status & I82559_CU_ACTIVE) &&
        !i82559_tx_ready(card)) {
        card->tx_unannounced = 0;
        card->counters.tx.kicks_saved++;
        card->counters.tx.kicks++;
        i82559_command(card, I82559_CU_START, arch_bus_address(&card->tx[card->tx_oldest]));
    }
}
