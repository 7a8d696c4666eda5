/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen: VGA text mode with 80 by 25 characters, as set by the firmware. The text memory is
 * only written, and only where a character changes: under an emulator or hypervisor each access can
 * be as slow as one to a device. With -nographic the screen is invisible and not used.
 */
#include "arch/arch.h"
#include "arch/i386/internal.h"
#include "boot/fw_cfg.h"

enum {
    COLUMNS = 80,
    ROWS = 25,
    TAB = 8,
    BLANK = 0x0700 | ' ', /* grey on black */

    GRAPHICS_INDEX = 0x3ce,
    GRAPHICS_DATA = 0x3cf,
    GRAPHICS_MISC = 6, /* bit 0: graphics mode; bits 2 and 3: address of the memory */
    MISC_MASK = 0x0d,
    MISC_TEXT_AT_B8000 = 0x0c,
    CRTC_INDEX = 0x3d4,
    CRTC_DATA = 0x3d5,
    CRTC_CURSOR_START = 0x0a,
    CRTC_CURSOR_END = 0x0b,
    CRTC_ADDRESS_HIGH = 0x0c, /* of the top left character */
    CRTC_ADDRESS_LOW = 0x0d,
    CRTC_CURSOR_HIGH = 0x0e,
    CRTC_CURSOR_LOW = 0x0f,
    CURSOR_OFF = 0x20,
    CURSOR_FIRST_LINE = 13, /* of the 16 lines of a character */
    CURSOR_LAST_LINE = 14,
};

static volatile uint16_t *const text_memory = (volatile uint16_t *)0xb8000;
static uint16_t cells[ROWS][COLUMNS]; /* copy of the text memory */
static bool initialised, present;
static unsigned row, column;

/* Ports without a device read as ones, which is not text mode. */
static bool is_text_mode(void)
{
    arch_io_write8(GRAPHICS_INDEX, GRAPHICS_MISC);
    return (arch_io_read8(GRAPHICS_DATA) & MISC_MASK) == MISC_TEXT_AT_B8000;
}

static void write_crtc(uint8_t index, uint8_t value)
{
    arch_io_write8(CRTC_INDEX, index);
    arch_io_write8(CRTC_DATA, value);
}

static void put(unsigned y, unsigned x, uint16_t cell)
{
    if (cells[y][x] != cell) {
        cells[y][x] = cell;
        text_memory[y * COLUMNS + x] = cell;
    }
}

/* Only the first call has an effect, so that later ones do not clear the text. */
void arch_screen_init(void)
{
    if (initialised) {
        return;
    }
    initialised = true;
    present = is_text_mode() && !fw_cfg_is_nographic();
    if (!present) {
        return;
    }
    write_crtc(CRTC_CURSOR_START, CURSOR_OFF);
    write_crtc(CRTC_ADDRESS_HIGH, 0);
    write_crtc(CRTC_ADDRESS_LOW, 0);
    for (unsigned y = 0; y < ROWS; y++) {
        for (unsigned x = 0; x < COLUMNS; x++) {
            cells[y][x] = 0; /* unknown content: forces a write */
            put(y, x, BLANK);
        }
    }
    row = 0;
    column = 0;
}

static void end_line(void)
{
    column = 0;
    if (row + 1 < ROWS) {
        row++;
        return;
    }
    for (unsigned y = 0; y < ROWS; y++) {
        for (unsigned x = 0; x < COLUMNS; x++) {
            put(y, x, y + 1 < ROWS ? cells[y + 1][x] : BLANK);
        }
    }
}

/*
 * A line that exactly fills the width does not produce an empty line: the wrap is delayed until the
 * next character. Characters other than printable ASCII, including escape sequences, are shown as
 * question marks.
 */
void arch_screen_putc(char c)
{
    if (!present) {
        return;
    }
    switch (c) {
    case '\n':
        end_line();
        break;
    case '\r':
        column = 0;
        break;
    case '\b':
        column -= column != 0;
        break;
    case '\t':
        column = column + TAB < COLUMNS ? (column | (TAB - 1)) + 1 : COLUMNS;
        break;
    default:
        if (column == COLUMNS) {
            end_line();
        }
        put(row, column++, (uint16_t)((BLANK & 0xff00) | (c >= ' ' && c <= '~' ? c : '?')));
    }
}

void arch_screen_say(const char *text)
{
    while (*text != '\0') {
        arch_screen_putc(*text++);
    }
}

void arch_screen_show_cursor(void)
{
    unsigned at = row * COLUMNS + (column < COLUMNS ? column : COLUMNS - 1);

    if (present) {
        write_crtc(CRTC_CURSOR_HIGH, (uint8_t)(at >> 8));
        write_crtc(CRTC_CURSOR_LOW, (uint8_t)at);
        write_crtc(CRTC_CURSOR_START, CURSOR_FIRST_LINE);
        write_crtc(CRTC_CURSOR_END, CURSOR_LAST_LINE);
    }
}

bool i386_screen_is_present(void)
{
    return present;
}
