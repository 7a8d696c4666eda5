/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checksum offload of a frame: the test computes what a card would, and compares with a
 * checksum computed in full. Frames begin at an odd multiple of two, as in memory.
 */
#include "stack.h"

enum { PAYLOAD = 33, FRAME_MAX = 256 };

struct frame {
    uint64_t aligned;
    uint8_t room[2];
    uint8_t bytes[FRAME_MAX];
    size_t length;
    size_t transport;
};

static void put(struct frame *f, const void *data, size_t length)
{
    memcpy(f->bytes + f->length, data, length);
    f->length += length;
}

static void put16(struct frame *f, unsigned value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    put(f, bytes, sizeof bytes);
}

static void put_ethernet(struct frame *f, unsigned tags, unsigned type)
{
    put(f, "\x52\x54\0\x12\x34\x56\2\0\0\0\0\1", 12);
    for (; tags > 0; tags--) {
        put16(f, 0x8100);
        put16(f, 42);
    }
    put16(f, type);
}

/* options: their length in bytes, a multiple of four. flags_and_offset: of the fragment. */
static void put_ipv4(struct frame *f, unsigned protocol, unsigned options,
                     unsigned flags_and_offset)
{
    uint8_t header[20] = {(uint8_t)(0x45 + options / 4)};

    header[6] = (uint8_t)(flags_and_offset >> 8);
    header[7] = (uint8_t)flags_and_offset;
    header[8] = 64;
    header[9] = (uint8_t)protocol;
    memcpy(header + 12, "\x0a\0\0\2\xff\xfe\xfd\xfc", 8);
    put(f, header, sizeof header);
    put(f, "\1\1\1\1\1\1\1\1", options);
}

static void put_ipv6(struct frame *f, unsigned next)
{
    uint8_t header[40] = {0x60};

    header[6] = (uint8_t)next;
    memset(header + 8, 0xfe, 16);
    memset(header + 24, 0x81, 16);
    put(f, header, sizeof header);
}

/* Writes a TCP or UDP header with a wrong checksum and a payload of odd length. */
static void put_transport(struct frame *f, unsigned protocol)
{
    unsigned header = protocol == OFFLOAD_TCP ? 20 : 8;

    f->transport = f->length;
    for (unsigned i = 0; i < header + PAYLOAD; i++) {
        f->bytes[f->length++] = (uint8_t)(i * 37 + 5);
    }
}

/*
 * The checksum by definition: over the pseudo-header and everything else, with the field as zero.
 */
static uint16_t expected(const struct frame *f, unsigned protocol, size_t addresses, size_t length,
                         size_t field)
{
    struct frame copy = *f;

    memset(copy.bytes + field, 0, 2);
    return fold(sum_of(f->bytes + addresses, length) + protocol +
                (uint32_t)(f->length - f->transport) +
                sum_of(copy.bytes + f->transport, f->length - f->transport));
}

static void assert_offloaded(struct frame *f, unsigned protocol, size_t addresses, size_t length)
{
    unsigned offset = protocol == OFFLOAD_TCP ? 16 : 6;
    uint16_t wanted = expected(f, protocol, addresses, length, f->transport + offset);
    struct offload_headers headers;
    struct virtio_net_offload offload = {0};

    assert_true(offload_parse(f->bytes, f->length, &headers));
    assert_int_equal(headers.transport, f->transport);
    assert_true(offload_checksum(f->bytes, f->length, &headers,
                                 (uint32_t)(f->length - f->transport), &offload));
    assert_int_equal(offload.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(offload.csum_start, f->transport);
    assert_int_equal(offload.csum_offset, offset);
    assert_int_equal(fold(sum_of(f->bytes + offload.csum_start, f->length - offload.csum_start)),
                     wanted);
    /* Of a truncated frame, nothing behind its end is read. */
    for (size_t cut = 0; cut < f->length; cut++) {
        uint8_t *piece = malloc(cut + 1);

        memcpy(piece, f->bytes, cut);
        piece = realloc(piece, cut > 0 ? cut : 1);
        if (offload_parse(piece, cut, &headers)) {
            bool whole = cut >= f->transport + offset + 2;

            assert_int_equal(offload_checksum(piece, cut, &headers, 1, &offload), whole);
        }
        free(piece);
    }
}

static void test_checksum_is_left_to_the_card(void **state)
{
    static const uint8_t protocols[] = {OFFLOAD_TCP, OFFLOAD_UDP};

    (void)state;
    for (unsigned p = 0; p < 2; p++) {
        for (unsigned tags = 0; tags <= 2; tags++) {
            for (unsigned options = 0; options <= 8; options += 4) {
                struct frame f = {0};

                put_ethernet(&f, tags, 0x0800);
                put_ipv4(&f, protocols[p], options, 0x4000);
                put_transport(&f, protocols[p]);
                assert_offloaded(&f, protocols[p], 14 + 4 * tags + 12, 8);
            }
        }
    }
}

static void test_checksum_over_ipv6_is_left_to_the_card(void **state)
{
    static const uint8_t protocols[] = {OFFLOAD_TCP, OFFLOAD_UDP};

    (void)state;
    for (unsigned p = 0; p < 2; p++) {
        struct frame f = {0};
        struct frame g = {0};
        uint8_t options[] = {60, 0, 1, 4, 0, 0, 0, 0, protocols[p], 1, 1, 12, 0, 0, 0, 0,
                             0,  0, 0, 0, 0, 0, 0, 0};

        put_ethernet(&f, 0, 0x86dd);
        put_ipv6(&f, protocols[p]);
        put_transport(&f, protocols[p]);
        assert_offloaded(&f, protocols[p], 14 + 8, 32);
        put_ethernet(&g, 1, 0x86dd); /* hop-by-hop and destination options */
        put_ipv6(&g, 0);
        put(&g, options, sizeof options);
        put_transport(&g, protocols[p]);
        assert_offloaded(&g, protocols[p], 18 + 8, 32);
    }
}

/* First, middle and last fragments; ICMP; ARP. */
static void test_what_the_card_cannot_compute(void **state)
{
    static const uint16_t fragments[] = {0x2000, 0x2001, 0x1fff, 0x0001};
    struct offload_headers headers;
    struct virtio_net_offload offload = {0};
    struct frame f;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct virtio_net_offload checked = {.flags = VIRTIO_NET_HDR_F_DATA_VALID};

        f = (struct frame){0};
        put_ethernet(&f, 0, 0x0800);
        put_ipv4(&f, OFFLOAD_UDP, 0, fragments[i]);
        put_transport(&f, OFFLOAD_UDP);
        assert_true(offload_parse(f.bytes, f.length, &headers));
        assert_true(headers.fragment);
        assert_false(offload_checksum(f.bytes, f.length, &headers, 1, &offload));
        assert_false(offload_is_checked(f.bytes, f.length, &checked));
    }
    f = (struct frame){0};
    put_ethernet(&f, 0, 0x86dd);
    put_ipv6(&f, 44);
    put(&f, "\x11\0\0\1\0\0\0\7", 8);
    put_transport(&f, OFFLOAD_UDP);
    assert_true(offload_parse(f.bytes, f.length, &headers));
    assert_false(offload_checksum(f.bytes, f.length, &headers, 1, &offload));

    f = (struct frame){0};
    put_ethernet(&f, 0, 0x0800);
    put_ipv4(&f, 1, 0, 0);
    put_transport(&f, OFFLOAD_UDP);
    assert_true(offload_parse(f.bytes, f.length, &headers));
    assert_false(offload_checksum(f.bytes, f.length, &headers, 1, &offload));

    f = (struct frame){0};
    put_ethernet(&f, 0, 0x0806);
    f.length = 60;
    assert_false(offload_parse(f.bytes, f.length, &headers));
    assert_int_equal(offload.flags, 0);
}

