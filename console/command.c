/* SPDX-License-Identifier: BSD-2-Clause */
#include "console/command.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const struct command *const commands[] = {
    &command_help,  &command_ping,   &command_stats,    &command_features,
    &command_link,  &command_mode,   &command_rx,       &command_promisc,
    &command_reset, &command_reboot, &command_poweroff, NULL,
};

static unsigned split(char *line, char *words[COMMAND_WORDS])
{
    unsigned count = 0;

    for (;;) {
        line += strspn(line, " ");
        if (*line == '\0' || count == COMMAND_WORDS) {
            return count;
        }
        words[count++] = line;
        line += strcspn(line, " ");
        if (*line != '\0') {
            *line++ = '\0';
        }
    }
}

enum command_progress command_misused(const struct command *command)
{
    printf("usage: %s%s%s\n", command->name, command->usage[0] != '\0' ? " " : "", command->usage);
    return COMMAND_DONE;
}

const struct command *command_named(const char *name)
{
    for (unsigned i = 0; commands[i] != NULL; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    printf("unknown command '%s'; help lists the commands\n", name);
    return NULL;
}

const struct command *command_find(char *line, char *words[COMMAND_WORDS], unsigned *count)
{
    const struct command *command;

    *count = split(line, words);
    command = *count != 0 ? command_named(words[0]) : NULL;
    if (command != NULL && (*count - 1 < command->least || *count - 1 > command->most)) {
        command_misused(command);
        return NULL;
    }
    return command;
}

bool command_number(const char *text, unsigned min, unsigned max, unsigned *number)
{
    unsigned value = 0;

    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (digit > 9 || digit > max || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *number = value;
    return value >= min && value <= max;
}

bool command_switch(const char *text, bool *on)
{
    *on = strcmp(text, "on") == 0;
    return *on || strcmp(text, "off") == 0;
}
