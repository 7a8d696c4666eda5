/* SPDX-License-Identifier: BSD-2-Clause */
#include "platform.h"

#include <string.h>

#include "arena.h"
#include "input.h"
#include "virtio/virtio_platform.h"

enum { CLOCK_STEP_NS = 2000000 }; /* a timeout of a second takes 500 reads of the clock */

struct platform platform;

void platform_reset(void)
{
    arena_reset(0);
    platform = (struct platform){.clock_ns = 1000000000};
}

uint64_t virtio_platform_clock_ns(void)
{
    platform.clock_ns += CLOCK_STEP_NS;
    return platform.clock_ns;
}

void virtio_platform_log(const char *format, ...)
{
    (void)format;
}

void *virtio_platform_alloc(size_t size, size_t align)
{
    void *memory = arena_take(size, align);

    return memory != NULL ? memset(memory, 0, size) : NULL;
}

void virtio_platform_free(void *memory)
{
    if (memory == NULL) {
        return;
    }
    if (platform.freed != NULL) {
        platform.freed(memory);
    }
    arena_give(memory);
}

uint64_t virtio_platform_map(const void *memory, size_t length, enum virtio_direction direction,
                             bool bus)
{
    (void)direction;
    (void)bus;
    fuzz_check(arena_holds(memory, length), "the device is given what is no memory");
    arena_share(memory);
    if (platform.given != NULL) {
        platform.given(memory);
    }
    platform.mapped++;
    return (uintptr_t)memory;
}

void virtio_platform_unmap(uint64_t address, const void *memory, size_t length,
                           enum virtio_direction direction, bool bus)
{
    (void)direction;
    (void)bus;
    fuzz_check(address == (uintptr_t)memory && arena_holds(memory, length),
               "what is unmapped was not mapped");
    fuzz_check(platform.mapped-- != 0, "something is unmapped twice");
}

/* Called by -fsanitize-coverage=trace-loads, with which virtio/ is compiled. */
void __sanitizer_cov_load1(uint8_t *at);
void __sanitizer_cov_load2(uint16_t *at);
void __sanitizer_cov_load4(uint32_t *at);
void __sanitizer_cov_load8(uint64_t *at);
void __sanitizer_cov_load16(void *at);

static void loaded(const void *at)
{
    if (platform.loaded != NULL && (uintptr_t)at - arena_start() < arena_length()) {
        platform.loaded();
    }
}

void __sanitizer_cov_load1(uint8_t *at)
{
    loaded(at);
}

void __sanitizer_cov_load2(uint16_t *at)
{
    loaded(at);
}

void __sanitizer_cov_load4(uint32_t *at)
{
    loaded(at);
}

void __sanitizer_cov_load8(uint64_t *at)
{
    loaded(at);
}

void __sanitizer_cov_load16(void *at)
{
    loaded(at);
}
