/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch/calibration.c against a fake 8254 and a counter, on a host that is late now and then: it stops
 * the guest at any access, for microseconds or for more than the timer's whole period.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/calibration.c"

enum {
    MS = 1000000,      /* ns */
    PERIOD = 54925400, /* ns, of the timer */
    STARTS = 200,
};

static struct {
    uint64_t now; /* ns, of the host */
    uint64_t seed;
    uint32_t khz; /* of the counter */
    uint64_t loaded_at;
    uint16_t latch;     /* of the timer's count */
    bool high;          /* the next access is to the high byte */
    uint32_t stop_part; /* the host stops the guest at one of so many accesses; 0: never */
    uint32_t stop_max;  /* ns */
    uint32_t coarse;    /* ns for which the timer stands still; 0: it does not */
    bool dead;
    bool has_no_output;         /* the bit that tells that the timer reached its end is never set */
    unsigned accesses, stop_at; /* the host stops the guest at this access of the ports */
    uint32_t stop_for;          /* ns */
    uint32_t jump_part;         /* one of so many readings of the counter is wrong */
} fake;

static uint32_t draw(uint32_t below)
{
    fake.seed = fake.seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((fake.seed >> 33) % below);
}

/* An access takes 0.4 to 1 us under emulation. */
static void spend_time(void)
{
    fake.now += 400 + draw(600);
    if (++fake.accesses == fake.stop_at) {
        fake.now += fake.stop_for;
    }
    if (fake.stop_part != 0 && draw(fake.stop_part) == 0) {
        fake.now += draw(fake.stop_max);
    }
}

static uint64_t ticks_now(void)
{
    uint64_t seen = fake.coarse != 0 ? fake.now - fake.now % fake.coarse : fake.now;

    return fake.dead || seen < fake.loaded_at ? 0 : (seen - fake.loaded_at) * PIT_HZ / 1000000000;
}

uint64_t arch_counter(void)
{
    fake.now += 20 + draw(30);
    if (fake.stop_part != 0 && draw(fake.stop_part) == 0) {
        fake.now += draw(fake.stop_max);
    }
    if (fake.jump_part != 0 && draw(fake.jump_part) == 0) {
        return fake.now * fake.khz / 1000000 + 216ull * 1000 * fake.khz;
    }
    return fake.now * fake.khz / 1000000;
}

void arch_io_write8(uint32_t port, uint8_t value)
{
    spend_time();
    switch (port) {
    case PIT_COMMAND:
        fake.high = false;
        if (value == PIT_CHANNEL2_LATCH) {
            fake.latch = (uint16_t)(COUNT_FIRST - ticks_now());
        } else {
            assert_int_equal(value, PIT_CHANNEL2_ONCE);
        }
        break;
    case PIT_CHANNEL2:
        assert_int_equal(value, 0xff);
        fake.loaded_at = fake.now;
        break;
    default:
        assert_int_equal(port, PORT_B);
        assert_int_equal(value & (PORT_B_GATE | PORT_B_SPEAKER), PORT_B_GATE);
    }
}

uint8_t arch_io_read8(uint32_t port)
{
    spend_time();
    if (port == PORT_B) {
        return ticks_now() >= COUNT_FIRST && !fake.has_no_output ? PORT_B_OUTPUT : 0;
    }
    assert_int_equal(port, PIT_CHANNEL2);
    fake.high = !fake.high;
    return fake.high ? fake.latch & 0xff : fake.latch >> 8;
}

static const uint32_t rates[] = {16500, 60000, 100000, 1000000, 2599600, 5100000};

static uint32_t middle(const struct calibration *rate)
{
    return rate->least + (rate->most - rate->least) / 2;
}

static void start_machine(unsigned i)
{
    uint32_t khz = rates[i % (sizeof rates / sizeof rates[0])];

    memset(&fake, 0, sizeof fake);
    fake.seed = i;
    fake.khz = khz;
    fake.now = 1000000000 + draw(MS);
}

/* The rate is within the bounds, which are within a part of it. Returns false if there was no rate. */
static bool measure(uint32_t part)
{
    struct calibration rate;

    if (!calibration_measure(&rate)) {
        return false;
    }
    assert_in_range(fake.khz, rate.least, rate.most);
    assert_true(rate.most - rate.least <= fake.khz / part + 1);
    return true;
}

