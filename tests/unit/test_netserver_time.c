/* SPDX-License-Identifier: BSD-2-Clause */
/* When a netperf test ends: after an hour, whatever the client requests. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/services/netserver.c"

const struct net_config *net_config(void)
{
    static struct net_config config;

    return &config;
}
const struct netserver_data netserver_tcp, netserver_udp;

enum { HOUR = 3600 * 1000 }; /* in ms */

static const u32_t starts[] = {0, UINT32_MAX - HOUR / 2}; /* the clock may wrap during the test */

/*
 * Checks that the test ends this long after its start, and not earlier. heard: the client is active
 * all the time.
 */
static void assert_ends_after(struct session session, bool heard, u32_t ms)
{
    for (unsigned i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        session.since = session.first = session.last = starts[i];
        for (u32_t passed = ms - 2 * 1000; passed <= ms; passed++) {
            if (heard) {
                session.last = starts[i] + passed;
            }
            assert_int_equal(time_is_up(&session, starts[i] + passed), passed == ms);
        }
    }
}

static struct session session_of(u32_t seconds, bool transmit, bool receive)
{
    struct session session = {.events = 1};

    session.test.omni.seconds = seconds;
    session.test.omni.transmit = transmit;
    session.test.omni.receive = receive;
    return session;
}

static void time_asked_for_is_given(void **state)
{
    (void)state;
    assert_ends_after(session_of(10, true, false), true, 10 * 1000 + QUIET_MS);
    assert_ends_after(session_of(3600, true, false), true, HOUR + QUIET_MS);
    assert_ends_after(session_of(10, false, true), false, 10 * 1000);
}

static void test_ends_after_an_hour(void **state)
{
    static const u32_t asked[] = {3601, 1000000, INT32_MAX / 1000 + 1, 4294968, UINT32_MAX};

    (void)state;
    for (unsigned i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct session waits = session_of(asked[i], false, true);

        assert_ends_after(session_of(asked[i], true, false), true, HOUR + QUIET_MS);
        assert_ends_after(session_of(asked[i], true, true), true, HOUR + FIRST_DATA_MS);
        assert_ends_after(session_of(asked[i], false, true), true, HOUR + FIRST_DATA_MS);
        waits.events = 0;
        assert_ends_after(waits, false, HOUR + FIRST_DATA_MS);
    }
}

static void test_without_a_time_ends_after_an_hour(void **state)
{
    (void)state;
    assert_ends_after(session_of(0, true, false), true, HOUR + FIRST_DATA_MS);
    assert_ends_after(session_of(0, false, true), true, HOUR + FIRST_DATA_MS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_asked_for_is_given),
        cmocka_unit_test(test_ends_after_an_hour),
        cmocka_unit_test(test_without_a_time_ends_after_an_hour),
    };

    return cmocka_run_group_tests_name("netserver_time", tests, NULL, NULL);
}
