/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of joined datagrams that cannot be, and headers at random. */
#include "uso_card.h"

/* Checks that the frame is rejected and still belongs to the caller. */
static void assert_refused(void)
{
    struct uso_rx uso;
    struct pbuf *p = in_buffers(LWIP_MIN(frame_length, BUFFER), BUFFER);

    allocations = 0;
    assert_false(uso_rx_begin(&uso, p, frame_length, &offload));
    assert_int_equal(allocations, 0);
    assert_int_equal(p->ref, 1);
    pbuf_free(p);
    assert_int_equal(buffers_out, 0);
}

static void test_what_the_card_says_and_cannot_be(void **state)
{
    static const struct {
        uint8_t at;
        uint16_t value;
    } fields[] = {
        {16, 0},      {16, 27},     {16, 28}, {16, 1027}, {16, 1029}, {16, 0xffff}, /* IP */
        {38, 0},      {38, 7},      {38, 8},  {38, 1007}, {38, 1009}, {38, 0xffff}, /* UDP */
        {14, 0x4400}, {14, 0x4f00}, /* position of the UDP header */
        {20, 0x2000}, {20, 1},      /* fragments */
        {22, 0x4006}, {22, 0x4001}, /* TCP, ICMP */
        {12, 0x0806},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        make_frame(1000, 100, 0, false);
        put16(frame + fields[i].at, fields[i].value);
        assert_refused();
    }
    make_frame(1000, 100, 0, true);
    put16(frame + 18, 0); /* a jumbogram */
    assert_refused();
    for (frame_length = 1; frame_length < 1042; frame_length++) {
        uint32_t length = frame_length;

        make_frame(1000, 100, 0, false);
        frame_length = length;
        assert_refused();
    }
    make_frame(1000, 100, 0, false);
    offload.flags = 0; /* the checksum was not verified */
    assert_refused();
    offload.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    assert_int_equal(cut(BUFFER, BUFFER), 10);
}

static void test_sizes_that_cannot_be(void **state)
{
    (void)state;
    make_frame(1000, 0, 0, false);
    assert_refused();
    make_frame(0, 100, 0, false);
    assert_refused();
    make_frame(USO_RX_MAX * 8 + 1, 8, 0, false); /* one segment more than allowed */
    assert_refused();
    make_frame(65507, 1, 0, false);
    assert_refused();
    make_frame(65507, 65507, 0, false); /* a single one, too long for lwIP */
    assert_refused();
    make_frame(65507, 65535 - 42, 0, false);
    assert_int_equal(cut(BUFFER, BUFFER), 2);
}

/* IPv4 headers that are too short, and versions that contradict the EtherType. */
static void test_headers_that_cannot_be(void **state)
{
    (void)state;
    for (unsigned first = 0; first <= UINT8_MAX; first++) {
        make_frame(1000, 100, 0, false);
        frame[14] = (uint8_t)first;
        if (first != 0x45) {
            assert_refused(); /* the UDP length does not match with options */
        }
        make_frame(1000, 100, 0, true);
        frame[14] = (uint8_t)first;
        if (first >> 4 != 6) {
            assert_refused();
        }
    }
    for (unsigned length = 0; length < 5; length++) {
        make_frame(1000, 100, 0, false);
        frame[14] = (uint8_t)(0x40 | length);
        put16(frame + 14 + 4 * length + 4, frame_length - 14 - 4 * length); /* would match */
        assert_refused();
    }
}

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % limit;
}

/*
 * Frames with random headers, lengths and offloads, from a seed. The sanitizer detects accesses
 * outside of them; no buffer may be lost.
 */
static void test_headers_at_random(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 20000; n++) {
        struct uso_rx uso;
        struct pbuf *chain;
        uint32_t first = 1 + random_below(200);

        random_state = n;
        make_frame(random_below(3000), (uint16_t)random_below(600), random_below(4), n & 1);
        for (unsigned changes = random_below(4); changes > 0; changes--) {
            frame[12 + random_below(70)] = (uint8_t)random_below(256);
        }
        frame_length = random_below(8) == 0 ? 1 + random_below(frame_length) : frame_length;
        offload.flags |= random_below(2) != 0 ? VIRTIO_NET_HDR_F_DATA_VALID : 0;
        chain = in_buffers(first, 1 + frame_length / (BUFFERS - 1));
        if (uso_rx_begin(&uso, chain, frame_length, &offload)) {
            while (uso_rx_left(&uso)) {
                pbuf_free(uso_rx_next(&uso));
            }
        } else {
            pbuf_free(chain);
        }
        assert_int_equal(buffers_out, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_the_card_says_and_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sizes_that_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_headers_that_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_headers_at_random, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
