/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of start-up. */
#include <stdio.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/boot.h"
#include "runtime/memory.h"
#include "runtime/panic.h"

#ifndef VTNET_VERSION
#define VTNET_VERSION "unknown"
#endif

/* Below this nothing useful fits: two rings, the stack's pools, some buffers. */
#define MEMORY_LEAST ((size_t)1 << 20)

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
           arch_clock_name(), arch_clock_khz());
    boot_arguments_parse(info->command_line);
    arch_interrupts_on();
    arch_exit(main() == 0);
}
