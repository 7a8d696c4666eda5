/* SPDX-License-Identifier: BSD-2-Clause */
/* Hybrid mode's wait for an answer, and what a wait in vain costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/wait.c"

#define MOST UINT64_C(500000)
enum { STEP = 1000 };

static struct wait it;
static uint64_t now;

static int fresh(void **state)
{
    (void)state;
    it = (struct wait){0};
    now = 1;
    return 0;
}

static bool pass(unsigned work, bool sent)
{
    now += STEP;
    return wait_for_more(&it, work, sent, now, MOST);
}

/* Idle passes until the wait ends; returns its time. */
static uint64_t idle(void)
{
    uint64_t since = now;

    while (pass(0, false)) {
        assert_true(now - since < 2 * PARTED_NS);
    }
    return now - since;
}

/* The passes with work in which there is no wait. */
static unsigned passes_without_wait(void)
{
    unsigned count = 0;

    while (!pass(1, true)) {
        assert_true(++count < (2 * CREDIT) << DEAREST);
    }
    return count;
}

static void only_what_was_sent_is_waited_for(void **state)
{
    (void)state;
    assert_false(pass(0, false));
    assert_false(pass(1, false));
    assert_true(pass(1, true));
}

/* Like a bare acknowledgement: the answer may still come. The end of the wait does not move. */
static void what_only_comes_in_leaves_the_wait(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    now += MOST - 3 * STEP;
    assert_true(pass(1, false));
    assert_true(pass(0, false));
    assert_false(pass(1, false));
    assert_true(it.spent == COST);
}

static void a_wait_has_an_end(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    assert_int_equal(idle(), MOST);
    assert_false(pass(0, false));
}

/* It goes on until the host's scheduler has looked. The peer is silent, so it is dear. */
static void a_wait_after_an_answer_in_time_is_long(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    assert_true(pass(1, true));
    assert_int_equal(idle(), PARTED_NS);
    assert_int_equal(it.spent, COST + SILENT);
    assert_true(pass(1, true));
    assert_int_equal(idle(), MOST);
}

/* Nobody waits for one answer there. */
static void a_wait_in_a_stream_is_not_long(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    assert_true(pass(STREAM, true));
    assert_int_equal(idle(), MOST);
}

/* The device runs, so there is nothing to part. */
static void what_comes_in_ends_a_long_wait(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    assert_true(pass(1, true));
    now += MOST;
    assert_true(pass(0, false));
    assert_false(pass(1, false));
}

/* The host had stopped the guest. */
static void an_answer_without_a_pass_before_it_may_be_late(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    now += MOST;
    assert_true(pass(1, true));
    assert_int_equal(it.answered, 0);
    assert_int_equal(idle(), MOST);
}

static void a_long_wait_ends_when_there_shall_be_none(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    assert_true(pass(1, true));
    assert_false(wait_for_more(&it, 0, false, now, 0));
}

static void late_answer(void)
{
    assert_true(pass(1, true)); /* in time */
    now += MOST;
    assert_true(pass(0, false));
    assert_true(pass(1, true));
}

static void a_late_answer_is_none_in_time(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    late_answer();
    assert_int_equal(it.answered, 1);
    assert_int_equal(it.spent, COST - 1);
    assert_int_equal(idle(), MOST);
}

/* Then the next one is not long, although it follows an answer in time. */
static void late_answers_are_paid_for(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    for (unsigned i = 1; i < TRIES; i++) {
        late_answer();
    }
    assert_true(pass(1, true));
    assert_int_equal(idle(), MOST);
    assert_in_range(passes_without_wait(), CREDIT - COST, CREDIT);
}

static void a_long_wait_is_no_shorter_than_others(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_true(wait_for_more(&it, 1, true, now, 2 * PARTED_NS));
    }
    assert_true(wait_for_more(&it, 0, false, now + 2 * PARTED_NS - 1, 2 * PARTED_NS));
    assert_false(wait_for_more(&it, 0, false, now + 2 * PARTED_NS, 2 * PARTED_NS));
}

static void each_answer_begins_a_new_wait(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        assert_true(pass(1, true));
        now += MOST - 2 * STEP;
        assert_true(pass(0, false));
    }
}

/* Waits in vain in a row, each after one pass, and work that comes so long after; returns how many. */
static unsigned tries(uint64_t later)
{
    unsigned count = 0;

    it.may_be_long = false;
    do {
        idle();
        now += later;
        assert_true(++count < 2 * TRIES);
    } while (pass(1, true));
    return count;
}

/* The tries, after each of which work comes so much later, are paid for by so many times CREDIT. */
static void assert_price(unsigned factor, uint64_t later)
{
    assert_int_equal(tries(later), TRIES);
    assert_in_range(passes_without_wait(), (CREDIT - COST) * factor, CREDIT * factor);
}

