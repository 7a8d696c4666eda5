/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An NE2000 on fake_pci.h: a DP8390 with its memory, in slot 3. It fails the test if it is misused.
 */
#ifndef FAKE_DP8390_H
#define FAKE_DP8390_H

#include "fake_pci.h"

struct fake_dp8390 {
    struct fake_function *function;
    uint8_t memory[0xc000];
    unsigned memory_end; /* bytes; higher addresses mirror those 16 KiB below */
    uint8_t page[4][16]; /* as written */
    uint8_t cr, isr, imr, curr, bnry;
    uint16_t address, count; /* of the remote DMA */
    bool slow;               /* frames are sent by fake_dp8390_sent() instead of at once */
    bool dead;               /* a reset never completes */
    unsigned resets, starts, words;
    uint8_t sent[64][1520];
    uint16_t sent_length[64];
    unsigned sent_count;
};
extern struct fake_dp8390 fake_dp8390;

/* Creates a machine with only this card. */
void fake_dp8390_create(void);

/* Receives a frame. length: bytes without CRC. Returns false if the ring had no room. */
bool fake_dp8390_receive(const void *frame, unsigned length);

/* Completes the current transmission. */
void fake_dp8390_sent(void);

/* True if its interrupt line is asserted. */
bool fake_dp8390_line(void);

#endif
