/* SPDX-License-Identifier: BSD-2-Clause */
/* The i82559's registers: reset, EEPROM, PHY, and the commands other than transmit. */
#include <stdio.h>

#include "arch/arch.h"
#include "net/legacy/i82559.h"

enum {
    RESET_US = 10,
    EEPROM_HALF_CLOCK_US = 1,
    EEPROM_READ = 6, /* start bit and opcode */
    EEPROM_READ_BITS = 3,
    ADDRESS_BITS_MAX = 8,
    WAIT_US = 20000, /* timeout for operations of a few microseconds; an MDI access takes 64 */
    LINK_PERIOD_MS = 2000,
};

static void wait_us(unsigned us)
{
    uint64_t start = arch_clock_ns();

    while (arch_clock_ns() - start < (uint64_t)us * 1000) {
        arch_pause();
    }
}

/* True if WAIT_US have passed since start_ns. *start_ns is 0 before the first call. */
static bool is_late(uint64_t *start_ns)
{
    uint64_t now = arch_clock_ns();

    if (*start_ns == 0) {
        *start_ns = now;
    }
    return now - *start_ns > (uint64_t)WAIT_US * 1000;
}

static void declare_down(struct i82559 *card, const char *what)
{
    if (!card->down) {
        printf("vtnet: i82559: the card %s: it is not used any more\n", what);
    }
    card->down = true;
}

/* The card has accepted a command when the command byte is 0 again. */
void i82559_command(struct i82559 *card, uint8_t command, uint32_t address)
{
    uint64_t since = 0;

    while (!card->down && vpci_read8(&card->csr, I82559_SCB_COMMAND) != 0) {
        if (is_late(&since)) {
            declare_down(card, "takes no commands");
        }
    }
    if (card->down) {
        return;
    }
    if (command != I82559_CU_RESUME) {
        vpci_write32(&card->csr, I82559_SCB_POINTER, address);
    }
    vpci_write8(&card->csr, I82559_SCB_COMMAND, command);
}

static void set_eeprom_pins(struct i82559 *card, uint8_t pins)
{
    vpci_write8(&card->csr, I82559_EEPROM, pins);
    wait_us(EEPROM_HALF_CLOCK_US);
}

/* Clocks one bit into the EEPROM. Returns the bit that it outputs. */
static unsigned clock_eeprom(struct i82559 *card, unsigned bit)
{
    uint8_t pins = (uint8_t)(I82559_EECS | (bit ? I82559_EEDI : 0));

    set_eeprom_pins(card, pins);
    set_eeprom_pins(card, pins | I82559_EESK);
    return (vpci_read8(&card->csr, I82559_EEPROM) & I82559_EEDO) != 0;
}

/*
 * Reads a word of the EEPROM. *address_bits: the length of its addresses; 0: unknown. The EEPROM
 * answers the last address bit with a 0, so the length is then found and stored. Returns false if
 * there is no answer.
 */
static bool read_eeprom(struct i82559 *card, unsigned address, unsigned *address_bits,
                        uint16_t *word)
{
    unsigned bits = *address_bits != 0 ? *address_bits : ADDRESS_BITS_MAX;
    unsigned sent = 0;
    bool answered = false;

    set_eeprom_pins(card, I82559_EECS);
    for (unsigned i = EEPROM_READ_BITS; i-- > 0;) {
        clock_eeprom(card, EEPROM_READ >> i & 1);
    }
    while (sent < bits && !answered) {
        sent++;
        answered = clock_eeprom(card, address >> (bits - sent) & 1) == 0;
    }
    *word = 0;
    for (unsigned i = 0; answered && i < 16; i++) {
        *word = (uint16_t)(*word << 1 | clock_eeprom(card, 0));
    }
    set_eeprom_pins(card, 0);
    *address_bits = sent;
    return answered;
}

/* Reads the station's address and the PHY's, and verifies the checksum of the EEPROM. */
static bool read_identity(struct i82559 *card)
{
    unsigned address_bits = 0;
    uint16_t sum = 0;
    uint16_t word;
    bool there = read_eeprom(card, 0, &address_bits, &word); /* address 0, so that its length
                                                              * does not matter */

    for (unsigned i = 0; there && i < 1u << address_bits; i++) {
        there = read_eeprom(card, i, &address_bits, &word);
        sum = (uint16_t)(sum + word);
        if (i < 3) {
            card->mac[2 * i] = (uint8_t)word;
            card->mac[2 * i + 1] = (uint8_t)(word >> 8);
        } else if (i == I82559_EEPROM_PHY) {
            card->phy = word & 0x1f;
        }
    }
    if (!there || sum != I82559_EEPROM_SUM) {
        printf("vtnet: i82559: the EEPROM %s\n",
               there ? "has a wrong checksum" : "does not answer");
    }
    return there && sum == I82559_EEPROM_SUM;
}

