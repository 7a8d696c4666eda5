/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial console, with a UART whose reader has any speed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/uart16550.c"

static struct {
    unsigned reads_each; /* status reads per character sent; 0: none is ever sent */
    unsigned reads_since;
    unsigned reads; /* total number of status reads */
    bool busy;
    bool initialising; /* the divisor uses the same port */
    uint8_t scratch;
    char text[4096];
    size_t length;
    char typed[64]; /* not read yet */
    bool interrupts;
    bool room_interrupts;
    bool room_comes; /* when the interrupt for it is switched on */
    bool out2;
    unsigned raised;
} uart;

static arch_irq_handler_t line_4, keyboard;
static const char *keys = "";

/* The interrupt's cause; received data come first. */
static uint8_t cause(void)
{
    return uart.interrupts && uart.typed[0] != '\0' ? 0xc4
           : uart.room_interrupts && !uart.busy     ? 0xc2
                                                    : UART_CAUSE_NONE;
}

/* A rising edge. The handler must change the line. */
static void raise_line(void)
{
    if (cause() != UART_CAUSE_NONE && uart.out2) {
        uart.raised++;
        assert_true(line_4(NULL));
        assert_false(uart.interrupts || uart.room_interrupts);
    }
}

/* Somebody has read what was sent. */
static void make_room(void)
{
    uart.busy = false;
    raise_line();
}

bool arch_irq_register(unsigned line, arch_irq_handler_t handler, void *context)
{
    assert_int_equal(line, COM1_LINE);
    assert_null(context);
    line_4 = handler;
    return true;
}

void arch_keyboard_start(arch_irq_handler_t heard)
{
    keyboard = heard;
}

int arch_keyboard_getc(void)
{
    return *keys != '\0' ? *keys++ : -1;
}

static unsigned told;

static void hear(void)
{
    told++;
}

static void type(const char *text)
{
    strcat(uart.typed, text);
    raise_line();
}

uint8_t arch_io_read8(uint32_t port)
{
    if (port == UART_SCRATCH) {
        return uart.scratch;
    }
    if (port == UART_INTERRUPT_CAUSE) {
        return cause();
    }
    if (port == UART_DATA) {
        uint8_t c = (uint8_t)uart.typed[0];

        assert_int_not_equal(c, 0);
        memmove(uart.typed, uart.typed + 1, sizeof uart.typed - 1);
        return c;
    }
    assert_int_equal(port, UART_LINE_STATUS);
    uart.reads++;
    uart.reads_since++;
    if (uart.busy && uart.reads_each != 0 && uart.reads_since >= uart.reads_each) {
        uart.busy = false;
    }
    return (uint8_t)((uart.busy ? 0 : UART_STATUS_EMPTY) |
                     (uart.typed[0] != '\0' ? UART_STATUS_DATA : 0));
}

