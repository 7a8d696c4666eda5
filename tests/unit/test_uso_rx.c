/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits frames of joined datagrams. */
#include "uso_card.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_datagrams_are_as_they_were_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_buffers_of_every_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_longest_packet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_padding_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_buffers_go_back_when_they_are_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
