/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bursts of segments: the test cuts the frames as a card would, and compares with the segments that
 * went in. lwIP's headers are used, but not its sources.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP's takes its place */
#include "net/lwip_port/burst.c"
#include "net/lwip_port/checksum.c"
#include "net/lwip_port/offload.c"

#include "runtime/panic.h"

void panic(const char *format, ...)
{
    fail_msg("%s", format);
    abort();
}

uint32_t lwip_port_random(void)
{
    return 4;
}

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

enum { MSS = 1460, SEGMENTS = 256, FRAMES = 64, HEADERS = 54, HEADERS6 = 74, RESERVE = 16 };

/* A segment as lwIP has it: headers in one pbuf, payload in another. */
struct segment {
    struct pbuf header, payload;
    uint8_t room[12 + HEADERS6 + 2];
};

static uint8_t memory[SEGMENTS * MSS * 2];
static struct segment segments[SEGMENTS];
static unsigned made;
static unsigned ring_room;
static int transmit_result;

static struct sent {
    uint8_t bytes[UINT16_MAX + 14];
    uint32_t length;
    unsigned parts;
    struct nic_offload offload;
    void *cookie;
} sent[FRAMES];
static unsigned sent_count;

static unsigned fake_headroom(void *state)
{
    (void)state;
    return 12;
}

static bool fake_has_room(void *state, unsigned frames, unsigned parts, unsigned spare)
{
    (void)state;
    assert_int_equal(spare, RESERVE);
    return ring_room >= frames * parts + spare;
}

static int fake_transmit(void *state, const struct nic_part *parts, unsigned count,
                         unsigned headroom, const struct nic_offload *offload, void *cookie)
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

static const struct nic_driver driver = {
    .headroom = fake_headroom, .has_room = fake_has_room, .transmit = fake_transmit};
static const struct nic nic = {.driver = &driver};
static struct bursts *bursts;

static int set_up(void **state)
{
    (void)state;
    made = 0;
    sent_count = 0;
    ring_room = 256;
    transmit_result = 0;
    for (size_t i = 0; i < sizeof memory; i++) {
        memory[i] = (uint8_t)(i * 7 + i / 251);
    }
    bursts = burst_open(&nic, NIC_SEND_CHECKSUM | NIC_SEND_TCP4 | NIC_SEND_TCP6, RESERVE);
    assert_non_null(bursts);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(bursts);
    for (unsigned i = 0; i < made; i++) {
        assert_int_equal(segments[i].header.ref, 1); /* the test's own */
    }
    return 0;
}

static uint32_t sum_of(const uint8_t *at, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i++) {
        sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
    }
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* The next segment of a connection: its payload lies at memory + offset, its sequence number is
 * 0xffff0000 + offset, which wraps. */
static struct pbuf *make(uint32_t offset, unsigned length, unsigned flags, bool ipv6)
{
    struct segment *s = &segments[made++];
    uint8_t *frame = s->room + 12;
    unsigned transport = ipv6 ? HEADERS6 - 20 : HEADERS - 20;
    uint8_t *ip = frame + 14;
    uint8_t *tcp = frame + transport;

    assert_true(made <= SEGMENTS && offset + length <= sizeof memory);
    memset(s, 0, sizeof *s);
    memcpy(frame, "\x52\x54\0\x12\x34\x56\2\0\0\0\0\1", 12);
    put16(frame + 12, ipv6 ? 0x86dd : 0x0800);
    if (ipv6) {
        ip[0] = 0x60;
        put16(ip + 4, 20 + length);
        ip[6] = 6;
        ip[7] = 64;
        memset(ip + 8, 0xfe, 32);
    } else {
        ip[0] = 0x45;
        put16(ip + 2, 40 + length);
        put16(ip + 4, made);
        ip[8] = 64;
        ip[9] = 6;
        memcpy(ip + 12, "\x0a\0\0\2\x0a\0\0\1", 8);
        put16(ip + 10, fold(sum_of(ip, 20)));
    }
    put16(tcp, 19);
    put16(tcp + 2, 40000);
    put16(tcp + 4, (0xffff0000u + offset) >> 16);
    put16(tcp + 6, (0xffff0000u + offset) & 0xffff);
    put16(tcp + 10, 1000);
    tcp[12] = 0x50;
    tcp[13] = (uint8_t)flags;
    put16(tcp + 14, 500);
    s->header = (struct pbuf){.next = length != 0 ? &s->payload : NULL,
                              .payload = frame,
                              .len = (u16_t)(transport + 20),
                              .tot_len = (u16_t)(transport + 20 + length),
                              .ref = 1};
    s->payload = (struct pbuf){
        .payload = memory + offset, .len = (u16_t)length, .tot_len = (u16_t)length, .ref = 1};
    return &s->header;
}

