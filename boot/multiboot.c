/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Information from a Multiboot 1 loader (Multiboot Specification 0.6.96 §3.3 Boot information
 * format).
 */
#include <stdint.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/boot.h"
#include "boot/command_line.h"
#include "boot/image_path.h"
#include "runtime/panic.h"

enum {
    MULTIBOOT_LOADER_MAGIC = 0x2badb002,
    MULTIBOOT_INFO_MEMORY = 1 << 0,
    MULTIBOOT_INFO_COMMAND_LINE = 1 << 2,
    MULTIBOOT_INFO_MEMORY_MAP = 1 << 6,
    MULTIBOOT_INFO_LOADER_NAME = 1 << 9,
    MULTIBOOT_MEMORY_AVAILABLE = 1,
    HIGH_MEMORY = 0x100000, /* memory below belongs to the firmware, the loader and devices */
};

struct multiboot_info {
    uint32_t flags;
    uint32_t memory_lower; /* KiB */
    uint32_t memory_upper; /* KiB above 1 MiB */
    uint32_t boot_device;
    uint32_t command_line;
    uint32_t modules_count;
    uint32_t modules;
    uint32_t symbols[4];
    uint32_t memory_map_length; /* bytes */
    uint32_t memory_map;
    uint32_t drives_length;
    uint32_t drives;
    uint32_t configuration_table;
    uint32_t loader_name;
};

struct multiboot_memory {
    uint32_t size; /* of the fields that follow */
    uint64_t base;
    uint64_t length;
    uint32_t type;
} __attribute__((packed));

_Noreturn void multiboot_start(uint32_t magic, const struct multiboot_info *info);

extern char image_end[];

/* Makes [start, end) the boot memory if its part above `lowest` is larger than the current one. */
static void consider(struct boot_info *boot, uint64_t start, uint64_t end, uint64_t lowest)
{
    if (end > UINT32_MAX) {
        end = UINT32_MAX;
    }
    if (start < lowest) {
        start = lowest;
    }
    if (end > start && end - start > boot->memory_end - boot->memory_start) {
        boot->memory_start = (uintptr_t)start;
        boot->memory_end = (uintptr_t)end;
    }
}

/*
 * Reads the memory map. Stops at an entry that is shorter than its fields or that extends past the
 * end of the map, since the start of the next one is then unknown.
 */
static void read_map(struct boot_info *boot, const struct multiboot_info *info, uint64_t lowest)
{
    uint64_t at = info->memory_map;
    uint64_t end = at + info->memory_map_length;

    while (end <= (uint64_t)UINT32_MAX + 1 && end - at >= sizeof(struct multiboot_memory)) {
        const struct multiboot_memory *entry = (const struct multiboot_memory *)(uintptr_t)at;
        uint64_t whole = (uint64_t)entry->size + sizeof entry->size;

        if (whole < sizeof *entry || whole > end - at) {
            break;
        }
        /* If base + length overflows 64 bits, the sum is below base: the entry is ignored. */
        if (entry->type == MULTIBOOT_MEMORY_AVAILABLE) {
            consider(boot, entry->base, entry->base + entry->length, lowest);
        }
        at += whole;
    }
}

/*
 * lowest: the first address after the image. Modules are not used, so their memory counts as free.
 */
static void find_memory(struct boot_info *boot, const struct multiboot_info *info, uint64_t lowest)
{
    if (lowest < HIGH_MEMORY) {
        lowest = HIGH_MEMORY;
    }
    if (info->flags & MULTIBOOT_INFO_MEMORY_MAP) {
        read_map(boot, info, lowest);
    }
    if (boot->memory_end == 0 && info->flags & MULTIBOOT_INFO_MEMORY) {
        consider(boot, HIGH_MEMORY, HIGH_MEMORY + (uint64_t)info->memory_upper * 1024, lowest);
    }
}

/* GRUB 2 reports its name and puts no path in front of the arguments. */
static bool is_path_left_out(const struct multiboot_info *info)
{
    static const char grub[] = "GRUB 2.";

    return info->flags & MULTIBOOT_INFO_LOADER_NAME && info->loader_name != 0 &&
           strncmp((const char *)(uintptr_t)info->loader_name, grub, sizeof grub - 1) == 0;
}

void multiboot_start(uint32_t magic, const struct multiboot_info *info)
{
    struct boot_info boot = {.loader = "Multiboot", .command_line = ""};

    arch_console_init();
    if (magic != MULTIBOOT_LOADER_MAGIC) {
        panic("not started by a Multiboot 1 loader: use qemu-system-i386 -kernel, or GRUB's "
              "multiboot");
    }
    find_memory(&boot, info, (uintptr_t)image_end);
    if (info->flags & MULTIBOOT_INFO_COMMAND_LINE && info->command_line != 0) {
        boot.command_line =
            command_line_check((const char *)(uintptr_t)info->command_line, COMMAND_LINE_MAX);
        if (!is_path_left_out(info)) {
            boot.command_line = image_path_skip(boot.command_line);
        }
    }
    boot_start(&boot);
}
