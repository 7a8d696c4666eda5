/* SPDX-License-Identifier: BSD-2-Clause */
/* What virtio/ asks of the system. */
#include "virtio/virtio_platform.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "runtime/memory.h"

void *virtio_platform_alloc(size_t size, size_t align)
{
    void *memory = memory_alloc(size, align);

    return memory != NULL ? memset(memory, 0, size) : NULL;
}

void virtio_platform_free(void *memory)
{
    memory_free(memory);
}

uint64_t virtio_platform_clock_ns(void)
{
    return arch_clock_ns();
}

void virtio_platform_log(const char *format, ...)
{
    va_list args;

    printf("vtnet: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}
