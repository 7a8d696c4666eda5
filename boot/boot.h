/* SPDX-License-Identifier: BSD-2-Clause */
/* From the loader to main(): the interface between each loader's entry code and boot_start(). */
#ifndef BOOT_H
#define BOOT_H

#include <stddef.h>
#include <stdint.h>

struct boot_info {
    const char *loader;       /* name of the loader, for the console */
    const char *command_line; /* arguments only, without a program name; not NULL */
    uintptr_t memory_start;   /* free RAM: from start up to, not including, end */
    uintptr_t memory_end;
};

/*
 * Initialises the console, the clock, memory and the boot arguments in that order, then calls
 * main().
 */
_Noreturn void boot_start(const struct boot_info *info);

/* The program: an example or a test guest. Returns 0 for success. */
int main(void);

#endif
