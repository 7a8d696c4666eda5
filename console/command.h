/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands: which there are, and what a line asks for. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stdint.h>

/* What a command does next. */
enum command_progress {
    COMMAND_DONE,
    COMMAND_GOES_ON, /* it is to be called again with the next pass */
    COMMAND_WAITS,   /* the same, but the loop may sleep before */
};

struct command {
    const char *name;
    const char *usage;    /* its arguments */
    const char *help;     /* one line */
    unsigned least, most; /* arguments */
    /* words[0]: the name, up to words[count - 1]; they stay until the command is done. Says what is wrong
     * with them and returns COMMAND_DONE, or begins. */
    enum command_progress (*start)(char *const words[], unsigned count);
    /* The next piece, a line at the most. NULL: start() is all. */
    enum command_progress (*step)(void);
    void (*stop)(void); /* by Ctrl-C, before the end. NULL: there is nothing to do */
};

extern const struct command command_help, command_ping, command_stats, command_features,
    command_link, command_mode, command_rx, command_promisc, command_reset, command_reboot,
    command_poweroff;

/* All of them, with a NULL behind the last. */
extern const struct command *const commands[];

enum { COMMAND_WORDS = 6 };

/*
 * Splits a line, which it changes, into words, and finds its command. Returns it, or NULL where the line
 * is empty or there is something wrong with it, which is then on the console.
 */
const struct command *command_find(char *line, char *words[COMMAND_WORDS], unsigned *count);

/* Says how the command is used. Returns COMMAND_DONE. */
enum command_progress command_misused(const struct command *command);

/* A decimal number of min to max and nothing behind it. */
bool command_number(const char *text, unsigned min, unsigned max, unsigned *number);

/* "on" or "off". */
bool command_switch(const char *text, bool *on);

#endif
