/* SPDX-License-Identifier: BSD-2-Clause */
/* The platform under virtio/: memory of the arena, a clock that moves when it is read. */
#ifndef FUZZ_PLATFORM_H
#define FUZZ_PLATFORM_H

#include <stdint.h>

struct platform {
    uint64_t clock_ns;
    unsigned mapped;                   /* for the device, and not unmapped */
    void (*freed)(const void *memory); /* a block is about to be freed; NULL: nobody asks */
    void (*loaded)(void);              /* virtio/ is about to load from the arena; NULL */
    void (*given)(const void *memory); /* the device is told this address; NULL */
};
extern struct platform platform;

/* All memory is free, nobody asks. */
void platform_reset(void);

#endif
