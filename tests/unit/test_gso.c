/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joined TCP segments: the test splits the frames like a card and compares with the original
 * segments.
 */
#include "gso_card.h"

enum { HEADERS = 54 };

/*
 * Makes the next segment of a connection. Its sequence number is 0xffff0000 + offset, which wraps.
 */
static struct pbuf *make(uint32_t offset, unsigned length, unsigned flags, bool ipv6)
{
    struct pbuf *p = make_frame(offset, length, 6, 20, ipv6);
    uint8_t *tcp = (uint8_t *)p->payload + p->len - 20;

    put16(tcp, 19);
    put16(tcp + 2, 40000);
    put16(tcp + 4, (0xffff0000u + offset) >> 16);
    put16(tcp + 6, (0xffff0000u + offset) & 0xffff);
    put16(tcp + 10, 1000);
    tcp[12] = 0x50;
    tcp[13] = (uint8_t)flags;
    put16(tcp + 14, 500);
    return p;
}

static uint8_t *tcp_of(struct pbuf *p)
{
    return (uint8_t *)p->payload + p->len - 20;
}

/* Splits a frame and compares with the segments from `first` on. Returns their number. */
static unsigned cut_and_compare(const struct sent *s, unsigned first)
{
    const struct virtio_net_offload *o = &s->offload;
    unsigned transport = o->csum_start, payload = o->hdr_len;
    uint32_t total = s->length - payload;
    unsigned cut = 0;

    assert_headers(s, 6, 16);
    for (uint32_t at = 0; at < total; at += o->gso_size, cut++) {
        const struct segment *from = &segments[first + cut];
        const uint8_t *tcp = (const uint8_t *)from->header.payload + from->header.len - 20;
        uint32_t length = total - at < o->gso_size ? total - at : o->gso_size;
        bool last = at + length == total;

        assert_int_equal(get32(s->bytes + transport + 4) + at, get32(tcp + 4));
        assert_int_equal(length, from->payload.len);
        assert_memory_equal(s->bytes + payload + at, from->payload.payload, length);
        if (last) {
            assert_memory_equal(s->bytes + transport + 8, tcp + 8, 4); /* acknowledgement */
            assert_memory_equal(s->bytes + transport + 14, tcp + 14, 2);
        }
        assert_true(last || o->gso_size == length);
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
            assert_int_equal(take(p), GSO_TAKEN);
            assert_int_equal(p->ref, 2);
        }
        assert_null(flush(gso));
        assert_null(flush(gso));
        assert_int_equal(sent_count, 1);
        assert_int_equal(sent[0].offload.gso_type,
                         ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4);
        assert_int_equal(sent[0].offload.gso_size, MSS);
        assert_int_equal(sent[0].parts, 2); /* neighbours in memory are one */
        assert_int_equal(sent[0].bytes[sent[0].offload.csum_start + 13], 0x18);
        assert_int_equal(cut_and_compare(&sent[0], first), 10);
        assert_true(gso_release(gso, sent[0].cookie));
        assert_false(gso_release(gso, &segments[0].header));
        sent_count = 0;
    }
}

static void test_one_segment_leaves_as_it_is(void **state)
{
    struct pbuf *p = make(0, 100, 0x18, false);

    (void)state;
    assert_int_equal(take(p), GSO_TAKEN);
    assert_ptr_equal(flush(gso), p);
    assert_int_equal(p->ref, 2);
    pbuf_free(p);
    assert_int_equal(sent_count, 0);
}

static void test_what_is_never_joined(void **state)
{
    static const uint8_t flags[] = {0x02, 0x11, 0x14, 0x30, 0x50, 0x90, 0x08, 0x00};
    struct gso *four;
    struct offload_headers headers;
    struct pbuf *p;

    (void)state;
    for (unsigned i = 0; i < sizeof flags; i++) {
        assert_int_equal(take(make(0, 100, flags[i], false)), GSO_ALONE);
    }
    assert_int_equal(take(make(0, 0, 0x10, false)), GSO_ALONE);
    p = make(0, 100, 0x10, false);
    ((uint8_t *)p->payload)[14 + 9] = 1; /* ICMP */
    assert_int_equal(take(p), GSO_ALONE);
    p = make(0, 100, 0x10, false);
    ((uint8_t *)p->payload)[14 + 6] = 0x20; /* a fragment */
    assert_int_equal(take(p), GSO_ALONE);
    p = make(0, 100, 0x10, false);
    tcp_of(p)[12] = 0xf0; /* options that are not there */
    assert_int_equal(take(p), GSO_ALONE);
    four = gso_open(&nic, NIC_SEND_CHECKSUM | NIC_SEND_TCP4, RESERVE);
    p = make(0, 100, 0x10, true);
    assert_true(offload_parse(p->payload, p->len, &headers));
    assert_int_equal(gso_take(four, p, &headers), GSO_ALONE);
    free(four);
    assert_null(gso_open(&nic, NIC_SEND_CHECKSUM, RESERVE));
}

