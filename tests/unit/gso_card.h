/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of gso.c and gso_headers.c: frames as made by lwIP, and a card that records what it is to send. Uses
 * lwIP's headers, but not its sources.
 */
#ifndef GSO_CARD_H
#define GSO_CARD_H

#include "stack.h"

#include "net/lwip_port/gso.c"
#include "net/lwip_port/gso_headers.c"

void pbuf_ref(struct pbuf *p)
{
    p->ref++;
}

u8_t pbuf_free(struct pbuf *p)
{
    assert_true(p->ref > 0);
    p->ref--;
    return 0;
}

u16_t pbuf_clen(const struct pbuf *p)
{
    u16_t count = 0;

    for (; p != NULL; p = p->next) {
        count++;
    }
    return count;
}

enum {
    MSS = 1460,
    SEGMENTS = 256,
    FRAMES = 64,
    RESERVE = 16,
    OFFLOADS = NIC_SEND_CHECKSUM | NIC_SEND_TCP4 | NIC_SEND_TCP6 | NIC_SEND_UDP
};

/* A frame as in lwIP: headers in one pbuf, payload in another. */
struct segment {
    struct pbuf header, payload;
    uint8_t room[12 + 14 + 40 + 20 + 2];
};

static uint8_t memory[SEGMENTS * MSS * 2];
static struct segment segments[SEGMENTS];
static unsigned made;
static unsigned ring_room;
static unsigned reserve; /* places to leave free */
static int transmit_result;

static struct sent {
    uint8_t bytes[UINT16_MAX + 14];
    uint32_t length;
    unsigned parts;
    struct virtio_net_offload offload;
    void *cookie;
} sent[FRAMES];
static unsigned sent_count;

static bool fake_has_room(void *state, unsigned frames, unsigned parts, unsigned spare)
{
    (void)state;
    assert_int_equal(spare, reserve);
    return ring_room >= frames * parts + spare;
}

static int fake_transmit(void *state, struct virtqueue_part *parts, unsigned count,
                         unsigned headroom, const struct virtio_net_offload *offload, void *cookie)
{
    struct sent *s = &sent[sent_count];

    (void)state;
    assert_int_equal(headroom, 12);
    assert_true(count <= NIC_PARTS_MAX);
    if (transmit_result != 0) {
        return transmit_result;
    }
    memset((uint8_t *)(uintptr_t)parts[0].data - headroom, 0xee, headroom);
    *s = (struct sent){.offload = *offload, .cookie = cookie, .parts = count};
    for (unsigned i = 0; i < count; i++) {
        assert_true(s->length + parts[i].length <= sizeof s->bytes);
        memcpy(s->bytes + s->length, parts[i].data, parts[i].length);
        s->length += parts[i].length;
    }
    assert_true(++sent_count < FRAMES);
    return 0;
}

static const struct nic_driver driver = {.has_room = fake_has_room, .transmit = fake_transmit};
static const struct nic nic = {.driver = &driver, .info = {.headroom = 12}};
static struct gso *gso;

static int set_up(void **state)
{
    (void)state;
    made = 0;
    sent_count = 0;
    ring_room = 256;
    reserve = RESERVE;
    transmit_result = 0;
    for (size_t i = 0; i < sizeof memory; i++) {
        memory[i] = (uint8_t)(i * 7 + i / 251);
    }
    gso = gso_open(&nic, OFFLOADS, RESERVE);
    assert_non_null(gso);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(gso);
    for (unsigned i = 0; i < made; i++) {
        assert_int_equal(segments[i].header.ref, 1); /* the test's own reference */
    }
    return 0;
}

/*
 * Makes the next frame up to its transport header of `header` zero bytes. Its payload is at memory
 * + offset.
 */
static struct pbuf *make_frame(uint32_t offset, unsigned length, unsigned protocol, unsigned header,
                               bool ipv6)
{
    struct segment *s = &segments[made++];
    uint8_t *frame = s->room + 12;
    uint8_t *ip = frame + 14;
    unsigned headers = 14 + (ipv6 ? 40 : 20) + header;

    assert_true(made <= SEGMENTS && offset + length <= sizeof memory);
    memset(s, 0, sizeof *s);
    memcpy(frame, "\x52\x54\0\x12\x34\x56\2\0\0\0\0\1", 12);
    put16(frame + 12, ipv6 ? 0x86dd : 0x0800);
    if (ipv6) {
        ip[0] = 0x60;
        put16(ip + 4, header + length);
        ip[6] = (uint8_t)protocol;
        ip[7] = 64;
        memset(ip + 8, 0xfe, 32);
    } else {
        ip[0] = 0x45;
        put16(ip + 2, 20 + header + length);
        put16(ip + 4, made);
        ip[8] = 64;
        ip[9] = (uint8_t)protocol;
        memcpy(ip + 12, "\x0a\0\0\2\x0a\0\0\1", 8);
        put16(ip + 10, fold(sum_of(ip, 20)));
    }
    s->header = (struct pbuf){.next = length != 0 ? &s->payload : NULL,
                              .payload = frame,
                              .len = (u16_t)headers,
                              .tot_len = (u16_t)(headers + length),
                              .ref = 1};
    s->payload = (struct pbuf){
        .payload = memory + offset, .len = (u16_t)length, .tot_len = (u16_t)length, .ref = 1};
    return &s->header;
}

static bool recognise; /* the next segment without parsing, as interface_link_output() does */

static enum gso_result take(struct pbuf *p)
{
    struct offload_headers headers;

    if (recognise && gso_take_next(gso, p)) {
        return GSO_TAKEN;
    }
    assert_true(offload_parse(p->payload, p->len, &headers));
    return gso_take(gso, p, &headers);
}

/* The lone segment with its original headers, or NULL. */
static struct pbuf *flush(struct gso *of)
{
    struct offload_headers headers, again;
    struct pbuf *lone = gso_flush(of, &headers);

    if (lone != NULL) {
        assert_true(offload_parse(lone->payload, lone->len, &again));
        assert_memory_equal(&headers, &again, sizeof headers);
    }
    return lone;
}

/*
 * Checks what a card reads of a frame to be split, and the IP header of the whole (virtio 1.3
 * §5.1.6.2).
 */
static void assert_headers(const struct sent *s, unsigned protocol, unsigned checksum_offset)
{
    const struct virtio_net_offload *o = &s->offload;
    const uint8_t *ip = s->bytes + 14;
    bool ipv6 = ip[0] == 0x60;
    uint32_t addresses = ipv6 ? sum_of(ip + 8, 32) : sum_of(ip + 12, 8);

    assert_int_equal(o->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(o->csum_offset, checksum_offset);
    assert_int_equal(sum_of(s->bytes + o->csum_start + checksum_offset, 2),
                     (uint16_t)~fold(addresses + protocol + s->length - o->csum_start));
    if (ipv6) {
        assert_int_equal(sum_of(ip + 4, 2), s->length - 14 - 40);
    } else {
        assert_int_equal(sum_of(ip + 2, 2), s->length - 14);
        assert_int_equal(fold(sum_of(ip, 20)), 0);
    }
}

/* The card is done with the last joined frame. */
static void release_sent(void)
{
    assert_true(gso_release(gso, sent[0].cookie));
    sent_count = 0;
}

#endif
