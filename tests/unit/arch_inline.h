/* SPDX-License-Identifier: BSD-2-Clause */
/* The host as an architecture for arch/arch.h, as far as the tests need it. */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCH_NAME "host"

#define ARCH_BUS_IO_FIRST 0x1000u
#define ARCH_BUS_IO_LAST 0x1fffu
#define ARCH_BUS_MEMORY_FIRST 0x80000000u
#define ARCH_BUS_MEMORY_LAST 0x8fffffffu

uint8_t arch_io_read8(uint32_t port);
uint16_t arch_io_read16(uint32_t port);
uint32_t arch_io_read32(uint32_t port);
void arch_io_write8(uint32_t port, uint8_t value);
void arch_io_write16(uint32_t port, uint16_t value);
void arch_io_write32(uint32_t port, uint32_t value);
void arch_io_read32s(uint32_t port, void *to, size_t count);
void arch_io_write32s(uint32_t port, const void *from, size_t count);
uint8_t arch_bus_read8(uint32_t address);
uint16_t arch_bus_read16(uint32_t address);
uint32_t arch_bus_read32(uint32_t address);
void arch_bus_write8(uint32_t address, uint8_t value);
void arch_bus_write16(uint32_t address, uint16_t value);
void arch_bus_write32(uint32_t address, uint32_t value);
bool arch_interrupts_save(void);
void arch_interrupts_restore(bool on);
uint64_t arch_counter(void);
uint32_t arch_bus_address(const void *memory);
void arch_screen_init(void);
void arch_screen_putc(char c);
void arch_screen_say(const char *text);
void arch_screen_show_cursor(void);
void arch_keyboard_start(arch_irq_handler_t heard);
int arch_keyboard_getc(void);

static inline void arch_pause(void)
{
}

#endif
