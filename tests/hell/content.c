/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload of IPv4 and IPv6 packets. */
#include "tests/hell/frame.h"

enum { MDNS_PORT = 5353, WORDS_OF_TCP = 5 };

static const uint16_t services[] = {7, 9, 19, 80, 5001, 12865};
enum { SERVICES = sizeof services / sizeof services[0] };

static uint32_t client_port(struct frame *f)
{
    return 1024 + below(f, 60000);
}

static void segment(struct frame *f, uint32_t port, uint32_t flags, uint32_t option_words)
{
    put_16(f, client_port(f));
    put_16(f, port);
    put_32(f, any(f));
    put_32(f, flags & TCP_ACK ? any(f) : 0);
    put_16(f, (WORDS_OF_TCP + option_words) << 12 | flags);
    put_16(f, any(f)); /* the window */
    put_32(f, 0);      /* the checksum, and no urgent data */
}

/* Mostly to a service, with an MSS option. */
void syn(struct frame *f)
{
    segment(f, below(f, 8) == 0 ? any(f) : services[below(f, SERVICES)], TCP_SYN, 1);
    put_16(f, 0x0204);
    put_16(f, below(f, 4) == 0 ? any(f) : 1460);
}

/* Any flags, with and without data, to services and to random ports. */
void stray_segment(struct frame *f)
{
    static const uint8_t flags[] = {TCP_ACK, TCP_RST, TCP_RST | TCP_ACK, TCP_FIN | TCP_ACK};
    uint32_t chance = below(f, 8);

    segment(f, chance & 1 ? services[below(f, SERVICES)] : any(f),
            chance < 6 ? flags[chance & 3] : any(f) & 0x3f, 0);
    put_any(f, below(f, 4) == 0 ? below(f, 1400) : 0);
}

void closed_port(struct frame *f)
{
    uint32_t length = below(f, 8) == 0 ? below(f, 1400) : below(f, 30);

    put_16(f, client_port(f));
    put_16(f, 20000 + below(f, 10000));
    put_16(f, 8 + length);
    put_16(f, 0);
    put_any(f, length);
}

void echo_request(struct frame *f, uint32_t type)
{
    put_16(f, type << 8);
    put_16(f, 0);
    put_32(f, any(f));
    put_any(f, below(f, 8) == 0 ? below(f, 1400) : 56);
}

static void mdns_name(struct frame *f)
{
    if (below(f, 2) == 0) {
        put(f, "\5vtnet\5local", 13);
        return;
    }
    for (uint32_t labels = below(f, 6); labels > 0; labels--) {
        uint32_t length = below(f, 16);

        put_8(f, below(f, 16) == 0 ? any(f) : length);
        put_any(f, length);
    }
    put_16(f, below(f, 4) == 0 ? 0xc000 | below(f, 64) : 0); /* the end, or a pointer to earlier
                                                              * data */
}

/* Questions and answers, valid and invalid, in one message and in several. */
void mdns(struct frame *f)
{
    static const uint16_t flags[] = {0, 0x0200, 0x8400};
    static const uint16_t types[] = {1, 12, 28, 255, 33};
    size_t begin = f->length;
    uint32_t questions = below(f, 4), answers = below(f, 4), length;

    put_16(f, below(f, 4) == 0 ? client_port(f) : MDNS_PORT);
    put_16(f, MDNS_PORT);
    put_32(f, 0); /* the length, set later, and the checksum */
    put_16(f, 0);
    put_16(f, flags[below(f, 3)]);
    put_16(f, below(f, 16) == 0 ? any(f) : questions);
    put_16(f, below(f, 16) == 0 ? any(f) : answers);
    put_32(f, 0);
    while (questions-- > 0) {
        mdns_name(f);
        put_16(f, types[below(f, 5)]);
        put_16(f, 1 | (any(f) & 0x8000));
    }
    while (answers-- > 0) {
        mdns_name(f);
        put_16(f, types[below(f, 5)]);
        put_16(f, 0x8001);
        put_32(f, below(f, 3) * 60);
        put_16(f, 4);
        put_32(f, any(f));
    }
    length = (uint32_t)(f->length - begin);
    f->data[begin + 4] = (uint8_t)(length >> 8);
    f->data[begin + 5] = (uint8_t)length;
}

/* The start of a segment that the guest may have sent, as quoted in errors. */
void sent_by_guest_tcp(struct frame *f)
{
    put_16(f, services[below(f, SERVICES)]);
    put_16(f, client_port(f));
    put_32(f, any(f));
    put_32(f, any(f));
}
