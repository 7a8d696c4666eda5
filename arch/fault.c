/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/fault.h"

#include <stdbool.h>
#include <stdio.h>

static bool is_in(uintptr_t address, const char *start, const char *end)
{
    return address >= (uintptr_t)start && address < (uintptr_t)end;
}

static const char *reason(uintptr_t address, enum fault how)
{
    if (address < FAULT_PAGE) {
        return "null pointer";
    }
    if (is_in(address, stack_guard, stack_guard + FAULT_PAGE)) {
        return "stack overflow";
    }
    if (how == FAULT_EXECUTE) {
        return "this is no code";
    }
    if (is_in(address, text_start, text_end)) {
        return "this is code";
    }
    return is_in(address, text_end, rodata_end) ? "this is constant" : "there is nothing";
}

void fault_say(uintptr_t address, enum fault how)
{
    static const char *const names[] = {"read from", "write to", "execution at"};

    printf("vtnet: panic: %s: %s %08x\n", reason(address, how), names[how], (unsigned)address);
}
