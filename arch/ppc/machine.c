/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that are specific to QEMU's PReP machines: exit and barriers.
 *
 * These machines have neither isa-debug-exit nor a power switch. At the end of a run:
 *
 * - A failure is reported to QEMU's panic device, if there is one. With "-device pvpanic-pci
 *   -action panic=exit-failure" QEMU exits with code 1.
 * - Otherwise, and on success, the keyboard controller resets the machine. With "-no-reboot"
 *   QEMU exits with code 0. Without it the machine restarts, detects that, and halts.
 */
#include <stdio.h>

#include "arch/arch.h"
#include "arch/ppc/internal.h"

enum {
    KEYBOARD_COMMAND = 0x64,
    KEYBOARD_PULSE_RESET = 0xfe,
    RESET_PATIENCE_NS = 100000000,

    /* PCI configuration, directly: pci/ is a higher layer. */
    CONFIG_ADDRESS = 0xcf8,
    CONFIG_DATA = 0xcfc,
    CONFIG_ID = 0x00,
    CONFIG_COMMAND = 0x04,
    CONFIG_BAR0 = 0x10,
    COMMAND_MEMORY = 0x2,
    SLOTS = 32,

    PVPANIC_PCI_ID = 0x00111b36, /* device and vendor */
    PVPANIC_PANICKED = 0x1,
    PVPANIC_ADDRESS = ARCH_BUS_MEMORY_FIRST - 0x1000, /* below the range that pci/ assigns */
};

/* Below the vectors, in RAM that no image uses and that a reset preserves. */
static volatile uint32_t *const end_mark = (volatile uint32_t *)0xf0;
#define END_MARK 0x656e6421u

static uint32_t read_config(unsigned slot, unsigned offset)
{
    arch_io_write32(CONFIG_ADDRESS, 0x80000000u | slot << 11 | offset);
    return arch_io_read32(CONFIG_DATA);
}

static void write_config(unsigned slot, unsigned offset, uint32_t value)
{
    arch_io_write32(CONFIG_ADDRESS, 0x80000000u | slot << 11 | offset);
    arch_io_write32(CONFIG_DATA, value);
}

static void report_panic(void)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (read_config(slot, CONFIG_ID) == PVPANIC_PCI_ID) {
            write_config(slot, CONFIG_BAR0, PVPANIC_ADDRESS);
            write_config(slot, CONFIG_COMMAND, COMMAND_MEMORY);
            arch_bus_write8(PVPANIC_ADDRESS, PVPANIC_PANICKED);
        }
    }
}

void arch_exit(bool success)
{
    arch_interrupts_off();
    if (!success) {
        report_panic();
    }
    /* The page of the mark is not mapped. */
    arch_write_msr(arch_read_msr() & ~ARCH_MSR_TRANSLATION);
    *end_mark = END_MARK;
    arch_io_write8(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
    for (;;) {
    }
}

void arch_power_off(void)
{
    printf(
        "vtnet: this machine has no power switch: the run ends with a reset, after which it halts "
        "(-no-reboot ends QEMU)\n");
    arch_exit(true);
}

/*
 * Port 0x92 would only reset the processor: the card would continue to run, and the image would not
 * be reloaded.
 */
void arch_reboot(void)
{
    uint64_t start = arch_clock_ns();

    arch_io_write8(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
    while (arch_clock_ns() - start < RESET_PATIENCE_NS) {
    }
}

bool ppc_run_has_ended(void)
{
    bool ended = *end_mark == END_MARK;

    *end_mark = 0;
    return ended;
}

void ppc_halt(void)
{
    for (;;) {
        arch_interrupts_off();
        arch_wait();
    }
}

/* These machines always run under QEMU's TCG with one virtual CPU. */
bool arch_barrier_is_weak(void)
{
    return true;
}

bool arch_random(uint32_t *value)
{
    (void)value;
    return false;
}
