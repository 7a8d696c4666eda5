/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An 8255x network card at register level, with QEMU's ways: it does what it is told within the
 * access that tells it, and no more than 16 commands for each CU start or resume. Its memory is that
 * of fake_platform.h.
 */
#ifndef FAKE_I82559_H
#define FAKE_I82559_H

#include <stdbool.h>
#include <stdint.h>

#include "fake_pci.h"

struct fake_i82559 {
    /* To be set by the test. */
    uint16_t eeprom[64];
    bool deaf;           /* takes no commands */
    bool commands_lost;  /* forgets what it was told: commands are taken, and not done */
    bool link;           /* the PHY has one */
    uint16_t lie_status; /* of the next frame received, if not 0 */
    uint16_t lie_count;
    bool sees_end; /* the next frame is received as if its RFD still had the EL bit */

    /* What the driver did. */
    uint8_t mask, ack;
    uint8_t configuration[22], address[6], groups[1 + 6 * 64]; /* groups[0]: how many */
    unsigned resumes, starts, ru_starts;
    unsigned status_reads;
    unsigned sent;
    uint8_t frame[256][1600];
    unsigned length[256];

    /* Its state. */
    uint32_t pointer, cu_base, ru_base, cu_next, ru_next;
    uint8_t cu_state, ru_state, command;
    uint32_t mdi;
    uint8_t pins, shifted; /* clocks since the EEPROM was selected */
    bool started;          /* the start bit was seen */
    uint32_t input;
    bool output;
};

enum { FAKE_RU_READY = 4, FAKE_RU_NO_RESOURCES = 2, FAKE_CU_SUSPENDED = 1 };

/* Puts it on the bus, with this address in its EEPROM. memory: of its two BARs, only the one in
 * memory has room; else only that in I/O space. */
void fake_i82559_open(struct fake_i82559 *fake, const uint8_t mac[6], bool memory);

/* A frame comes in. Returns whether there was an RFD for it. */
bool fake_i82559_receive(struct fake_i82559 *fake, const void *frame, unsigned length);

/* Whether its interrupt line is up. */
bool fake_i82559_line(const struct fake_i82559 *fake);

/* Little-endian words in memory that the card can reach. */
uint16_t fake_i82559_get16(uint32_t address);
uint32_t fake_i82559_get32(uint32_t address);

#endif
