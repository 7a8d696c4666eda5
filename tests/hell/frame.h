/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame of a flood, written field by field. */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <stdint.h>

enum { FRAME_MAX = 1514, MAC_LENGTH = 6, IPV6_LENGTH = 16, ADDRESSES = 100000 };
enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8 };
enum { TYPE_IPV6 = 0x86dd };
enum { ICMP = 1, IGMP = 2, TCP = 6, UDP = 17, FRAGMENT6 = 44, ICMP6 = 58 };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct frame {
    uint32_t number; /* number of the frame in the attack */
    uint64_t random; /* state of the generator */
    size_t length;
    size_t ip;       /* offset of the IP header */
    size_t payload;  /* offset of the IP payload */
    uint8_t carried; /* its protocol, for the checksum; 0: no checksum */
    uint8_t data[FRAME_MAX];
};

/* Random numbers: of 32 bits; below `limit`. */
uint32_t any(struct frame *f);
uint32_t below(struct frame *f, uint32_t limit);

/* Append fields. What does not fit into the frame is cut off. */
void put(struct frame *f, const void *bytes, size_t length);
void put_8(struct frame *f, uint32_t value);
void put_16(struct frame *f, uint32_t value);
void put_32(struct frame *f, uint32_t value);
void put_zeros(struct frame *f, size_t length);
void put_any(struct frame *f, size_t length);

/* Begins the frame, from a station that depends on the frame's number; to: NULL: to the guest. */
void ethernet(struct frame *f, const uint8_t *to, uint32_t type);
void station_mac(uint8_t *mac, uint32_t number);

/* Addresses: of the guest; of a station, mostly in its network, never the host's or the guest's. */
extern const uint8_t broadcast_mac[MAC_LENGTH];
extern const uint8_t guest_ip6[IPV6_LENGTH], all_nodes[IPV6_LENGTH];
uint32_t guest_ip(void);
uint32_t station_ip(struct frame *f);
void station_ip6(struct frame *f, uint8_t *address);
void link_local(uint8_t *address, uint32_t number);

/* Append the IP header. ip_end() sets lengths and checksums. */
void ip4(struct frame *f, uint32_t from, uint32_t to, uint8_t protocol);
void ip4_fragment(struct frame *f, uint32_t from, uint32_t id, uint32_t flags_offset);
void ip6(struct frame *f, const uint8_t *from, const uint8_t *to, uint8_t next);
void ip_end(struct frame *f);

/* The same including the Ethernet header, from a station to the guest. */
void from_station4(struct frame *f, uint8_t protocol);
void from_station6(struct frame *f, uint8_t protocol);

/* The payload of IPv4 and IPv6 packets: content.c. */
void syn(struct frame *f);
void stray_segment(struct frame *f);
void closed_port(struct frame *f);
void echo_request(struct frame *f, uint32_t type);
void mdns(struct frame *f);
void sent_by_guest_tcp(struct frame *f);

/* An attack: makes the next frame in `f`, whose number and random are set. */
struct attack {
    const char *name;
    void (*make)(struct frame *f);
};
extern const struct attack link_attacks[], ipv4_attacks[], ipv6_attacks[],
    nd_attacks[]; /* terminated by one without a name */

#endif
