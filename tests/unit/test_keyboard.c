/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard of a PC: scan codes in, characters out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/i386/keyboard.c"

static const uint8_t *codes;
static size_t left;
static bool of_the_mouse, screen, there;

uint8_t arch_io_read8(uint32_t port)
{
    if (!there) {
        return NOBODY;
    }
    if (port == KEYBOARD_STATUS) {
        return (uint8_t)((left != 0 ? STATUS_DATA : 0) | (of_the_mouse ? STATUS_MOUSE : 0));
    }
    assert_int_equal(port, KEYBOARD_DATA);
    assert_int_not_equal(left, 0);
    left--;
    return *codes++;
}

bool i386_screen_is_present(void)
{
    return screen;
}

static unsigned registered;

bool arch_irq_register(unsigned line, arch_irq_handler_t handler, void *context)
{
    (void)handler, (void)context;
    assert_int_equal(line, KEYBOARD_LINE);
    registered++;
    return true;
}

static int start(void **state)
{
    (void)state;
    left = 0;
    of_the_mouse = false;
    screen = there = true;
    control = shift = caps = prefixed = false;
    rest = "";
    registered = 0;
    return 0;
}

static void assert_gives(const void *scan_codes, size_t count, const char *expected)
{
    char text[64];
    size_t length = 0;
    int c;

    codes = scan_codes;
    left = count;
    while ((c = arch_keyboard_getc()) >= 0) {
        assert_true(length + 1 < sizeof text);
        text[length++] = (char)c;
    }
    text[length] = '\0';
    assert_string_equal(text, expected);
    assert_true(left == 0 || !there || !screen);
}
#define GIVES(codes, expected) assert_gives(codes, sizeof(codes) - 1, expected)

static void test_letters_and_keys_beside_them(void **state)
{
    (void)state;
    GIVES("\x19\x99\x17\x97\x31\xb1\x22\xa2\x39\xb9\x02\x82\x34\xb4\x1c\x9c", "ping 1.\r");
    GIVES("\x29\x2b\x0e\x0f\x0c\x0d\x35", "`\\\b\t-=/");
}

static void test_shift_control_and_caps_lock(void **state)
{
    (void)state;
    GIVES("\x2a\x27\xa7\xaa\x27\xa7", ":;");
    GIVES("\x36\x1e\x9e\xb6\x1e", "Aa");
    GIVES("\x1d\x2e\xae\x9d\x2e", "\x03"
                                  "c");
    GIVES("\x3a\xba\x1e\x02\x2a\x1e\xaa\x3a\xba\x1e", "A1aa");
}

static void test_keys_with_a_prefix(void **state)
{
    (void)state;
    GIVES("\xe0\x48\xe0\xc8\xe0\x53", "\x1b[A\x1b[3~");
    GIVES("\xe0\x1c\xe0\x9c\xe0\x35\xe0\xb5", "\r/");
    GIVES("\xe0\x2a\xe0\x4b\xe0\xcb\xe0\xaa\x1e", "\x1b[Da"); /* a shift code that is part of
                                                               * another key */
    GIVES("\xe0\x1d\x2e\xae\xe0\x9d", "\x03");                /* the right control key */
    GIVES("\x47\x4a\x52\x53", "7-0.");
}

static void test_keys_that_mean_nothing(void **state)
{
    uint8_t all[256];

    (void)state;
    GIVES("\x3b\xbb\x38\xb8\x54\x55\x58\xe0\x5b\xe0\xdb\xe1", "");
    of_the_mouse = true;
    GIVES("\x1e\x9e", "");
    of_the_mouse = false;
    for (unsigned i = 0; i < 256; i++) {
        all[i] = (uint8_t)(255 - i);
    }
    codes = all;
    left = sizeof all;
    while (arch_keyboard_getc() >= 0) {
    }
    assert_int_equal(left, 0);
}

static void test_nobody_is_there(void **state)
{
    (void)state;
    arch_keyboard_start(NULL);
    assert_int_equal(registered, 1);
    there = false;
    arch_keyboard_start(NULL);
    GIVES("\x1e", "");
    there = true;
    screen = false; /* without a screen, the serial console is used */
    arch_keyboard_start(NULL);
    GIVES("\x1e", "");
    assert_int_equal(registered, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_letters_and_keys_beside_them, start),
        cmocka_unit_test_setup(test_shift_control_and_caps_lock, start),
        cmocka_unit_test_setup(test_keys_with_a_prefix, start),
        cmocka_unit_test_setup(test_keys_that_mean_nothing, start),
        cmocka_unit_test_setup(test_nobody_is_there, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