/* Changes one byte of the next segment; it must then begin a joined frame of its own. */
static void assert_ends_joined_frame(unsigned offset_of_byte, uint8_t change)
{
    struct pbuf *a = make(0, MSS, 0x10, false), *b = make(MSS, MSS, 0x10, false), *c, *single;

    assert_int_equal(take(a), GSO_TAKEN);
    assert_int_equal(take(b), GSO_TAKEN);
    c = make(2 * MSS, MSS, 0x10, false);
    ((uint8_t *)c->payload)[offset_of_byte] ^= change;
    assert_int_equal(take(c), GSO_OTHER);
    assert_null(flush(gso));
    assert_int_equal(take(c), GSO_TAKEN);
    single = flush(gso);
    assert_ptr_equal(single, c);
    pbuf_free(single);
    assert_int_equal(sent_count, 1);
    assert_int_equal(cut_and_compare(&sent[0], made - 3), 2);
    release_sent();
}

static void test_what_ends_a_joined_frame(void **state)
{
    static const uint8_t bytes[] = {0,      5,       6,       8,       11,      14 + 1,
                                    14 + 8, 14 + 12, 14 + 15, 14 + 16, 14 + 19, 34 + 1,
                                    34 + 3, 34 + 4,  34 + 7,  34 + 18, 34 + 19};

    (void)state;
    for (unsigned i = 0; i < sizeof bytes; i++) {
        assert_ends_joined_frame(bytes[i], 1);
    }
}

/*
 * Options are compared, too: of TCP, and of IP in front of UDP, where the headers are as long as
 * those of TCP without options. changed: a byte of the second frame's headers, or 0.
 */
static void assert_options_decide(bool tcp, unsigned changed)
{
    struct pbuf *p[2];

    reserve = tcp ? RESERVE : 0;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *ip;

        p[i] = make_frame(i * MSS, MSS, tcp ? 6 : 17, tcp ? 20 + 12 : 12 + 8, false);
        ip = (uint8_t *)p[i]->payload + 14;
        if (tcp) {
            put16(ip + 20 + 6, i * MSS);
            ip[20 + 12] = 0x80;
            ip[20 + 13] = 0x10;
        } else {
            ip[0] = 0x48;
        }
    }
    ((uint8_t *)p[1]->payload)[changed] ^= changed != 0;
    assert_int_equal(take(p[0]), GSO_TAKEN);
    assert_int_equal(take(p[1]), changed == 0 ? GSO_TAKEN : GSO_OTHER);
    if (changed != 0) {
        assert_ptr_equal(flush(gso), p[0]);
        pbuf_free(p[0]);
        return;
    }
    assert_null(flush(gso));
    assert_int_equal(sent[0].offload.csum_start, tcp ? 34 : 46);
    assert_int_equal(sent[0].offload.hdr_len, tcp ? 66 : 54);
    release_sent();
}

static void test_options(void **state)
{
    (void)state;
    assert_options_decide(true, 0);
    for (unsigned at = 54; at < 66; at++) {
        assert_options_decide(true, at);
    }
    assert_options_decide(false, 0);
    for (unsigned at = 34; at < 46 + 4; at++) { /* and the ports */
        assert_options_decide(false, at);
    }
}

static void test_lengths_that_end_a_joined_frame(void **state)
{
    struct pbuf *p;

    (void)state;
    assert_int_equal(take(make(0, 1000, 0x10, false)), GSO_TAKEN);
    assert_int_equal(take(make(1000, 1001, 0x10, false)), GSO_OTHER); /* longer */
    assert_int_equal(take(make(1000, 999, 0x10, false)), GSO_TAKEN);  /* shorter, so the last */
    assert_int_equal(take(make(1999, 999, 0x10, false)), GSO_OTHER);
    assert_null(flush(gso));
    assert_int_equal(sent[0].offload.gso_size, 1000);
    assert_int_equal(sent[0].length, HEADERS + 1999);
    assert_true(gso_release(gso, sent[0].cookie));
    assert_int_equal(take(make(1999, 10, 0x10, false)), GSO_TAKEN);
    assert_int_equal(take(make(2000, 10, 0x10, false)), GSO_OTHER); /* overlaps */
    assert_int_equal(take(make(2010, 10, 0x10, false)), GSO_OTHER); /* leaves a gap */
    p = flush(gso);
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
        if (take(p) != GSO_TAKEN) {
            return count;
        }
        count++;
    }
}