static uint8_t *tcp_of(struct pbuf *p)
{
    return (uint8_t *)p->payload + p->len - 20;
}

static enum burst_result take(struct pbuf *p)
{
    struct offload_headers headers;

    assert_true(offload_parse(p->payload, p->len, &headers));
    return burst_take(bursts, p, &headers);
}

/* What a card makes of a frame: compares with the segments from `first` on. (virtio 1.3 §5.1.6.2) */
static unsigned cut_and_compare(const struct sent *s, unsigned first)
{
    const struct nic_offload *o = &s->offload;
    bool ipv6 = o->segments == NIC_TCP6;
    unsigned transport = o->checksum_start, payload = o->header_length;
    const uint8_t *ip = s->bytes + 14;
    uint32_t addresses = ipv6 ? sum_of(ip + 8, 32) : sum_of(ip + 12, 8);
    uint32_t total = s->length - payload;
    unsigned cut = 0;

    assert_true(o->checksum);
    assert_int_equal(o->checksum_offset, 16);
    assert_int_equal(sum_of(s->bytes + transport + 16, 2),
                     (uint16_t)~fold(addresses + 6 + s->length - transport));
    if (ipv6) {
        assert_int_equal(sum_of(ip + 4, 2), s->length - 14 - 40);
    } else {
        assert_int_equal(sum_of(ip + 2, 2), s->length - 14);
        assert_int_equal(fold(sum_of(ip, 20)), 0);
    }
    for (uint32_t at = 0; at < total; at += o->segment_size, cut++) {
        const struct segment *from = &segments[first + cut];
        const uint8_t *tcp = (const uint8_t *)from->header.payload + from->header.len - 20;
        uint32_t length = total - at < o->segment_size ? total - at : o->segment_size;
        bool last = at + length == total;

        assert_int_equal(get32(s->bytes + transport + 4) + at, get32(tcp + 4));
        assert_int_equal(length, from->payload.len);
        assert_memory_equal(s->bytes + payload + at, from->payload.payload, length);
        if (last) {
            assert_memory_equal(s->bytes + transport + 8, tcp + 8, 4); /* acknowledgement */
            assert_memory_equal(s->bytes + transport + 14, tcp + 14, 2);
        }
        assert_true(last || o->segment_size == length);
    }
    return cut;
}

static void test_segments_leave_as_one_frame(void **state)
{
    (void)state;
    for (unsigned ipv6 = 0; ipv6 <= 1; ipv6++) {
        unsigned first = made;

        for (unsigned i = 0; i < 10; i++) {
            struct pbuf *p = make(MSS * i, i == 9 ? 7 : MSS, i == 4 ? 0x18 : 0x10, ipv6);

            put16(tcp_of(p) + 10, 1000 + i); /* more was received meanwhile */
            put16(tcp_of(p) + 14, 500 - i);
            assert_int_equal(take(p), BURST_TAKEN);
            assert_int_equal(p->ref, 2);
        }
        assert_null(burst_flush(bursts));
        assert_null(burst_flush(bursts));
        assert_int_equal(sent_count, 1);
        assert_int_equal(sent[0].offload.segments, ipv6 ? NIC_TCP6 : NIC_TCP4);
        assert_int_equal(sent[0].offload.segment_size, MSS);
        assert_int_equal(sent[0].parts, 2); /* neighbours in memory are one */
        assert_int_equal(sent[0].bytes[sent[0].offload.checksum_start + 13], 0x18);
        assert_int_equal(cut_and_compare(&sent[0], first), 10);
        assert_true(burst_release(bursts, sent[0].cookie));
        assert_false(burst_release(bursts, &segments[0].header));
        sent_count = 0;
    }
}

static void test_one_segment_leaves_as_it_is(void **state)
{
    struct pbuf *p = make(0, 100, 0x18, false);

    (void)state;
    assert_int_equal(take(p), BURST_TAKEN);
    assert_ptr_equal(burst_flush(bursts), p);
    assert_int_equal(p->ref, 2);
    pbuf_free(p);
    assert_int_equal(sent_count, 0);
}

