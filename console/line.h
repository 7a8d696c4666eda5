/* SPDX-License-Identifier: BSD-2-Clause */
/* A line editor for a terminal that knows backspace and carriage return, and may have arrow keys. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LINE_MAX = 70,    /* characters: with the prompt less than a screen is wide */
    LINE_HISTORY = 8, /* lines */
};

enum line_event {
    LINE_GOES_ON,
    LINE_READY,      /* `text` is what was typed */
    LINE_TOO_LONG,   /* it ended, and had more than LINE_MAX characters */
    LINE_UNREADABLE, /* it ended, and had characters that no key of the editor's sends */
    LINE_GIVEN_UP,   /* by Ctrl-C */
};

struct line {
    char text[LINE_MAX + 1];
    unsigned length, cursor;
    bool too_long, unreadable;
    bool after_return;     /* the next line feed belongs to it */
    uint8_t escape;        /* how much of an escape sequence there is: none, ESC, ESC [ and more */
    unsigned escape_value; /* the number in it */
    char history[LINE_HISTORY][LINE_MAX + 1];
    unsigned history_count; /* lines ever put there */
    unsigned history_back;  /* how far back the one shown is; 0: a new line */
};

/* Takes a character, 0 to 255, and shows what becomes of the line by arch_console_echo(). After any
 * event but LINE_GOES_ON the line on the screen has ended; line_begin() is to follow. */
enum line_event line_take(struct line *line, int c);

/* An empty line behind a prompt; the history stays. line: all zeros before the first. */
void line_begin(struct line *line);

/* Shows the prompt and what is typed so far. */
void line_show(const struct line *line);

#endif
