/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of an NE2000 on PCI: those of the National Semiconductor DP8390D network interface
 * controller (its data sheet, section 10 Internal Registers), and those that Realtek's RTL8029AS
 * adds. Names are those of the data sheets.
 */
#ifndef NE2000_SPEC_H
#define NE2000_SPEC_H

enum {
    RTL8029_VENDOR = 0x10ec,
    RTL8029_DEVICE = 0x8029,

    /* Offsets in the only I/O region. */
    NE2000_DATA = 0x10,  /* data port of the remote DMA; up to 32 bits wide on the RTL8029AS */
    NE2000_RESET = 0x1f, /* a read resets the card */
    NE2000_IO_SIZE = 0x20,

    /* The card's memory, in pages of 256 bytes. */
    NE2000_PAGE_FIRST = 0x40,
    NE2000_PAGE_END_16K = 0x80,
    NE2000_PAGE_END_32K = 0xc0,
    NE2000_PROM_SIZE = 32, /* bytes from address 0, each stored twice; the first are the Ethernet
                            * address */
};

/* DP8390 registers, in all pages and in page 0. */
enum {
    DP8390_CR = 0x0,
    DP8390_PSTART = 0x1, /* write */
    DP8390_PSTOP = 0x2,  /* write */
    DP8390_BNRY = 0x3,
    DP8390_TPSR = 0x4,  /* write */
    DP8390_TBCR0 = 0x5, /* write */
    DP8390_TBCR1 = 0x6, /* write */
    DP8390_ISR = 0x7,
    DP8390_RSAR0 = 0x8, /* write */
    DP8390_RSAR1 = 0x9, /* write */
    DP8390_RBCR0 = 0xa, /* write */
    DP8390_RBCR1 = 0xb, /* write */
    DP8390_RCR = 0xc,   /* write */
    DP8390_TCR = 0xd,   /* write */
    DP8390_DCR = 0xe,   /* write */
    DP8390_IMR = 0xf,   /* write */
};

/* Page 1, and the RTL8029AS's page 3. */
enum {
    DP8390_PAR0 = 0x1, /* first of six */
    DP8390_CURR = 0x7,
    DP8390_MAR0 = 0x8, /* first of eight */
    RTL8029_CONFIG3 = 0x6,
};

enum {
    DP8390_CR_STP = 0x01,
    DP8390_CR_STA = 0x02,
    DP8390_CR_TXP = 0x04,
    DP8390_CR_READ = 0x08,  /* RD: remote read */
    DP8390_CR_WRITE = 0x10, /* remote write */
    DP8390_CR_ABORT = 0x20, /* abort or complete remote DMA */
    DP8390_CR_PAGE1 = 0x40,
    DP8390_CR_PAGE3 = 0xc0,
};

/* Bits of ISR. IMR has the same bits, except RST. */
enum {
    DP8390_ISR_PRX = 0x01, /* packet received */
    DP8390_ISR_PTX = 0x02, /* packet transmitted */
    DP8390_ISR_RXE = 0x04,
    DP8390_ISR_TXE = 0x08,
    DP8390_ISR_OVW = 0x10, /* overwrite warning: the receive ring is full */
    DP8390_ISR_CNT = 0x20, /* a tally counter is half full */
    DP8390_ISR_RDC = 0x40, /* remote DMA complete */
    DP8390_ISR_RST = 0x80, /* reset: the controller has stopped */
};

enum {
    DP8390_DCR_WTS = 0x01, /* word transfers */
    DP8390_DCR_LS = 0x08,  /* no loopback */
    DP8390_DCR_FT1 = 0x40, /* FIFO threshold of 8 bytes */
    DP8390_TCR_LOOPBACK = 0x02,
    DP8390_RCR_AB = 0x04,  /* accept broadcast */
    DP8390_RCR_AM = 0x08,  /* accept multicast that matches the MARs */
    DP8390_RCR_PRO = 0x10, /* promiscuous */
    DP8390_RSR_PRX = 0x01, /* status of a received packet: intact */
    RTL8029_CONFIG3_FULL_DUPLEX = 0x40,
};

/*
 * Precedes each packet in the receive ring: status, page of the next packet, and the byte count,
 * which includes the CRC but not this header. Little-endian.
 */
enum {
    DP8390_HEADER_SIZE = 4,
    DP8390_CRC_SIZE = 4,
};

#endif
