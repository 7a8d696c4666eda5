/* SPDX-License-Identifier: BSD-2-Clause */
/* Input from a loader and QEMU's configuration device: command line, memory map, files. */
#include <setjmp.h>
#include <string.h>

#include "arena.h"
#include "boot/arguments.h"
#include "boot/arguments_check.h"
#include "boot/boot.h"
#include "boot/command_line.h"
#include "boot/fw_cfg.h"
#include "host.h"
#include "input.h"

enum { LOADER_MAGIC = 0x2badb002, INFO_SIZE = 88, MAP_MAX = 256, FILE_MAX = 512, ENTRY = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
_Noreturn void multiboot_start(uint32_t magic, const void *info);

char image_end[1];
static struct boot_arguments defaults;
static jmp_buf started;

static void check_arguments(void)
{
    const struct boot_arguments *a = &boot_arguments;

    fuzz_check(memchr(a->name, 0, sizeof a->name) != NULL, "a name without an end");
    fuzz_check(memchr(a->features, 0, sizeof a->features) != NULL, "features without an end");
    fuzz_check(a->mode <= BOOT_MODE_POLL && a->transport <= BOOT_TRANSPORT_MODERN &&
                   a->fence <= BOOT_FENCE_OFF && a->irq <= BOOT_IRQ_MSIX &&
                   a->conflict <= BOOT_CONFLICT_EXIT && a->proto <= BOOT_PROTOCOL_TCP &&
                   a->dir <= BOOT_DIRECTION_UNSAID && a->answer <= BOOT_ANSWER_ANY,
               "an argument has a value that there is not");
    for (unsigned i = 0; i < BOOT_CARDS; i++) {
        fuzz_check(a->ip[i].prefix <= 32 && a->gw[i].prefix <= 32, "a prefix beyond 32 bits");
        fuzz_check(a->vlan[i] <= BOOT_VLAN_MAX, "a VLAN that there is not");
    }
}

void boot_start(const struct boot_info *info)
{
    fuzz_check(info->memory_start <= info->memory_end, "memory that ends before it begins");
    boot_arguments = defaults;
    command_line_parse(info->command_line);
    check_arguments();
    boot_arguments_check_cards(input_byte() % (BOOT_CARDS + 1));
    longjmp(started, 1);
}

static void put(uint8_t *at, unsigned width, uint32_t value)
{
    for (unsigned i = 0; i < width; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

/* A text from the input. whole: of the maximum length, and not terminated. */
static char *make_text(size_t length, bool whole)
{
    char *text = arena_take(whole ? COMMAND_LINE_MAX : length + 1, 1);

    if (whole) {
        memset(text, 'x', COMMAND_LINE_MAX);
    } else {
        text[length] = '\0';
    }
    input_bytes(text, length);
    return text;
}

/* A directory of a few files with lengths from the input, or of arbitrary bytes. */
static void make_fw_cfg(unsigned kind)
{
    static uint8_t directory[4 + 4 * ENTRY], file[FILE_MAX];
    uint32_t files = input_byte() % 4;

    memset(directory, 0, sizeof directory);
    memset(file, 0, sizeof file);
    if (kind & 1) {
        input_bytes(directory + 3,
                    sizeof directory - 3); /* few files, since reading them takes time */
    } else {
        directory[3] = (uint8_t)files;
    }
    for (uint32_t i = 0; i < files && !(kind & 1); i++) {
        uint8_t *entry = directory + 4 + i * ENTRY;

        put(entry, 4, input_byte() % 64 == 1 ? input_u32() : (uint32_t)input_byte() << 24);
        entry[5] = 0x20;
        strcpy((char *)entry + 8, i % 2 == 0 ? "opt/vtnet/append" : "opt/vtnet/seed");
    }
    input_bytes(file, input_byte());
    host_fw_cfg(directory, kind & 2 ? 0 : sizeof directory, file, sizeof file);
}

/* This program is linked to addresses of 32 bits. */
static uint32_t address_of(const void *memory)
{
    return (uint32_t)(uintptr_t)memory;
}

static void boot(unsigned kind)
{
    static uint8_t info[INFO_SIZE];
    uint8_t *map = arena_take(MAP_MAX, 1);
    unsigned map_size = input_below(MAP_MAX + 1);

    input_bytes(map, map_size);
    put(info, 4, input_u16());
    put(info + 8, 4, input_u32());
    put(info + 44, 4, map_size);
    put(info + 48, 4, address_of(map));
    put(info + 64, 4, kind & 8 ? address_of("GRUB 2.06") : 0);
    put(info + 16, 4, address_of(make_text(input_left(), kind & 16)));
    if (setjmp(started) == 0) {
        multiboot_start(LOADER_MAGIC, info);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool known;
    uint8_t seed[64];
    unsigned kind;

    if (!known) {
        known = true;
        defaults = boot_arguments;
    }
    arena_reset(0);
    input_set(data, size);
    kind = input_byte();
    make_fw_cfg(kind);
    (void)fw_cfg_read_file("opt/vtnet/seed", seed, sizeof seed);
    (void)fw_cfg_memory_size();
    if (kind & 4) {
        boot(kind);
        return 0;
    }
    boot_arguments = defaults;
    command_line_parse(make_text(input_left(), false));
    check_arguments();
    return 0;
}
