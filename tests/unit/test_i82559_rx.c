/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames received by the i82559 driver, also from a card that lies. */
#include "i82559_card.h"

static void expect(unsigned index, unsigned n)
{
    assert_int_equal(got.length[index], 60 + n);
    assert_memory_equal(got.data[index], frame(n, 60 + n), 60 + n);
}

static void test_receive(void **unused)
{
    unsigned reads = fake.status_reads;

    (void)unused;
    assert_int_equal(driver->poll(state, 64), 0);
    assert_int_equal(fake.status_reads, reads);
    for (unsigned n = 0; n < 5; n++) {
        assert_true(arrive(n));
    }
    assert_int_equal(driver->poll(state, 3), 3);
    assert_int_equal(fake.status_reads, reads + 1); /* once a pass, before the frames are read */
    assert_int_equal(driver->poll(state, 3), 2);
    for (unsigned n = 0; n < 5; n++) {
        expect(n, n);
    }
    assert_int_equal(counters().rx_posted, RFDS);
    assert_int_equal(counters().rx.packets, 5);
    assert_int_equal(counters().rx.bytes, 5 * 60 + 10);
    assert_int_equal(counters().rx_buffers, RFDS + 5);
    release_all();
    for (unsigned n = 0; n < 3 * RFDS; n++) {
        assert_true(arrive(n % 200));
        assert_int_equal(driver->poll(state, 64), 1);
        expect(0, n % 200);
        release_all();
    }
    assert_int_equal(counters().rx_buffers, RFDS + 5); /* the released buffers were reused */
    assert_int_equal(fake.ru_starts, 1);
}

static void test_ring_overflows(void **unused)
{
    (void)unused;
    for (unsigned n = 0; n < RFDS; n++) {
        assert_true(arrive(n % 200));
    }
    assert_false(arrive(0));
    assert_int_equal(driver->poll(state, 10), 10); /* makes room for ten more */
    assert_int_equal(fake.ru_starts, 2);
    for (unsigned n = 0; n < 10; n++) {
        assert_true(arrive(100 + n));
    }
    assert_false(arrive(0));
    assert_int_equal(driver->poll(state, 2 * RFDS), RFDS);
    for (unsigned n = 0; n < RFDS; n++) {
        expect(n, n % 200);
    }
    assert_int_equal(fake.ru_starts, 3);
    for (unsigned n = 0; n < 10; n++) {
        expect(RFDS + n, 100 + n);
    }
    assert_int_equal(counters().rx.full, 2);
    assert_true(arrive(0));
}

/* The card had read the EL bit before the driver cleared it. */
static void test_end_seen_in_between(void **unused)
{
    (void)unused;
    fake.sees_end = true;
    assert_true(arrive(1));
    assert_int_equal(driver->poll(state, 64), 1);
    assert_true(arrive(2));
    fake.sees_end = true;
    assert_true(arrive(3));
    assert_true(driver->interrupts_on(state, false));
    assert_int_equal(fake.ru_state, FAKE_RU_READY);
    assert_true(arrive(4));
    assert_int_equal(driver->poll(state, 64), 3);
    for (unsigned n = 1; n <= 4; n++) {
        expect(n - 1, n);
    }
}

static void test_client_has_all_buffers(void **unused)
{
    unsigned most;

    (void)unused;
    fake_pci_reset();
    config.rx_memory = 40 << 10;
    state = open_on(true);
    most = counters().rx_buffers_max;
    assert_true(most > 20 && most < 30);
    assert_int_equal(counters().rx_limit, most);
    for (unsigned n = 0; n < most; n++) {
        assert_int_equal(driver->scarce(state), n > most - most / 4);
        assert_true(arrive(n));
        assert_int_equal(driver->poll(state, 64), 1);
    }
    assert_int_equal(counters().rx_posted, 0);
    assert_true(driver->scarce(state));
    assert_false(arrive(1));
    driver->release(state, got.buffer[--got.count]);
    assert_true(arrive(2));
    assert_false(arrive(3));
    assert_int_equal(driver->poll(state, 64), 1);
    assert_int_equal(counters().rx_buffers_peak, most);
    assert_true(counters().rx_at_ceiling > 0);
}

/* Of very few buffers the stack may not keep the last one. */
static void test_client_has_all_of_few_buffers(void **unused)
{
    (void)unused;
    fake_pci_reset();
    config.rx_memory = 3 * 1700;
    state = open_on(true);
    assert_int_equal(counters().rx_buffers_max, 3);
    for (unsigned n = 0; n < 3; n++) {
        assert_false(driver->scarce(state));
        assert_true(arrive(n));
        assert_int_equal(driver->poll(state, 64), 1);
    }
    assert_true(driver->scarce(state));
}

static void test_lying_card(void **unused)
{
    static const uint16_t lengths[] = {1, HEADER, FRAME_MAX + 1, 1520, 0x3fff, 0xffff};

    (void)unused;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        fake.lie_count = lengths[i];
        assert_true(arrive(1));
    }
    fake.lie_status = 0x8000; /* complete but not OK */
    assert_true(arrive(1));
    assert_int_equal(driver->poll(state, 64), 7);
    assert_int_equal(counters().rx_bad, 7);
    assert_int_equal(got.count, 0);
    fake.lie_count = 0xc000 | FRAME_MAX; /* EOF and F, as on real hardware */
    assert_true(arrive(1));
    assert_int_equal(driver->poll(state, 64), 1);
    assert_int_equal(got.length[0], FRAME_MAX);
    assert_int_equal(counters().rx_buffers, RFDS + 1);
}

/* Segments and acknowledgements fit together. Buffers that the client keeps do not count. */
static void test_window(void **unused)
{
    unsigned in, out, posted;

    (void)unused;
    assert_int_equal(driver->window(state, false), RFDS / 2 * 1460);
    assert_int_equal(driver->window(state, true), RFDS / 2 * 1460);
    fake_pci_reset();
    config.rx_memory = 64 << 10;
    state = open_on(true);
    posted = counters().rx_posted;
    assert_in_range(posted, 30, 50);
    in = driver->window(state, false) / 1460;
    out = driver->window(state, true) / 1460;
    assert_in_range(in, 10, posted - out);
    assert_int_equal(out, posted / 2);
    for (unsigned n = 0; n < posted - 4; n++) {
        assert_true(arrive(n));
        assert_int_equal(driver->poll(state, 64), 1);
    }
    assert_int_equal(driver->window(state, false), 2 * 1460);
    assert_int_equal(driver->window(state, true) / 1460, out);
    release_all();
    assert_int_equal(driver->window(state, false) / 1460, in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_receive, setup),
        cmocka_unit_test_setup(test_ring_overflows, setup),
        cmocka_unit_test_setup(test_end_seen_in_between, setup),
        cmocka_unit_test_setup(test_client_has_all_buffers, setup),
        cmocka_unit_test_setup(test_client_has_all_of_few_buffers, setup),
        cmocka_unit_test_setup(test_window, setup),
        cmocka_unit_test_setup(test_lying_card, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
