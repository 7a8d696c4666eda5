/* SPDX-License-Identifier: BSD-2-Clause */
/* The NE2000's controller: reset, probing, start and stop, remote DMA. */
#include <string.h>

#include "arch/arch.h"
#include "net/legacy/ne2000.h"

enum {
    DMA_POLLS = 10000,
    RESET_NS = 10000000,
    STOP_NS = 2000000, /* DP8390D: 1.6 ms, the time of the longest frame, plus a margin */
};

void ne2000_dma(const struct ne2000 *card, unsigned direction, uint16_t address, uint16_t bytes)
{
    ne2000_write(card, DP8390_RSAR0, (uint8_t)address);
    ne2000_write(card, DP8390_RSAR1, (uint8_t)(address >> 8));
    ne2000_write(card, DP8390_RBCR0, (uint8_t)bytes);
    ne2000_write(card, DP8390_RBCR1, (uint8_t)(bytes >> 8));
    ne2000_write(card, DP8390_CR, (uint8_t)(DP8390_CR_STA | direction));
}

void ne2000_dma_read(const struct ne2000 *card, void *to, uint32_t words)
{
    arch_io_read32s(card->io.base + NE2000_DATA, to, words);
}

void ne2000_dma_write(const struct ne2000 *card, const void *from, uint32_t words)
{
    arch_io_write32s(card->io.base + NE2000_DATA, from, words);
}

void ne2000_dma_written(const struct ne2000 *card)
{
    unsigned polls = DMA_POLLS;

    while (!(ne2000_read(card, DP8390_ISR) & DP8390_ISR_RDC) && --polls != 0) {
    }
    ne2000_write(card, DP8390_ISR, DP8390_ISR_RDC);
}

static bool wait_for_reset(const struct ne2000 *card, uint64_t ns)
{
    uint64_t start = arch_clock_ns();

    while (!(ne2000_read(card, DP8390_ISR) & DP8390_ISR_RST)) {
        if (arch_clock_ns() - start > ns) {
            return false;
        }
    }
    return true;
}

void ne2000_stop(const struct ne2000 *card)
{
    ne2000_write(card, DP8390_CR, DP8390_CR_STP | DP8390_CR_ABORT);
    (void)wait_for_reset(card, STOP_NS);
    ne2000_write(card, DP8390_RBCR0, 0);
    ne2000_write(card, DP8390_RBCR1, 0);
}

static uint32_t read_word(const struct ne2000 *card, uint16_t address)
{
    ne2000_dma(card, DP8390_CR_READ, address, sizeof(uint32_t));
    return vpci_read32(&card->io, NE2000_DATA);
}

static void write_word(const struct ne2000 *card, uint16_t address, uint32_t word)
{
    ne2000_dma(card, DP8390_CR_WRITE, address, sizeof word);
    vpci_write32(&card->io, NE2000_DATA, word);
    ne2000_dma_written(card);
}

/*
 * Finds the end of the card's memory. Some cards have 32 KiB, others 16 KiB, which may appear
 * twice.
 */
static uint8_t find_memory_end(const struct ne2000 *card)
{
    const uint16_t first = NE2000_PAGE_FIRST << 8, second = NE2000_PAGE_END_16K << 8;

    write_word(card, first, 0x3a96c55a);
    write_word(card, second, 0x5ac3693c);
    return read_word(card, first) == 0x3a96c55a && read_word(card, second) == 0x5ac3693c
               ? NE2000_PAGE_END_32K
               : NE2000_PAGE_END_16K;
}

static void set_ring(const struct ne2000 *card)
{
    ne2000_write(card, DP8390_PSTART, NE2000_RING_FIRST);
    ne2000_write(card, DP8390_PSTOP, card->stop);
    ne2000_write(card, DP8390_BNRY, (uint8_t)(card->stop - 1));
}

