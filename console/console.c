/* SPDX-License-Identifier: BSD-2-Clause */
#include "console/console.h"

#include <stddef.h>
#include <stdio.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "console/command.h"
#include "console/line.h"
#include "net/net.h"
#include "net/nic.h"

enum {
    TAKEN_A_PASS = 16, /* characters: what a UART keeps */
    AHEAD = 1024,      /* characters typed while a command runs */
    CONTROL_C = 'C' & 0x1f,
};

static struct line line;
static bool in_use; /* somebody has typed something, so there is a prompt */
static struct {
    uint8_t characters[AHEAD];
    unsigned first, count;
    enum lost { NONE_LOST, PART_LOST, LINE_LOST } lost; /* because there were too many */
} ahead;
static const struct command *running;
static enum command_progress progress;
static bool stuck; /* the running command waits until the console has room for its next line */

static void prompt(void)
{
    arch_console_begin_line();
    line_show(&line);
    arch_screen_show_cursor();
}

static void run(void)
{
    char *words[COMMAND_WORDS];
    unsigned count;

    running = command_find(line.text, words, &count);
    progress = running != NULL ? running->start(words, count) : COMMAND_DONE;
}

/* Prints the next part of an answer, or the prompt after the last one. */
static void go_on(void)
{
    if (running != NULL && progress != COMMAND_DONE) {
        progress = running->step();
    }
    if (progress == COMMAND_DONE) {
        running = NULL;
        line_begin(&line);
        prompt();
    }
}

static void edit(int c)
{
    switch (line_take(&line, c)) {
    case LINE_GOES_ON:
        arch_screen_show_cursor();
        return;
    case LINE_READY:
        run();
        break;
    case LINE_TOO_LONG:
        printf("the line has more than %u characters and is ignored\n", (unsigned)LINE_MAX);
        break;
    case LINE_UNREADABLE:
        printf("the line has a character that is not text and is ignored\n");
        break;
    case LINE_GIVEN_UP:
        break;
    }
    if (running == NULL || progress == COMMAND_DONE) {
        progress = COMMAND_DONE;
        go_on();
    }
}

static void stop(void)
{
    if (running->stop != NULL) {
        running->stop();
    }
    printf("^C\n");
    ahead.count = 0;
    ahead.lost = NONE_LOST;
    progress = COMMAND_DONE;
    go_on();
}

/*
 * True if this character is ignored because too many were typed while a command runs. Characters
 * are ignored until the command and their line have ended, so that no part of a line is run.
 */
static bool is_lost(int c)
{
    if (ahead.lost == LINE_LOST && running == NULL) {
        ahead.lost = NONE_LOST;
    }
    if (ahead.lost == NONE_LOST) {
        if (ahead.count < AHEAD) {
            return false;
        }
        printf("more than %u characters were typed ahead and are ignored\n", (unsigned)AHEAD);
        ahead.count = 0;
    }
    ahead.lost = c == '\r' || c == '\n' || c == CONTROL_C ? LINE_LOST : PART_LOST;
    return true;
}

/*
 * Ctrl-C ends a command at once, whatever was typed before it. So input is read for as long as a
 * command waits or is stuck. Other commands end soon, and input that does not fit is read after
 * them.
 */
static void take(void)
{
    for (unsigned i = 0; i < TAKEN_A_PASS; i++) {
        int c;

        if (ahead.count == AHEAD && progress != COMMAND_WAITS && !stuck) {
            return;
        }
        c = arch_console_getc();
        if (c < 0) {
            return;
        }
        if (c == CONTROL_C && running != NULL) {
            stop();
        } else if (!is_lost(c)) {
            ahead.characters[(ahead.first + ahead.count++) % AHEAD] = (uint8_t)c;
        }
    }
}

static bool is_sign_of_use(int c)
{
    return c == '\r' || c == '\n' || (c >= ' ' && c <= '~');
}

/* Passes input to the editor until a line is complete. Returns true if there was any. */
static bool use(void)
{
    bool any = false;

    while (running == NULL && ahead.count != 0) {
        int c = ahead.characters[ahead.first];

        ahead.first = (ahead.first + 1) % AHEAD;
        ahead.count--;
        any = true;
        if (!in_use && is_sign_of_use(c)) {
            in_use = true;
            line_begin(&line);
            prompt();
        }
        if (in_use) {
            edit(c);
        }
    }
    return any;
}

/*
 * Called once per pass. Nothing is printed before somebody types, so that logs do not change.
 * Output of the guest ends the line being typed, which is then shown again. That, and each line of
 * an answer, waits for room, so that a slow reader gets all of it. A command that waits is called
 * even without room.
 */
static bool poll(void *context)
{
    bool busy;

    (void)context;
    if (!arch_console_input && !in_use) {
        return false;
    }
    if (arch_console_input) {
        take();
    }
    if (in_use && running == NULL && !arch_console_is_open() && arch_console_has_room()) {
        prompt();
    }
    busy = use();
    stuck = running != NULL && progress != COMMAND_WAITS && !arch_console_has_room();
    if (running != NULL && !stuck) {
        go_on();
        busy |= progress == COMMAND_GOES_ON;
    }
    return busy;
}

void console_start(void)
{
    static struct net_poller poller = {.poll = poll};

    if (boot_arguments.console != 0) {
        arch_console_start_input(nic_wake);
        net_add_poller(&poller);
    }
}
