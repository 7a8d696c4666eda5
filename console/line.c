/* SPDX-License-Identifier: BSD-2-Clause */
#include "console/line.h"

#include <string.h>

#include "arch/arch.h"

#define CONTROL(letter) ((letter)&0x1f)
enum { BACKSPACE = '\b', ESCAPE = 0x1b, DELETE = 0x7f };
enum { NO_ESCAPE, AFTER_ESCAPE, IN_SEQUENCE }; /* line.escape */

static void echo(const char *text, unsigned length)
{
    for (unsigned i = 0; i < length; i++) {
        arch_console_echo(text[i]);
    }
}

static void echo_times(char c, unsigned times)
{
    while (times-- != 0) {
        arch_console_echo(c);
    }
}

void line_begin(struct line *line)
{
    line->length = 0;
    line->cursor = 0;
    line->text[0] = '\0';
    line->too_long = false;
    line->unreadable = false;
    line->escape = NO_ESCAPE;
    line->history_back = 0;
}

void line_show(const struct line *line)
{
    static const char prompt[] = "vtnet> ";

    echo(prompt, sizeof prompt - 1);
    echo(line->text, line->length);
    echo_times(BACKSPACE, line->length - line->cursor);
}

static void move_to(struct line *line, unsigned cursor)
{
    if (cursor < line->cursor) {
        echo_times(BACKSPACE, line->cursor - cursor);
    } else {
        echo(line->text + line->cursor, cursor - line->cursor);
    }
    line->cursor = cursor;
}

static void insert(struct line *line, char c)
{
    if (line->length == LINE_MAX) {
        line->too_long = true;
    }
    if (line->too_long) {
        return;
    }
    memmove(line->text + line->cursor + 1, line->text + line->cursor,
            line->length - line->cursor + 1);
    line->text[line->cursor] = c;
    line->length++;
    echo(line->text + line->cursor, line->length - line->cursor);
    line->cursor++;
    echo_times(BACKSPACE, line->length - line->cursor);
}

/* Removes the characters from the cursor up to `end`. */
static void cut(struct line *line, unsigned end)
{
    unsigned count = end - line->cursor;

    memmove(line->text + line->cursor, line->text + end, line->length - end + 1);
    line->length -= count;
    echo(line->text + line->cursor, line->length - line->cursor);
    echo_times(' ', count);
    echo_times(BACKSPACE, count + line->length - line->cursor);
}

static void clear(struct line *line)
{
    unsigned end = line->length;

    move_to(line, 0);
    cut(line, end);
    line->too_long = false;
    line->unreadable = false;
}

/* Shows the line entered `back` lines ago; 0: an empty one. */
static void recall(struct line *line, unsigned back)
{
    unsigned kept = line->history_count < LINE_HISTORY ? line->history_count : LINE_HISTORY;

    if (back > kept) {
        return;
    }
    clear(line);
    line->history_back = back;
    if (back != 0) {
        memcpy(line->text, line->history[(line->history_count - back) % LINE_HISTORY],
               sizeof line->text);
        line->length = (unsigned)strlen(line->text);
        move_to(line, line->length);
    }
}

static void remember(struct line *line)
{
    const char *last = line->history[(line->history_count - 1) % LINE_HISTORY];

    if (line->length != 0 && (line->history_count == 0 || strcmp(line->text, last) != 0)) {
        memcpy(line->history[line->history_count++ % LINE_HISTORY], line->text, sizeof line->text);
    }
}

static enum line_event end(struct line *line)
{
    echo("\r\n", 2);
    if (line->unreadable) {
        return LINE_UNREADABLE;
    }
    if (line->too_long) {
        return LINE_TOO_LONG;
    }
    remember(line);
    return LINE_READY;
}

/* The keys, by control character or by the last character of the sequence. */
static void edit(struct line *line, int key)
{
    switch (key) {
    case CONTROL('A'):
        move_to(line, 0);
        break;
    case CONTROL('E'):
        move_to(line, line->length);
        break;
    case CONTROL('B'):
        move_to(line, line->cursor - (line->cursor != 0));
        break;
    case CONTROL('F'):
        move_to(line, line->cursor + (line->cursor != line->length));
        break;
    case CONTROL('P'):
        recall(line, line->history_back + 1);
        break;
    case CONTROL('N'):
        if (line->history_back != 0) {
            recall(line, line->history_back - 1);
        }
        break;
    case CONTROL('U'):
        clear(line);
        break;
    case CONTROL('D'):
        if (line->cursor != line->length) {
            cut(line, line->cursor + 1);
        }
        break;
    case BACKSPACE:
    case DELETE:
        if (line->cursor != 0) {
            move_to(line, line->cursor - 1);
            cut(line, line->cursor + 1);
        }
        break;
    default:
        line->unreadable = true;
    }
}

/* The end of a sequence. Unknown keys have no effect. */
static void edit_by_sequence(struct line *line, int c)
{
    static const struct {
        char last;
        uint8_t value; /* 0: none */
        uint8_t key;
    } keys[] = {
        {'A', 0, CONTROL('P')}, {'B', 0, CONTROL('N')}, {'C', 0, CONTROL('F')},
        {'D', 0, CONTROL('B')}, {'H', 0, CONTROL('A')}, {'F', 0, CONTROL('E')},
        {'~', 1, CONTROL('A')}, {'~', 3, CONTROL('D')}, {'~', 4, CONTROL('E')},
        {'~', 7, CONTROL('A')}, {'~', 8, CONTROL('E')},
    };

    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].last == c && keys[i].value == line->escape_value) {
            edit(line, keys[i].key);
        }
    }
}

/* ESC [ or ESC O, optional numbers, and a final character. Returns true if c was a part of it. */
static bool take_escape(struct line *line, int c)
{
    if (c == ESCAPE) {
        line->escape = AFTER_ESCAPE;
        line->escape_value = 0;
    } else if (line->escape == AFTER_ESCAPE && (c == '[' || c == 'O')) {
        line->escape = IN_SEQUENCE;
    } else if (line->escape == IN_SEQUENCE && c >= ' ' && c < '@') {
        /* A number above 9 is not a supported key, whatever follows. */
        line->escape_value = line->escape_value != 0 ? 10 : (unsigned)(c - '0');
    } else if (line->escape == IN_SEQUENCE && c >= '@' && c <= '~') {
        line->escape = NO_ESCAPE;
        edit_by_sequence(line, c);
    } else {
        line->escape = NO_ESCAPE;
        return false;
    }
    return true;
}

enum line_event line_take(struct line *line, int c)
{
    bool after_return = line->after_return;

    line->after_return = c == '\r';
    if (c == '\n' && after_return) {
        return LINE_GOES_ON;
    }
    if (c == '\r' || c == '\n') {
        return end(line);
    }
    if (c == CONTROL('C')) {
        echo("^C\r\n", 4);
        return LINE_GIVEN_UP;
    }
    if (take_escape(line, c)) {
        return LINE_GOES_ON;
    }
    if (c >= ' ' && c < DELETE) {
        insert(line, (char)c);
    } else {
        edit(line, c);
    }
    return LINE_GOES_ON;
}
