/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands, and parsing of lines. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stdint.h>

/* What a command does next. */
enum command_progress {
    COMMAND_DONE,
    COMMAND_GOES_ON, /* call it again in the next pass */
    COMMAND_WAITS,   /* the same, but the loop may sleep before */
};

struct command {
    const char *name;
    const char *usage;    /* its arguments */
    const char *help;     /* one line */
    unsigned least, most; /* arguments */
    /*
     * words[0] is the name; all words up to words[count - 1] stay valid until the command is done.
     * Prints an error and returns COMMAND_DONE, or begins.
     */
    enum command_progress (*start)(char *const words[], unsigned count);
    /* Prints the next part, at most a line. NULL: start() does everything. */
    enum command_progress (*step)(void);
    void (*stop)(void); /* called on Ctrl-C before the end; NULL: nothing to do */
};

extern const struct command command_help, command_ping, command_stats, command_features,
    command_link, command_mode, command_rx, command_promisc, command_reset, command_reboot,
    command_poweroff;

/* All of them, with a NULL behind the last. */
extern const struct command *const commands[];

enum { COMMAND_WORDS = 6 };

/*
 * Splits a line, which is modified, into words, and finds its command. Returns NULL if the line is
 * empty or invalid; an error is printed.
 */
const struct command *command_find(char *line, char *words[COMMAND_WORDS], unsigned *count);

/* The command of this name, or NULL; an error is printed. */
const struct command *command_named(const char *name);

/* Prints the usage of the command. Returns COMMAND_DONE. */
enum command_progress command_misused(const struct command *command);

/* Parses a decimal number from min to max with nothing after it. */
bool command_number(const char *text, unsigned min, unsigned max, unsigned *number);

/* "on" or "off". */
bool command_switch(const char *text, bool *on);

#endif
