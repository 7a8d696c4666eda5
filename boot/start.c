/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of start-up. */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/boot.h"
#include "boot/fw_cfg.h"
#include "runtime/memory.h"
#include "runtime/panic.h"

#ifndef VTNET_VERSION
#define VTNET_VERSION "unknown"
#endif

/* Below this nothing useful fits: two rings, the stack's pools, some buffers. */
#define MEMORY_LEAST ((size_t)1 << 20)

/* The loader's command line, then the words that QEMU's configuration device has for us. A file may have
 * zeros in it, which separate words, too. */
static void parse_arguments(const char *command_line)
{
    static const char file[] = "opt/vtnet/append";
    size_t length = strlen(command_line);
    size_t more = fw_cfg_read_file(file, NULL, 0);
    char *line = memory_alloc(length + more + 2, 1);

    if (line == NULL) {
        printf("vtnet: no memory for %zu bytes of boot arguments: ignored\n", length + more);
        return;
    }
    memcpy(line, command_line, length);
    line[length] = ' ';
    fw_cfg_read_file(file, line + length + 1, more);
    for (size_t i = length + 1; i < length + 1 + more; i++) {
        line[i] = line[i] == '\0' ? ' ' : line[i];
    }
    line[length + 1 + more] = '\0';
    boot_arguments_parse(line);
    memory_free(line);
}

void boot_start(const struct boot_info *info)
{
    arch_console_init();
    printf("\nvtnet %s on " ARCH_NAME ", started by %s\n", VTNET_VERSION, info->loader);
    arch_interrupts_init();
    arch_clock_init();
    memory_init(info->memory_start, info->memory_end);
    if (memory_usage().total < MEMORY_LEAST) {
        panic("%zu KiB of free memory found, %zu are needed: give the machine more (-m 16)",
              memory_usage().total >> 10, MEMORY_LEAST >> 10);
    }
    printf("vtnet: %zu KiB of memory, clock %s at %u kHz\n", memory_usage().total >> 10,
           arch_clock_name(), (unsigned)arch_clock_khz());
    parse_arguments(info->command_line);
    arch_interrupts_on();
    arch_exit(main() == 0);
}