static void test_limits_of_a_joined_frame(void **state)
{
    static const struct {
        unsigned length, stride, expected;
    } cases[] = {
        {MSS, 0, (65535 - 40) / MSS},       /* an IP packet's length */
        {MSS, MSS + 1, (65535 - 40) / MSS}, /* a part for each */
        {8960, 0, 7},                       /* jumbo frames */
        {100, 0, SEGMENTS_MAX},             /* segments of a joined frame */
        {100, 200, NIC_PARTS_MAX - 1},      /* parts of a frame, one of them the header */
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned first = made;
        unsigned expected = cases[i].expected < SEGMENTS_MAX ? cases[i].expected : SEGMENTS_MAX;

        assert_int_equal(fill(cases[i].length, cases[i].stride), expected);
        assert_null(flush(gso));
        assert_int_equal(cut_and_compare(&sent[0], first), expected);
        assert_true(sent[0].length - 14 <= 65535);
        release_sent();
    }
}

static void test_a_ring_with_little_room(void **state)
{
    unsigned first;

    (void)state;
    ring_room = RESERVE + 1; /* header and payload take two places at the most */
    assert_int_equal(take(make(0, MSS, 0x10, false)), GSO_FULL);
    assert_null(flush(gso));
    ring_room = RESERVE + 5;
    first = made;
    assert_int_equal(fill(MSS, MSS + 1), 4);
    assert_null(flush(gso));
    assert_int_equal(sent[0].parts, 5);
    assert_int_equal(cut_and_compare(&sent[0], first), 4);
    release_sent();

    /* A segment whose first part was a neighbour in memory and whose second one found no place. */
    first = made;
    ring_room = RESERVE + 2;
    assert_int_equal(take(make(0, MSS, 0x10, false)), GSO_TAKEN);
    assert_int_equal(take(make(MSS, MSS, 0x10, false)), GSO_TAKEN);
    {
        struct pbuf *p = make(2 * MSS, MSS, 0x10, false);
        struct segment *s = &segments[made - 1];
        static struct pbuf more;

        s->payload.len = 10;
        more = (struct pbuf){.payload = memory + 5, .len = MSS - 10, .tot_len = MSS - 10, .ref = 1};
        s->payload.next = &more;
        assert_int_equal(take(p), GSO_OTHER);
    }
    assert_null(flush(gso));
    assert_int_equal(sent[0].length, HEADERS + 2 * MSS);
    assert_int_equal(cut_and_compare(&sent[0], first), 2);
    assert_true(gso_release(gso, sent[0].cookie));
}

static void test_no_joined_frame_left(void **state)
{
    struct pbuf *p;

    (void)state;
    for (unsigned i = 0; i < JOINED_FRAMES; i++) {
        assert_int_equal(take(make(0, MSS, 0x10, false)), GSO_TAKEN);
        assert_int_equal(take(make(MSS, MSS, 0x10, false)), GSO_TAKEN);
        assert_null(flush(gso));
    }
    p = make(0, MSS, 0x10, false);
    assert_int_equal(take(p), GSO_TAKEN);
    assert_int_equal(take(make(MSS, MSS, 0x10, false)), GSO_OTHER);
    assert_ptr_equal(flush(gso), p);
    pbuf_free(p);
    assert_true(gso_release(gso, sent[3].cookie));
    assert_int_equal(take(make(0, MSS, 0x10, false)), GSO_TAKEN);
    assert_int_equal(take(make(MSS, MSS, 0x10, false)), GSO_TAKEN);
    assert_null(flush(gso));
    assert_true(gso_release(gso, sent[JOINED_FRAMES].cookie));
    for (unsigned i = 0; i < JOINED_FRAMES; i++) {
        if (i != 3) {
            assert_true(gso_release(gso, sent[i].cookie));
        }
    }
}

static void test_a_card_out_of_order(void **state)
{
    (void)state;
    assert_int_equal(take(make(0, MSS, 0x10, false)), GSO_TAKEN);
    assert_int_equal(take(make(MSS, MSS, 0x10, false)), GSO_TAKEN);
    transmit_result = NIC_DOWN;
    assert_null(flush(gso));
    assert_int_equal(sent_count, 0); /* and tear_down() sees that nobody holds them */
}

