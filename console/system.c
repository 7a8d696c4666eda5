/* SPDX-License-Identifier: BSD-2-Clause */
/* `help`, `mode`, `reboot`, `poweroff` */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "console/command.h"
#include "net/loop.h"

static unsigned next; /* of commands[] */

static void show_help(const struct command *command)
{
    char text[80];

    snprintf(text, sizeof text, "%s %s", command->name, command->usage);
    printf("%-34s%s\n", text, command->help);
}

static enum command_progress help_step(void)
{
    const struct command *command = commands[next++];

    if (command == NULL) {
        printf("Ctrl-C ends a command; Ctrl-U clears the line; the arrow keys work.\n");
        return COMMAND_DONE;
    }
    show_help(command);
    return COMMAND_GOES_ON;
}

static enum command_progress help_start(char *const words[], unsigned count)
{
    const struct command *command;

    next = 0;
    if (count == 1) {
        return COMMAND_GOES_ON;
    }
    command = command_named(words[1]);
    if (command != NULL) {
        show_help(command);
    }
    return COMMAND_DONE;
}

const struct command command_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .help = "this list, or what a command does",
    .most = 1,
    .start = help_start,
    .step = help_step,
};

static const char *const modes[] = {
    [LOOP_HYBRID] = "hybrid",
    [LOOP_INTERRUPT] = "irq",
    [LOOP_POLL] = "poll",
};

static enum command_progress mode_start(char *const words[], unsigned count)
{
    uint32_t poll_us;
    enum loop_mode now = loop_mode(&poll_us);
    unsigned mode = 0, us = (unsigned)poll_us;

    if (count == 1) {
        printf("mode %s, poll_us %u\n", modes[now], us);
        return COMMAND_DONE;
    }
    while (mode < sizeof modes / sizeof modes[0] && strcmp(modes[mode], words[1]) != 0) {
        mode++;
    }
    if (mode == sizeof modes / sizeof modes[0] ||
        (count == 3 && (mode != LOOP_HYBRID || !command_number(words[2], 0, 1000000, &us)))) {
        return command_misused(&command_mode);
    }
    loop_set_mode((enum loop_mode)mode, us);
    return COMMAND_DONE;
}

const struct command command_mode = {
    .name = "mode",
    .usage = "[irq|poll|hybrid [POLL_US]]",
    .help = "show or set when the loop sleeps",
    .most = 2,
    .start = mode_start,
};

static enum command_progress reboot_start(char *const words[], unsigned count)
{
    (void)words, (void)count;
    printf("vtnet: the machine is reset\n");
    arch_reboot();
    printf("this machine cannot be reset by the guest\n");
    return COMMAND_DONE;
}

const struct command command_reboot = {
    .name = "reboot",
    .usage = "",
    .help = "reset the machine (QEMU ends with -no-reboot)",
    .start = reboot_start,
};

static enum command_progress poweroff_start(char *const words[], unsigned count)
{
    (void)words, (void)count;
    arch_power_off();
    printf("this machine cannot switch itself off: end QEMU by hand; the guest keeps running\n");
    return COMMAND_DONE;
}

const struct command command_poweroff = {
    .name = "poweroff",
    .usage = "",
    .help = "switch the machine off",
    .start = poweroff_start,
};
