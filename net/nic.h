/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a network interface card offers the stack: one const table a driver, listed in net/nic.c.
 * Buffers are never copied on the way: see receive() and transmit().
 */
#ifndef NIC_H
#define NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pci/pci.h"

/* A piece of a frame to transmit. */
struct nic_part {
    const void *data;
    uint32_t length; /* bytes, not 0 */
};

/* Who uses the card. Called from the driver's poll() and close(), never from interrupt context. */
struct nic_client {
    /*
     * One buffer of a received frame, in order; `more` says that the frame goes on in the next
     * call. The client owns it until driver->release(state, buffer). buffer: points at
     * private_size bytes for the client's own use, which lie before data in one block of memory.
     */
    void (*receive)(void *context, void *buffer, void *data, uint32_t length, bool more);
    /* The card is done with a transmitted frame. */
    void (*transmitted)(void *context, void *cookie);
    void (*link)(void *context, bool up);
    void *context;
    uint32_t private_size; /* bytes */
};

/* What the statistics line shows; all count from the start and wrap. */
struct nic_counters {
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
    uint32_t interrupts, interrupts_spurious;
    uint32_t kicks, kicks_suppressed;
    uint32_t rx_buffers;       /* that exist now */
    uint32_t rx_buffers_bytes; /* of them */
    uint32_t rx_dropped, tx_full;
    uint32_t device_errors; /* things the card must not do */
};

/* `state` is what open() returned. */
struct nic_driver {
    const char *name;
    bool (*matches)(const struct pci_device *pci);
    /* Returns NULL, with the reason logged, where the card cannot be used. */
    void *(*open)(const struct pci_device *pci, const struct nic_client *client);
    const uint8_t *(*mac)(void *state); /* 6 bytes */
    bool (*link_up)(void *state);
    /* The card's number of bytes of headroom with which transmit() saves work. */
    unsigned (*headroom)(void *state);
    /*
     * Queues a frame. headroom: bytes before parts[0].data that may be written. The memory is the
     * card's until client->transmitted(cookie). Returns 0; NIC_FULL: try again after
     * transmitted(); NIC_PARTS: too many parts, join them; NIC_DOWN: the card is out of order.
     */
    int (*transmit)(void *state, const struct nic_part *parts, unsigned count, unsigned headroom,
                    void *cookie);
    unsigned (*room)(void *state); /* frames that would fit now */
    void (*flush)(void *state);    /* tells the card of the frames queued */
    /* Takes up to budget received frames and reclaims transmitted ones. Returns frames taken. */
    unsigned (*poll)(void *state, unsigned budget);
    void (*release)(void *state, void *buffer);
    /* Asks for an interrupt for the next frame received, and with tx for room to transmit. Returns
     * whether there is work already, so that no interrupt may come. */
    bool (*interrupts_on)(void *state, bool tx);
    /* The top half, from interrupt context. Returns whether the interrupt was this card's. */
    bool (*interrupt)(void *state);
    void (*counters)(void *state, struct nic_counters *counters);
};
enum {
    NIC_FULL = -1,
    NIC_PARTS = -2,
    NIC_DOWN = -3,
    NIC_PARTS_MAX = 15, /* parts that every driver takes */
};

/* A card that was found and opened. */
struct nic {
    const struct nic_driver *driver;
    void *state;
    struct pci_device pci;
};

/*
 * Finds the first card on PCI that a driver knows, opens it and connects its interrupt; `wake` is
 * called from interrupt context after the top half. Names on the console what it found and what it
 * leaves unused. Returns whether there is one.
 */
bool nic_open(struct nic *nic, const struct nic_client *client, void (*wake)(void));

extern const struct nic_driver nic_virtio;

#endif
