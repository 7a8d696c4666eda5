/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot command line's sources, compiled in with their console captured, and what its tests ask of it. */
#ifndef BOOT_LINE_H
#define BOOT_LINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char console[8192];

static int __attribute__((format(printf, 1, 2))) captured_printf(const char *format, ...)
{
    size_t used = strlen(console);
    va_list args;
    int count;

    va_start(args, format);
    count = vsnprintf(console + used, sizeof console - used, format, args);
    va_end(args);
    return count;
}

#define printf captured_printf
#include "boot/arguments.c"
#include "boot/arguments_check.c"
#undef printf
#include "boot/address_text.c"
#include "boot/image_path.c"
#include "boot/ipv6_text.c"

static struct boot_arguments defaults;

static int keep_defaults(void **state)
{
    (void)state;
    defaults = boot_arguments;
    return 0;
}

static unsigned parse(const char *line)
{
    boot_arguments = defaults;
    console[0] = '\0';
    return boot_arguments_parse(line);
}

/* A line that is in order is silent. */
static void good(const char *line)
{
    if (parse(line) != 0 || console[0] != '\0') {
        fail_msg("'%s' was refused: %s", line, console);
    }
}

/* A word that is not is named with what is wanted, and changes nothing. */
static void bad(const char *word, const char *says)
{
    char quoted[256];

    snprintf(quoted, sizeof quoted, "vtnet: boot argument '%s' is %s and ignored", word, says);
    if (parse(word) != 1) {
        fail_msg("'%s' was accepted", word);
    }
    if (strstr(console, quoted) == NULL || strstr(console, "valid boot arguments:") == NULL) {
        fail_msg("'%s' led to: %s", word, console);
    }
    if (memcmp(&boot_arguments, &defaults, sizeof defaults) != 0) {
        fail_msg("'%s' was ignored, but not altogether", word);
    }
}

#endif
