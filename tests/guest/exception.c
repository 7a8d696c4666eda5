/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the mistake that name= selects, for the tests of exception reports. */
#include <stdio.h>
#include <string.h>

#include "boot/arguments.h"
#include "boot/boot.h"

static uint32_t data = 1;
static const uint32_t constant = 1;

/* Hides the mistake from the compiler. */
static volatile uint32_t *hidden(const volatile void *at)
{
    uintptr_t address = (uintptr_t)at;

    __asm__("" : "+r"(address));
    return (volatile uint32_t *)address;
}

static unsigned __attribute__((noinline)) overflow(unsigned depth)
{
    volatile char frame[200] = {0};

    frame[depth % sizeof frame] = 1;
    return depth < boot_arguments.count ? overflow(depth + 1) + (unsigned)frame[0] : 0;
}

int main(void)
{
    const char *what = boot_arguments.name;

    printf("vtnet: exception: now\n");
    if (strcmp(what, "read") == 0) {
        printf("%u\n", (unsigned)*hidden(NULL));
    } else if (strcmp(what, "write") == 0) {
        *hidden((const void *)16) = 1;
    } else if (strcmp(what, "code") == 0) {
        *hidden((const void *)(uintptr_t)main) = 1;
    } else if (strcmp(what, "constant") == 0) {
        *hidden(&constant) = 1;
    } else if (strcmp(what, "jump") == 0) {
        ((void (*)(void))(uintptr_t)hidden(&data))();
    } else if (strcmp(what, "call") == 0) {
        ((void (*)(void))(uintptr_t)hidden(NULL))();
    } else if (strcmp(what, "overflow") == 0) {
        printf("%u\n", overflow(0));
    } else {
        __builtin_trap();
    }
    printf("vtnet: exception: nothing has happened\n");
    return 0;
}
