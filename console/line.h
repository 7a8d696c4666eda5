/* SPDX-License-Identifier: BSD-2-Clause */
/* A line editor for a terminal with backspace and carriage return, and possibly arrow keys. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LINE_MAX = 70,    /* characters; with the prompt less than the screen's width */
    LINE_HISTORY = 8, /* lines */
};

enum line_event {
    LINE_GOES_ON,
    LINE_READY,      /* `text` is what was typed */
    LINE_TOO_LONG,   /* complete, but longer than LINE_MAX characters */
    LINE_UNREADABLE, /* complete, but with characters that are not keys of the editor */
    LINE_GIVEN_UP,   /* by Ctrl-C */
};

struct line {
    char text[LINE_MAX + 1];
    unsigned length, cursor;
    bool too_long, unreadable;
    bool after_return;     /* the next line feed belongs to it */
    uint8_t escape;        /* the part of an escape sequence received: none, ESC, ESC [ and more */
    unsigned escape_value; /* the number in it */
    char history[LINE_HISTORY][LINE_MAX + 1];
    unsigned history_count; /* lines ever put there */
    unsigned history_back;  /* how far back the displayed line is; 0: a new line */
};

/*
 * Takes a character, 0 to 255, and updates the line on the screen by arch_console_echo(). After any
 * event but LINE_GOES_ON the line on the screen is finished; call line_begin() next.
 */
enum line_event line_take(struct line *line, int c);

/*
 * Begins an empty line after a prompt; the history is kept. line: all zeros before the first call.
 */
void line_begin(struct line *line);

/* Shows the prompt and the text typed so far. */
void line_show(const struct line *line);

#endif