bool i82559_start(struct i82559 *card)
{
    static const uint8_t resets[] = {I82559_PORT_SELECTIVE_RESET, I82559_PORT_SOFTWARE_RESET};

    /*
     * The selective reset takes the card off the bus: a software reset must not happen during a
     * transfer.
     */
    for (size_t i = 0; i < sizeof resets; i++) {
        vpci_write32(&card->csr, I82559_PORT, resets[i]);
        wait_us(RESET_US);
    }
    vpci_write8(&card->csr, I82559_SCB_MASK, I82559_MASK_ALL);
    card->masked = true;
    if (!read_identity(card)) {
        return false;
    }
    i82559_command(card, I82559_CU_LOAD_BASE, 0);
    i82559_command(card, I82559_RU_LOAD_BASE, 0);
    return !card->down;
}

/* True if the card has completed all commands. */
static bool is_quiet(const struct i82559 *card)
{
    return (card->last == NULL || le16_read(&card->last->status) & I82559_STATUS_C) &&
           !(vpci_read16(&card->csr, I82559_SCB_STATUS) & I82559_CU_ACTIVE);
}

/*
 * Executes card->action between frames. It waits for the earlier frames; later frames follow it in
 * the list.
 */
static bool act(struct i82559 *card, uint16_t command)
{
    struct i82559_cb *cb = &card->action->cb;
    uint64_t since = 0;

    i82559_flush(card);
    while (!is_quiet(card)) {
        if (card->down || is_late(&since)) {
            return false;
        }
    }
    le32_write(&cb->link, arch_bus_address(&card->tx[card->tx_next]));
    card->last = NULL;
    i82559_append(card, cb, command);
    i82559_command(card, I82559_CU_START, arch_bus_address(cb));
    card->counters.ctrl.kicks++;
    since = 0;
    while (!is_quiet(card)) {
        if (card->down || is_late(&since)) {
            declare_down(card, "does not do what it is told");
            return false;
        }
    }
    return true;
}

bool i82559_configure(struct i82559 *card)
{
    const uint8_t bytes[I82559_CONFIGURE_BYTES] = {
        [0] = I82559_CONFIGURE_BYTES,
        [1] = 0x08,  /* receive FIFO threshold */
        [6] = 0x3a,  /* standard TxCB and counters; CNA only when idle */
        [7] = 0x03,  /* discard short frames; retry once after an underrun */
        [8] = 0x01,  /* MII */
        [10] = 0x2e, /* the frame includes the source address; preamble of 7 bytes */
        [12] = 0x60, /* inter-frame spacing */
        [14] = 0xf2,
        [15] = 0x48, /* not promiscuous */
        [17] = 0x40,
        [18] = 0xfa, /* pad short frames; frames with a VLAN tag are not too long */
        [19] = 0x80, /* the PHY determines the duplex mode */
        [20] = 0x3f,
        [21] = (uint8_t)(0x05 | (card->all_groups ? 0x08 : 0)), /* accept all multicast */
    };

    memcpy(card->action->parameters, bytes, sizeof bytes);
    return act(card, I82559_CB_CONFIGURE);
}

bool i82559_set_address(struct i82559 *card)
{
    memcpy(card->action->parameters, card->mac, sizeof card->mac);
    return act(card, I82559_CB_ADDRESS);
}

bool i82559_set_groups(struct i82559 *card, const uint8_t (*groups)[6], unsigned count)
{
    bool all = count > I82559_GROUPS_MAX;
    uint8_t *at = card->action->parameters;
    unsigned bytes = all ? 0 : count * 6;

    if (card->all_groups != all) {
        card->all_groups = all;
        if (!i82559_configure(card)) {
            card->all_groups = !all; /* so that the next call tries again */
            return false;
        }
    }
    at[0] = (uint8_t)bytes;
    at[1] = (uint8_t)(bytes >> 8);
    if (bytes != 0) {
        memcpy(at + 2, groups, bytes);
    }
    return act(card, I82559_CB_MULTICAST);
}

/* Reads a register of the PHY. Returns 0 on a timeout. */
static uint16_t read_phy(struct i82559 *card, unsigned number)
{
    uint64_t since = 0;
    uint32_t value;

    vpci_write32(&card->csr, I82559_MDI,
                 I82559_MDI_READ | (uint32_t)card->phy << I82559_MDI_PHY_SHIFT |
                     number << I82559_MDI_REGISTER_SHIFT);
    do {
        value = vpci_read32(&card->csr, I82559_MDI);
    } while (!(value & I82559_MDI_READY) && !is_late(&since));
    return value & I82559_MDI_READY ? (uint16_t)value : 0;
}

bool i82559_link_changed(struct i82559 *card)
{
    uint64_t now = arch_clock_ns();
    bool was_up = card->link_up;
    uint16_t modes;

    if (card->link_seen_ns != 0 && now - card->link_seen_ns < (uint64_t)LINK_PERIOD_MS * 1000000) {
        return false;
    }
    card->link_seen_ns = now | 1; /* 0 means never */
    card->link_up = read_phy(card, PHY_STATUS) & PHY_STATUS_LINK;
    if (card->link_up && !was_up) {
        modes = read_phy(card, PHY_ADVERTISED) & read_phy(card, PHY_PARTNER);
        card->speed = modes & (PHY_100_FULL | PHY_100_HALF) ? 100 : 10;
        card->full_duplex =
            modes & PHY_100_FULL || ((modes & PHY_10_FULL) && !(modes & PHY_100_HALF));
    }
    return card->link_up != was_up;
}
