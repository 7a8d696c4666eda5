/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen of a PC: checks the content of its text memory, at its real address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "arch/i386/screen.c"

enum { PAGE_SIZE = 0x1000, AREA = ROWS * COLUMNS };

static uint8_t graphics_misc;
static bool nographic;
static unsigned crtc_writes;

uint8_t arch_io_read8(uint32_t port)
{
    assert_int_equal(port, GRAPHICS_DATA);
    return graphics_misc;
}

void arch_io_write8(uint32_t port, uint8_t value)
{
    (void)value;
    crtc_writes += port == CRTC_DATA;
}

bool fw_cfg_is_nographic(void)
{
    return nographic;
}

static int start(void **state)
{
    (void)state;
    for (unsigned i = 0; i < AREA; i++) {
        text_memory[i] = 0x1f00 | 'F'; /* left by the firmware */
    }
    graphics_misc = 0x0e;
    nographic = false;
    crtc_writes = 0;
    initialised = false;
    arch_screen_init();
    return 0;
}

static int make_memory(void **state)
{
    void *at = (void *)(uintptr_t)text_memory;

    (void)state;
    return mmap(at, PAGE_SIZE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at
               ? 0
               : 1;
}

/* A row of the screen, without the blanks at its end. */
static const char *line(unsigned number)
{
    static char to[COLUMNS + 1];
    unsigned length = 0;

    for (unsigned i = 0; i < COLUMNS; i++) {
        uint16_t cell = text_memory[number * COLUMNS + i];

        assert_int_equal(cell >> 8, 0x07);
        to[i] = (char)cell;
        length = to[i] != ' ' ? i + 1 : length;
    }
    to[length] = '\0';
    return to;
}

static void lines_begin_at_the_top(void **state)
{
    (void)state;
    arch_screen_say("one\r\ntwo\n\nfour");
    assert_string_equal(line(0), "one");
    assert_string_equal(line(1), "two");
    assert_string_equal(line(2), "");
    assert_string_equal(line(3), "four");
    for (unsigned i = 4; i < ROWS; i++) {
        assert_string_equal(line(i), "");
    }
}

static void the_screen_scrolls(void **state)
{
    char text[16];

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "line %u\r\n", i);
        arch_screen_say(text);
        if (i + 1 >= ROWS) {
            for (unsigned y = 0; y + 1 < ROWS; y++) {
                snprintf(text, sizeof text, "line %u", i + 2 - ROWS + y);
                assert_string_equal(line(y), text);
            }
            assert_string_equal(line(ROWS - 1), "");
        }
    }
}

static void long_lines_go_on_in_the_next_row(void **state)
{
    char text[2 * COLUMNS + 2];

    (void)state;
    memset(text, 'a', sizeof text);
    text[COLUMNS + 1] = '\0';
    arch_screen_say(text);
    assert_int_equal(strlen(line(0)), COLUMNS);
    assert_string_equal(line(1), "a");
    /* A line that exactly fills a row does not add an empty one. */
    text[COLUMNS] = '\0';
    arch_screen_say("\n");
    arch_screen_say(text);
    arch_screen_say("\r\nnext");
    assert_int_equal(strlen(line(2)), COLUMNS);
    assert_string_equal(line(3), "next");
}

static void a_carriage_return_begins_the_row_again(void **state)
{
    (void)state;
    arch_screen_say("12345\rab");
    assert_string_equal(line(0), "ab345");
}

static void tabs_end_at_every_eighth_column(void **state)
{
    (void)state;
    arch_screen_say("a\tb\n1234567\tb\n12345678\tb\n");
    assert_string_equal(line(0), "a       b");
    assert_string_equal(line(1), "1234567 b");
    assert_string_equal(line(2), "12345678        b");
    for (unsigned i = 0; i < 100; i++) {
        arch_screen_putc('\t');
    }
    arch_screen_putc('x');
    assert_string_equal(line(3), "");
    assert_string_equal(line(4), "x");
}

static void only_what_is_printable_is_shown(void **state)
{
    (void)state;
    arch_screen_say("\x1b[2J\x07\x7f\x80\xff~");
    assert_string_equal(line(0), "?[2J????~");
    for (unsigned c = 1; c < 256; c++) {
        arch_screen_putc((char)c);
    }
    for (unsigned i = 0; i < AREA; i++) {
        assert_in_range(text_memory[i] & 0xff, ' ', '~');
    }
}

static void a_second_start_keeps_what_is_there(void **state)
{
    (void)state;
    arch_screen_say("first\n");
    arch_screen_init();
    arch_screen_say("second");
    assert_string_equal(line(0), "first");
    assert_string_equal(line(1), "second");
    assert_true(i386_screen_is_present());
}

/* No device; graphics mode; text memory elsewhere; QEMU's -nographic. */
static void without_a_text_screen_nothing_is_written(void **state)
{
    static const uint8_t misc[] = {0xff, 0x05, 0x0f, 0x08, 0x00, 0x0e};

    for (unsigned i = 0; i < sizeof misc; i++) {
        start(state);
        text_memory[0] = 0x1234;
        crtc_writes = 0;
        graphics_misc = misc[i];
        nographic = misc[i] == 0x0e;
        initialised = false;
        arch_screen_init();
        arch_screen_say("text\n");
        assert_int_equal(text_memory[0], 0x1234);
        assert_int_equal(crtc_writes, 0);
        assert_false(i386_screen_is_present());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_begin_at_the_top, start),
        cmocka_unit_test_setup(the_screen_scrolls, start),
        cmocka_unit_test_setup(long_lines_go_on_in_the_next_row, start),
        cmocka_unit_test_setup(a_carriage_return_begins_the_row_again, start),
        cmocka_unit_test_setup(tabs_end_at_every_eighth_column, start),
        cmocka_unit_test_setup(only_what_is_printable_is_shown, start),
        cmocka_unit_test_setup(a_second_start_keeps_what_is_there, start),
        cmocka_unit_test_setup(without_a_text_screen_nothing_is_written, start),
    };

    return cmocka_run_group_tests(tests, make_memory, NULL);
}
