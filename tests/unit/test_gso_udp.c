/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joined UDP datagrams: the test splits the frames like a card and compares with the original
 * datagrams.
 */
#include "gso_card.h"

enum { SIZE = 1024, LINUX_SEGMENTS_MAX = 64 };

/* A datagram without room is lost, so it may use any place. */
static int set_up_udp(void **state)
{
    int error = set_up(state);

    reserve = 0;
    return error;
}

static uint8_t *udp_of(const struct pbuf *p)
{
    return (uint8_t *)p->payload + p->len - 8;
}

/* Makes the next datagram of a program. Its checksum field contains leftover data. */
static struct pbuf *make(uint32_t offset, unsigned length, bool ipv6)
{
    struct pbuf *p = make_frame(offset, length, 17, 8, ipv6);

    put16(udp_of(p), 19);
    put16(udp_of(p) + 2, 40000);
    put16(udp_of(p) + 4, 8 + length);
    put16(udp_of(p) + 6, 0xa5a5);
    return p;
}

/* Splits a frame and compares with the datagrams from `first` on. Returns their number. */
static unsigned cut_and_compare(const struct sent *s, unsigned first)
{
    const struct virtio_net_offload *o = &s->offload;
    uint32_t total = s->length - o->hdr_len;
    unsigned cut = 0;

    assert_headers(s, 17, 6);
    assert_int_equal(o->gso_type, VIRTIO_NET_HDR_GSO_UDP_L4);
    assert_int_equal(o->hdr_len, o->csum_start + 8);
    /* Linux derives its length from the checksum, so that must match. */
    assert_int_equal(sum_of(s->bytes + o->csum_start + 4, 2), s->length - o->csum_start);
    for (uint32_t at = 0; at < total; at += o->gso_size, cut++) {
        const struct segment *from = &segments[first + cut];
        uint32_t length = total - at < o->gso_size ? total - at : o->gso_size;

        assert_memory_equal(s->bytes + o->csum_start, udp_of(&from->header), 4);
        assert_int_equal(length, from->payload.len);
        assert_memory_equal(s->bytes + o->hdr_len + at, from->payload.payload, length);
    }
    return cut;
}

static void test_datagrams_leave_as_one_frame(void **state)
{
    (void)state;
    for (unsigned ipv6 = 0; ipv6 <= 1; ipv6++) {
        unsigned first = made;

        for (unsigned i = 0; i < 10; i++) {
            struct pbuf *p = make(SIZE * i, i == 9 ? 7 : SIZE, ipv6);

            assert_int_equal(take(p), GSO_TAKEN);
            assert_int_equal(p->ref, 2);
            assert_int_equal(gso_parts(gso), 2); /* neighbours in memory are one */
        }
        assert_null(flush(gso));
        assert_int_equal(gso_parts(gso), 0);
        assert_int_equal(sent_count, 1);
        assert_int_equal(sent[0].offload.gso_size, SIZE);
        assert_int_equal(sent[0].parts, 2);
        assert_int_equal(cut_and_compare(&sent[0], first), 10);
        if (!ipv6) { /* the card increments it */
            assert_memory_equal(sent[0].bytes + 18, (uint8_t *)segments[first].room + 12 + 18, 2);
        }
        release_sent();
    }
}

static void test_one_datagram_leaves_as_it_is(void **state)
{
    struct pbuf *p = make(0, 100, false);

    (void)state;
    assert_int_equal(take(p), GSO_TAKEN);
    assert_ptr_equal(flush(gso), p);
    assert_int_equal(sum_of(udp_of(p) + 6, 2), 0xa5a5);
    pbuf_free(p);
    assert_int_equal(sent_count, 0);
}

/* Without payload, fragmented, without headers in the first pbuf, or with a card that cannot. */
static void test_what_is_never_joined(void **state)
{
    struct offload_headers headers;
    struct gso *others;
    struct pbuf *p;

    (void)state;
    assert_int_equal(take(make(0, 0, false)), GSO_ALONE);
    p = make(0, 100, false);
    ((uint8_t *)p->payload)[14 + 6] = 0x20;
    assert_int_equal(take(p), GSO_ALONE);
    p = make(0, 100, false);
    p->len--;
    assert_int_equal(take(p), GSO_ALONE);
    p = make(0, 100, false);
    others = gso_open(&nic, OFFLOADS & ~NIC_SEND_UDP, RESERVE);
    assert_true(offload_parse(p->payload, p->len, &headers));
    assert_int_equal(gso_take(others, p, &headers), GSO_ALONE);
    free(others);
}

static void test_a_card_that_cuts_datagrams_only(void **state)
{
    struct offload_headers headers;
    struct pbuf *p = make(0, 100, true);
    struct gso *only = gso_open(&nic, NIC_SEND_CHECKSUM | NIC_SEND_UDP, RESERVE);

    (void)state;
    assert_non_null(only);
    assert_true(offload_parse(p->payload, p->len, &headers));
    assert_int_equal(gso_take(only, p, &headers), GSO_TAKEN);
    assert_ptr_equal(flush(only), p);
    pbuf_free(p);
    free(only);
}

