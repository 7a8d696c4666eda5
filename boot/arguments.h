/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot command line. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/address_text.h"

enum boot_mode {
    BOOT_MODE_HYBRID, /* poll for an answer to what was sent, else sleep until an interrupt */
    BOOT_MODE_IRQ,
    BOOT_MODE_POLL,
};

enum boot_transport {
    BOOT_TRANSPORT_ANY,
    BOOT_TRANSPORT_LEGACY,
    BOOT_TRANSPORT_MODERN,
};

enum boot_fence {
    BOOT_FENCE_AUTO, /* on machines that need it */
    BOOT_FENCE_ON,
    BOOT_FENCE_OFF,
};

enum boot_irq {
    BOOT_IRQ_AUTO, /* MSI-X if the machine and the card have it */
    BOOT_IRQ_INTX,
    BOOT_IRQ_MSIX,
};

enum boot_conflict {
    BOOT_CONFLICT_RETRY, /* release an address that another station uses and retry until it is
                          * free */
    BOOT_CONFLICT_EXIT,  /* end the guest */
};

enum boot_protocol {
    BOOT_PROTOCOL_UDP,
    BOOT_PROTOCOL_TCP,
};

enum boot_direction {
    BOOT_DIRECTION_BOTH,
    BOOT_DIRECTION_SEND,
    BOOT_DIRECTION_RECEIVE,
    BOOT_DIRECTION_UNSAID, /* dir= not given */
};

/* Bits of boot_arguments.services. Names on the command line are in this order. */
enum boot_services {
    BOOT_SERVICE_ECHO = 1,
    BOOT_SERVICE_SINK = 2,
    BOOT_SERVICE_SOURCE = 4,
    BOOT_SERVICE_STATS = 8,
    BOOT_SERVICE_NETPERF = 16,
    BOOT_SERVICE_IPERF = 32,
    BOOT_SERVICE_MDNS = 64,
    BOOT_SERVICES_ALL = 127,
};

enum boot_answer {
    BOOT_ANSWER_LOCAL, /* answers longer than the question are sent to the local network only */
    BOOT_ANSWER_ANY,
};

enum {
    BOOT_CARDS = 8,         /* places in a list with one per card */
    BOOT_VLAN_MAX = 0xffe,  /* IEEE 802.1Q: 0xfff is reserved */
    BOOT_BUFMEM_LEAST = 16, /* KiB */
    BOOT_NAME_MAX = 56,     /* characters; RFC 1035 §2.3.4 allows 63, and a number may be
                             * appended */
};

struct boot_arguments {
    /* One place per card, in the order of the cards. Not given: zero. */
    struct boot_ipv4 ip[BOOT_CARDS];
    struct boot_ipv4 gw[BOOT_CARDS];
    struct boot_ipv6 ip6[BOOT_CARDS];
    uint8_t mac[BOOT_CARDS][6];
    uint16_t vlan[BOOT_CARDS]; /* 0: untagged */

    struct boot_ipv4 join;        /* a multicast group that the first card joins */
    struct boot_ipv6 join6;       /* the same for IPv6 */
    bool dhcp;                    /* use DHCP on all cards and wait for it without limit */
    bool linklocal;               /* take an address of 169.254.0.0/16 on cards without ip= */
    unsigned conflict;            /* enum boot_conflict */
    char name[BOOT_NAME_MAX + 1]; /* announced by mDNS, here without ".local" */
    unsigned mode;                /* enum boot_mode */
    unsigned poll_us;             /* how long hybrid mode polls for an answer, microseconds */
    unsigned bufinit;             /* receive buffers at the start; 0: the driver's default */
    unsigned bufmax;              /* maximum number of receive buffers */
    unsigned rxdyn;               /* 0: always keep `bufmax` buffers posted */
    unsigned bufmem;              /* limit of all receive buffers, KiB; 0: the driver's default */
    unsigned rxquiet;       /* ms of low traffic before the number of buffers is halved; 0: the
                            * driver's default */
    unsigned bounded;       /* 1: allocate no memory after the start, and time the passes */
    char features[128];     /* "+name,-name" */
    unsigned transport;     /* enum boot_transport */
    unsigned fence;         /* enum boot_fence */
    unsigned irq;           /* enum boot_irq */
    unsigned services;      /* BOOT_SERVICE_... to run, of those that the program includes */
    unsigned answer;        /* enum boot_answer */
    unsigned console;       /* 0: ignore input from the console */
    unsigned stats;         /* 1: print a line of statistics every second */
    struct boot_ipv4 peer;  /* the peer of a client program */
    struct boot_ipv6 peer6; /* the same for IPv6; at most one of the two is given */
    unsigned proto;         /* enum boot_protocol */
    unsigned dir;           /* enum boot_direction */
    unsigned count;         /* messages */
    unsigned size;          /* of a message, bytes */
    unsigned seconds;
};

/* Separators of words: blanks, and line ends, which a file from fw_cfg may contain. */
#define BOOT_WHITE_SPACE " \t\n\v\f\r"

/* The values of the command line, and defaults for the rest. Complete before main() is called. */
extern struct boot_arguments boot_arguments;

/*
 * Parses a command line into boot_arguments. Prints unknown and malformed words with a list of the
 * valid ones, and ignores them. Returns the number of ignored words.
 */
unsigned boot_arguments_parse(const char *command_line);

/* True if a boot argument has this name of `length` characters. */
bool boot_argument_is_known(const char *name, size_t length);

#endif
