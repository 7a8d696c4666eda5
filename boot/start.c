/* SPDX-License-Identifier: BSD-2-Clause */
/* The start-up sequence. */
#include <stdio.h>

#include "arch/arch.h"
#include "boot/boot.h"
#include "boot/command_line.h"
#include "runtime/memory.h"
#include "runtime/panic.h"

#ifndef VTNET_VERSION
#define VTNET_VERSION "unknown"
#endif

/* The least useful amount of memory: two rings, the stack's pools and some buffers. */
#define MEMORY_LEAST ((size_t)1 << 20)

void boot_start(const struct boot_info *info)
{
    uintptr_t start = info->memory_start;
    size_t found = info->memory_end > start ? info->memory_end - start : 0;
    const char *command_line;

    arch_console_init();
    printf("\nvtnet %s on " ARCH_NAME ", started by %s\n", VTNET_VERSION, info->loader);
    arch_interrupts_init();
    arch_clock_init();
    if (found < MEMORY_LEAST) {
        panic("%zu KiB of free memory found, %zu are needed: give the machine more (-m 16)",
              found >> 10, MEMORY_LEAST >> 10);
    }
    command_line = command_line_move(info->command_line, &start);
    memory_init(start, info->memory_end);
    printf("vtnet: %zu KiB of memory, clock %s at %u kHz\n", memory_usage().total >> 10,
           arch_clock_name(), (unsigned)arch_clock_khz());
    printf("vtnet: protected: %s\n", arch_protect(info->memory_end));
    command_line_parse(command_line);
    arch_interrupts_on();
    arch_exit(main() == 0);
}
