/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames transmitted by the i82559 driver, also on a card that dies. */
#include "i82559_card.h"

static void test_transmit(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    memcpy(data, frame(3, 1600), 1600);
    assert_int_equal(send(data, 1, 0), 0);
    assert_int_equal(send(data, 8, 1), 0);
    assert_int_equal(send(data, 9, 2), NIC_PARTS);
    assert_int_equal(fake.sent, 0);
    driver->flush(state);
    driver->flush(state); /* nothing to notify of */
    assert_int_equal(fake.resumes, 1);
    assert_int_equal(fake.sent, 2);
    assert_int_equal(fake.length[0], 50);
    assert_int_equal(fake.length[1], 8 * 51);
    for (unsigned i = 0; i < 8; i++) {
        assert_memory_equal(&fake.frame[1][51 * i], data + 100 * i, 51);
    }
    assert_int_equal(driver->poll(state, 64), 0);
    assert_int_equal(got.done, 2);
    assert_ptr_equal(got.transmitted[0], data);
    assert_ptr_equal(got.transmitted[1], data + 1);
    assert_int_equal(counters().tx.bytes, 50 + 8 * 51);
}

static void test_transmit_bursts(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);
    unsigned sent = 0;

    (void)unused;
    for (unsigned burst = 1; burst <= TX_FRAMES; burst += 9) {
        unsigned resumes = fake.resumes;

        got.done = 0;
        for (unsigned n = 0; n < burst; n++) {
            assert_int_equal(send(data, 2, n), 0);
        }
        driver->flush(state);
        sent += burst;
        assert_int_equal(fake.sent, sent);
        assert_int_equal(fake.resumes - resumes, (burst + 15) / 16);
        driver->poll(state, 64);
        assert_int_equal(got.done, burst);
    }
    assert_int_equal(counters().tx.kicks, fake.resumes);
}

static void test_transmit_full(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    assert_true(driver->has_room(state, TX_FRAMES - 16, 3, 16));
    assert_false(driver->has_room(state, TX_FRAMES - 15, 3, 16));
    for (unsigned n = 0; n < TX_FRAMES; n++) {
        assert_int_equal(send(data, 1, n), 0);
    }
    assert_int_equal(send(data, 1, 0), NIC_FULL);
    assert_int_equal(counters().tx.full, 1);
    assert_false(driver->has_room(state, 1, 1, 0));
    assert_true(driver->interrupts_on(state, true)); /* some are complete */
    driver->poll(state, 64);
    assert_true(driver->has_room(state, 1, 1, 0));
    assert_int_equal(send(data, 1, 0), 0);
}

static void test_lost_resume(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    fake.commands_lost = true;
    assert_int_equal(send(data, 1, 5), 0);
    assert_int_equal(send(data, 1, 6), 0);
    driver->flush(state);
    fake.commands_lost = false;
    assert_int_equal(fake.sent, 0);
    driver->interrupts_on(state, false);
    assert_int_equal(fake.sent, 2);
    driver->poll(state, 64);
    assert_int_equal(got.done, 2);
    assert_int_equal(send(data, 1, 7), 0);
    driver->flush(state);
    assert_int_equal(fake.sent, 3);
}

static void test_card_dies(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    fake.deaf = true;
    assert_int_equal(send(data, 1, 5), 0);
    driver->flush(state); /* the card accepts the command but never executes it */
    assert_int_equal(send(data, 1, 5), 0);
    driver->flush(state);
    assert_int_equal(send(data, 1, 5), NIC_DOWN);
    assert_false(driver->set_groups(state, NULL, 0));
}

static void test_transmit_interrupt(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    driver->interrupts_on(state, false);
    assert_int_equal(send(data, 1, 0), 0);
    driver->flush(state);
    assert_false(fake_i82559_line(&fake));
    driver->poll(state, 64);
    driver->interrupts_on(state, true);
    assert_int_equal(send(data, 1, 0), 0);
    driver->flush(state);
    assert_true(fake_i82559_line(&fake));
}

/*
 * If receive buffers are missing, they may be in transmitted frames: then a completed transmission
 * must interrupt.
 */
static void test_transmit_interrupt_where_buffers_are_missing(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);
    unsigned most;

    (void)unused;
    fake_pci_reset();
    config.rx_memory = 40 << 10;
    state = open_on(true);
    most = counters().rx_buffers_max;
    for (unsigned n = 0; n < most; n++) {
        assert_true(arrive(n));
        assert_int_equal(driver->poll(state, 64), 1);
    }
    assert_false(driver->interrupts_on(state, false));
    assert_int_equal(send(data, 1, 0), 0);
    driver->flush(state);
    assert_true(fake_i82559_line(&fake));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_transmit, setup),
        cmocka_unit_test_setup(test_transmit_bursts, setup),
        cmocka_unit_test_setup(test_transmit_full, setup),
        cmocka_unit_test_setup(test_lost_resume, setup),
        cmocka_unit_test_setup(test_card_dies, setup),
        cmocka_unit_test_setup(test_transmit_interrupt, setup),
        cmocka_unit_test_setup(test_transmit_interrupt_where_buffers_are_missing, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
