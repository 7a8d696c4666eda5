/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every architecture of this project provides, under the same names. The short ones are
 * inline, in the arch_inline.h of the architecture that the build puts on the include path:
 *
 *   uint8_t  arch_io_read8(uint32_t port), and 16, 32        PCI or ISA I/O space
 *   void     arch_io_write8(uint32_t port, uint8_t), and 16, 32
 *   void     arch_io_read32s(uint32_t port, void *to, size_t count)
 *   void     arch_io_write32s(uint32_t port, const void *from, size_t count)
 *            as many words of 32 bits through one port, their bytes in the order of the bus; `to`
 *            and `from` need not be aligned
 *   uint8_t  arch_bus_read8(uint32_t address), and 16, 32    PCI memory space, a bus address
 *   void     arch_bus_write8(uint32_t address, uint8_t), and 16, 32
 *            Values are in the processor's byte order; the bus is little-endian. Accesses are made
 *            in program order, after the stores to memory that come before them.
 *   void     arch_interrupts_on(void), arch_interrupts_off(void)
 *   bool     arch_interrupts_save(void)          off; returns whether they were on
 *   void     arch_interrupts_restore(bool on)
 *   void     arch_wait(void)                     called with interrupts off: turns them on and
 *                                                sleeps until one comes, without a gap between
 *   void     arch_pause(void)                    a hint inside a busy loop
 *   void     arch_fw_cfg_select(uint16_t key)    QEMU's firmware configuration device; reads as
 *   uint8_t  arch_fw_cfg_read8(void)             anything on a machine that has none
 *   void     arch_screen_init(void)              the screen, which shows what the console says: where
 *   void     arch_screen_putc(char c)            there is none, these do nothing
 *   void     arch_screen_say(const char *text)   for the screen only: what a person in front of it
 *                                                needs and a log does not
 *   void     arch_screen_show_cursor(void)       where the next character will be
 *   void     arch_keyboard_start(arch_irq_handler_t heard)   where there is a keyboard that belongs to the
 *                                                screen: `heard` is called for its interrupts
 *   int      arch_keyboard_getc(void)            what was typed there, see arch_console_getc(), or -1
 *   uint32_t arch_bus_address(const void *memory)    where devices on PCI find RAM of ours
 *   ARCH_BUS_IO_FIRST, _LAST, ARCH_BUS_MEMORY_FIRST, _LAST   room for BARs
 *   ARCH_NAME                                    "i386"
 */
#ifndef ARCH_H
#define ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Called from interrupt context: see arch_irq_register(). */
typedef bool (*arch_irq_handler_t)(void *context);

#include "arch_inline.h"

/*
 * Console: one character, to the screen and, polled, to a UART, where there are such. Where nobody
 * reads what the UART sends, characters are lost for it, and counted.
 */
void arch_console_init(void);
void arch_console_putc(char c);
extern uint32_t arch_console_lost;

/*
 * The line that a person types is open until its '\n'. What arch_console_putc() prints meanwhile begins on
 * a line of its own, and the open line is then left as it is: arch_console_is_open() tells who typed
 * it to show it again.
 */
void arch_console_echo(char c);
bool arch_console_is_open(void);

/*
 * Input, from the UART and the keyboard. arch_console_start_input() connects their interrupts, which set
 * arch_console_input and call heard(), from interrupt context. arch_console_getc() returns a character, 0 to 255, or -1
 * where there is none: then arch_console_input is false until the next one comes. It may also be called
 * without interrupts.
 */
void arch_console_start_input(void (*heard)(void));
int arch_console_getc(void);
extern volatile bool arch_console_input;

/* Exception vectors and the interrupt controller; interrupts stay off. */
void arch_interrupts_init(void);

/*
 * Calls handler(context) from interrupt context for each interrupt on this line, and unmasks it.
 * Several handlers may share a line: each returns whether its device had raised it. Returns false
 * where the line is not one of this machine or has too many handlers already.
 */
bool arch_irq_register(unsigned line, arch_irq_handler_t handler, void *context);

/*
 * A message-signalled interrupt: handler(context) is called, from interrupt context, when a device
 * stores `data` at the bus address `address`. Returns false where the machine takes no messages or
 * has no more of them. The handler is nobody else's: it returns true. To be freed when the device
 * sends it no more.
 */
struct arch_msi {
    uint32_t address;
    uint32_t data;
};
bool arch_msi_allocate(arch_irq_handler_t handler, void *context, struct arch_msi *message);
void arch_msi_free(const struct arch_msi *message);

/* Interrupts that no handler claimed. */
extern uint32_t arch_irq_unclaimed;

/*
 * The clock, and a tick of ARCH_TICK_HZ that ends arch_wait(). Once it runs, arch_clock_ns() is
 * nanoseconds since then and never goes back; interrupt context is allowed.
 */
enum { ARCH_TICK_HZ = 100 };
void arch_clock_init(void);
uint64_t arch_clock_ns(void);

/* The clock's source and its rate in kHz, for the console. */
const char *arch_clock_name(void);
uint32_t arch_clock_khz(void);

/*
 * Makes a fault of accesses that are none of a sound program's, as far as the machine can: to address 0, below
 * the stack, writing to code and constants, executing anything but code. To be called once what a
 * loader left in memory has been read, with interrupts off. memory_end: of RAM. Returns what is protected now,
 * as text.
 */
const char *arch_protect(uintptr_t memory_end);

/* Whether this machine is one that leaves barriers out: see virtio/virtio_platform.h. */
bool arch_barrier_is_weak(void);

/* A random number of the processor's. Returns false where it has none to give. */
bool arch_random(uint32_t *value);

/*
 * Ends the run: the emulator's exit code where it has one, else the power off. A machine with a screen
 * and without such a code waits for a key before, five minutes at the most. One that cannot switch itself
 * off says so and halts.
 */
_Noreturn void arch_exit(bool success);

/*
 * What a person asks for at the console: the power off, or a restart. They return where the machine cannot do
 * that, and then nothing has changed.
 */
void arch_power_off(void);
void arch_reboot(void);

#endif
