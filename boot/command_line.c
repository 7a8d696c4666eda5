/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/command_line.h"

#include <stdio.h>
#include <string.h>

#include "boot/arguments.h"
#include "boot/fw_cfg.h"
#include "runtime/memory.h"

static const char file[] = "opt/vtnet/append";

const char *command_line_check(const char *line, size_t room)
{
    for (size_t i = 0; i < room && i < COMMAND_LINE_MAX; i++) {
        if (line[i] == '\0') {
            return line;
        }
    }
    printf("vtnet: the loader's command line has no end: it is ignored\n");
    return "";
}

const char *command_line_move(const char *line, uintptr_t *start)
{
    size_t size = strlen(line) + 1;
    char *to = (char *)*start;

    memmove(to, line, size);
    *start += size;
    return to;
}

/* The file's length in bytes, limited to COMMAND_LINE_MAX. */
static size_t file_length(void)
{
    size_t length = fw_cfg_read_file(file, NULL, 0);

    if (length > COMMAND_LINE_MAX) {
        printf("vtnet: %s has %zu bytes: only the first %u are read\n", file, length,
               (unsigned)COMMAND_LINE_MAX);
        return COMMAND_LINE_MAX;
    }
    return length;
}

/* The file may contain zero bytes; they separate words too. */
void command_line_parse(const char *line)
{
    size_t length = strlen(line);
    size_t more = file_length();
    char *all = memory_alloc(length + more + 2, 1);

    if (all == NULL) {
        printf("vtnet: no memory for %zu bytes of boot arguments: they are ignored\n",
               length + more);
        return;
    }
    memcpy(all, line, length);
    memset(all + length, ' ', more + 1);
    fw_cfg_read_file(file, all + length + 1, more);
    for (size_t i = length + 1; i < length + 1 + more; i++) {
        all[i] = all[i] == '\0' ? ' ' : all[i];
    }
    all[length + 1 + more] = '\0';
    boot_arguments_parse(all);
    memory_free(all);
}
