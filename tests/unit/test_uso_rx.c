/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splits frames of joined datagrams, with lwIP's own pbufs, on buffers that the test counts. The
 * address sanitizer detects lost memory.
 */
#include "stack.h"

#include "net/lwip_port/uso_rx.h"

/* Makes the allocation with this number fail, from 1 on; 0: none. */
static unsigned fail_at, allocations;

static void *allocate(size_t size)
{
    return ++allocations == fail_at ? NULL : malloc(size);
}

#define malloc allocate
#define get16 get16_of_datagrams
#include "net/lwip_port/uso_rx.c"
#undef get16
#include "net/lwip_port/piece.c"

#include "core/def.c"
#include "core/mem.c"
#include "core/pbuf.c"
#undef malloc

enum { BUFFERS = 48, FRAME_MAX = 66000, BUFFER = 1526 };

static struct buffer {
    struct pbuf_custom custom;
    bool out; /* the stack has it */
} buffers[BUFFERS];
static unsigned buffers_out;
static uint8_t frame[FRAME_MAX];
static uint32_t frame_length;
static uint16_t transport;
static bool over_ipv6;
static struct virtio_net_offload offload;

/* Functions and variables that pbuf.c needs. */
struct tcp_pcb *tcp_active_pcbs;

void tcp_free_ooseq(struct tcp_pcb *pcb)
{
    (void)pcb;
}

void *memp_malloc(memp_t type)
{
    (void)type;
    fail_msg("a pool");
    return NULL;
}

void memp_free(memp_t type, void *memory)
{
    (void)type;
    (void)memory;
    fail_msg("a pool");
}

static void returned(struct pbuf *p)
{
    struct buffer *buffer = (struct buffer *)p;

    assert_true(buffer->out);
    buffer->out = false;
    buffers_out--;
    memset(p->payload, 0xee, p->len); /* the card overwrites the buffer */
}

