/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/image_path.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "boot/arguments.h"

/* The end of the first word that ends in ".elf", or NULL. */
static const char *find_elf(const char *at)
{
    for (;;) {
        at += strspn(at, BOOT_WHITE_SPACE);
        if (*at == '\0') {
            return NULL;
        }
        for (size_t i = strcspn(at, BOOT_WHITE_SPACE); i != 0; i--, at++) {
            if (i == 4 && strncmp(at, ".elf", 4) == 0) {
                return at + 4;
            }
        }
    }
}

/*
 * True if a word looks like an address with a prefix length whose "ip=" is missing. Its slash does
 * not make it a path.
 */
static bool is_address(const char *word, size_t length)
{
    return *word >= '0' && *word <= '9' && strspn(word, "0123456789./") >= length &&
           strcspn(word, ".") < length;
}

/*
 * The end of the last word with a slash before an argument with a value; otherwise of the first
 * word.
 */
static const char *find_other_end(const char *line)
{
    const char *end = line;
    const char *at = line;

    for (bool first = true;; first = false) {
        size_t length, name;
        bool is_argument, is_path;

        at += strspn(at, BOOT_WHITE_SPACE);
        length = strcspn(at, BOOT_WHITE_SPACE);
        name = strcspn(at, "=" BOOT_WHITE_SPACE);
        is_argument = boot_argument_is_known(at, name);
        if (length == 0 || (is_argument && name < length)) {
            return end;
        }
        is_path = at[strcspn(at, "/=" BOOT_WHITE_SPACE)] == '/';
        if ((is_path || (first && name == length && !is_argument)) && !is_address(at, length)) {
            end = at + length;
        }
        at += length;
    }
}

const char *image_path_skip(const char *command_line)
{
    const char *end = find_elf(command_line);

    return end != NULL ? end : find_other_end(command_line);
}
