/* SPDX-License-Identifier: BSD-2-Clause */
/* Received frames, with time between them, and a card that behaves arbitrarily. */
#include <string.h>

#include "arena.h"
#include "input.h"
#include "peer.h"
#include "stack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t ports[] = {7, 9, 19, 80, 81, 5001, 12865, 5353, 68, 67, 547, 10000};
enum { PORTS = sizeof ports / sizeof ports[0] };

static void raw(void)
{
    static uint8_t bytes[512];
    size_t length = input_u16() % sizeof bytes;

    input_bytes(bytes, length);
    peer_ethernet(input_u16());
    peer_bytes(bytes, length);
    peer_send();
}

static void arp(void)
{
    uint8_t packet[28] = {0, 1, 8, 0,  6, 4, 0, 1,         2, 0, 0,
                          0, 0, 1, 10, 0, 0, 1, [24] = 10, 0, 0, 2};

    packet[7] = input_byte() % 4;
    packet[17] = input_byte() % 4;
    packet[27] = input_byte() % 4;
    peer_ethernet(0x0806);
    peer_bytes(packet, sizeof packet);
    peer_send();
}

/* A packet of any protocol, or a fragment. */
static void packet(void)
{
    static const uint8_t protocols[] = {1, 2, 6, 17, 58, 0, 44, 43, 60};
    uint8_t kind = input_byte();

    peer_ip(kind & 1, kind & 2 ? input_byte() : protocols[kind / 4 % sizeof protocols]);
    peer_payload();
    peer_send();
}

static void datagram(void)
{
    uint8_t kind = input_byte();
    uint16_t to = ports[kind / 2 % PORTS];
    uint8_t payload[256];
    size_t length = input_byte();

    input_bytes(payload, length);
    peer_datagram(kind & 1, kind & 128 ? to : input_u16(), to, payload, length);
}

/* A DHCP server's reply to the last request: an offer, an acknowledgement, or something else. */
static void dhcp(void)
{
    static const uint8_t guest[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    uint8_t message[400] = {2, 1, 6, [16] = 10, 0, 0, 9, [236] = 99, 130, 83, 99};
    size_t length = 240;
    uint8_t known[] = {53, 1, 2, 54,  4,   10,  0, 0, 1, 51, 4, 0, 0, 0,
                       60, 1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 0, 1};
    uint8_t more;

    if (peer_heard_length >= 8) {
        memcpy(message + 4, peer_heard + 4, 4); /* transaction id */
    }
    memcpy(message + 28, guest, sizeof guest);
    known[2] = input_byte() % 9;
    known[14] = input_byte();
    message[19] = input_byte();
    memcpy(message + length, known, sizeof known);
    length += sizeof known;
    more = input_byte() % 100;
    input_bytes(message + length, more);
    length += more;
    message[length++] = 255;
    peer_datagram(false, 67, 68, message, length);
}

static void segment(void)
{
    struct connection *c = &connections[input_byte() % PEER_CONNECTIONS];
    uint8_t flags = input_byte();
    static uint8_t payload[1460];
    size_t length = flags & 128 ? 1460 : flags & 64 ? input_byte() : 0;

    if (!c->used) {
        c = peer_connect(flags & 1, ports[input_byte() % PORTS]);
    }
    memset(payload, 'x', sizeof payload);
    input_bytes(payload, length < input_left() ? length : input_left());
    peer_segment(c, input_byte() % 64, payload, length, flags & 32);
}

/* Fragments of one datagram, in any order, with any offsets. */
static void fragment(void)
{
    uint8_t kind = input_byte();
    uint8_t ipv4[4] = {0, 1, (uint8_t)(kind & 2 ? 0x20 : 0), input_byte()};
    uint8_t ipv6[8] = {17, 0, 0, (uint8_t)(input_byte() & 0xf9), 0, 0, 0, 1};

    peer_ip(kind & 1, kind & 1 ? 44 : 17);
    peer_fragment(kind & 1 ? ipv6 : ipv4);
    peer_payload();
    peer_send();
}

static void mood(void)
{
    uint8_t how = input_byte();

    card.holds = how & 1;
    card.scarce = how & 2;
    if (how & 4) {
        card_set_link(how & 8);
    }
    if (how & 16) {
        arena_limit(input_byte());
    } else {
        arena_limit(0);
    }
}

static void step(void)
{
    switch (input_byte() % 13) {
    case 0:
        raw();
        break;
    case 1:
        arp();
        break;
    case 2:
    case 3:
        packet();
        break;
    case 4:
    case 5:
        datagram();
        break;
    case 6:
    case 7:
    case 8:
        segment();
        break;
    case 9:
        fragment();
        break;
    case 10:
        dhcp();
        break;
    case 11:
        mood();
        break;
    default:
        for (unsigned passes = input_byte() % 32; passes > 0; passes--) {
            stack_pass(100);
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t kind;

    input_set(data, size);
    kind = input_byte();
    stack_reset(kind & 1 ? STACK_DHCP : STACK_STATIC);
    peer_reset();
    while (input_left() != 0) {
        step();
    }
    stack_pass(1);
    if (kind >> 5 == 7) {
        stack_check_end();
    }
    return 0;
}
