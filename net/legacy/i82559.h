/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the i82559 driver among themselves; net/nic.h is its interface. */
#ifndef I82559_H
#define I82559_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/legacy/i82559_spec.h"
#include "net/nic.h"

enum {
    I82559_TX_FRAMES = 128, /* command blocks, as Linux and FreeBSD have */
    /* Posted receive buffers: Linux's number. A TCP connection fills half of them each way. */
    I82559_RFDS = 256,
    I82559_RX_MEMORY = 2 << 20, /* bytes of receive buffers that may exist, by default: virtio's */
    I82559_FRAME_MAX = 1518,    /* bytes, with a VLAN tag, without the FCS */
    I82559_RX_ROOM = 1520,      /* more than any good frame has */
};

/* A receive buffer: this, the client's private bytes, the RFD and the frame, in one block. */
struct i82559_buffer {
    struct i82559_buffer *next; /* posted, or kept */
    uint8_t private[];
};

struct i82559 {
    struct vpci_region csr;
    const struct nic_client *client;
    uint8_t mac[6];
    uint8_t phy; /* its address */
    bool all_groups;
    bool down; /* it does not take commands any more */
    bool link_up, full_duplex;
    uint32_t speed; /* Mbit/s */
    uint64_t link_seen_ns;

    /* Shared with the top half. */
    volatile bool masked;      /* its interrupts are off */
    volatile bool interrupted; /* since the last pass */

    /* Receiving: a list of posted buffers, the last of which has the EL bit. */
    struct i82559_buffer *rx_head, *rx_tail;
    struct i82559_buffer *rx_kept;
    uint32_t rx_kept_count, rx_posted;
    uint32_t rfd_offset;  /* bytes from a buffer's start */
    uint32_t buffer_size; /* bytes */
    uint32_t rx_limit;    /* buffers that may be posted */
    uint32_t rx_buffers, rx_peak, rx_buffers_max;
    bool ru_stopped; /* it has to be started again */

    /* Transmitting: a ring of command blocks; the CU is suspended on `last`. */
    struct i82559_txcb *tx;
    struct i82559_action *action; /* the command that is none of the ring's */
    struct i82559_cb *last;
    uint16_t last_command; /* of that, without its S bit */
    uint32_t tx_next, tx_oldest, tx_in_flight;
    uint32_t tx_unannounced; /* of those in flight: the card has not been told */
    void *cookie[I82559_TX_FRAMES];

    struct nic_counters counters;
};

/* i82559_control.c: resets it, reads its EEPROM. Returns false, with the reason logged. */
bool i82559_start(struct i82559 *card);

/* Gives the CU or the RU a command, with this bus address. The card takes it, or is down. */
void i82559_command(struct i82559 *card, uint8_t command, uint32_t address);

/* Commands that are waited for: false: it did not do it in time. */
bool i82559_configure(struct i82559 *card);
bool i82559_set_address(struct i82559 *card);
bool i82559_set_groups(struct i82559 *card, const uint8_t (*groups)[6], unsigned count);

/* Whether the link came or went since the last time. */
bool i82559_link_changed(struct i82559 *card);

/* i82559_rx.c: makes the buffers and starts the RU. */
bool i82559_rx_open(struct i82559 *card);
void i82559_rx_close(struct i82559 *card);

/* Whether a frame has come that i82559_rx_poll() would take. */
bool i82559_rx_ready(const struct i82559 *card);
unsigned i82559_rx_poll(struct i82559 *card, unsigned budget);
void i82559_release(struct i82559 *card, void *private);
bool i82559_scarce(const struct i82559 *card);
/* Frames under way for which there are RFDs: nic_driver.window's. */
uint32_t i82559_window(const struct i82559 *card, bool sending);

/* Starts the RU again where `status`, the SCB's, says that it has no RFDs, and there are some. */
void i82559_rx_restart(struct i82559 *card, uint16_t status);

/* i82559_tx.c */
bool i82559_tx_open(struct i82559 *card);
void i82559_tx_close(struct i82559 *card);
int i82559_transmit(struct i82559 *card, const struct virtqueue_part *parts, unsigned count,
                    void *cookie);
void i82559_flush(struct i82559 *card);

/* Whether a frame is done that i82559_reclaim() would return. */
bool i82559_tx_ready(const struct i82559 *card);
unsigned i82559_reclaim(struct i82559 *card);

/* Starts the CU again where `status`, the SCB's, says that it has left a frame undone. */
void i82559_tx_restart(struct i82559 *card, uint16_t status);

/* Puts the command block after the one on which the CU is suspended. command: without its S bit. */
void i82559_append(struct i82559 *card, struct i82559_cb *cb, uint16_t command);

/* What comes before it in the program is in memory before what comes after. */
static inline void i82559_write_barrier(void)
{
    atomic_thread_fence(memory_order_release);
}

/* What comes after it is read after what came before. */
static inline void i82559_read_barrier(void)
{
    atomic_thread_fence(memory_order_acquire);
}

#endif