static void test_what_is_never_part_of_a_burst(void **state)
{
    static const uint8_t flags[] = {0x02, 0x11, 0x14, 0x30, 0x50, 0x90, 0x08, 0x00};
    struct bursts *four;
    struct offload_headers headers;
    struct pbuf *p;

    (void)state;
    for (unsigned i = 0; i < sizeof flags; i++) {
        assert_int_equal(take(make(0, 100, flags[i], false)), BURST_ALONE);
    }
    assert_int_equal(take(make(0, 0, 0x10, false)), BURST_ALONE);
    p = make(0, 100, 0x10, false);
    ((uint8_t *)p->payload)[14 + 9] = 17;
    assert_int_equal(take(p), BURST_ALONE);
    p = make(0, 100, 0x10, false);
    ((uint8_t *)p->payload)[14 + 6] = 0x20; /* a fragment */
    assert_int_equal(take(p), BURST_ALONE);
    p = make(0, 100, 0x10, false);
    tcp_of(p)[12] = 0xf0; /* options that are not there */
    assert_int_equal(take(p), BURST_ALONE);
    four = burst_open(&nic, NIC_SEND_CHECKSUM | NIC_SEND_TCP4, RESERVE);
    p = make(0, 100, 0x10, true);
    assert_true(offload_parse(p->payload, p->len, &headers));
    assert_int_equal(burst_take(four, p, &headers), BURST_ALONE);
    free(four);
    assert_null(burst_open(&nic, NIC_SEND_CHECKSUM, RESERVE));
}

/* Changes one byte of the next segment; it must then begin a burst of its own. */
static void assert_ends_burst(unsigned offset_of_byte, uint8_t change)
{
    struct pbuf *a = make(0, MSS, 0x10, false), *b = make(MSS, MSS, 0x10, false), *c, *single;

    assert_int_equal(take(a), BURST_TAKEN);
    assert_int_equal(take(b), BURST_TAKEN);
    c = make(2 * MSS, MSS, 0x10, false);
    ((uint8_t *)c->payload)[offset_of_byte] ^= change;
    assert_int_equal(take(c), BURST_OTHER);
    assert_null(burst_flush(bursts));
    assert_int_equal(take(c), BURST_TAKEN);
    single = burst_flush(bursts);
    assert_ptr_equal(single, c);
    pbuf_free(single);
    assert_int_equal(sent_count, 1);
    assert_int_equal(cut_and_compare(&sent[0], made - 3), 2);
    assert_true(burst_release(bursts, sent[0].cookie));
    sent_count = 0;
}

static void test_what_ends_a_burst(void **state)
{
    static const uint8_t bytes[] = {0,       5,       6,       14 + 1,  14 + 8,
                                    14 + 12, 14 + 15, 14 + 16, 14 + 19, 34 + 1,
                                    34 + 3,  34 + 4,  34 + 7,  34 + 18, 34 + 19};

    (void)state;
    for (unsigned i = 0; i < sizeof bytes; i++) {
        assert_ends_burst(bytes[i], 1);
    }
}

static void test_lengths_that_end_a_burst(void **state)
{
    struct pbuf *p;

    (void)state;
    assert_int_equal(take(make(0, 1000, 0x10, false)), BURST_TAKEN);
    assert_int_equal(take(make(1000, 1001, 0x10, false)), BURST_OTHER); /* longer */
    assert_int_equal(take(make(1000, 999, 0x10, false)), BURST_TAKEN);  /* shorter, so the last */
    assert_int_equal(take(make(1999, 999, 0x10, false)), BURST_OTHER);
    assert_null(burst_flush(bursts));
    assert_int_equal(sent[0].offload.segment_size, 1000);
    assert_int_equal(sent[0].length, HEADERS + 1999);
    assert_true(burst_release(bursts, sent[0].cookie));
    assert_int_equal(take(make(1999, 10, 0x10, false)), BURST_TAKEN);
    assert_int_equal(take(make(2000, 10, 0x10, false)), BURST_OTHER); /* overlaps */
    assert_int_equal(take(make(2010, 10, 0x10, false)), BURST_OTHER); /* leaves a gap */
    p = burst_flush(bursts);
    pbuf_free(p);
}

/* Adds segments until one is refused. stride: bytes of memory from one to the next, or 0 for what is
 * one piece of memory; the sequence numbers are contiguous. Returns their number. */
static unsigned fill(unsigned length, unsigned stride)
{
    unsigned count = 0;

    for (;;) {
        struct pbuf *p = make(count * length, length, 0x10, false);

        if (stride != 0) {
            segments[made - 1].payload.payload = memory + (size_t)count * stride;
        }
        if (take(p) != BURST_TAKEN) {
            return count;
        }
        count++;
    }
}

