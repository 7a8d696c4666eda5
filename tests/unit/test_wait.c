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

static int begin(void **state)
{
    (void)state;
    it = (struct wait){0};
    now = 1;
    return 0;
}

static bool pass(bool busy, bool sent)
{
    now += STEP;
    return wait_for_more(&it, busy, sent, now, MOST);
}

/* Idle passes until the wait ends; returns its time. */
static uint64_t idle(void)
{
    uint64_t since = now;

    while (pass(false, false)) {
        assert_true(now - since < 2 * MOST);
    }
    return now - since;
}

static void only_what_was_sent_is_waited_for(void **state)
{
    (void)state;
    assert_false(pass(false, false));
    assert_false(pass(true, false));
    assert_true(pass(true, true));
}

/* Like a bare acknowledgement: the answer may still come. The end of the wait does not move. */
static void what_only_comes_in_leaves_the_wait(void **state)
{
    (void)state;
    assert_true(pass(true, true));
    now += MOST - 3 * STEP;
    assert_true(pass(true, false));
    assert_true(pass(false, false));
    assert_false(pass(true, false));
    assert_true(it.spent == COST);
}

static void a_wait_has_an_end(void **state)
{
    (void)state;
    assert_true(pass(true, true));
    assert_int_equal(idle(), MOST);
    assert_false(pass(false, false));
}

static void each_answer_begins_a_new_wait(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        assert_true(pass(true, true));
        now += MOST - 2 * STEP;
        assert_true(pass(false, false));
    }
}

/* The passes with work in which there is no wait. */
static unsigned passes_without_wait(void)
{
    unsigned count = 0;

    while (!pass(true, true)) {
        assert_true(++count < 2 * CREDIT);
    }
    return count;
}

/* Waits in vain in a row, each after one pass; returns how many. */
static unsigned tries(void)
{
    unsigned count = 0;

    do {
        idle();
        count++;
    } while (pass(true, true));
    return count;
}

static void waits_in_vain_are_paid_for(void **state)
{
    (void)state;
    assert_true(pass(true, true));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(tries(), TRIES);
        assert_in_range(passes_without_wait(), CREDIT - TRIES - 2, CREDIT);
    }
}

static void answers_save_for_no_more_than_the_tries(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100 * CREDIT; i++) {
        assert_true(pass(true, true));
    }
    assert_int_equal(tries(), TRIES);
}

static void zero_never_waits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        assert_false(wait_for_more(&it, true, true, now, 0));
    }
    assert_int_equal(it.waiting, false);
}

/* However the answers come, fewer than one in a hundred passes with work is a wait in vain. */
static void waits_in_vain_are_rare(void **state)
{
    uint32_t random = 1;

    (void)state;
    for (unsigned odds = 1; odds < 8; odds++) {
        unsigned busy = 0, in_vain = 0;

        begin(NULL);
        while (busy < 20000) {
            random = random * 1664525 + 1013904223;
            busy++;
            if (pass(true, random >> 31) && (random >> 16) % odds == 0) {
                idle();
                in_vain++;
            }
        }
        assert_in_range(in_vain, 100, 20000 / COST + TRIES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_what_was_sent_is_waited_for, begin),
        cmocka_unit_test_setup(what_only_comes_in_leaves_the_wait, begin),
        cmocka_unit_test_setup(a_wait_has_an_end, begin),
        cmocka_unit_test_setup(each_answer_begins_a_new_wait, begin),
        cmocka_unit_test_setup(waits_in_vain_are_paid_for, begin),
        cmocka_unit_test_setup(answers_save_for_no_more_than_the_tries, begin),
        cmocka_unit_test_setup(zero_never_waits, begin),
        cmocka_unit_test_setup(waits_in_vain_are_rare, begin),
    };

    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
