/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio/virtio_platform.h for the tests. The device address of a memory block has no relation to
 * its pointer, so that a missing translation is detected. Device addresses outside of existing
 * blocks fail the test. Memory mapped for reading or writing is a copy, so that a missing map or
 * unmap shows in the data.
 */
#ifndef FAKE_PLATFORM_H
#define FAKE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/virtio_platform.h"

struct fake_platform {
    uint64_t dma_base;   /* added to all device addresses; below 4 GiB without it */
    uint64_t bus_base;   /* added to bus addresses; if set, the device only accepts these */
    uint64_t clock_ns;   /* the clock's value */
    uint64_t clock_step; /* how far it advances at each read */
    bool weak_barrier;   /* passed to the tests' device */
    void (*on_dma_address)(void); /* called before each translation of an address */
    void (*on_log)(void);         /* called after each line logged */
    void (*on_fence)(int order);  /* called within each barrier: __ATOMIC_... */
    /* Called with the device addresses of each block that is freed. */
    void (*on_free)(void *context, uint64_t address, size_t size);
    void *on_free_context;
    unsigned fail_nth;    /* the allocation that fails (1: the next); 0: none */
    bool fail_all;        /* every allocation fails */
    unsigned allocations; /* since the reset */
    unsigned live;        /* blocks */
    size_t largest;       /* the largest one since the reset, bytes */
    unsigned mapped;      /* copies and shared blocks */
    unsigned fail_map;    /* the mapping of a buffer that fails; 0: none */
    unsigned fail_share;  /* the mapping of shared memory that fails */
    char log[4096];       /* lines logged since the reset, with newlines */
    unsigned lines;
};
extern struct fake_platform fake_platform;

/* Frees everything and starts again. */
void fake_platform_reset(void);

/* The address of a shared block for the device. bus: for a device that uses bus addresses. */
uint64_t fake_address(const void *memory, bool bus);

/*
 * The memory at this device address. Fails the test if it is not completely inside of one existing
 * block.
 */
void *fake_dma(uint64_t address, size_t length);

#endif