/* The following headers are not where they appear to be. */
static void test_headers_that_cannot_be(void **state)
{
    struct offload_headers headers;
    static uint8_t long_frame[70000];
    struct frame f;

    (void)state;
    for (unsigned first = 0; first <= UINT8_MAX; first++) {
        f = (struct frame){0};
        put_ethernet(&f, 0, 0x0800);
        put_ipv4(&f, OFFLOAD_UDP, 0, 0);
        f.bytes[14] = (uint8_t)first;
        f.length = sizeof f.bytes;
        assert_int_equal(offload_parse(f.bytes, f.length, &headers),
                         first >> 4 == 4 && (first & 15) >= 5);
        f = (struct frame){0};
        put_ethernet(&f, 0, 0x86dd);
        put_ipv6(&f, OFFLOAD_UDP);
        f.bytes[14] = (uint8_t)first;
        assert_int_equal(offload_parse(f.bytes, f.length, &headers), first >> 4 == 6);
    }
    f = (struct frame){0};
    put_ethernet(&f, 3, 0x0800); /* one tag too many */
    f.length = sizeof f.bytes;
    assert_false(offload_parse(f.bytes, f.length, &headers));

    /* Extension headers that extend beyond 65,535 bytes. */
    f = (struct frame){0};
    put_ethernet(&f, 0, 0x86dd);
    put_ipv6(&f, 60);
    memcpy(long_frame, f.bytes, f.length);
    for (size_t at = f.length; at + 2048 < sizeof long_frame; at += 2048) {
        long_frame[at] = 60;
        long_frame[at + 1] = 255;
    }
    assert_false(offload_parse(long_frame, sizeof long_frame, &headers));
}

/* The fragment header's reserved byte is not a length; the next header has one. */
static void test_header_behind_that_of_a_fragment(void **state)
{
    struct offload_headers headers;
    struct frame f = {0};

    (void)state;
    put_ethernet(&f, 0, 0x86dd);
    put_ipv6(&f, 44);
    put(&f, "\x3c\7\0\0\0\0\0\1", 8);
    put(&f, "\x11\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    put_transport(&f, OFFLOAD_UDP);
    assert_true(offload_parse(f.bytes, f.length, &headers));
    assert_int_equal(headers.transport, f.transport);
    assert_true(headers.fragment);
}

static void test_received_frames(void **state)
{
    struct virtio_net_offload unknown = {0}, partial = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM},
                              checked = {.flags = VIRTIO_NET_HDR_F_DATA_VALID};
    struct frame f = {0};

    (void)state;
    put_ethernet(&f, 1, 0x0800);
    put_ipv4(&f, OFFLOAD_TCP, 4, 0x4000);
    put_transport(&f, OFFLOAD_TCP);
    assert_false(offload_is_checked(f.bytes, f.length, &unknown));
    assert_true(offload_is_checked(f.bytes, f.length, &partial));
    assert_true(offload_is_checked(f.bytes, f.length, &checked));
    assert_false(offload_is_checked(f.bytes, 20, &checked));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum_is_left_to_the_card),
        cmocka_unit_test(test_checksum_over_ipv6_is_left_to_the_card),
        cmocka_unit_test(test_what_the_card_cannot_compute),
        cmocka_unit_test(test_headers_that_cannot_be),
        cmocka_unit_test(test_header_behind_that_of_a_fragment),
        cmocka_unit_test(test_received_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
