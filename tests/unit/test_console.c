/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial console, with a UART whose reader is as fast or slow as a test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/uart16550.c"

static struct {
    unsigned reads_each; /* status reads that sending a character takes; 0: it is never sent */
    unsigned reads_since;
    unsigned reads; /* of the status, in all */
    bool busy;
    bool initialising; /* a divisor goes to the same port */
    uint8_t scratch;
    char text[4096];
    size_t length;
} uart;

uint8_t arch_io_read8(uint32_t port)
{
    if (port == UART_SCRATCH) {
        return uart.scratch;
    }
    assert_int_equal(port, UART_LINE_STATUS);
    uart.reads++;
    uart.reads_since++;
    if (uart.busy && uart.reads_each != 0 && uart.reads_since >= uart.reads_each) {
        uart.busy = false;
    }
    return uart.busy ? 0 : UART_STATUS_EMPTY;
}

void arch_io_write8(uint32_t port, uint8_t value)
{
    if (port == UART_SCRATCH) {
        uart.scratch = value;
    } else if (port == UART_DATA && !uart.initialising) {
        assert_false(uart.busy);
        assert_true(uart.length + 1 < sizeof uart.text);
        uart.text[uart.length++] = (char)value;
        uart.busy = true;
        uart.reads_since = 0;
    }
}

static size_t on_screen;

void arch_screen_init(void)
{
    on_screen = 0;
}

void arch_screen_putc(char c)
{
    (void)c;
    on_screen++;
}

static int start(void **state)
{
    (void)state;
    memset(&uart, 0, sizeof uart);
    uart.reads_each = 1;
    reads_left = READS_MAX;
    arch_console_lost = 0;
    lost_said = 0;
    uart.initialising = true;
    arch_console_init();
    uart.initialising = false;
    return 0;
}

static void print(const char *text, unsigned times)
{
    while (times-- != 0) {
        for (const char *c = text; *c != '\0'; c++) {
            arch_console_putc(*c);
        }
    }
}

/* 115,200 baud: 87 us a character, and a read of a port takes one of a PC at least. */
static void test_nothing_is_lost_at_the_rate_of_the_line(void **state)
{
    (void)state;
    uart.reads_each = 87;
    print("0123456789abcdef", 200);
    assert_int_equal(uart.length, 16 * 200);
    assert_int_equal(arch_console_lost, 0);
}

static void test_nobody_reads(void **state)
{
    (void)state;
    uart.reads_each = 0;
    print("0123456789abcdef", 1000);
    assert_int_equal(uart.length, 1);
    assert_int_equal(arch_console_lost, 16 * 1000 - 1);
    assert_int_equal(on_screen, 16 * 1000);
    /* One wait, and then a look or two for each character. */
    assert_true(uart.reads <= READS_MAX + READS_EARNED + 2 * 16 * 1000 + 1);
}

static void test_a_reader_that_comes_late(void **state)
{
    static const char said[] = "0\r\nvtnet: console: 49 characters lost\r\nready\n";

    (void)state;
    uart.reads_each = 0;
    print("0123456789", 5);
    uart.reads_each = 1;
    print("ready\n", 1);
    assert_string_equal(uart.text, said);
    print("more\n", 1);
    assert_string_equal(uart.text + sizeof said - 1, "more\n");
}

/* What is sent does not pay for waits that are longer than it earns. */
static void test_a_reader_that_is_too_slow(void **state)
{
    (void)state;
    uart.reads_each = 50000;
    print("0123456789abcdef", 1000);
    assert_true(uart.length > 1);
    assert_true(arch_console_lost > 15 * 1000);
    assert_true(uart.reads <= READS_MAX + READS_EARNED * uart.length + 2 * 16 * 1000 + 1);
}

static void test_without_a_uart(void **state)
{
    (void)state;
    have_uart = false;
    print("0123456789", 5);
    assert_int_equal(on_screen, 50);
    assert_int_equal(uart.reads, 0);
    assert_int_equal(arch_console_lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_is_lost_at_the_rate_of_the_line, start),
        cmocka_unit_test_setup(test_nobody_reads, start),
        cmocka_unit_test_setup(test_a_reader_that_comes_late, start),
        cmocka_unit_test_setup(test_a_reader_that_is_too_slow, start),
        cmocka_unit_test_setup(test_without_a_uart, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
