/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/ with all services and lwIP, started once: each input finds it as it was then. The card is one that
 * the input rules.
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
}; /* 10.0.0.2 and fd00::2, all offloads; asks a server, none */

/* As it was when it had started in that way. */
void stack_reset(unsigned which);

/* One pass of the loop, so many milliseconds later. */
void stack_pass(unsigned ms);

/* A frame comes in, in `buffers` buffers, and is handled in a pass. */
void stack_receive(const uint8_t *frame, size_t length, unsigned buffers,
                   const struct virtio_net_offload *offload);

/* All that the network does ends; after some minutes everything is as in the beginning. */
void stack_check_end(void);

/* The card. */
struct card {
    const struct nic_client *client;
    bool link;
    bool holds;  /* transmitted frames */
    bool scarce; /* it says that it has few receive buffers */
    uint32_t offloads;
    unsigned lent; /* receive buffers that the stack has */
    unsigned out;  /* frames in the transmit ring */
};
extern struct card card;

/* The link goes or comes. */
void card_set_link(bool up);

/* For the peer: a frame was sent. */
void peer_saw(const uint8_t *frame, size_t length);

#endif
