/* SPDX-License-Identifier: BSD-2-Clause */
#include "host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "arena.h"
#include "input.h"
#include "runtime/memory.h"
#include "runtime/panic.h"

enum { FW_CFG_SIGNATURE = 0, FW_CFG_FILE_DIR = 0x19 };

uint64_t host_clock_ns;
uint32_t arch_irq_unclaimed, arch_console_lost;

static const uint8_t *fw_cfg[3]; /* the signature, the directory, a file */
static size_t fw_cfg_size[3];
static unsigned selected;
static size_t at;

/* Replaces printf() by --wrap: the console. Its arguments are read as printf() would. */
int __wrap_printf(const char *format, ...);

int __wrap_printf(const char *format, ...)
{
    static char line[4096];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fuzz_check(strncmp(line, "vtnet: lwIP: ", 13) != 0, line);
    return length;
}

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fuzz_check(false, "panic");
    abort();
}

void *memory_alloc(size_t size, size_t align)
{
    return arena_take(size, align);
}

/* The stack's malloc() and calloc(), by compiler options; its free() is memory_free(). */
void *host_malloc(size_t size);
void *host_calloc(size_t count, size_t size);

void *host_malloc(size_t size)
{
    return arena_take(size, 16);
}

void *host_calloc(size_t count, size_t size)
{
    void *memory = arena_take(count * size, 16);

    return memory != NULL ? memset(memory, 0, count * size) : NULL;
}

void memory_free(void *memory)
{
    if (memory != NULL) {
        arena_give(memory);
    }
}

struct memory_usage memory_usage(void)
{
    return (struct memory_usage){.total = arena_length(), .used = arena_bytes()};
}

bool memory_reserve(size_t size, size_t count)
{
    (void)size, (void)count;
    return true;
}

void memory_seal(void)
{
}

uint64_t arch_clock_ns(void)
{
    return host_clock_ns;
}

bool arch_random(uint32_t *value)
{
    *value = 4;
    return true;
}

void arch_console_init(void)
{
}

void arch_exit(bool success)
{
    (void)success;
    fuzz_check(false, "the machine ends");
    abort();
}

void arch_interrupts_off(void)
{
}

void arch_interrupts_on(void)
{
}

bool arch_interrupts_save(void)
{
    return false;
}

void arch_interrupts_restore(bool on)
{
    (void)on;
}

void arch_wait(void)
{
}

void arch_screen_say(const char *text)
{
    (void)text;
}

const char *arch_clock_name(void)
{
    return "clock";
}

uint32_t arch_clock_khz(void)
{
    return 1000000;
}

bool arch_barrier_is_weak(void)
{
    return false;
}

void host_fw_cfg(const uint8_t *directory, size_t directory_size, const uint8_t *file,
                 size_t file_size)
{
    fw_cfg[0] = (const uint8_t *)"QEMU";
    fw_cfg_size[0] = directory_size != 0 ? 4 : 0;
    fw_cfg[1] = directory;
    fw_cfg_size[1] = directory_size;
    fw_cfg[2] = file;
    fw_cfg_size[2] = file_size;
}

void arch_fw_cfg_select(uint16_t key)
{
    selected = key == FW_CFG_SIGNATURE ? 0 : key == FW_CFG_FILE_DIR ? 1 : 2;
    at = 0;
}

uint8_t arch_fw_cfg_read8(void)
{
    return at < fw_cfg_size[selected] ? fw_cfg[selected][at++] : 0;
}
