/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An 8255x network card at register level that behaves like QEMU's: it executes commands within the
 * access that starts them, at most 16 per CU start or resume. Its memory is that of
 * fake_platform.h.
 */
#ifndef FAKE_I82559_H
#define FAKE_I82559_H

#include <stdbool.h>
#include <stdint.h>

#include "fake_pci.h"

struct fake_i82559 {
    /* Set by the test. */
    uint16_t eeprom[64];
    bool deaf;           /* accepts no commands */
    bool commands_lost;  /* accepts commands but never executes them */
    bool link;           /* state of the PHY's link */
    uint16_t lie_status; /* status of the next received frame, unless 0 */
    uint16_t lie_count;
    bool sees_end; /* handles the next frame as if its RFD still had the EL bit */

    /* Set by the driver. */
    uint8_t mask, ack;
    uint8_t configuration[22], address[6], groups[1 + 6 * 64]; /* groups[0]: their number */
    unsigned resumes, starts, ru_starts;
    unsigned status_reads;
    unsigned sent;
    uint8_t frame[256][1600];
    unsigned length[256];

    /* Internal state. */
    uint32_t pointer, cu_base, ru_base, cu_next, ru_next;
    uint8_t cu_state, ru_state, command;
    uint32_t mdi;
    uint8_t pins, shifted; /* clocks since the EEPROM was selected */
    bool started;          /* the start bit has been received */
    uint32_t input;
    bool output;
};

enum { FAKE_RU_READY = 4, FAKE_RU_NO_RESOURCES = 2, FAKE_CU_SUSPENDED = 1 };

/*
 * Puts the card on the bus, with this address in its EEPROM. memory: only its BAR in memory space
 * has room; else only the one in I/O space.
 */
void fake_i82559_open(struct fake_i82559 *fake, const uint8_t mac[6], bool memory);

/* Receives a frame. Returns false if there was no RFD for it. */
bool fake_i82559_receive(struct fake_i82559 *fake, const void *frame, unsigned length);

/* True if its interrupt line is asserted. */
bool fake_i82559_line(const struct fake_i82559 *fake);

/* Little-endian words in memory that the card can access. */
uint16_t fake_i82559_get16(uint32_t address);
uint32_t fake_i82559_get32(uint32_t address);

#endif
