/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The services' input: streams over established connections, split anywhere, and datagrams. Control
 * messages of netperf and iperf lead to further connections, which the peer opens or accepts.
 */
#include <string.h>

#include "input.h"
#include "peer.h"
#include "stack.h"

enum { FIN = 1, RST = 4, PSH = 8, ACK = 16, PIECE = 1400, DNS_HEADER = 12, NETPERF_MESSAGE = 656 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t ports[] = {80, 12865, 5001, 7, 9, 19};
static const uint16_t datagram_ports[] = {5353, 5001, 81, 19, 9, 7, 68, 67};
static const char *const texts[] = {
    "GET / HTTP/1.1\r\nHost: vtnet\r\n\r\n",
    "GET / HTTP/1.1\r\nAccept: text/html;q=0.9\r\nAccept-Encoding: gzip\r\n\r\n",
    "HEAD /",
    "GET ",
    " HTTP/1.0\r\n",
    "\r\n\r\n",
    "STAT",
    "SEND",
};

/* A netperf request for a test over TCP or UDP, with some words changed. */
static size_t make_netperf(uint8_t *piece, unsigned how)
{
    static const uint8_t tcp[][2] = {{0, 97}, {16, 1}, {23, 4}, {24, 1}, {25, 6}, {26, 4}};
    static const uint8_t udp[][2] = {{0, 97}, {16, 1}, {23, 4}, {24, 2}, {25, 17}, {26, 4}};

    memset(piece, 0, NETPERF_MESSAGE);
    for (unsigned i = 0; i < sizeof tcp / sizeof tcp[0]; i++) {
        const uint8_t *word = how & 1 ? udp[i] : tcp[i];

        piece[word[0] * 4 + 3] = word[1];
    }
    for (unsigned changes = how / 4; changes > 0; changes--) {
        size_t at = input_byte() % 32 * 4u;

        piece[at + 2] = input_byte();
        piece[at + 3] = input_byte();
    }
    return NETPERF_MESSAGE;
}

/* Bytes from the input, or a text known to a service. */
static size_t make_piece(uint8_t *piece)
{
    uint8_t how = input_byte();
    size_t length = how % 64 * 4;

    if (how >= 224) {
        const char *text = texts[how % (sizeof texts / sizeof texts[0])];

        length = strlen(text);
        memcpy(piece, text, length);
        return length;
    }
    if (how >= 192) {
        return make_netperf(piece, how % 32);
    }
    input_bytes(piece, length);
    return length;
}

static struct connection *choose(uint8_t which)
{
    struct connection *c = &connections[which % PEER_CONNECTIONS];

    return c->used ? c : NULL;
}

/* A port number sent by the guest, anywhere in the last received bytes. */
static uint16_t told_port(void)
{
    size_t at = input_byte() * 2u;

    return at + 2 <= peer_heard_length ? (uint16_t)(peer_heard[at] << 8 | peer_heard[at + 1]) : 0;
}

static void open_connection(void)
{
    uint8_t how = input_byte();
    uint16_t port = how & 128 ? told_port() : ports[how / 2 % (sizeof ports / sizeof ports[0])];

    (void)peer_connect(how & 1, port);
}

static void stream(void)
{
    struct connection *c = choose(input_byte());
    uint8_t piece[PIECE];
    size_t length = make_piece(piece);
    size_t done = 0;

    while (c != NULL && done < length) {
        size_t part = 1 + input_byte() * 4u;

        part = part < length - done ? part : length - done;
        peer_segment(c, ACK | PSH, piece + done, part, false);
        done += part;
    }
}

static void datagram(void)
{
    uint8_t how = input_byte();
    uint16_t to = datagram_ports[how / 2 % 8];
    uint8_t piece[PIECE];
    size_t length = make_piece(piece);

    to = how & 128 ? told_port() : to;
    peer_datagram(how & 1, to == 5353 || to == 68 ? to : 40000 + how % 4, to, piece, length);
}

/* Sent to the group, as to all stations. */
static void question(void)
{
    uint8_t message[PIECE] = {0, 0, (uint8_t)(input_byte() & 0x84), 0};
    size_t length = DNS_HEADER;

    message[5] = input_byte() % 4;
    message[7] = input_byte() % 4;
    message[9] = input_byte() % 4;
    while (length + 80 < sizeof message && input_left() != 0) {
        uint8_t kind = input_byte();

        if (kind % 8 == 0) {
            break;
        }
        if (kind % 8 < 4) {
            static const char name[] = "\5vtnet\5local\0\0\377\0\1";

            memcpy(message + length, name, sizeof name - 1);
            message[length + 14] = kind >> 3;
            length += sizeof name - 1;
        } else {
            input_bytes(message + length, kind >> 3);
            length += kind >> 3;
        }
    }
    peer_datagram(input_byte() & 1, 5353, 5353, message, length);
}

static void step(void)
{
    struct connection *c;

    switch (input_byte() % 10) {
    case 0:
    case 1:
        open_connection();
        break;
    case 2:
    case 3:
    case 4:
        stream();
        break;
    case 5:
        datagram();
        break;
    case 6:
        question();
        break;
    case 7: /* acknowledges received data */
        c = choose(input_byte());
        if (c != NULL) {
            peer_segment(c, ACK, NULL, 0, false);
        }
        break;
    case 8:
        c = choose(input_byte());
        if (c != NULL) {
            peer_segment(c, ACK | (input_byte() & 1 ? FIN : RST), NULL, 0, false);
        }
        break;
    default:
        for (unsigned passes = input_byte() % 32; passes > 0; passes--) {
            stack_pass(250);
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool ends;

    input_set(data, size);
    ends = input_byte() >> 5 == 7;
    stack_reset(STACK_STATIC);
    peer_reset();
    while (input_left() != 0) {
        step();
    }
    stack_pass(1);
    if (ends) {
        stack_check_end();
    }
    return 0;
}
