/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/ with all services and lwIP, started once. Each input begins with that state. The input
 * controls the card.
 */
#ifndef FUZZ_STACK_H
#define FUZZ_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/nic.h"

enum {
    STACK_STATIC = 1,
    STACK_DHCP = 2
}; /* 10.0.0.2 and fd00::2, all offloads; DHCP, no offloads */

/* Restores the state after this kind of start. */
void stack_reset(unsigned which);

/* Runs a pass of the loop, this many milliseconds later. */
void stack_pass(unsigned ms);

/* Receives a frame in `buffers` buffers and handles it in a pass. */
void stack_receive(const uint8_t *frame, size_t length, unsigned buffers,
                   const struct virtio_net_offload *offload);

/* Ends all network activity. Checks that after some minutes the state is as at the start. */
void stack_check_end(void);

/* The card. */
struct card {
    const struct nic_client *client;
    bool link;
    bool holds;  /* transmitted frames */
    bool scarce; /* it reports that receive buffers are scarce */
    uint32_t offloads;
    unsigned lent; /* receive buffers that the stack holds */
    unsigned out;  /* frames in the transmit ring */
};
extern struct card card;

/* Changes the link state. */
void card_set_link(bool up);

/* For the peer: called with each frame sent. */
void peer_saw(const uint8_t *frame, size_t length);

#endif
