/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gets the memory size and the command line of a PReP machine. QEMU's 40p provides them by fw_cfg.
 * QEMU's prep machine (before 5.2) has no fw_cfg: it writes them to the non-volatile RAM, where its
 * firmware Open Hack'Ware used to read them.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/ppc/internal.h"
#include "boot/boot.h"
#include "boot/command_line.h"
#include "boot/fw_cfg.h"
#include "runtime/panic.h"

enum {
    NVRAM_ADDRESS_LOW = 0x74,
    NVRAM_ADDRESS_HIGH = 0x75,
    NVRAM_DATA = 0x77,
    NVRAM_MEMORY_SIZE = 0x30, /* 32 bits each, big-endian */
    NVRAM_COMMAND_LINE = 0x40,
    NVRAM_COMMAND_LINE_LENGTH = 0x44,

    /* The PC87312 "super I/O" */
    SUPER_IO_INDEX = 0x398,
    SUPER_IO_DATA = 0x399,
    SUPER_IO_FUNCTION_ENABLE = 0,
    SUPER_IO_FER_UART1 = 0x02,

    MSR_TRANSLATION = 0x30,
    MEMORY_DEFAULT = 16 << 20, /* the smallest size of these machines */
};
#define NVRAM_SIGNATURE "QEMU_BIOS"
#define MEMORY_MAX 0x80000000u /* start of PCI in the address map */

extern char image_start[], image_end[];

_Noreturn void prep_start(uintptr_t started_at, uint32_t msr);

static uint8_t nvram_read8(unsigned offset)
{
    arch_io_write8(NVRAM_ADDRESS_LOW, (uint8_t)offset);
    arch_io_write8(NVRAM_ADDRESS_HIGH, (uint8_t)(offset >> 8));
    return arch_io_read8(NVRAM_DATA);
}

static uint32_t nvram_read32(unsigned offset)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        value = value << 8 | nvram_read8(offset + i);
    }
    return value;
}

static bool nvram_is_filled(void)
{
    for (unsigned i = 0; i < sizeof NVRAM_SIGNATURE; i++) {
        if (nvram_read8(i) != (uint8_t)NVRAM_SIGNATURE[i]) {
            return false;
        }
    }
    return true;
}

/*
 * The command line, where QEMU put it, terminated by a 0. That memory will be allocated later, so
 * boot_start() moves the text first.
 */
static const char *nvram_command_line(void)
{
    uint32_t address = nvram_read32(NVRAM_COMMAND_LINE);
    uint32_t length = nvram_read32(NVRAM_COMMAND_LINE_LENGTH);
    uint32_t memory = nvram_read32(NVRAM_MEMORY_SIZE);

    if (length == 0 || address >= memory) {
        return "";
    }
    return command_line_check((const char *)(uintptr_t)address, memory - address);
}

static void find_memory(struct boot_info *boot, bool nvram)
{
    uint64_t size = fw_cfg_memory_size();

    if (size == 0) {
        size = nvram ? nvram_read32(NVRAM_MEMORY_SIZE) : MEMORY_DEFAULT;
    }
    boot->memory_start = (uintptr_t)image_end;
    boot->memory_end = size < MEMORY_MAX ? (uintptr_t)size : MEMORY_MAX;
}

/* The chip accepts a value only if it is written twice in a row. */
static void switch_serial_port_on(void)
{
    uint8_t enabled;

    arch_io_write8(SUPER_IO_INDEX, SUPER_IO_FUNCTION_ENABLE);
    enabled = arch_io_read8(SUPER_IO_DATA);
    if (!(enabled & SUPER_IO_FER_UART1)) {
        arch_io_write8(SUPER_IO_DATA, enabled | SUPER_IO_FER_UART1);
        arch_io_write8(SUPER_IO_DATA, enabled | SUPER_IO_FER_UART1);
    }
}

static const char *loader_name(uintptr_t started_at, uint32_t msr)
{
    if (started_at == (uintptr_t)image_start) {
        return "the reset vector";
    }
    return msr & MSR_TRANSLATION ? "OpenBIOS" : "a ROM";
}

void prep_start(uintptr_t started_at, uint32_t msr)
{
    bool nvram = nvram_is_filled();
    struct boot_info boot = {
        .loader = loader_name(started_at, msr),
        .command_line = "",
    };

    switch_serial_port_on();
    if (ppc_run_has_ended()) {
        arch_console_init();
        arch_interrupts_init();
        printf("vtnet: the run has ended; start QEMU with -no-reboot to make it end as well\n");
        ppc_halt();
    }
    find_memory(&boot, nvram);
    if (nvram) {
        arch_console_init();
        boot.command_line = nvram_command_line();
    }
    boot_start(&boot);
}
