/* SPDX-License-Identifier: BSD-2-Clause */
/* From a loader to main(): what each loader's entry hands to boot_start(). */
#ifndef BOOT_H
#define BOOT_H

#include <stddef.h>
#include <stdint.h>

struct boot_info {
    const char *loader;       /* name, for the console */
    const char *command_line; /* arguments only, without a program name; not NULL */
    uintptr_t memory_start;   /* free RAM: bytes from start up to end */
    uintptr_t memory_end;
};

/* Starts the console, the clock, memory and the boot arguments in that order, then main(). */
_Noreturn void boot_start(const struct boot_info *info);

/* The program: an example, or a test's guest. Returns 0 for success. */
int main(void);

#endif