static void test_quiet_host(void **state)
{
    (void)state;
    for (unsigned i = 0; i < STARTS; i++) {
        uint64_t start;
        struct calibration rate;

        start_machine(i);
        start = fake.now;
        assert_true(calibration_measure(&rate));
        assert_in_range(fake.khz, rate.least, rate.most);
        assert_in_range(middle(&rate), fake.khz - fake.khz / 2000 - 1,
                        fake.khz + fake.khz / 2000 + 1);
        assert_true(fake.now - start < 4 * MS);
    }
}

/* Stops of all lengths, from some microseconds to two periods of the timer, rare or at each reading. */
static void test_busy_host(void **state)
{
    static const uint32_t parts[] = {20, 100, 500, 2500};
    static const uint32_t longest[] = {20000, 200000, 4 * MS, 60 * MS, 130 * MS};
    unsigned measured = 0, all = 0;

    (void)state;
    for (unsigned i = 0; i < STARTS / 4; i++) {
        for (unsigned kind = 0; kind < 20; kind++, all++) {
            start_machine(i);
            fake.stop_part = parts[kind % 4];
            fake.stop_max = longest[kind / 4];
            measured += measure(COARSE / 2);
        }
    }
    assert_true(measured > all / 2);
}

/*
 * One stop, at each of the first accesses, for the timer's period and somewhat more: the count looks
 * like that of a short time. Not every emulator tells that the timer reached its end.
 */
static void test_period_missed(void **state)
{
    unsigned measured = 0, all = 0;

    (void)state;
    for (unsigned access = 1; access <= 100; access++) {
        for (unsigned more = 0; more < 16; more++, all++) {
            start_machine(access + more);
            fake.stop_at = access;
            fake.stop_for = PERIOD + more * MS / 2;
            fake.has_no_output = more % 2 == 0;
            measured += measure(FINE / 2);
        }
    }
    assert_int_equal(measured, all);
}

/* As in a browser: the counter is exact, the timer stands still for 0.1 ms at a time. */
static void test_coarse_timer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < STARTS; i++) {
        start_machine(i);
        fake.coarse = 100000;
        assert_true(measure(COARSE / 2));
    }
}

/* One reading of the counter far ahead of those around it. */
static void test_counter_jumps(void **state)
{
    unsigned measured = 0;

    (void)state;
    for (unsigned i = 0; i < STARTS; i++) {
        start_machine(i);
        fake.jump_part = 500 + draw(3000);
        measured += measure(COARSE / 2);
    }
    assert_true(measured > STARTS - STARTS / 10);
}

static void test_timer_is_dead(void **state)
{
    struct calibration rate;

    (void)state;
    start_machine(4);
    fake.dead = true;
    assert_false(calibration_measure(&rate));
}

/* cycles_factor() would not fit in 32 bits. */
static void test_counter_is_too_slow(void **state)
{
    struct calibration rate;

    (void)state;
    start_machine(5);
    fake.khz = CALIBRATION_KHZ_MIN * 3 / 4;
    assert_false(calibration_measure(&rate));
    start_machine(5);
    fake.khz = CALIBRATION_KHZ_MIN * 5 / 4;
    assert_true(calibration_measure(&rate));
}

/* Against divisions, for centuries, and at the carries between the two halves of the cycles. */
static void test_cycles_become_nanoseconds(void **state)
{
    static const uint32_t khz[] = {CALIBRATION_KHZ_MIN, 16500, 100000, 2599600, 4000000};

    (void)state;
    for (unsigned i = 0; i < sizeof khz / sizeof khz[0]; i++) {
        uint32_t factor = cycles_factor(khz[i]);
        uint64_t before;

        for (uint64_t cycles = 1; cycles < UINT64_C(1) << 53; cycles += cycles / 5 + 1) {
            uint64_t seconds = cycles / khz[i] / 1000;
            uint64_t rest = cycles - seconds * khz[i] * 1000;
            uint64_t expected = seconds * 1000000000 + rest * 1000000 / khz[i];

            assert_in_range(cycles_ns(cycles, factor) + 1, expected - expected / 1000000,
                            expected + 1);
        }
        for (uint64_t carry = 1; carry < 1000; carry++) {
            before = cycles_ns((carry << 32) - 1, factor);
            assert_in_range(cycles_ns(carry << 32, factor) - before, 0, 1000000 / khz[i] + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quiet_host),
        cmocka_unit_test(test_busy_host),
        cmocka_unit_test(test_period_missed),
        cmocka_unit_test(test_coarse_timer),
        cmocka_unit_test(test_counter_jumps),
        cmocka_unit_test(test_timer_is_dead),
        cmocka_unit_test(test_counter_is_too_slow),
        cmocka_unit_test(test_cycles_become_nanoseconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
