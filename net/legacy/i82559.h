/* SPDX-License-Identifier: BSD-2-Clause */
/* The interfaces between the files of the i82559 driver; net/nic.h has its public interface. */
#ifndef I82559_H
#define I82559_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/legacy/i82559_spec.h"
#include "net/nic.h"

enum {
    I82559_TX_FRAMES = 128, /* command blocks, as in Linux and FreeBSD */
    /*
     * Posted receive buffers, as in Linux. A TCP connection fills half of them in each direction.
     */
    I82559_RFDS = 256,
    I82559_RX_MEMORY = 2 << 20, /* limit of all receive buffers, bytes; the default of the virtio
                                 * driver */
    I82559_FRAME_MAX = 1518,    /* bytes, with a VLAN tag, without the FCS */
    I82559_RX_ROOM = 1520,      /* more than the longest valid frame */
};

/*
 * A receive buffer: one block with this header, the client's private bytes, the RFD and the frame.
 */
struct i82559_buffer {
    struct i82559_buffer *next; /* in the list of posted or of kept buffers */
    uint8_t private[];
};

struct i82559 {
    struct vpci_region csr;
    const struct nic_client *client;
    uint8_t mac[6];
    uint8_t phy; /* MDI address of the PHY */
    bool all_groups;
    bool down; /* the card no longer accepts commands */
    bool link_up, full_duplex;
    uint32_t speed; /* Mbit/s */
    uint64_t link_seen_ns;

    /* Written by the top half too. */
    volatile bool masked;      /* the card's interrupts are disabled */
    volatile bool interrupted; /* since the last poll */

    /* Receiving: a list of posted buffers. The last one has the EL bit. */
    struct i82559_buffer *rx_head, *rx_tail;
    struct i82559_buffer *rx_kept;
    uint32_t rx_kept_count, rx_posted;
    uint32_t rfd_offset;  /* from the start of a buffer, bytes */
    uint32_t buffer_size; /* bytes */
    uint32_t rx_limit;    /* most buffers posted at once */
    uint32_t rx_buffers, rx_peak, rx_buffers_max;
    bool ru_stopped; /* the RU must be restarted */

    /* Transmitting: a ring of command blocks. The CU is suspended on `last`. */
    struct i82559_txcb *tx;
    struct i82559_action *action; /* the command block outside of the ring */
    struct i82559_cb *last;
    uint16_t last_command; /* the command of `last` without its S bit */
    uint32_t tx_next, tx_oldest, tx_in_flight;
    uint32_t tx_unannounced; /* frames in flight of which the card has not been notified */
    void *cookie[I82559_TX_FRAMES];

    struct nic_counters counters;
};

/*
 * i82559_control.c: resets the card and reads its EEPROM. On an error it prints the reason and
 * returns false.
 */
bool i82559_start(struct i82559 *card);

/*
 * Gives a command with this bus address to the CU or the RU. If the card does not accept it, the
 * card is marked down.
 */
void i82559_command(struct i82559 *card, uint8_t command, uint32_t address);

/* Commands that wait for their completion. Return false on a timeout. */
bool i82559_configure(struct i82559 *card);
bool i82559_set_address(struct i82559 *card);
bool i82559_set_groups(struct i82559 *card, const uint8_t (*groups)[6], unsigned count);

/* True if the link has changed since the last call. */
bool i82559_link_changed(struct i82559 *card);

/* i82559_rx.c: allocates the buffers and starts the RU. */
bool i82559_rx_open(struct i82559 *card);
void i82559_rx_close(struct i82559 *card);

/* True if i82559_rx_poll() has a frame to take. */
bool i82559_rx_ready(const struct i82559 *card);
unsigned i82559_rx_poll(struct i82559 *card, unsigned budget);
void i82559_release(struct i82559 *card, void *private);
bool i82559_scarce(const struct i82559 *card);
/* Segments in flight for which there are RFDs: for nic_driver.window. */
uint32_t i82559_window(const struct i82559 *card, bool sending);

/* Restarts the RU if `status`, the SCB's, says that it ran out of RFDs and there are free ones. */
void i82559_rx_restart(struct i82559 *card, uint16_t status);

/* i82559_tx.c */
bool i82559_tx_open(struct i82559 *card);
void i82559_tx_close(struct i82559 *card);
int i82559_transmit(struct i82559 *card, const struct virtqueue_part *parts, unsigned count,
                    void *cookie);
void i82559_flush(struct i82559 *card);

/* True if i82559_reclaim() has a frame to return. */
bool i82559_tx_ready(const struct i82559 *card);
unsigned i82559_reclaim(struct i82559 *card);

/* Restarts the CU if `status`, the SCB's, says that it is idle with a frame left to send. */
void i82559_tx_restart(struct i82559 *card, uint16_t status);

/* Appends a command block to the one on which the CU is suspended. command: without its S bit. */
void i82559_append(struct i82559 *card, struct i82559_cb *cb, uint16_t command);

/* Orders earlier reads and writes before later writes. */
static inline void i82559_write_barrier(void)
{
    atomic_thread_fence(memory_order_release);
}

/* Orders earlier reads before later reads and writes. */
static inline void i82559_read_barrier(void)
{
    atomic_thread_fence(memory_order_acquire);
}

#endif
