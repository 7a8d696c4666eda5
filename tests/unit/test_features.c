/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature bits: names, parsing of masks, and dependencies. */
#include <stdio.h>
#include <string.h>

#include "fake_card.h"

static void names_are_those_of_the_specification(void **state)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {
        {0, "csum"},
        {1, "guest_csum"},
        {3, "mtu"},
        {5, "mac"},
        {6, "gso"},
        {7, "guest_tso4"},
        {8, "guest_tso6"},
        {9, "guest_ecn"},
        {10, "guest_ufo"},
        {11, "host_tso4"},
        {12, "host_tso6"},
        {13, "host_ecn"},
        {14, "host_ufo"},
        {15, "mrg_rxbuf"},
        {16, "status"},
        {17, "ctrl_vq"},
        {18, "ctrl_rx"},
        {19, "ctrl_vlan"},
        {21, "guest_announce"},
        {22, "mq"},
        {23, "ctrl_mac_addr"},
        {27, "any_layout"},
        {28, "indirect_desc"},
        {29, "event_idx"},
        {32, "version_1"},
        {33, "access_platform"},
        {34, "ring_packed"},
        {35, "in_order"},
        {38, "notification_data"},
        {40, "ring_reset"},
        {62, "standby"},
        {63, "speed_duplex"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_string_equal(virtio_feature_name(names[i].bit), names[i].name);
    }
    assert_null(virtio_feature_name(4));
    assert_null(virtio_feature_name(64));
    assert_null(virtio_feature_name(UINT32_MAX));
}

static void every_name_and_number_is_understood(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t features = 0;
        char text[40];

        snprintf(text, sizeof text, "+%u", bit);
        assert_null(virtio_feature_parse(text, &features));
        assert_true(features == (uint64_t)1 << bit);
        if (virtio_feature_name(bit) != NULL) {
            features = UINT64_MAX;
            snprintf(text, sizeof text, "-%s", virtio_feature_name(bit));
            assert_null(virtio_feature_parse(text, &features));
            assert_true(features == ~((uint64_t)1 << bit));
        }
    }
}

static void lists_take_effect_in_order(void **state)
{
    uint64_t features = 0xf0;

    (void)state;
    assert_null(virtio_feature_parse("", &features));
    assert_true(features == 0xf0);
    assert_null(virtio_feature_parse("+csum,-5,+mrg_rxbuf,-csum,+0", &features));
    assert_true(features == (0xd0 | 1 | 1 << 15));
    assert_null(virtio_feature_parse("-0,", &features));
    assert_true(features == (0xd0 | 1 << 15));
}

static void words_that_are_not_understood_are_returned(void **state)
{
    static const char *const bad[] = {
        "csum", "+",   "-",   "+nonsense", "*csum",  "+64",   "+999999999",  "+1x",
        ",",    "+ 1", "--1", "+csu",      "+csumm", "+mac ", "+4294967296", "+-1"};

    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t features = 0;
        char line[64];
        const char *rest;

        snprintf(line, sizeof line, "+mac,%s,+csum", bad[i]);
        rest = virtio_feature_parse(line, &features);
        assert_ptr_equal(rest, line + 5);
        assert_true(features == 1 << 5); /* the words before it have taken effect */
    }
}

static void datagrams_are_joined_over_both_or_neither(void **state)
{
    const uint64_t needed =
        virtio_bit(VIRTIO_NET_F_GUEST_CSUM) | virtio_bit(VIRTIO_NET_F_MRG_RXBUF);
    const uint64_t four = virtio_bit(VIRTIO_NET_F_GUEST_USO4);
    const uint64_t six = virtio_bit(VIRTIO_NET_F_GUEST_USO6);

    (void)state;
    assert_true(virtio_feature_require(needed | four | six) == (needed | four | six));
    assert_true(virtio_feature_require(needed | four) == needed);
    assert_true(virtio_feature_require(needed | six) == needed);
    assert_true(virtio_feature_require(four | six) == 0);
}

/* §5.1.3.1, and this driver's own requirements: each feature requires one of the two others. */
static void features_go_with_what_they_need(void **state)
{
    static const struct {
        uint8_t feature, needs, or_needs;
    } needs[] = {
        {VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_CSUM},
        {VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_MRG_RXBUF},
        {VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_CSUM},
        {VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_MRG_RXBUF},
        {VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6},
        {VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_MRG_RXBUF},
        {VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_CSUM},
        {VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_CSUM, VIRTIO_NET_F_CSUM},
        {VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_CSUM, VIRTIO_NET_F_CSUM},
        {VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_HOST_TSO6},
        {VIRTIO_NET_F_HOST_USO, VIRTIO_NET_F_CSUM, VIRTIO_NET_F_CSUM},
        {VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_CTRL_RX_EXTRA, VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_RX},
        {VIRTIO_NET_F_CTRL_VLAN, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_GUEST_ANNOUNCE, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_MQ, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_CTRL_MAC_ADDR, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
    };

    (void)state;
    assert_true(virtio_feature_require(UINT64_MAX) == UINT64_MAX);
    for (unsigned i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        const uint64_t first = virtio_bit(needs[i].needs), second = virtio_bit(needs[i].or_needs);
        const uint64_t feature = virtio_bit(needs[i].feature);

        assert_false(virtio_feature_require(~(first | second)) & feature);
        if (first != second) {
            assert_true(virtio_feature_require(~first) & feature);
            assert_true(virtio_feature_require(~second) & feature);
        }
    }
}

/* Never writes beyond the text; a name is written completely or not at all. */
static void names_end_where_the_text_does(void **state)
{
    const uint64_t features = virtio_bit(VIRTIO_NET_F_CSUM) | virtio_bit(4) |
                              virtio_bit(VIRTIO_NET_F_MAC) | virtio_bit(45);
    static const struct {
        size_t size;
        const char *expected;
    } cases[] = {{0, ""},
                 {1, ""},
                 {5, "4"},
                 {6, "csum"},
                 {7, "csum"},
                 {8, "csum 4"},
                 {11, "csum 4 45"},
                 {12, "csum 4 mac"},
                 {14, "csum 4 mac"},
                 {15, "csum 4 mac 45"}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];

        memset(text, '#', sizeof text);
        assert_string_equal(virtio_feature_names(features, text, cases[i].size), cases[i].expected);
        for (size_t at = cases[i].size; at < sizeof text; at++) {
            assert_int_equal(text[at], '#');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_specification),
        cmocka_unit_test(every_name_and_number_is_understood),
        cmocka_unit_test(lists_take_effect_in_order),
        cmocka_unit_test(words_that_are_not_understood_are_returned),
        cmocka_unit_test(datagrams_are_joined_over_both_or_neither),
        cmocka_unit_test(features_go_with_what_they_need),
        cmocka_unit_test(names_end_where_the_text_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