/* Changes a byte of the next datagram; `result` says whether it must begin a new joined frame. */
static void assert_after_change(unsigned offset_of_byte, uint8_t change, enum gso_result result)
{
    struct pbuf *a = make(0, SIZE, false), *b = make(SIZE, SIZE, false);
    struct pbuf *c = make(2 * SIZE, SIZE, false);

    ((uint8_t *)c->payload)[offset_of_byte] ^= change;
    assert_int_equal(take(a), GSO_TAKEN);
    assert_int_equal(take(b), GSO_TAKEN);
    assert_int_equal(take(c), result);
    assert_null(flush(gso));
    assert_int_equal(sent_count, 1);
    assert_int_equal(cut_and_compare(&sent[0], made - 3), result == GSO_TAKEN ? 3 : 2);
    release_sent();
}

static void test_what_ends_a_joined_frame(void **state)
{
    /* Addresses, type of service, time to live, ports; */
    static const uint8_t other[] = {0, 11, 15, 22, 26, 29, 30, 33, 34, 35, 36, 37};
    /* identification, checksums. */
    static const uint8_t same_flow[] = {18, 19, 24, 25, 40, 41};

    (void)state;
    for (unsigned i = 0; i < sizeof other; i++) {
        assert_after_change(other[i], 1, GSO_OTHER);
    }
    assert_after_change(20, 0x40, GSO_OTHER); /* DF */
    for (unsigned i = 0; i < sizeof same_flow; i++) {
        assert_after_change(same_flow[i], 1, GSO_TAKEN);
    }
}

static void test_a_segment_does_not_follow_a_datagram(void **state)
{
    struct pbuf *p;

    (void)state;
    assert_int_equal(take(make(0, SIZE, false)), GSO_TAKEN);
    reserve = RESERVE;
    p = make_frame(SIZE, SIZE - 12, 6, 20, false);
    ((uint8_t *)p->payload)[34 + 12] = 0x50;
    ((uint8_t *)p->payload)[34 + 13] = 0x10;
    assert_int_equal(take(p), GSO_OTHER);
    pbuf_free(flush(gso));
    assert_int_equal(take(p), GSO_TAKEN);
    reserve = 0;
    assert_int_equal(take(make(0, SIZE, false)), GSO_OTHER);
    pbuf_free(flush(gso));
}

static void test_lengths_that_end_a_joined_frame(void **state)
{
    (void)state;
    assert_int_equal(take(make(0, 1000, false)), GSO_TAKEN);
    assert_int_equal(take(make(1000, 1001, false)), GSO_OTHER); /* longer */
    assert_int_equal(take(make(1000, 999, false)), GSO_TAKEN);  /* shorter, so the last */
    assert_int_equal(take(make(1999, 999, false)), GSO_OTHER);
    assert_null(flush(gso));
    assert_int_equal(sent[0].offload.gso_size, 1000);
    assert_int_equal(sent[0].length, 42 + 1999);
    release_sent();
}

static void test_limits_of_a_joined_frame(void **state)
{
    static const struct {
        unsigned length, stride, expected;
    } cases[] = {
        {1472, 1472, (65535 - 28) / 1472}, /* an IP packet's length */
        {8972, 8972, 7},                   /* jumbo frames */
        {1, 1, SEGMENTS_MAX},              /* datagrams of a joined frame */
        {1, 2, NIC_PARTS_MAX - 1},         /* parts of a frame, one of them the header */
    };

    (void)state;
    assert_in_range(SEGMENTS_MAX, 2, LINUX_SEGMENTS_MAX);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned first = made, count = 0;

        while (take(make(count * cases[i].stride, cases[i].length, false)) == GSO_TAKEN) {
            count++;
        }
        assert_int_equal(count, cases[i].expected);
        assert_null(flush(gso));
        assert_int_equal(cut_and_compare(&sent[0], first), count);
        release_sent();
    }
}

static void test_a_ring_with_little_room(void **state)
{
    (void)state;
    ring_room = 1; /* header and payload take two places at the most */
    assert_int_equal(take(make(0, SIZE, false)), GSO_FULL);
    ring_room = 3;
    assert_int_equal(take(make(0, SIZE, false)), GSO_TAKEN);
    assert_int_equal(take(make(2 * SIZE, SIZE, false)), GSO_TAKEN);
    assert_int_equal(gso_parts(gso), 3);
    assert_int_equal(take(make(4 * SIZE, SIZE, false)), GSO_OTHER);
    assert_null(flush(gso));
    assert_int_equal(cut_and_compare(&sent[0], 1), 2);
    release_sent();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_datagrams_leave_as_one_frame, set_up_udp, tear_down),
        cmocka_unit_test_setup_teardown(test_one_datagram_leaves_as_it_is, set_up_udp, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_never_joined, set_up_udp, tear_down),
        cmocka_unit_test_setup_teardown(test_a_card_that_cuts_datagrams_only, set_up_udp,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_ends_a_joined_frame, set_up_udp, tear_down),
        cmocka_unit_test_setup_teardown(test_a_segment_does_not_follow_a_datagram, set_up_udp,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_lengths_that_end_a_joined_frame, set_up_udp,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_limits_of_a_joined_frame, set_up_udp, tear_down),
        cmocka_unit_test_setup_teardown(test_a_ring_with_little_room, set_up_udp, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
