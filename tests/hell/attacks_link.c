/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks below IP: ARP, tags, any EtherType, any bytes. */
#include "tests/hell/frame.h"

enum { ARP_REQUEST = 1, ARP_REPLY = 2, LONGEST_RUNT = 59, HEADER = 14 };

/* One of 100,000 addresses; never the host's, the guest's or multicast. */
static uint32_t arp_address(const struct frame *f)
{
    return guest_ip() + 14 + f->number % ADDRESSES;
}

static void arp(struct frame *f, const uint8_t *to, uint32_t operation, uint32_t sender,
                uint32_t target)
{
    ethernet(f, to, TYPE_ARP);
    put_16(f, 1);
    put_16(f, TYPE_IPV4);
    put_16(f, MAC_LENGTH << 8 | 4);
    put_16(f, operation);
    put(f, f->data + MAC_LENGTH, MAC_LENGTH); /* the sender of the frame itself */
    put_32(f, sender);
    put_zeros(f, MAC_LENGTH);
    put_32(f, target);
    put_zeros(f, 18);
}

static void arp_requests(struct frame *f)
{
    arp(f, broadcast_mac, ARP_REQUEST, arp_address(f), guest_ip());
}

static void arp_replies(struct frame *f)
{
    arp(f, NULL, ARP_REPLY, arp_address(f), guest_ip());
}

/* Some claim the guest's own address. */
static void arp_gratuitous(struct frame *f)
{
    uint32_t address = below(f, 64) == 0 ? guest_ip() : arp_address(f);

    arp(f, broadcast_mac, ARP_REQUEST + (f->number & 1), address, address);
}

/* With one tag, two, or a priority tag. */
static void vlan_tags(struct frame *f)
{
    static const uint16_t outer[] = {TYPE_VLAN, TYPE_VLAN, TYPE_QINQ, TYPE_VLAN};
    uint32_t kind = below(f, 4);

    ethernet(f, below(f, 4) == 0 ? broadcast_mac : NULL, outer[kind]);
    put_16(f, kind == 0 ? any(f) & 0xe000 : any(f));
    if (kind >= 2) {
        put_16(f, TYPE_VLAN);
        put_16(f, any(f));
    }
    put_16(f, TYPE_IPV4);
    ip4(f, station_ip(f), guest_ip(), ICMP);
    echo_request(f, 8);
    ip_end(f);
}

/* Random bytes after each EtherType, and after lower values, which are lengths. */
static void any_ethertype(struct frame *f)
{
    ethernet(f, below(f, 4) == 0 ? broadcast_mac : NULL, f->number & 0xffff);
    put_any(f, below(f, 4) == 0 ? below(f, 1500) : 46);
}

/* Random bytes after EtherTypes that the guest handles. */
static void random_bytes(struct frame *f)
{
    static const uint16_t types[] = {TYPE_IPV4, TYPE_IPV6, TYPE_ARP, TYPE_VLAN};
    uint32_t kind = below(f, 4);

    ethernet(f, below(f, 4) == 0 ? broadcast_mac : NULL, types[kind]);
    if (kind < 2 && below(f, 2) == 0) {
        put_8(f, kind == 0 ? 0x45 : 0x60);
    }
    put_any(f, below(f, 200));
}

/* Truncated frames. */
static void runts(struct frame *f)
{
    if (f->number & 1) {
        from_station4(f, f->number & 2 ? TCP : UDP);
        syn(f);
    } else {
        from_station6(f, f->number & 2 ? TCP : UDP);
    }
    ip_end(f);
    f->length = HEADER + below(f, LONGEST_RUNT - HEADER + 1);
}

const struct attack link_attacks[] = {
    {"arp-requests", arp_requests},
    {"arp-replies", arp_replies},
    {"arp-gratuitous", arp_gratuitous},
    {"vlan-tags", vlan_tags},
    {"ethertypes", any_ethertype},
    {"random-bytes", random_bytes},
    {"runts", runts},
    {NULL, NULL},
};