static int set_up(void **state)
{
    (void)state;
    fail_at = 0;
    allocations = 0;
    assert_int_equal(buffers_out, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(buffers_out, 0);
    return 0;
}

/* Makes a UDP frame of `payload` bytes in segments of `size`. */
static void make_frame(uint32_t payload, uint16_t size, unsigned tags, bool ipv6)
{
    uint8_t *at = frame;

    memset(frame, 0, sizeof frame);
    over_ipv6 = ipv6;
    memcpy(at, "\x52\x54\0\x12\x34\x56\2\0\0\0\0\1", 12);
    at += 12;
    for (; tags > 0; tags--, at += 4) {
        put16(at, 0x8100);
        put16(at + 2, 42);
    }
    put16(at, ipv6 ? 0x86dd : 0x0800);
    at += 2;
    if (ipv6) {
        at[0] = 0x60;
        put16(at + 4, 8 + payload);
        at[6] = 17;
        memset(at + 8, 0xfe, 32);
        at += 40;
    } else {
        at[0] = 0x45;
        put16(at + 2, 28 + payload);
        put16(at + 4, 0xfffe); /* wraps within the frame */
        at[6] = 0x40;
        at[8] = 64;
        at[9] = 17;
        memcpy(at + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
        put16(at + 10, fold(sum_of(at, 20)));
        at += 20;
    }
    transport = (uint16_t)(at - frame);
    put16(at, 40000);
    put16(at + 2, 7);
    put16(at + 4, 8 + payload);
    at += 8;
    for (uint32_t i = 0; i < payload; i++) {
        at[i] = (uint8_t)(i * 7 + i / 251);
    }
    frame_length = (uint32_t)(at - frame) + payload;
    offload = (struct virtio_net_offload){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                          .gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
                                          .gso_size = size};
}

/*
 * Copies the frame into buffers as from the card: the first of `first` bytes, the others of `rest`.
 */
static struct pbuf *in_buffers(uint32_t first, uint32_t rest)
{
    struct pbuf *chain = NULL, *last = NULL;

    for (uint32_t at = 0, i = 0; at < frame_length; i++) {
        uint32_t length = LWIP_MIN(i == 0 ? first : rest, frame_length - at);
        uint8_t *data = malloc(length);
        struct pbuf *p;

        assert_true(i < BUFFERS);
        memcpy(data, frame + at, length);
        free(buffers[i].custom.pbuf.payload);
        buffers[i].custom.custom_free_function = returned;
        buffers[i].out = true;
        buffers_out++;
        p = pbuf_alloced_custom(PBUF_RAW, (u16_t)length, PBUF_RAM, &buffers[i].custom, data,
                                (u16_t)length);
        if (last != NULL) {
            last->next = p;
        } else {
            chain = p;
        }
        last = p;
        at += length;
    }
    return chain;
}

/* Compares the datagram with number `index` in the frame, and frees it. */
static void assert_datagram(struct pbuf *p, unsigned index)
{
    const uint8_t *expected = frame + transport + 8 + (size_t)index * offload.gso_size;
    uint32_t left = frame_length - (uint32_t)(expected - frame);
    uint32_t length = LWIP_MIN(left, offload.gso_size);
    static uint8_t bytes[FRAME_MAX];
    uint8_t *ip = bytes + transport - (over_ipv6 ? 40 : 20);

    assert_non_null(p);
    assert_int_equal(p->tot_len, transport + 8 + length);
    assert_int_equal(p->len, transport + 8); /* the stack expects this in one piece */
    if (p->tot_len <= UINT16_MAX - 12) {     /* room for the card's header, to send the datagram
                                              * back */
        assert_int_equal(pbuf_add_header(p, 12), 0);
        assert_int_equal(pbuf_remove_header(p, 12), 0);
    }
    assert_int_equal(pbuf_copy_partial(p, bytes, p->tot_len, 0), p->tot_len);
    assert_memory_equal(bytes + transport + 8, expected, length);
    assert_memory_equal(bytes, frame, (size_t)(ip - bytes) + 2);
    assert_memory_equal(bytes + transport, frame + transport, 4);
    assert_int_equal(sum_of(bytes + transport + 4, 2), 8 + length);
    if (over_ipv6) {
        assert_int_equal(sum_of(ip + 4, 2), 8 + length);
    } else {
        assert_int_equal(sum_of(ip + 2, 2), 28 + length);
        assert_int_equal(sum_of(ip + 4, 2), (0xfffe + index) & 0xffff);
        assert_int_equal(fold(sum_of(ip, 20)), 0);
        assert_memory_equal(ip + 12, frame + transport - 8, 8);
    }
    pbuf_free(p);
}

/* Splits the frame and compares its datagrams. Returns their number. */
static unsigned cut(uint32_t first, uint32_t rest)
{
    struct uso_rx uso;
    unsigned count = 0;

    assert_true(uso_rx_begin(&uso, in_buffers(first, rest), frame_length, &offload));
    while (uso_rx_left(&uso)) {
        assert_datagram(uso_rx_next(&uso), count++);
    }
    assert_int_equal(buffers_out, 0);
    return count;
}

static void test_datagrams_are_as_they_were_sent(void **state)
{
    static const struct {
        uint32_t payload, size;
    } cases[] = {{10000, 1000}, {10001, 1000}, {9999, 1000}, {64 * 1000, 1000}, {44 * 1472, 1472},
                 {128, 1},      {3, 2},        {5, 8},       {30000, 9000},     {1518 - 42, 738}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned tags = 0; tags <= 2; tags++) {
            uint32_t size = cases[i].size;

            make_frame(cases[i].payload, (uint16_t)size, tags, false);
            assert_int_equal(cut(BUFFER - 12, BUFFER), (cases[i].payload + size - 1) / size);
        }
        make_frame(cases[i].payload, (uint16_t)cases[i].size, 0, true);
        cut(BUFFER - 12, BUFFER);
    }
}

/* Wherever a buffer ends: within the headers, in one with a datagram, or across datagrams. */
static void test_buffers_of_every_length(void **state)
{
    (void)state;
    for (uint32_t rest = 15; rest < 260; rest++) {
        make_frame(500, 100, 0, false);
        assert_int_equal(cut(42, rest), 5);
        assert_int_equal(cut(42 + rest, rest), 5);
    }
}

static void test_longest_packet(void **state)
{
    (void)state;
    make_frame(65507, 1472, 0, false); /* more than 16 bits, with the Ethernet header */
    assert_int_equal(cut(BUFFER, BUFFER), 45);
    make_frame(65527, 1452, 0, true);
    assert_int_equal(cut(BUFFER, BUFFER), 46);
}

static void test_padding_is_left_out(void **state)
{
    struct uso_rx uso;

    (void)state;
    make_frame(20, 10, 0, false);
    frame_length += 5000;
    assert_true(uso_rx_begin(&uso, in_buffers(50, BUFFER), frame_length, &offload));
    for (unsigned i = 0; i < 2; i++) {
        struct pbuf *p = uso_rx_next(&uso);

        assert_int_equal(p->tot_len, 52);
        pbuf_free(p);
    }
    assert_false(uso_rx_left(&uso));
}

/* Each buffer is returned as soon as no datagram refers to it, in any order of freeing. */
static void test_buffers_go_back_when_they_are_free(void **state)
{
    static const struct {
        uint8_t datagram, buffers_out; /* after it was freed */
    } order[] = {{0, 4}, {1, 4}, {2, 3}, {9, 3}, {8, 3}, {7, 2}, {6, 2}, {5, 1}, {4, 1}, {3, 0}};
    struct pbuf *kept[10];
    struct uso_rx uso;

    (void)state;
    make_frame(10 * 100, 100, 0, false);
    assert_true(uso_rx_begin(&uso, in_buffers(42 + 250, 250), frame_length, &offload));
    for (unsigned i = 0; i < 10; i++) {
        kept[i] = uso_rx_next(&uso);
    }
    assert_int_equal(buffers_out, 4); /* the third and the eighth datagram cross the end of a
                                       * buffer */
    for (unsigned i = 0; i < 10; i++) {
        assert_datagram(kept[order[i].datagram], order[i].datagram);
        assert_int_equal(buffers_out, order[i].buffers_out);
    }
}

/* Each allocation fails once: that datagram is missing, the others are correct. */
static void test_no_memory(void **state)
{
    unsigned missing = 0;

    (void)state;
    for (fail_at = 1; fail_at < 30; fail_at++) {
        struct uso_rx uso;
        unsigned count = 0;

        allocations = 0;
        make_frame(1000, 100, 0, false);
        assert_true(uso_rx_begin(&uso, in_buffers(42 + 250, 250), frame_length, &offload));
        for (; uso_rx_left(&uso); count++) {
            struct pbuf *p = uso_rx_next(&uso);

            if (p != NULL) {
                assert_datagram(p, count);
            } else {
                missing++;
            }
        }
        assert_int_equal(count, 10);
        assert_int_equal(buffers_out, 0);
    }
    assert_int_equal(missing, 22); /* ten headers, ten pieces, and two more for a second buffer */
}

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
        cmocka_unit_test_setup_teardown(test_datagrams_are_as_they_were_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_buffers_of_every_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_longest_packet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_padding_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_buffers_go_back_when_they_are_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_the_card_says_and_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sizes_that_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_headers_that_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_headers_at_random, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
