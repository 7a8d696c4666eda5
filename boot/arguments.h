/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot command line. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IPv4 address with its prefix length; address 0: not given. Byte order of the processor. */
struct boot_ipv4 {
    uint32_t address;
    uint8_t prefix;
};

/* An IPv6 address in the order in which it is sent; all zeros: not given. Its prefix has 64 bits. */
struct boot_ipv6 {
    uint8_t address[16];
};

enum boot_mode {
    BOOT_MODE_HYBRID, /* poll for a while, then sleep until an interrupt */
    BOOT_MODE_IRQ,
    BOOT_MODE_POLL,
};

enum boot_transport {
    BOOT_TRANSPORT_ANY,
    BOOT_TRANSPORT_LEGACY,
    BOOT_TRANSPORT_MODERN,
};

enum boot_fence {
    BOOT_FENCE_AUTO, /* where the machine needs it */
    BOOT_FENCE_ON,
    BOOT_FENCE_OFF,
};

enum boot_irq {
    BOOT_IRQ_AUTO, /* MSI-X where the machine and the card have it */
    BOOT_IRQ_INTX,
    BOOT_IRQ_MSIX,
};

enum boot_conflict {
    BOOT_CONFLICT_RETRY, /* keep off an address that another station has, until it is free */
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
    BOOT_DIRECTION_UNSAID, /* no dir= */
};

/* Bits of boot_arguments.services, in the order of their names. */
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
    BOOT_ANSWER_LOCAL, /* answers longer than the question are for the local network only */
    BOOT_ANSWER_ANY,
};

enum {
    BOOT_CARDS = 8,         /* places of a list that has one for each card */
    BOOT_VLAN_MAX = 0xffe,  /* IEEE 802.1Q: 0xfff is reserved */
    BOOT_BUFMEM_LEAST = 16, /* KiB */
    BOOT_NAME_MAX = 56,     /* characters; RFC 1035 §2.3.4 allows 63, and a number may follow */
};

struct boot_arguments {
    /* One for each card, in the order of the cards; what the line does not say is zero. */
    struct boot_ipv4 ip[BOOT_CARDS];
    struct boot_ipv4 gw[BOOT_CARDS];
    struct boot_ipv6 ip6[BOOT_CARDS];
    uint8_t mac[BOOT_CARDS][6];
    uint16_t vlan[BOOT_CARDS]; /* 0: untagged */

    struct boot_ipv4 join;        /* a multicast group for the first card */
    struct boot_ipv6 join6;       /* and one of IPv6 */
    bool dhcp;                    /* on all cards, and for as long as it takes */
    bool linklocal;               /* an address of 169.254.0.0/16 for the cards without ip= */
    unsigned conflict;            /* enum boot_conflict */
    char name[BOOT_NAME_MAX + 1]; /* announced by mDNS, without ".local" */
    unsigned mode;                /* enum boot_mode */
    unsigned poll_us;      /* microseconds that hybrid mode polls without work before it sleeps */
    unsigned bufinit;      /* receive buffers to begin with; 0: the driver's default */
    unsigned bufmax;       /* receive buffers at the most */
    unsigned rxdyn;        /* 0: their number is bufmax from the beginning to the end */
    unsigned bufmem;       /* KiB of receive buffers that may exist; 0: the driver's default */
    unsigned rxquiet;      /* ms of little traffic, before their number is halved; 0: its default */
    unsigned bounded;      /* 1: no memory is taken after the start, and passes are timed */
    char features[128];    /* "+name,-name" */
    unsigned transport;    /* enum boot_transport */
    unsigned fence;        /* enum boot_fence */
    unsigned irq;          /* enum boot_irq */
    unsigned services;     /* BOOT_SERVICE_... that run, of those that the program has */
    unsigned answer;       /* enum boot_answer */
    unsigned console;      /* 0: what is typed at the console is ignored */
    unsigned stats;        /* 1: a line of statistics every second */
    struct boot_ipv4 peer; /* the active side of an example: whom to talk to */
    struct boot_ipv6 peer6; /* or that; at most one of the two is given */
    unsigned proto;         /* enum boot_protocol */
    unsigned dir;           /* enum boot_direction */
    unsigned count;         /* messages */
    unsigned size;          /* bytes of a message */
    unsigned seconds;
};

/* What separates words: a loader's blanks, and the ends of lines of a file that fw_cfg gives us. */
#define BOOT_WHITE_SPACE " \t\n\v\f\r"

/* What the command line says, the defaults elsewhere; complete before main() is called. */
extern struct boot_arguments boot_arguments;

/*
 * Reads a command line into boot_arguments. What is unknown or malformed is named on the console
 * with a list of what is valid, and ignored. Returns the number of such words.
 */
unsigned boot_arguments_parse(const char *command_line);

/* Whether a boot argument has that name, of `length` characters. */
bool boot_argument_is_known(const char *name, size_t length);

#endif
