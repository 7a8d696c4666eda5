/* SPDX-License-Identifier: BSD-2-Clause */
/* Console input at any speed, output of the guest in between, and the text of its statistics. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "console/console.c"
#include "console/figures.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_printf(const char *format, ...);

enum { PROMPT = 7, COLUMNS = 80 };

struct boot_arguments boot_arguments = {.console = 1};
volatile bool arch_console_input;
static struct net_poller *poller;
static struct {
    char row[COLUMNS];
    unsigned column;
    bool open;
} terminal;
static unsigned left; /* characters available now */
static bool room;     /* for output */
static unsigned pieces, stopped;

void nic_wake(void)
{
}

void arch_console_start_input(void (*heard)(void))
{
    fuzz_check(heard == nic_wake, "the loop is not told");
    arch_console_input = true;
}

int arch_console_getc(void)
{
    if (left == 0 || input_left() == 0) {
        arch_console_input = false;
        return -1;
    }
    left--;
    return input_byte();
}

void arch_console_begin_line(void)
{
    terminal.column = 0;
    terminal.open = true;
}

void arch_console_echo(char c)
{
    if (!terminal.open) {
        return;
    }
    terminal.open = c != '\n';
    if (c == '\n' || c == '\r') {
        terminal.column = 0;
    } else if (c == '\b') {
        fuzz_check(terminal.column != 0, "the cursor leaves the row");
        terminal.column--;
    } else {
        fuzz_check(c >= ' ' && c <= '~', "what is not printable is shown");
        fuzz_check(terminal.column < COLUMNS - 1, "the line is wider than the screen");
        terminal.row[terminal.column++] = c;
    }
}

bool arch_console_is_open(void)
{
    return terminal.open;
}

bool arch_console_has_room(void)
{
    return room;
}

void arch_screen_show_cursor(void)
{
}

void net_add_poller(struct net_poller *added)
{
    poller = added;
}

/* Output is produced in parts of a line. */
int __wrap_printf(const char *format, ...)
{
    static char text[256];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fuzz_check(length > 0 && length < (int)sizeof text && text[length - 1] == '\n',
               "a piece is no line");
    terminal.column = 0;
    terminal.open = false;
    return length;
}

static enum command_progress step(void)
{
    return input_byte() % 4 == 0 ? COMMAND_DONE
           : pieces++ % 2 == 0   ? COMMAND_WAITS
                                 : COMMAND_GOES_ON;
}

static void stop_command(void)
{
    stopped++;
}

static enum command_progress start(char *const words[], unsigned count)
{
    fuzz_check(count != 0 && count <= COMMAND_WORDS, "words of a line");
    for (unsigned i = 0; i < count; i++) {
        fuzz_check(strlen(words[i]) != 0 && strlen(words[i]) <= LINE_MAX, "a word");
    }
    return step();
}

#define COMMAND(of, least_, most_)                                                                 \
    const struct command command_##of = {.name = #of,                                              \
                                         .usage = "",                                              \
                                         .least = least_,                                          \
                                         .most = most_,                                            \
                                         .start = start,                                           \
                                         .step = step,                                             \
                                         .stop = stop_command}
COMMAND(help, 0, 1);
COMMAND(ping, 1, 3);
COMMAND(stats, 0, 0);
COMMAND(features, 0, 0);
COMMAND(link, 0, 0);
COMMAND(mode, 0, 2);
COMMAND(rx, 0, 0);
COMMAND(promisc, 1, 2);
COMMAND(reset, 0, 1);
COMMAND(reboot, 0, 0);
COMMAND(poweroff, 0, 0);

/* While no command runs, the terminal shows the prompt and the line, once there was room. */
static void look(void)
{
    fuzz_check(line.length <= LINE_MAX && line.cursor <= line.length, "the line is not in order");
    if (in_use && running == NULL && (room || terminal.open)) {
        fuzz_check(strlen(line.text) == line.length, "the line has another length");
        fuzz_check(terminal.open && terminal.column == PROMPT + line.cursor,
                   "the cursor is elsewhere");
        fuzz_check(memcmp(terminal.row, "vtnet> ", PROMPT) == 0 &&
                       memcmp(terminal.row + PROMPT, line.text, line.length) == 0,
                   "the terminal shows another line");
    }
}

static void type(void)
{
    memset(&line, 0, sizeof line);
    memset(&ahead, 0, sizeof ahead);
    memset(&terminal, 0, sizeof terminal);
    in_use = false;
    running = NULL;
    console_start();
    while (input_left() != 0) {
        unsigned event = input_byte();

        left = event & 31;
        room = left != 31;
        arch_console_input |= left != 0;
        if (event & 32) {
            __wrap_printf("vtnet: link down\n");
        }
        for (unsigned passes = event >> 6; passes != 0; passes--) {
            poller->poll(NULL);
            if (in_use) {
                look();
            }
        }
    }
}

static void show_figures(void)
{
    static char json[1025], text[FIGURES_WIDTH + 1];
    struct figures figures;
    size_t length = input_left() < sizeof json - 1 ? input_left() : sizeof json - 1;
    unsigned lines = 0;

    memset(json, 0, sizeof json);
    input_bytes(json, length);
    figures_begin(&figures, json);
    while (figures_next(&figures, text, sizeof text)) {
        fuzz_check(memchr(text, 0, sizeof text) != NULL, "a line without an end");
        fuzz_check(++lines <= sizeof json, "lines without an end");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_set(data, size);
    if (input_byte() == '{') {
        show_figures();
    } else {
        type();
    }
    return 0;
}
