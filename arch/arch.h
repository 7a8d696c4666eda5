/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface of every architecture of this project. The short functions are inline, in the
 * arch_inline.h of the architecture that the build puts on the include path:
 *
 *   uint8_t  arch_io_read8(uint32_t port), and 16, 32        PCI or ISA I/O space
 *   void     arch_io_write8(uint32_t port, uint8_t), and 16, 32
 *   void     arch_io_read32s(uint32_t port, void *to, size_t count)
 *   void     arch_io_write32s(uint32_t port, const void *from, size_t count)
 *            transfer `count` 32-bit words through one port; bytes keep the order of the bus;
 *            `to` and `from` need not be aligned
 *   uint8_t  arch_bus_read8(uint32_t address), and 16, 32    PCI memory space, a bus address
 *   void     arch_bus_write8(uint32_t address, uint8_t), and 16, 32
 *            Values are in the processor's byte order; the bus is little-endian. Accesses are made
 *            in program order, after earlier stores to memory.
 *   void     arch_interrupts_on(void), arch_interrupts_off(void)
 *   bool     arch_interrupts_save(void)          off; returns whether they were on
 *   void     arch_interrupts_restore(bool on)
 *   void     arch_wait(void)                     called with interrupts off: enables them and sleeps
 *                                                until one occurs; none is missed in between
 *   void     arch_pause(void)                    a hint inside a busy loop
 *   void     arch_fw_cfg_select(uint16_t key)    QEMU's firmware configuration device; without one,
 *   uint8_t  arch_fw_cfg_read8(void)             reads return arbitrary values
 *   void     arch_screen_init(void)              the screen, which shows the console's output;
 *   void     arch_screen_putc(char c)            without a screen, these do nothing
 *   void     arch_screen_say(const char *text)   prints on the screen only, for its user: not for logs
 *   void     arch_screen_show_cursor(void)       at the position of the next character
 *   void     arch_keyboard_start(arch_irq_handler_t heard)   if the screen has a keyboard: calls
 *                                                `heard` for its interrupts
 *   int      arch_keyboard_getc(void)            a character typed there, see arch_console_getc(),
 *                                                or -1
 *   uint32_t arch_bus_address(const void *memory)    address of RAM as seen by PCI devices
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
 * The console: prints one character on the screen and, by polling, on a UART, if they exist. If
 * nobody reads from the UART, its characters are lost and counted.
 */
void arch_console_init(void);
void arch_console_putc(char c);
extern uint32_t arch_console_lost;

/*
 * The line that a user types: arch_console_begin_line() opens it, arch_console_echo() shows a
 * character of it, '\n' closes it. Output of arch_console_putc() in between closes it, too, and
 * starts on a new line. arch_console_is_open() is then false, as it is when characters were lost;
 * the caller should begin the line again and show it. While it is closed nothing is echoed.
 */
void arch_console_begin_line(void);
void arch_console_echo(char c);
bool arch_console_is_open(void);

/*
 * Whether the UART can take a character now; true without a UART. After it was false it is true
 * once an interrupt has told so in the way of input: see arch_console_start_input(), without which
 * it is always true.
 */
bool arch_console_has_room(void);

/*
 * Input from the UART and the keyboard. arch_console_start_input() enables their interrupts, which
 * set arch_console_input and call heard() in interrupt context. arch_console_getc() returns a
 * character, 0 to 255, or -1 if there is none; arch_console_input is then false until the next one
 * arrives. arch_console_getc() also works without interrupts.
 */
void arch_console_start_input(void (*heard)(void));
int arch_console_getc(void);
extern volatile bool arch_console_input;

/* Initialises the exception vectors and the interrupt controller. Interrupts stay off. */
void arch_interrupts_init(void);

/*
 * Registers handler(context), which is called in interrupt context for each interrupt on this line,
 * and unmasks the line. Several handlers may share a line; each returns true if its device raised
 * the interrupt. Returns false if the machine does not have the line or the line has too many
 * handlers.
 */
bool arch_irq_register(unsigned line, arch_irq_handler_t handler, void *context);

/*
 * A message-signalled interrupt: handler(context) is called in interrupt context when a device
 * writes `data` to the bus address `address`. Returns false if the machine does not support
 * messages or has none left. The handler is not shared, so it returns true. Free the message when
 * the device no longer sends it.
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
 * The clock, and a tick of ARCH_TICK_HZ that ends arch_wait(). arch_clock_ns() is the time since
 * arch_clock_init() in nanoseconds and never decreases. Any context.
 *
 * arch_clock_rest(true) is for an idle system: the tick becomes as slow as the timer can be, yet at
 * least ten a second. It has no effect where the time comes from the tick. false: ARCH_TICK_HZ again.
 */
enum { ARCH_TICK_HZ = 100 };
void arch_clock_init(void);
void arch_clock_rest(bool rest);
uint64_t arch_clock_ns(void);

/* The clock's source and its rate in kHz, for the console. */
const char *arch_clock_name(void);
uint32_t arch_clock_khz(void);

/*
 * Protects memory as far as the machine can: accesses to address 0 or below the stack, writes to
 * code and constants, and execution of anything but code raise an exception. Call it once with
 * interrupts off, after the loader's data has been read. memory_end: end of RAM. Returns a text
 * that says what is protected.
 */
const char *arch_protect(uintptr_t memory_end);

/*
 * True if the emulator omits memory barrier instructions, so that a register read must order a store
 * before a load: weak_barrier in virtio/virtio.h.
 */
bool arch_barrier_is_weak(void);

/* Gets a random number from the processor. Returns false if it has none. */
bool arch_random(uint32_t *value);

/*
 * Ends the run: with the emulator's exit code if there is one, else by switching off. A machine
 * with a screen but without an exit code first waits for a key, up to five minutes. A machine that
 * cannot switch itself off prints that and halts.
 */
_Noreturn void arch_exit(bool success);

/*
 * Power off and restart on a user's request. They return, without any effect, if the machine cannot
 * do it.
 */
void arch_power_off(void);
void arch_reboot(void);

#endif