void arch_io_write8(uint32_t port, uint8_t value)
{
    if (port == UART_SCRATCH) {
        uart.scratch = value;
    } else if (port == UART_INTERRUPTS && !uart.initialising) {
        assert_int_equal(value & ~(UART_ON_DATA | UART_ON_ROOM), 0);
        uart.interrupts = value & UART_ON_DATA;
        uart.room_interrupts = value & UART_ON_ROOM;
        uart.busy &= !(uart.room_interrupts && uart.room_comes);
        raise_line();
    } else if (port == UART_MODEM_CONTROL) {
        uart.out2 = value & UART_MODEM_OUT2;
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
    line_open = false;
    wants_room = false;
    held.count = 0;
    have_input_line = false;
    arch_console_input = false;
    keys = "";
    told = 0;
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

/* 115,200 baud: 87 us per character; a port read on a PC takes at least one. */
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
    /* One wait, then one or two status reads per character. */
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

/* Sent characters do not earn enough for waits this long. */
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

/* Like the loop: when told, takes all characters. Returns them. */
static const char *take(void)
{
    static char text[64];
    size_t length = 0;
    int c;

    assert_true(arch_console_input);
    while ((c = arch_console_getc()) >= 0) {
        text[length++] = (char)c;
    }
    text[length] = '\0';
    assert_false(arch_console_input);
    return text;
}

static void test_input_is_heard_of(void **state)
{
    (void)state;
    type("early");
    assert_false(arch_console_input);
    arch_console_start_input(hear);
    assert_string_equal(take(), "early");
    type("a");
    type("bc");
    assert_int_equal(uart.raised, 1); /* until all are taken */
    assert_string_equal(take(), "abc");
    type("\xff");
    assert_int_equal(uart.raised, 2);
    assert_int_equal(told, 2);
    assert_string_equal(take(), "\xff");
}

/* The line falls while interrupts are off and rises with the character that arrived in between. */
static void test_input_between_the_last_look_and_the_interrupt(void **state)
{
    (void)state;
    arch_console_start_input(hear);
    assert_string_equal(take(), "");
    type("a");
    assert_int_equal(arch_console_getc(), 'a');
    strcpy(uart.typed, "b"); /* no edge, since interrupts are off */
    assert_true(arch_console_input);
    assert_string_equal(take(), "b");
}

static void test_keyboard_beside_the_uart(void **state)
{
    (void)state;
    arch_console_start_input(hear);
    assert_string_equal(take(), "");
    keys = "xy";
    assert_true(keyboard(NULL));
    assert_string_equal(take(), "xy");
    type("a");
    keys = "k";
    assert_string_equal(take(), "ak");
}

static void test_input_without_a_uart(void **state)
{
    (void)state;
    have_uart = false;
    line_4 = NULL;
    arch_console_start_input(hear);
    assert_null(line_4);
    assert_string_equal(take(), "");
    keys = "x";
    keyboard(NULL);
    assert_string_equal(take(), "x");
}

/* After a lack of room the interrupt tells once, however characters come in between. */
static void test_room_is_heard_of(void **state)
{
    (void)state;
    uart.reads_each = 0;
    arch_console_putc('a');
    assert_true(arch_console_has_room()); /* nobody would be told */
    arch_console_start_input(hear);
    assert_string_equal(take(), "");
    assert_false(arch_console_has_room());
    type("x");
    assert_int_equal(told, 1);
    make_room(); /* interrupts are off now */
    assert_false(arch_console_has_room());
    assert_int_equal(arch_console_getc(), 'x');
    assert_int_equal(told, 1);
    assert_int_equal(arch_console_getc(), -1); /* switches them on */
    assert_int_equal(told, 2);
    assert_true(arch_console_has_room());
    assert_string_equal(take(), "");
    assert_true(uart.interrupts);
    assert_false(uart.room_interrupts);

    arch_console_putc('b');
    assert_false(arch_console_has_room());
    make_room();
    assert_int_equal(told, 3);
    assert_true(arch_console_has_room());
}

static void test_room_between_the_look_and_the_interrupt(void **state)
{
    (void)state;
    arch_console_start_input(hear);
    assert_string_equal(take(), "");
    uart.reads_each = 0;
    arch_console_putc('a');
    uart.room_comes = true;
    assert_false(arch_console_has_room());
    assert_int_equal(told, 1);
    assert_true(arch_console_has_room());
}

static void test_a_line_without_room_is_held(void **state)
{
    static const char line[] = "a line of more than a third of HELD_MAX characters\n";

    (void)state;
    arch_console_start_input(hear);
    assert_string_equal(take(), "");
    for (unsigned round = 0; round < 8; round++) { /* the ring wraps */
        memset(uart.text, 0, sizeof uart.text);
        uart.length = 0;
        uart.busy = true;
        uart.reads_each = 0;
        print(line, 2);
        assert_int_equal(uart.length, 0);
        uart.reads_each = 1;
        make_room();
        assert_string_equal(take(), "");
        assert_memory_equal(uart.text, line, sizeof line - 1);
        assert_string_equal(uart.text + sizeof line - 1, line);
    }
    assert_int_equal(arch_console_lost, 0);
}

static void echo(const char *text)
{
    while (*text != '\0') {
        arch_console_echo(*text++);
    }
}

/* Output starts on a new line, and the reader is told that its line was left. */
static void test_a_line_being_typed_is_left_alone(void **state)
{
    (void)state;
    arch_console_begin_line();
    echo("> pi");
    assert_true(arch_console_is_open());
    print("message\n", 1);
    assert_false(arch_console_is_open());
    print("message 2\n", 1);
    echo("ng"); /* is not shown before the line is begun again */
    arch_console_begin_line();
    echo("> pin");
    echo("\r\n");
    assert_false(arch_console_is_open());
    print("answer\n", 1);
    assert_string_equal(uart.text, "> pi\r\nmessage\nmessage 2\n> pin\r\nanswer\n");
}

/* So that a reader who comes late finds the prompt without other output. */
static void test_a_line_that_was_lost_is_not_open(void **state)
{
    (void)state;
    uart.reads_each = 0;
    arch_console_begin_line();
    echo("> ");
    assert_false(arch_console_is_open());
    uart.reads_each = 1;
    arch_console_begin_line();
    echo("> p");
    assert_true(arch_console_is_open());
    assert_string_equal(uart.text, ">\r\nvtnet: console: 1 characters lost\r\n\r\n> p");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_is_lost_at_the_rate_of_the_line, start),
        cmocka_unit_test_setup(test_nobody_reads, start),
        cmocka_unit_test_setup(test_a_reader_that_comes_late, start),
        cmocka_unit_test_setup(test_a_reader_that_is_too_slow, start),
        cmocka_unit_test_setup(test_without_a_uart, start),
        cmocka_unit_test_setup(test_input_is_heard_of, start),
        cmocka_unit_test_setup(test_input_between_the_last_look_and_the_interrupt, start),
        cmocka_unit_test_setup(test_keyboard_beside_the_uart, start),
        cmocka_unit_test_setup(test_input_without_a_uart, start),
        cmocka_unit_test_setup(test_room_is_heard_of, start),
        cmocka_unit_test_setup(test_room_between_the_look_and_the_interrupt, start),
        cmocka_unit_test_setup(test_a_line_without_room_is_held, start),
        cmocka_unit_test_setup(test_a_line_being_typed_is_left_alone, start),
        cmocka_unit_test_setup(test_a_line_that_was_lost_is_not_open, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
