/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio/virtio_platform.h for the tests. Each block of memory has a device address that has
 * nothing to do with its pointer, so that a forgotten translation is caught, and device addresses
 * outside of living blocks fail the test. What is mapped for reading or writing is a copy of its own, so that
 * a mapping that is missing, or not ended, shows in the bytes.
 */
#ifndef FAKE_PLATFORM_H
#define FAKE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/virtio_platform.h"

struct fake_platform {
    uint64_t dma_base;   /* added to all device addresses; below 4 GiB without it */
    uint64_t bus_base;   /* added to those of the bus, the only ones that the device has then */
    uint64_t clock_ns;   /* what the clock says */
    uint64_t clock_step; /* and how far it moves each time it is read */
    bool weak_barrier;   /* what the tests' device is told of this processor */
    void (*on_dma_address)(void); /* called with each address that is asked for, before that */
    void (*on_log)(void);         /* called after each line that is logged */
    void (*on_fence)(int order);  /* called within each barrier: __ATOMIC_... */
    /* Called with each block that is freed: its device addresses. */
    void (*on_free)(void *context, uint64_t address, size_t size);
    void *on_free_context;
    unsigned fail_nth;    /* this allocation from now on fails (1: the next); 0: none */
    bool fail_all;        /* every allocation fails */
    unsigned allocations; /* asked for since the reset */
    unsigned live;        /* blocks */
    size_t largest;       /* bytes of the largest one since the reset */
    unsigned mapped;      /* copies, and blocks that are shared */
    unsigned fail_map;    /* this mapping of a buffer from now on fails; 0: none */
    unsigned fail_share;  /* and this one of what is shared */
    char log[4096];       /* lines logged since the reset, each with its newline */
    unsigned lines;
};
extern struct fake_platform fake_platform;

/* Frees what is left and starts again. */
void fake_platform_reset(void);

/* The address of a block by which a device on the bus finds it; of a shared one. */
uint64_t fake_address(const void *memory, bool bus);

/* Where this device address lies; fails the test where not all of it is in one living block. */
void *fake_dma(uint64_t address, size_t length);

#endif
