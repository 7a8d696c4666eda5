/* SPDX-License-Identifier: BSD-2-Clause */
/* An NE2000 on fake_pci.h: a DP8390 with its memory, at slot 3. It fails a test that misuses it. */
#ifndef FAKE_DP8390_H
#define FAKE_DP8390_H

#include "fake_pci.h"

struct fake_dp8390 {
    struct fake_function *function;
    uint8_t memory[0xc000];
    unsigned memory_end; /* bytes; addresses beyond are those 16 KiB before */
    uint8_t page[4][16]; /* as written */
    uint8_t cr, isr, imr, curr, bnry;
    uint16_t address, count; /* of the remote DMA */
    bool slow;               /* a frame is sent when fake_dp8390_sent() says so, not at once */
    bool dead;               /* does not come out of reset */
    unsigned resets, starts, words;
    uint8_t sent[64][1520];
    uint16_t sent_length[64];
    unsigned sent_count;
};
extern struct fake_dp8390 fake_dp8390;

/* An empty PCI machine with the card in it. */
void fake_dp8390_create(void);

/* A frame arrives. length: bytes without CRC. Returns whether there was room in the ring. */
bool fake_dp8390_receive(const void *frame, unsigned length);

/* The frame under way has been sent. */
void fake_dp8390_sent(void);

/* Whether its interrupt line is up. */
bool fake_dp8390_line(void);

#endif
