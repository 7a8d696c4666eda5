/* SPDX-License-Identifier: BSD-2-Clause */
#include "peer.h"

#include <string.h>

#include "input.h"
#include "stack.h"

enum {
    ETHERNET = 14,
    IPV4 = 20,
    IPV6 = 40,
    TCP = 6,
    UDP = 17,
    ICMP = 1,
    IGMP = 2,
    ICMPV6 = 58,
    FIN = 1,
    SYN = 2,
    RST = 4,
    ACK = 16,
    FIRST_PORT = 40000,
};

static const uint8_t guest_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static const uint8_t peer_mac[6] = {0x02, 0, 0, 0, 0, 1};
static const uint8_t guest4[4] = {10, 0, 0, 2};
static const uint8_t peer4[4] = {10, 0, 0, 1};
static const uint8_t guest6[16] = {0xfd, [15] = 2};
static const uint8_t peer6[16] = {0xfd, [15] = 1};

struct connection connections[PEER_CONNECTIONS];
uint8_t peer_heard[1500];
size_t peer_heard_length;

static uint8_t frame[PEER_FRAME];
static size_t length;
static size_t network, transport; /* offsets of the headers; 0: none */
static bool is_ipv6;
static uint8_t protocol;
static uint16_t ports; /* in use */

void peer_reset(void)
{
    memset(connections, 0, sizeof connections);
    peer_heard_length = 0;
    length = 0;
    ports = 0;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static uint32_t sum(const uint8_t *at, size_t count)
{
    uint32_t total = 0;

    for (size_t i = 0; i < count; i++) {
        total += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
    }
    return total;
}

static uint16_t fold(uint32_t total)
{
    while (total >> 16 != 0) {
        total = (total & 0xffff) + (total >> 16);
    }
    return (uint16_t)~total;
}

void peer_bytes(const void *bytes, size_t count)
{
    count = count < PEER_FRAME - length ? count : PEER_FRAME - length;
    if (count != 0) {
        memcpy(frame + length, bytes, count);
        length += count;
    }
}

void peer_ethernet(uint16_t type)
{
    uint8_t header[ETHERNET];

    memcpy(header, guest_mac, 6);
    memcpy(header + 6, peer_mac, 6);
    put16(header + 12, type);
    length = network = transport = 0;
    peer_bytes(header, sizeof header);
}

void peer_ip(bool ipv6, uint8_t next)
{
    uint8_t header[IPV6] = {0x60, [7] = 255};

    peer_ethernet(ipv6 ? 0x86dd : 0x0800);
    is_ipv6 = ipv6;
    protocol = next;
    network = length;
    if (ipv6) {
        header[6] = next;
        memcpy(header + 8, peer6, 16);
        memcpy(header + 24, guest6, 16);
        peer_bytes(header, IPV6);
    } else {
        memset(header, 0, sizeof header);
        header[0] = 0x45;
        header[8] = 64;
        header[9] = next;
        memcpy(header + 12, peer4, 4);
        memcpy(header + 16, guest4, 4);
        peer_bytes(header, IPV4);
    }
    transport = length;
}

void peer_fragment(const uint8_t *fields)
{
    if (is_ipv6) {
        peer_bytes(fields, 8);
    } else {
        memcpy(frame + network + 4, fields, 4);
    }
    protocol = 0; /* only the whole packet has a checksum */
}

void peer_payload(void)
{
    uint8_t bytes[256];
    size_t whole = input_byte();
    size_t from_input = input_byte();

    whole = whole < 200 ? whole : (whole - 199) * 1100;
    from_input = from_input < whole ? from_input : whole;
    input_bytes(bytes, from_input);
    peer_bytes(bytes, from_input);
    for (size_t i = from_input; i < whole && length < PEER_FRAME; i++) {
        frame[length++] = 'x';
    }
}

/* The offset of the checksum in the packet's payload, or 0. */
static size_t checksum_of_protocol(void)
{
    switch (protocol) {
    case TCP:
        return 16;
    case UDP:
        return 6;
    case ICMP:
    case IGMP:
    case ICMPV6:
        return 2;
    default:
        return 0;
    }
}

static void complete(void)
{
    size_t at = checksum_of_protocol();
    size_t count = length - transport;
    uint32_t pseudo = 0;

    if (network == 0) {
        return;
    }
    if (protocol == UDP && count >= 8) {
        put16(frame + transport + 4, (uint32_t)count);
    }
    if (is_ipv6) {
        put16(frame + network + 4, (uint32_t)(length - network - IPV6));
        pseudo = sum(frame + network + 8, 32);
    } else {
        put16(frame + network + 2, (uint32_t)(length - network));
        put16(frame + network + 10, 0);
        put16(frame + network + 10, fold(sum(frame + network, IPV4)));
        pseudo = sum(frame + network + 12, 8);
    }
    if (at != 0 && count >= at + 2) {
        pseudo = protocol == ICMP || protocol == IGMP ? 0 : pseudo + protocol + (uint32_t)count;
        put16(frame + transport + at, 0);
        put16(frame + transport + at, fold(pseudo + sum(frame + transport, count)));
    }
}

/* Adds the device's header, and changes bytes. */
void peer_send(void)
{
    static const uint8_t types[] = {VIRTIO_NET_HDR_GSO_NONE, VIRTIO_NET_HDR_GSO_TCPV4,
                                    VIRTIO_NET_HDR_GSO_TCPV6, VIRTIO_NET_HDR_GSO_UDP_L4};
    struct virtio_net_offload offload = {0};
    uint8_t how = input_byte();
    unsigned buffers = 1;

    if (length == 0) {
        return;
    }
    if (how & 1) { /* before the checksums, which are correct anyway */
        size_t at = input_u16() % length;

        frame[at] = input_byte();
    }
    complete();
    for (unsigned i = 0; i < (how >> 1 & 3); i++) {
        size_t at = input_u16() % length;

        frame[at] = input_byte();
    }
    if (how & 8) {
        uint8_t flags = input_byte();

        buffers = 1 + flags % 4;
        offload.flags = (uint8_t)((flags & 4 ? VIRTIO_NET_HDR_F_DATA_VALID : 0) |
                                  (flags & 8 ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0));
        offload.gso_type = types[flags >> 4 & 3];
        offload.csum_start = (uint16_t)transport;
        offload.csum_offset = (uint16_t)checksum_of_protocol();
        offload.gso_size = input_edge();
        offload.hdr_len = input_byte();
    }
    if (how & 16) {
        length = 1 + input_u16() % length;
    }
    stack_receive(frame, length, buffers, &offload);
    length = 0;
}

void peer_segment(struct connection *c, uint8_t flags, const uint8_t *payload, size_t count,
                  bool spoilt)
{
    uint8_t header[20] = {0};
    uint32_t sequence = c->next;

    if (spoilt) {
        sequence += (uint32_t)(int16_t)input_edge();
    }
    put16(header, c->port);
    put16(header + 2, c->guest_port);
    put32(header + 4, sequence);
    put32(header + 8, c->ack + (spoilt ? (uint32_t)(int16_t)input_edge() : 0));
    header[12] = 5 << 4;
    header[13] = flags;
    put16(header + 14, spoilt ? input_edge() : 0xffff);
    peer_ip(c->ipv6, TCP);
    if (spoilt) {
        uint8_t options[40];
        unsigned words = input_byte() % 11;

        header[12] = (uint8_t)((5 + words) << 4);
        input_bytes(options, words * 4);
        peer_bytes(header, sizeof header);
        peer_bytes(options, words * 4);
    } else {
        peer_bytes(header, sizeof header);
    }
    peer_bytes(payload, count);
    if (sequence == c->next) {
        c->next += (uint32_t)count + (flags & (SYN | FIN) ? 1 : 0);
    }
    peer_send();
}

void peer_datagram(bool ipv6, uint16_t from, uint16_t to, const uint8_t *payload, size_t count)
{
    uint8_t header[8] = {0};

    put16(header, from);
    put16(header + 2, to);
    peer_ip(ipv6, UDP);
    peer_bytes(header, sizeof header);
    peer_bytes(payload, count);
    peer_send();
}

static struct connection *free_connection(void)
{
    struct connection *c = connections;

    while (c < connections + PEER_CONNECTIONS && c->used) {
        c++;
    }
    return c < connections + PEER_CONNECTIONS ? c : NULL;
}

struct connection *peer_connect(bool ipv6, uint16_t guest_port)
{
    struct connection *c = free_connection();

    if (c == NULL) {
        c = &connections[ports % PEER_CONNECTIONS]; /* one is discarded */
    }
    *c = (struct connection){
        .used = true,
        .ipv6 = ipv6,
        .port = (uint16_t)(FIRST_PORT + ports++),
        .guest_port = guest_port,
        .next = 1000,
    };
    peer_segment(c, SYN, NULL, 0, false);
    stack_pass(0);
    if (c->answered) {
        peer_segment(c, ACK, NULL, 0, false);
    }
    return c;
}

static void hear(const uint8_t *payload, size_t count)
{
    peer_heard_length = count < sizeof peer_heard ? count : sizeof peer_heard;
    memcpy(peer_heard, payload, peer_heard_length);
}

/* A segment arrived: updates the expected number as if the peer had accepted it. */
static void saw_segment(bool ipv6, const uint8_t *tcp, size_t count)
{
    size_t header = (tcp[12] >> 4) * 4u;
    uint32_t sequence = get32(tcp + 4);
    struct connection *c = connections;

    while (c < connections + PEER_CONNECTIONS &&
           !(c->used && c->port == get16(tcp + 2) && c->guest_port == get16(tcp))) {
        c++;
    }
    if (c == connections + PEER_CONNECTIONS) {
        c = free_connection();
        if (c == NULL || (tcp[13] & (SYN | ACK)) != SYN) {
            return;
        }
        *c = (struct connection){true, ipv6, true, (uint16_t)get16(tcp + 2), (uint16_t)get16(tcp),
                                 5000, 0}; /* opened by the guest */
    }
    if (tcp[13] & RST) {
        c->used = false;
        return;
    }
    c->answered |= tcp[13] & SYN;
    c->ack = sequence + (uint32_t)(count - header) + (tcp[13] & (SYN | FIN) ? 1 : 0);
    if (count > header) {
        hear(tcp + header, count - header);
    }
}

void peer_saw(const uint8_t *sent, size_t count)
{
    bool ipv6 = count > ETHERNET + IPV6 && get16(sent + 12) == 0x86dd;
    size_t headers = ETHERNET + (ipv6 ? IPV6 : IPV4);
    uint8_t next = sent[ipv6 ? ETHERNET + 6 : ETHERNET + 9];
    size_t whole;

    if (count < headers + 20 || (!ipv6 && get16(sent + 12) != 0x0800)) {
        return;
    }
    whole = ipv6 ? IPV6 + get16(sent + ETHERNET + 4) : get16(sent + ETHERNET + 2);
    count = whole != 0 && ETHERNET + whole < count ? ETHERNET + whole : count;
    if (next == TCP && count >= headers + 20) {
        saw_segment(ipv6, sent + headers, count - headers);
    } else if (next == UDP && count > headers + 8) {
        hear(sent + headers + 8, count - headers - 8);
    }
}
