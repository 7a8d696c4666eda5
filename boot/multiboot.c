/* SPDX-License-Identifier: BSD-2-Clause */
/* What a Multiboot 1 loader tells (Multiboot Specification 0.6.96 §3.3 Boot information format). */
#include <stdint.h>

#include "arch/arch.h"
#include "boot/boot.h"
#include "boot/image_path.h"
#include "runtime/panic.h"

enum {
    MULTIBOOT_LOADER_MAGIC = 0x2badb002,
    MULTIBOOT_INFO_MEMORY = 1 << 0,
    MULTIBOOT_INFO_COMMAND_LINE = 1 << 2,
    MULTIBOOT_INFO_MEMORY_MAP = 1 << 6,
    MULTIBOOT_MEMORY_AVAILABLE = 1,
    HIGH_MEMORY = 0x100000, /* what lies below is the firmware's, the loader's and devices' */
};

struct multiboot_info {
    uint32_t flags;
    uint32_t memory_lower; /* KiB */
    uint32_t memory_upper; /* KiB from 1 MiB on */
    uint32_t boot_device;
    uint32_t command_line;
    uint32_t modules_count;
    uint32_t modules;
    uint32_t symbols[4];
    uint32_t memory_map_length; /* bytes */
    uint32_t memory_map;
};

struct multiboot_memory {
    uint32_t size; /* of what follows */
    uint64_t base;
    uint64_t length;
    uint32_t type;
} __attribute__((packed));

_Noreturn void multiboot_start(uint32_t magic, const struct multiboot_info *info);

extern char image_end[];

/* Makes [start, end) the boot memory if what of it lies behind our image is more than that. */
static void consider(struct boot_info *boot, uint64_t start, uint64_t end)
{
    if (end > UINT32_MAX) {
        end = UINT32_MAX;
    }
    if (start < (uintptr_t)image_end) {
        start = (uintptr_t)image_end;
    }
    if (start >= HIGH_MEMORY && end > start &&
        end - start > boot->memory_end - boot->memory_start) {
        boot->memory_start = (uintptr_t)start;
        boot->memory_end = (uintptr_t)end;
    }
}

static void find_memory(struct boot_info *boot, const struct multiboot_info *info)
{
    if (info->flags & MULTIBOOT_INFO_MEMORY_MAP) {
        uint32_t at = info->memory_map;
        uint32_t end = at + info->memory_map_length;

        while (at + sizeof(struct multiboot_memory) <= end) {
            const struct multiboot_memory *entry = (const struct multiboot_memory *)at;

            if (entry->type == MULTIBOOT_MEMORY_AVAILABLE) {
                consider(boot, entry->base, entry->base + entry->length);
            }
            at += entry->size + (uint32_t)sizeof entry->size;
        }
    } else if (info->flags & MULTIBOOT_INFO_MEMORY) {
        consider(boot, HIGH_MEMORY, HIGH_MEMORY + (uint64_t)info->memory_upper * 1024);
    }
}

void multiboot_start(uint32_t magic, const struct multiboot_info *info)
{
    struct boot_info boot = {.loader = "Multiboot", .command_line = ""};

    arch_console_init();
    if (magic != MULTIBOOT_LOADER_MAGIC) {
        panic("not started by a Multiboot 1 loader: use qemu-system-i386 -kernel, or GRUB's "
              "multiboot");
    }
    find_memory(&boot, info);
    if (info->flags & MULTIBOOT_INFO_COMMAND_LINE) {
        boot.command_line = image_path_skip((const char *)info->command_line);
    }
    boot_start(&boot);
}
