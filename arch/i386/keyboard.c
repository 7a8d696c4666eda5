/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PC's keyboard. Converts scan code set 1 of its controller to the characters of a US keyboard
 * and the escape sequences of a terminal.
 */
#include "arch/arch.h"
#include "arch/i386/internal.h"

enum {
    KEYBOARD_LINE = 1,
    KEYBOARD_DATA = 0x60,
    KEYBOARD_STATUS = 0x64,
    STATUS_DATA = 0x01,
    STATUS_MOUSE = 0x20, /* the byte comes from the mouse */
    NOBODY = 0xff,       /* value of a port without a device */

    PREFIX = 0xe0, /* the next code is of a key outside of the main block */
    RELEASE = 0x80,
    CODE_CONTROL = 0x1d,
    CODE_SHIFT_LEFT = 0x2a,
    CODE_SHIFT_RIGHT = 0x36,
    CODE_CAPS = 0x3a,
    CODE_PAD_ENTER = 0x1c, /* with the prefix */
    CODE_PAD_SLASH = 0x35, /* with the prefix */
    ESCAPE = 0x1b,
};

/* Indexed by scan code; 0: no character. */
static const char plain[] = "\0\x1b"
                            "1234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\x1b"
                              "!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
static const char pad[] = "789-456+1230."; /* indexed by scan code, from 0x47 on */
enum { PAD_FIRST = 0x47 };

/* A terminal's sequences for keys with the prefix, without the leading escape and "[". */
static const struct {
    uint8_t code;
    char text[3];
} sequences[] = {
    {0x47, "H"}, {0x48, "A"}, {0x4b, "D"}, {0x4d, "C"}, {0x4f, "F"}, {0x50, "B"}, {0x53, "3~"},
};

static bool control, shift, caps, prefixed;
static const char *rest = ""; /* rest of a sequence to return */

void arch_keyboard_start(arch_irq_handler_t heard)
{
    if (i386_screen_is_present() && arch_io_read8(KEYBOARD_STATUS) != NOBODY) {
        (void)arch_irq_register(KEYBOARD_LINE, heard, NULL);
    }
}

static int sequence(uint8_t code)
{
    for (unsigned i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
        if (sequences[i].code == code) {
            static char text[4] = "[";

            text[1] = sequences[i].text[0];
            text[2] = sequences[i].text[1];
            rest = text;
            return ESCAPE;
        }
    }
    return code == CODE_PAD_ENTER ? '\r' : code == CODE_PAD_SLASH ? '/' : -1;
}

static int character(uint8_t code)
{
    char c;

    if (code >= PAD_FIRST && code < PAD_FIRST + sizeof pad - 1) {
        return pad[code - PAD_FIRST];
    }
    c = code < sizeof plain - 1 ? (shift ? shifted : plain)[code] : '\0';
    if (caps && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
        c ^= 0x20;
    }
    if (control && c >= '@') {
        c &= 0x1f;
    }
    return c != '\0' ? c : -1;
}

/* Returns the character that a scan code completes, or -1. */
static int take(uint8_t code)
{
    bool pressed = !(code & RELEASE), with_prefix = prefixed;

    prefixed = code == PREFIX;
    if (prefixed) {
        return -1;
    }
    code &= (uint8_t)~RELEASE;
    if (code == CODE_CONTROL) {
        control = pressed;
    } else if (!with_prefix && (code == CODE_SHIFT_LEFT || code == CODE_SHIFT_RIGHT)) {
        shift = pressed;
    } else if (code == CODE_CAPS) {
        caps ^= pressed;
    } else if (pressed) {
        return with_prefix ? sequence(code) : character(code);
    }
    return -1;
}

int arch_keyboard_getc(void)
{
    uint8_t status;

    if (*rest != '\0') {
        return *rest++;
    }
    if (!i386_screen_is_present()) {
        return -1;
    }
    while ((status = arch_io_read8(KEYBOARD_STATUS)) != NOBODY && status & STATUS_DATA) {
        uint8_t code = arch_io_read8(KEYBOARD_DATA);
        int c = status & STATUS_MOUSE ? -1 : take(code);

        if (c >= 0) {
            return c;
        }
    }
    return -1;
}
