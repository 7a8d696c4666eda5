/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hardware interface of Intel's 82557, 82558, 82559, 82550, 82551 and 82562. Titles in quotes
 * are sections of the "8255x 10/100 Mbps Ethernet Controller Family Open Source Software Developer
 * Manual", revision 1.3.
 */
#ifndef I82559_SPEC_H
#define I82559_SPEC_H

#include "net/legacy/little_endian.h"

enum {
    I82559_VENDOR = 0x8086,
    I82559_DEVICE = 0x1229,    /* 82557 to 82559 */
    I82559_DEVICE_ER = 0x1209, /* 82559ER; also QEMU's 82550, 82551 and 82562 */
};

/* "Control / Status Registers": offsets, the same in both BARs. */
enum {
    I82559_BAR_MEMORY = 0,
    I82559_BAR_IO = 1,

    I82559_SCB_STATUS = 0x00, /* 16 bits: the states of both units, and in the upper byte */
    I82559_SCB_ACK = 0x01,    /* the interrupt causes; writing a 1 clears a cause */
    I82559_SCB_COMMAND = 0x02,
    I82559_SCB_MASK = 0x03, /* interrupt mask */
    I82559_SCB_POINTER = 0x04,
    I82559_PORT = 0x08,
    I82559_EEPROM = 0x0e,
    I82559_MDI = 0x10,
    I82559_REGISTERS = 0x20, /* bytes; those that the whole family has */
};

/* "SCB Status Word" */
enum {
    I82559_CU_STATE = 0xc0,
    I82559_CU_ACTIVE = 0x80, /* bit of the state: the CU executes commands */
    I82559_RU_STATE = 0x3c,
    I82559_RU_READY = 0x10,
};

/* The interrupt mask byte. An 82557 has M only. The causes that are not listed are not used. */
enum {
    I82559_MASK_ALL = 0x01,
    I82559_MASK_CX = 0x80,  /* a command with its I bit set is complete */
    I82559_MASK_CNA = 0x20, /* the CU leaves the active state */
    I82559_MASK_ER = 0x08,
    I82559_MASK_FCP = 0x04,
};

/* "SCB Command Word": commands to the CU and the RU. */
enum {
    I82559_CU_START = 0x10,
    I82559_CU_RESUME = 0x20,
    I82559_CU_LOAD_BASE = 0x60,
    I82559_RU_START = 0x01,
    I82559_RU_LOAD_BASE = 0x06,
};

/* "PORT Interface" */
enum {
    I82559_PORT_SOFTWARE_RESET = 0,
    I82559_PORT_SELECTIVE_RESET = 2,
};

/* "EEPROM Control Register": the pins of a 93C46 or 93C66. */
enum {
    I82559_EESK = 0x1,
    I82559_EECS = 0x2,
    I82559_EEDI = 0x4,
    I82559_EEDO = 0x8,
    I82559_EEPROM_PHY = 6, /* word number: the PHY's address is in its low byte */
    I82559_EEPROM_SUM = 0xbaba,
};

/* "MDI Control Register", and the PHY registers of IEEE 802.3 clause 22. */
enum {
    I82559_MDI_READY = 1 << 28,
    I82559_MDI_READ = 2 << 26,
    I82559_MDI_PHY_SHIFT = 21,
    I82559_MDI_REGISTER_SHIFT = 16,
    PHY_STATUS = 1,
    PHY_STATUS_LINK = 0x4, /* after a loss of the link it reads 0 once */
    PHY_ADVERTISED = 4,
    PHY_PARTNER = 5,
    PHY_100_FULL = 0x100,
    PHY_100_HALF = 0x80,
    PHY_10_FULL = 0x40,
};

/* "Action Commands and Operating Modes": the start of each command block. */
struct i82559_cb {
    le16_t status;
    le16_t command;
    le32_t link; /* bus address of the next block */
};
_Static_assert(sizeof(struct i82559_cb) == 8, "i82559_cb");

enum {
    I82559_STATUS_C = 0x8000, /* complete; also in an RFD */
    I82559_STATUS_OK = 0x2000,

    I82559_CB_EL = 0x8000, /* end of list; also in an RFD */
    I82559_CB_S = 0x4000,  /* suspend after this block */
    I82559_CB_I = 0x2000,  /* interrupt after this block */
    I82559_CB_FLEXIBLE = 0x0008,
    I82559_CB_NOP = 0,
    I82559_CB_ADDRESS = 1,
    I82559_CB_CONFIGURE = 2,
    I82559_CB_MULTICAST = 3,
    I82559_CB_TRANSMIT = 4,
};

/*
 * "Configure (010b)", "Individual Address Setup (001b)", "Multicast Setup (011b)": the parameters
 * follow the header directly. Those of the last begin with a count of bytes.
 */
enum {
    I82559_CONFIGURE_BYTES = 22,
    I82559_GROUPS_MAX = 64,
};
struct i82559_action {
    struct i82559_cb cb;
    uint8_t parameters[2 + 6 * I82559_GROUPS_MAX];
};

/* "Transmit (100b)", flexible mode: transmit buffer descriptors point to the parts of the frame. */
struct i82559_tbd {
    le32_t address;
    le16_t size; /* bytes */
    le16_t end;  /* 1: the last descriptor */
};
enum {
    I82559_TBDS = 8,           /* per frame in this driver */
    I82559_THRESHOLD = 0xe0,   /* in units of 8 bytes: transmission starts when the whole frame
                                * is in the FIFO */
    I82559_FRAMES_A_KICK = 16, /* QEMU does not process more of them before the next CU resume */
};
struct i82559_txcb {
    struct i82559_cb cb;
    le32_t tbd_array;
    le16_t bytes; /* bytes of the frame in this block: none */
    uint8_t threshold;
    uint8_t tbd_count;
    struct i82559_tbd tbd[I82559_TBDS];
};
_Static_assert(sizeof(struct i82559_tbd) == 8, "i82559_tbd");
_Static_assert(offsetof(struct i82559_txcb, tbd) == 16, "i82559_txcb");

/*
 * "Receive Frame Descriptor (RFD)", simplified mode: the frame follows it. It is at an address of
 * the form 4n + 2, so that the IP header is at a multiple of four. So its 32-bit words are declared
 * as halves.
 */
struct i82559_rfd {
    le16_t status;
    le16_t command;
    le16_t link[2];
    le16_t reserved[2];
    le16_t count; /* bytes received; the bits above are EOF and F, which QEMU leaves 0 */
    le16_t size;  /* bytes available for the frame; even */
};
_Static_assert(sizeof(struct i82559_rfd) == 16, "i82559_rfd");
enum { I82559_COUNT = 0x3fff };

#endif