static void test_limits_of_a_burst(void **state)
{
    static const struct {
        unsigned length, stride, expected;
    } cases[] = {
        {MSS, 0, (65535 - 40) / MSS},       /* an IP packet's length */
        {MSS, MSS + 1, (65535 - 40) / MSS}, /* a part for each */
        {8960, 0, 7},                       /* jumbo frames */
        {100, 0, SEGMENTS_MAX},             /* segments of a burst */
        {100, 200, NIC_PARTS_MAX - 1},      /* parts of a frame, one of them the header */
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned first = made;
        unsigned expected = cases[i].expected < SEGMENTS_MAX ? cases[i].expected : SEGMENTS_MAX;

        assert_int_equal(fill(cases[i].length, cases[i].stride), expected);
        assert_null(burst_flush(bursts));
        assert_int_equal(cut_and_compare(&sent[0], first), expected);
        assert_true(sent[0].length - 14 <= 65535);
        assert_true(burst_release(bursts, sent[0].cookie));
        sent_count = 0;
    }
}

static void test_a_ring_with_little_room(void **state)
{
    unsigned first;

    (void)state;
    ring_room = RESERVE + 1; /* header and payload take two places at the most */
    assert_int_equal(take(make(0, MSS, 0x10, false)), BURST_FULL);
    assert_null(burst_flush(bursts));
    ring_room = RESERVE + 5;
    first = made;
    assert_int_equal(fill(MSS, MSS + 1), 4);
    assert_null(burst_flush(bursts));
    assert_int_equal(sent[0].parts, 5);
    assert_int_equal(cut_and_compare(&sent[0], first), 4);
    assert_true(burst_release(bursts, sent[0].cookie));
    sent_count = 0;

    /* A segment whose first part was a neighbour in memory and whose second one found no place. */
    first = made;
    assert_int_equal(take(make(0, MSS, 0x10, false)), BURST_TAKEN);
    assert_int_equal(take(make(MSS, MSS, 0x10, false)), BURST_TAKEN);
    ring_room = RESERVE + 2;
    {
        struct pbuf *p = make(2 * MSS, MSS, 0x10, false);
        struct segment *s = &segments[made - 1];
        static struct pbuf more;

        s->payload.len = 10;
        more = (struct pbuf){.payload = memory + 5, .len = MSS - 10, .tot_len = MSS - 10, .ref = 1};
        s->payload.next = &more;
        assert_int_equal(take(p), BURST_OTHER);
    }
    assert_null(burst_flush(bursts));
    assert_int_equal(sent[0].length, HEADERS + 2 * MSS);
    assert_int_equal(cut_and_compare(&sent[0], first), 2);
    assert_true(burst_release(bursts, sent[0].cookie));
}

static void test_no_burst_left(void **state)
{
    struct pbuf *p;

    (void)state;
    for (unsigned i = 0; i < BURSTS; i++) {
        assert_int_equal(take(make(0, MSS, 0x10, false)), BURST_TAKEN);
        assert_int_equal(take(make(MSS, MSS, 0x10, false)), BURST_TAKEN);
        assert_null(burst_flush(bursts));
    }
    assert_int_equal(take(make(0, MSS, 0x10, false)), BURST_ALONE);
    assert_null(burst_flush(bursts));
    assert_true(burst_release(bursts, sent[3].cookie));
    assert_int_equal(take(make(0, MSS, 0x10, false)), BURST_TAKEN);
    p = burst_flush(bursts);
    pbuf_free(p);
    for (unsigned i = 0; i < BURSTS; i++) {
        if (i != 3) {
            assert_true(burst_release(bursts, sent[i].cookie));
        }
    }
}

static void test_a_card_out_of_order(void **state)
{
    (void)state;
    assert_int_equal(take(make(0, MSS, 0x10, false)), BURST_TAKEN);
    assert_int_equal(take(make(MSS, MSS, 0x10, false)), BURST_TAKEN);
    transmit_result = NIC_DOWN;
    assert_null(burst_flush(bursts));
    assert_int_equal(sent_count, 0); /* and tear_down() sees that nobody holds them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_segments_leave_as_one_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_segment_leaves_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_never_part_of_a_burst, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_ends_a_burst, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lengths_that_end_a_burst, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits_of_a_burst, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_ring_with_little_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_burst_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_card_out_of_order, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
