/* SPDX-License-Identifier: BSD-2-Clause */
/* The platform under virtio/: memory from the arena, and a clock that advances when read. */
#ifndef FUZZ_PLATFORM_H
#define FUZZ_PLATFORM_H

#include <stdint.h>

struct platform {
    uint64_t clock_ns;
    unsigned mapped;                   /* for the device, not unmapped yet */
    void (*freed)(const void *memory); /* called before a block is freed; may be NULL */
    void (*loaded)(void);              /* called before virtio/ loads from the arena; may be NULL */
    void (*given)(const void *memory); /* called with an address passed to the device; may be
                                        * NULL */
};
extern struct platform platform;

/* Frees all memory and clears the callbacks. */
void platform_reset(void);

#endif