bool ne2000_reset(struct ne2000 *card)
{
    static const uint8_t nothing[6];
    uint8_t prom[NE2000_PROM_SIZE] = {0};

    ne2000_write(card, NE2000_RESET, ne2000_read(card, NE2000_RESET));
    if (!wait_for_reset(card, RESET_NS)) {
        return false;
    }
    ne2000_stop(card);
    ne2000_write(card, DP8390_IMR, 0);
    ne2000_write(card, DP8390_DCR, DP8390_DCR_FT1 | DP8390_DCR_LS | DP8390_DCR_WTS);
    ne2000_write(card, DP8390_RCR, 0);
    ne2000_write(card, DP8390_TCR, DP8390_TCR_LOOPBACK);
    card->stop = NE2000_PAGE_END_32K;
    set_ring(card); /* remote DMA wraps at its end */
    ne2000_write(card, DP8390_CR, DP8390_CR_STA | DP8390_CR_ABORT);
    card->stop = find_memory_end(card);
    ne2000_dma(card, DP8390_CR_READ, 0, sizeof prom);
    ne2000_dma_read(card, prom, sizeof prom / 4);
    for (unsigned i = 0; i < sizeof card->prom_mac; i++) {
        card->prom_mac[i] = prom[2 * i];
    }
    ne2000_write(card, DP8390_CR, DP8390_CR_STP | DP8390_CR_ABORT | DP8390_CR_PAGE3);
    card->full_duplex = ne2000_read(card, RTL8029_CONFIG3) & RTL8029_CONFIG3_FULL_DUPLEX;
    ne2000_stop(card);
    return !(card->prom_mac[0] & 1) && memcmp(card->prom_mac, nothing, sizeof nothing) != 0;
}

/* With page 1 selected ISR is not accessible, so the interrupt handler must not run. */
void ne2000_write_hash(const struct ne2000 *card)
{
    bool on = arch_interrupts_save();

    ne2000_write(card, DP8390_CR, DP8390_CR_STA | DP8390_CR_ABORT | DP8390_CR_PAGE1);
    for (unsigned i = 0; i < sizeof card->hash; i++) {
        ne2000_write(card, DP8390_MAR0 + i, card->hash[i]);
    }
    ne2000_write(card, DP8390_CR, DP8390_CR_STA | DP8390_CR_ABORT);
    arch_interrupts_restore(on);
}

/* DP8390D, section 11: the order of initialization. */
void ne2000_start(struct ne2000 *card)
{
    /* QEMU's card matches only the address of its PROM. */
    bool promiscuous = memcmp(card->mac, card->prom_mac, sizeof card->mac) != 0;

    ne2000_write(card, DP8390_CR, DP8390_CR_STP | DP8390_CR_ABORT);
    ne2000_write(card, DP8390_DCR, DP8390_DCR_FT1 | DP8390_DCR_LS | DP8390_DCR_WTS);
    ne2000_write(card, DP8390_RBCR0, 0);
    ne2000_write(card, DP8390_RBCR1, 0);
    ne2000_write(card, DP8390_RCR,
                 DP8390_RCR_AB | DP8390_RCR_AM | (promiscuous ? DP8390_RCR_PRO : 0));
    ne2000_write(card, DP8390_TCR, DP8390_TCR_LOOPBACK);
    set_ring(card);
    ne2000_write(card, DP8390_ISR, 0xff);
    ne2000_write(card, DP8390_IMR, 0);
    ne2000_write(card, DP8390_CR, DP8390_CR_STP | DP8390_CR_ABORT | DP8390_CR_PAGE1);
    for (unsigned i = 0; i < sizeof card->mac; i++) {
        ne2000_write(card, DP8390_PAR0 + i, card->mac[i]);
    }
    for (unsigned i = 0; i < sizeof card->hash; i++) {
        ne2000_write(card, DP8390_MAR0 + i, card->hash[i]);
    }
    card->next = NE2000_RING_FIRST;
    card->current = NE2000_RING_FIRST;
    ne2000_write(card, DP8390_CURR, card->current);
    ne2000_write(card, DP8390_CR, DP8390_CR_STA | DP8390_CR_ABORT);
    ne2000_write(card, DP8390_TCR, 0);
    card->enabled = 0;
    card->tx.started = false;
    card->overflowed = false;
}