static void waits_in_vain_are_paid_for(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    for (unsigned i = 0; i < 3; i++) {
        assert_price(1, MOST);
    }
}

static void tries_in_the_way_become_dear(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    assert_price(1, MOST - 2 * STEP);
    assert_price(4, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_price(16, 0);
    }
}

/* A slow peer, or a time without work, says nothing of the processors. */
static void slow_peers_cost_what_they_did(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    assert_price(1, 0);
    assert_price(4, 0);
    assert_price(1, MOST);
    assert_price(16, 0);
}

static void streams_pay_for_many(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    assert_int_equal(tries(MOST), TRIES);
    for (unsigned i = 1; i < TRIES * COST / STREAM_PAYS - COST / STREAM_PAYS; i++) {
        assert_false(pass(STREAM, true));
    }
    for (unsigned i = 0; i < 2 * COST / STREAM_PAYS; i++) {
        (void)pass(64, true);
    }
    assert_true(pass(1, true));
    assert_int_equal(it.spent, 0);
    assert_int_equal(tries(MOST), TRIES);
    assert_false(pass(STREAM - 1, true)); /* not yet a stream */
    assert_in_range(passes_without_wait(), CREDIT - COST, CREDIT);
}

static void answer(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        assert_true(pass(1, true));
    }
}

static void many_answers_make_tries_cheap_again(void **state)
{
    (void)state;
    assert_true(pass(1, true));
    assert_price(1, 0);
    answer(MANY_ANSWERS - 1);
    assert_price(4, 0);
    answer(MANY_ANSWERS);
    assert_price(1, 0);
    assert_price(4, 0);
}

static void answers_save_for_no_more_than_the_tries(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100 * CREDIT; i++) {
        assert_true(pass(1, true));
    }
    assert_int_equal(tries(0), TRIES);
}

static void zero_never_waits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        assert_false(wait_for_more(&it, 1, true, now, 0));
    }
    assert_int_equal(it.waiting, false);
}

/* 20,000 passes with so many frames, one in `odds` with a wait in vain, and work so long after. */
static unsigned waits_in_vain(unsigned frames, unsigned odds, uint64_t later)
{
    static uint32_t random = 1;
    unsigned in_vain = 0;

    fresh(NULL);
    for (unsigned busy = 0; busy < 20000; busy++) {
        random = random * 1664525 + 1013904223;
        if (pass(frames, random >> 31) && (random >> 16) % odds == 0) {
            idle();
            now += later;
            in_vain++;
        }
    }
    return in_vain;
}

/* However the answers come. */
static void waits_in_vain_are_rare(void **state)
{
    (void)state;
    for (unsigned odds = 1; odds < 8; odds++) {
        for (unsigned frames = 1; frames < STREAM; frames++) {
            assert_in_range(waits_in_vain(frames, odds, MOST), TRIES, 20000 / 100);
            assert_in_range(waits_in_vain(frames, odds, 0), TRIES / 2, 4 * TRIES);
        }
        assert_in_range(waits_in_vain(STREAM, odds, MOST), 1000, 20000 / 8 + TRIES);
        assert_in_range(waits_in_vain(STREAM, odds, 0), 100, 20000 / 8 + TRIES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_what_was_sent_is_waited_for, fresh),
        cmocka_unit_test_setup(what_only_comes_in_leaves_the_wait, fresh),
        cmocka_unit_test_setup(a_wait_has_an_end, fresh),
        cmocka_unit_test_setup(a_wait_after_an_answer_in_time_is_long, fresh),
        cmocka_unit_test_setup(a_wait_in_a_stream_is_not_long, fresh),
        cmocka_unit_test_setup(what_comes_in_ends_a_long_wait, fresh),
        cmocka_unit_test_setup(an_answer_without_a_pass_before_it_may_be_late, fresh),
        cmocka_unit_test_setup(a_long_wait_ends_when_there_shall_be_none, fresh),
        cmocka_unit_test_setup(a_late_answer_is_none_in_time, fresh),
        cmocka_unit_test_setup(late_answers_are_paid_for, fresh),
        cmocka_unit_test_setup(a_long_wait_is_no_shorter_than_others, fresh),
        cmocka_unit_test_setup(each_answer_begins_a_new_wait, fresh),
        cmocka_unit_test_setup(waits_in_vain_are_paid_for, fresh),
        cmocka_unit_test_setup(streams_pay_for_many, fresh),
        cmocka_unit_test_setup(tries_in_the_way_become_dear, fresh),
        cmocka_unit_test_setup(slow_peers_cost_what_they_did, fresh),
        cmocka_unit_test_setup(many_answers_make_tries_cheap_again, fresh),
        cmocka_unit_test_setup(answers_save_for_no_more_than_the_tries, fresh),
        cmocka_unit_test_setup(zero_never_waits, fresh),
        cmocka_unit_test_setup(waits_in_vain_are_rare, fresh),
    };

    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
