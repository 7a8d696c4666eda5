/* SPDX-License-Identifier: BSD-2-Clause */
/* The inline functions of arch/arch.h for i386. */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCH_NAME "i386"

/*
 * I/O: above the range that firmware allocates first. Memory: above RAM and below the I/O APIC of a
 * PC.
 */
#define ARCH_BUS_IO_FIRST 0xc000u
#define ARCH_BUS_IO_LAST 0xffffu
#define ARCH_BUS_MEMORY_FIRST 0xe0000000u
#define ARCH_BUS_MEMORY_LAST 0xfebfffffu

void arch_screen_init(void);
void arch_screen_putc(char c);
void arch_screen_say(const char *text);
void arch_screen_show_cursor(void);
void arch_keyboard_start(arch_irq_handler_t heard);
int arch_keyboard_getc(void);

#define ARCH_EFLAGS_IF 0x200u

/*
 * The memory clobber stops the compiler from moving stores to shared memory behind the device
 * access that announces them. The processor does not reorder stores with I/O or uncached accesses.
 */
#define ARCH_DEFINE_IO(bits, type, suffix)                                                         \
    static inline type arch_io_read##bits(uint32_t port)                                           \
    {                                                                                              \
        type value;                                                                                \
                                                                                                   \
        __asm__ volatile("in" suffix " %w1, %0" : "=a"(value) : "Nd"((uint16_t)port) : "memory");  \
        return value;                                                                              \
    }                                                                                              \
    static inline void arch_io_write##bits(uint32_t port, type value)                              \
    {                                                                                              \
        __asm__ volatile("out" suffix " %0, %w1" ::"a"(value), "Nd"((uint16_t)port) : "memory");   \
    }                                                                                              \
    static inline type arch_bus_read##bits(uint32_t address)                                       \
    {                                                                                              \
        type value;                                                                                \
                                                                                                   \
        __asm__ volatile("mov" suffix " %1, %0"                                                    \
                         : "=q"(value)                                                             \
                         : "m"(*(volatile type *)(uintptr_t)address)                               \
                         : "memory");                                                              \
        return value;                                                                              \
    }                                                                                              \
    static inline void arch_bus_write##bits(uint32_t address, type value)                          \
    {                                                                                              \
        __asm__ volatile("mov" suffix " %1, %0"                                                    \
                         : "=m"(*(volatile type *)(uintptr_t)address)                              \
                         : "q"(value)                                                              \
                         : "memory");                                                              \
    }

ARCH_DEFINE_IO(8, uint8_t, "b")
ARCH_DEFINE_IO(16, uint16_t, "w")
ARCH_DEFINE_IO(32, uint32_t, "l")

static inline void arch_io_read32s(uint32_t port, void *to, size_t count)
{
    __asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"((uint16_t)port) : "memory");
}

static inline void arch_io_write32s(uint32_t port, const void *from, size_t count)
{
    __asm__ volatile("rep outsl" : "+S"(from), "+c"(count) : "d"((uint16_t)port) : "memory");
}

static inline void arch_interrupts_on(void)
{
    __asm__ volatile("sti" ::: "memory");
}

static inline void arch_interrupts_off(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static inline bool arch_interrupts_save(void)
{
    uint32_t flags;

    __asm__ volatile("pushfl; popl %0; cli" : "=r"(flags)::"memory");
    return flags & ARCH_EFLAGS_IF;
}

static inline void arch_interrupts_restore(bool on)
{
    if (on) {
        arch_interrupts_on();
    }
}

/* sti takes effect after the next instruction, so no interrupt can occur between it and hlt. */
static inline void arch_wait(void)
{
    __asm__ volatile("sti; hlt" ::: "memory");
}

static inline void arch_pause(void)
{
    __asm__ volatile("pause" ::: "memory");
}

/* The time-stamp counter. */
static inline uint64_t arch_counter(void)
{
    uint64_t value;

    __asm__ volatile("rdtsc" : "=A"(value)::"memory");
    return value;
}

static inline uint32_t arch_bus_address(const void *memory)
{
    return (uint32_t)(uintptr_t)memory;
}

static inline void arch_fw_cfg_select(uint16_t key)
{
    arch_io_write16(0x510, key);
}

static inline uint8_t arch_fw_cfg_read8(void)
{
    return arch_io_read8(0x511);
}

#endif