/* Ends the current joined frame, and frees it. */
static void release_all(void)
{
    struct pbuf *lone = flush(gso);

    if (lone != NULL) {
        pbuf_free(lone);
    } else if (sent_count != 0) {
        release_sent();
    }
}

/* Begins a joined frame, and makes a next segment with one bit of its headers changed. */
static struct pbuf *make_changed(unsigned bit)
{
    struct pbuf *p;

    made = 0;
    assert_int_equal(take(make(0, MSS, 0x10, false)), GSO_TAKEN);
    p = make(MSS, MSS, 0x10, false);
    ((uint8_t *)p->payload)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    return p;
}

/* gso_take_next() takes what gso_take() would after parsing, whatever bit is changed. */
static void test_the_next_is_recognised_or_parsed(void **state)
{
    unsigned taken = 0;

    (void)state;
    for (unsigned bit = 0; bit < 8 * HEADERS; bit++) {
        struct pbuf *p = make_changed(bit);
        struct offload_headers headers = {0};
        enum gso_result result;
        bool next = gso_take_next(gso, p);

        release_all();
        p = make_changed(bit);
        (void)offload_parse(p->payload, p->len, &headers);
        result = gso_take(gso, p, &headers);
        assert_int_equal(next, result == GSO_TAKEN);
        taken += next;
        release_all();
    }
    /* Total length, identification and checksum of IP; acknowledgement, PSH, window and checksum;
     * the reserved bits, which lwIP never sets. */
    assert_int_equal(taken, 8 * (2 + 2 + 2 + 4 + 2 + 2) + 1 + 4);
}

/* Neither alone, nor in front of what the first is not. */
static void test_what_is_not_recognised(void **state)
{
    struct pbuf *p = make(MSS, MSS, 0x10, false);

    (void)state;
    assert_false(gso_take_next(gso, make(0, MSS, 0x10, false))); /* there is none to follow */
    assert_int_equal(take(make(0, MSS, 0x10, false)), GSO_TAKEN);
    p->len--; /* the headers are not all in the first pbuf */
    assert_false(gso_take_next(gso, p));
    p->len++;
    p->tot_len = p->len; /* no payload */
    assert_false(gso_take_next(gso, p));
    p->tot_len += MSS;
    assert_true(gso_take_next(gso, p));
    release_all();
    assert_int_equal(take(make(0, MSS, 0x10, true)), GSO_TAKEN);
    assert_false(gso_take_next(gso, make(MSS, MSS, 0x10, true)));
    release_all();
}

/* The tests of both ways of a next segment. */
static int set_up_recognising(void **state)
{
    recognise = true;
    return set_up(state);
}

static int tear_down_recognising(void **state)
{
    recognise = false;
    return tear_down(state);
}

/* After its usual way. */
#define recognising(test)                                                                          \
    {                                                                                              \
#test ", the next recognised", test, set_up_recognising, tear_down_recognising, NULL       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_segments_leave_as_one_frame, set_up, tear_down),
        recognising(test_segments_leave_as_one_frame),
        cmocka_unit_test_setup_teardown(test_one_segment_leaves_as_it_is, set_up, tear_down),
        recognising(test_one_segment_leaves_as_it_is),
        cmocka_unit_test_setup_teardown(test_what_is_never_joined, set_up, tear_down),
        recognising(test_what_is_never_joined),
        cmocka_unit_test_setup_teardown(test_what_ends_a_joined_frame, set_up, tear_down),
        recognising(test_what_ends_a_joined_frame),
        cmocka_unit_test_setup_teardown(test_options, set_up, tear_down),
        recognising(test_options),
        cmocka_unit_test_setup_teardown(test_lengths_that_end_a_joined_frame, set_up, tear_down),
        recognising(test_lengths_that_end_a_joined_frame),
        cmocka_unit_test_setup_teardown(test_limits_of_a_joined_frame, set_up, tear_down),
        recognising(test_limits_of_a_joined_frame),
        cmocka_unit_test_setup_teardown(test_a_ring_with_little_room, set_up, tear_down),
        recognising(test_a_ring_with_little_room),
        cmocka_unit_test_setup_teardown(test_no_joined_frame_left, set_up, tear_down),
        recognising(test_no_joined_frame_left),
        cmocka_unit_test_setup_teardown(test_a_card_out_of_order, set_up, tear_down),
        recognising(test_a_card_out_of_order),
        cmocka_unit_test_setup_teardown(test_the_next_is_recognised_or_parsed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_recognised, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
