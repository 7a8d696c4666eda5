/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that are specific to QEMU's PC: exit, barriers, random numbers. */
#include <stdio.h>

#include "arch/arch.h"
#include "arch/i386/internal.h"

enum {
    DEBUG_EXIT = 0xf4, /* QEMU's isa-debug-exit: QEMU exits with code value * 2 + 1 */
    DEBUG_EXIT_SUCCESS = 0x10,
    DEBUG_EXIT_FAILURE = 0x11,
    ACPI_PM1A_QEMU = 0x604, /* address set by QEMU's firmware on the PIIX4 and ICH9 boards */
    ACPI_PM1A_BOCHS = 0xb004,
    ACPI_SLEEP_S5 = 0x2000,
    NO_DEVICE8 = 0xff, /* value of a port without a device */
    NO_DEVICE16 = 0xffff,
    KEYBOARD_DATA = 0x60,
    KEYBOARD_STATUS = 0x64,
    KEYBOARD_HAS_DATA = 0x01,
    KEYBOARD_IS_BUSY = 0x02,
    KEYBOARD_PULSE_RESET = 0xfe,
    RESET_CONTROL = 0xcf9, /* in PCI chip sets since the PIIX3 */
    RESET_CONTROL_FULL = 0x02,
    RESET_CONTROL_NOW = 0x06,
    POWER_PATIENCE = 100000, /* port reads of about 1 us each */
    KEYBOARD_BUFFER = 16,
    KEY_PATIENCE_S = 300,
    CPUID_HYPERVISOR = 0x40000000,
    CPUID_ECX_RDRAND = 1 << 30,
    RDRAND_TRIES = 10, /* recommended by the processor's manual */
    EFLAGS_ID = 1 << 21,
};

static bool take_key(void)
{
    uint8_t status = arch_io_read8(KEYBOARD_STATUS);

    if (status != NO_DEVICE8 && status & KEYBOARD_HAS_DATA) {
        arch_io_read8(KEYBOARD_DATA);
        return true;
    }
    return arch_console_getc() >= 0;
}

/*
 * Keys pressed earlier are discarded. The text goes to the serial console too: the guest cannot
 * know that the screen is invisible (QEMU's -display none), and a reader of the log must see why it
 * waits.
 */
static void wait_for_key(void)
{
    for (unsigned i = 0; i < KEYBOARD_BUFFER && take_key(); i++) {
    }
    printf("\nvtnet: the run has ended. Press a key to switch the machine off, or close the\n"
           "vtnet: window; it goes off by itself in 5 minutes (with -nographic, at once)\n");
    i386_interrupts_only_tick();
    arch_clock_rest(false);
    for (unsigned i = 0; i < KEY_PATIENCE_S * ARCH_TICK_HZ && !take_key(); i++) {
        arch_interrupts_off();
        arch_wait();
    }
    arch_interrupts_off();
}

/* The port of the power switch, or 0. */
static uint32_t power_port(void)
{
    return arch_io_read16(ACPI_PM1A_QEMU) != NO_DEVICE16    ? ACPI_PM1A_QEMU
           : arch_io_read16(ACPI_PM1A_BOCHS) != NO_DEVICE16 ? ACPI_PM1A_BOCHS
                                                            : 0;
}

_Noreturn void arch_exit(bool success)
{
    uint32_t port = power_port();

    arch_interrupts_off();
    arch_io_write32(DEBUG_EXIT, success ? DEBUG_EXIT_SUCCESS : DEBUG_EXIT_FAILURE);
    /* Still running: there is no isa-debug-exit, so this is not a test. Switch the machine off. */
    if (port == 0) {
        printf("\nvtnet: the run has ended. This machine cannot switch itself off: end QEMU by "
               "hand\n");
    } else {
        if (i386_screen_is_present()) {
            wait_for_key();
        }
        arch_io_write16(port, ACPI_SLEEP_S5);
    }
    for (;;) {
        __asm__ volatile("hlt");
    }
}

/* The request may take a moment. */
static void wait_for_power(void)
{
    for (unsigned i = 0; i < POWER_PATIENCE; i++) {
        (void)arch_io_read8(KEYBOARD_STATUS);
    }
}

/* isa-debug-exit ends QEMU, as in arch_exit(). */
void arch_power_off(void)
{
    uint32_t port = power_port();

    arch_io_write32(DEBUG_EXIT, DEBUG_EXIT_SUCCESS);
    if (port != 0) {
        arch_io_write16(port, ACPI_SLEEP_S5);
    }
    wait_for_power();
}

void arch_reboot(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) nothing = {0, 0};

    for (unsigned i = 0; i < POWER_PATIENCE && arch_io_read8(KEYBOARD_STATUS) & KEYBOARD_IS_BUSY;
         i++) {
    }
    arch_io_write8(KEYBOARD_STATUS, KEYBOARD_PULSE_RESET);
    wait_for_power();
    arch_io_write8(RESET_CONTROL, RESET_CONTROL_FULL);
    arch_io_write8(RESET_CONTROL, RESET_CONTROL_NOW);
    /* Without both: an exception that no handler can take (triple fault). */
    __asm__ volatile("lidt %0\n\tint3" ::"m"(nothing));
}

/* CPUID exists if the ID flag can be changed. */
bool i386_cpuid(uint32_t leaf, struct i386_cpuid *answer)
{
    uint32_t before, after;

    __asm__ volatile("pushfl\n\tpopl %0\n\tmovl %0, %1\n\txorl %2, %1\n\tpushl %1\n\tpopfl\n\t"
                     "pushfl\n\tpopl %1"
                     : "=&r"(before), "=&r"(after)
                     : "i"(EFLAGS_ID));
    if (!((before ^ after) & EFLAGS_ID)) {
        return false;
    }
    __asm__ volatile("cpuid"
                     : "=a"(answer->eax), "=b"(answer->ebx), "=c"(answer->ecx), "=d"(answer->edx)
                     : "a"(leaf));
    return true;
}

/* Under TCG, CPUID's hypervisor leaf spells "TCG". A processor without CPUID is an emulated 486. */
bool arch_barrier_is_weak(void)
{
    struct i386_cpuid id;

    return !i386_cpuid(CPUID_HYPERVISOR, &id) ||
           id.ebx == 0x54474354; /* "TCGT" of "TCGTCGTCGTCG" */
}

bool arch_random(uint32_t *value)
{
    struct i386_cpuid id;
    bool good = false;

    if (!i386_cpuid(1, &id) || !(id.ecx & CPUID_ECX_RDRAND)) {
        return false;
    }
    for (unsigned i = 0; i < RDRAND_TRIES && !good; i++) {
        __asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(*value), "=qm"(good)::"cc");
    }
    return good;
}
