/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/panic.h"

#include <stdio.h>

#include "arch/arch.h"

void panic(const char *format, ...)
{
    va_list args;

    arch_interrupts_off();
    printf("vtnet: panic: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    arch_exit(false);
}
