/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot/multiboot.c with information from a loader, including invalid lengths, and the handling of
 * its command line. Addresses there have 32 bits, so the information is put in a page below 4 GiB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "boot/command_line.c"
#include "boot/multiboot.c"

enum {
    PAGE = 0x30000000,
    PAGE_SIZE = COMMAND_LINE_MAX * 2,
    LOWEST = 0x140000,
    MIB = 1 << 20,
};

char image_end[1];
static struct multiboot_info info;
static struct boot_info found;
static char parsed[4096];
static size_t file_size; /* as in fw_cfg's file directory */
static jmp_buf end;

void arch_console_init(void)
{
}

bool boot_argument_is_known(const char *name, size_t length)
{
    return length == 2 && strncmp(name, "ip", 2) == 0;
}

unsigned boot_arguments_parse(const char *command_line)
{
    strncpy(parsed, command_line, sizeof parsed - 1);
    return 0;
}

/* The file contains "dhcp", whatever length the directory says. */
size_t fw_cfg_read_file(const char *name, void *to, size_t size)
{
    (void)name;
    if (size != 0) {
        memcpy(to, "dhcp", size < 4 ? size : 4);
    }
    return file_size;
}

void *memory_alloc(size_t size, size_t align)
{
    (void)align;
    return malloc(size);
}

void memory_free(void *memory)
{
    free(memory);
}

void panic(const char *format, ...)
{
    (void)format;
    longjmp(end, 2);
}

static unsigned paths_skipped;

const char *image_path_skip(const char *command_line)
{
    paths_skipped++;
    return command_line;
}

_Noreturn void boot_start(const struct boot_info *boot)
{
    found = *boot;
    longjmp(end, 1);
}

static void *page(void)
{
    return (void *)(uintptr_t)PAGE;
}

static int reset(void **state)
{
    (void)state;
    memset(page(), 0, PAGE_SIZE);
    memset(parsed, 0, sizeof parsed);
    info = (struct multiboot_info){.memory_map = PAGE};
    found = (struct boot_info){.command_line = ""};
    file_size = 0;
    return 0;
}

static int make_page(void **state)
{
    (void)state;
    return mmap(page(), PAGE_SIZE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == page()
               ? 0
               : 1;
}

/* Appends an entry to the map; size: its size field. */
static void entry(uint32_t size, uint64_t base, uint64_t length, uint32_t type)
{
    struct multiboot_memory *at = (void *)((uint8_t *)page() + info.memory_map_length);

    info.flags |= MULTIBOOT_INFO_MEMORY_MAP;
    *at = (struct multiboot_memory){size, base, length, type};
    info.memory_map_length += (uint32_t)sizeof *at;
}

static void find(void)
{
    find_memory(&found, &info, LOWEST);
}

static void the_largest_part_is_taken(void **state)
{
    (void)state;
    entry(20, 0, 0x9f000, 1);
    entry(20, 0x100000, 15 * MIB, 1);
    entry(20, 16 * MIB, 64 * MIB, 2);
    entry(20, 80 * MIB, 32 * MIB, 1);
    entry(20, (uint64_t)4 << 30, (uint64_t)4 << 30, 1);
    find();
    assert_int_equal(found.memory_start, 80 * MIB);
    assert_int_equal(found.memory_end, 112 * MIB);
}

static void our_image_is_left_out(void **state)
{
    (void)state;
    entry(20, 0x100000, 15 * MIB, 1);
    find();
    assert_int_equal(found.memory_start, LOWEST);
    assert_int_equal(found.memory_end, 16 * MIB);
}

/* An entry need not begin at 1 MiB: v86's begins after the screen memory. */
static void an_entry_may_begin_below_1_mib(void **state)
{
    (void)state;
    entry(20, 0, 0xa0000, 1);
    entry(20, 0xc0000, 16 * MIB - 0xc0000, 1);
    find();
    assert_int_equal(found.memory_start, LOWEST);
    assert_int_equal(found.memory_end, 16 * MIB);
    found = (struct boot_info){0};
    find_memory(&found, &info, 0x10000);
    assert_int_equal(found.memory_start, HIGH_MEMORY);
}

/* size + 4 needs 33 bits: with 32, the sum would be 0 and the loop endless. */
static void entry_sizes_that_cannot_be_end_the_map(void **state)
{
    static const uint32_t sizes[] = {0xfffffffc, 0xffffffff, 0xfffffff8, 0x80000000, 0, 4, 19, 21};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        reset(NULL);
        entry(20, 0x100000, 15 * MIB, 1);
        entry(sizes[i], 16 * MIB, 64 * MIB, 1);
        find();
        assert_int_equal(found.memory_end, 16 * MIB);
    }
}

static void longer_entries_are_skipped_as_they_say(void **state)
{
    (void)state;
    entry(20 + 24, 0x100000, 15 * MIB, 2);
    entry(0, 0, 0, 1);
    entry(20, 16 * MIB, 64 * MIB, 1);
    find();
    assert_int_equal(found.memory_end, 80 * MIB);
}

/* Entries that extend beyond the end of the map or of the address space are not read. */
static void maps_that_pass_an_end(void **state)
{
    (void)state;
    entry(20, 0x100000, 15 * MIB, 1);
    entry(20, 16 * MIB, 64 * MIB, 1);
    info.memory_map_length--;
    find();
    assert_int_equal(found.memory_end, 16 * MIB);
    for (uint32_t length = 0xfffffff0; length > 16; length >>= 1) {
        found = (struct boot_info){0};
        info.memory_map = 0xfffffff0;
        info.memory_map_length = length;
        find();
        assert_int_equal(found.memory_end, 0);
    }
}

static void memory_that_passes_the_end_of_64_bits_is_none(void **state)
{
    (void)state;
    entry(20, 0x100000, UINT64_MAX, 1);
    entry(20, UINT64_MAX - 15, 0x20000000, 1);
    entry(20, 0x80000, UINT64_MAX, 1);
    find();
    assert_int_equal(found.memory_end, 0);
}

static void memory_behind_4_gib_is_cut_off(void **state)
{
    (void)state;
    entry(20, 0x100000, (uint64_t)1 << 40, 1);
    find();
    assert_int_equal(found.memory_start, LOWEST);
    assert_int_equal(found.memory_end, UINT32_MAX);
}

/* Without a map, and with a map without memory. */
static void upper_memory_is_taken_instead(void **state)
{
    (void)state;
    info.flags = MULTIBOOT_INFO_MEMORY;
    info.memory_upper = 15 << 10;
    find();
    assert_int_equal(found.memory_end, 16 * MIB);
    found = (struct boot_info){0};
    info.flags |= MULTIBOOT_INFO_MEMORY_MAP;
    find();
    assert_int_equal(found.memory_end, 16 * MIB);
    found = (struct boot_info){0};
    info.memory_upper = UINT32_MAX;
    find();
    assert_int_equal(found.memory_end, UINT32_MAX);
}

static int start(uint32_t magic)
{
    int how = setjmp(end);

    if (how == 0) {
        multiboot_start(magic, &info);
    }
    return how;
}

static void the_command_line_needs_an_end(void **state)
{
    (void)state;
    info.flags = MULTIBOOT_INFO_COMMAND_LINE;
    info.command_line = PAGE;
    strcpy(page(), "ip=10.0.0.2");
    assert_int_equal(start(MULTIBOOT_LOADER_MAGIC), 1);
    assert_string_equal(found.command_line, "ip=10.0.0.2");
    memset(page(), 'x', PAGE_SIZE);
    assert_int_equal(start(MULTIBOOT_LOADER_MAGIC), 1);
    assert_string_equal(found.command_line, "");
    info.command_line = 0;
    assert_int_equal(start(MULTIBOOT_LOADER_MAGIC), 1);
    assert_string_equal(found.command_line, "");
    assert_int_equal(start(0), 2);
}

static void grub_2_puts_no_path_there(void **state)
{
    static const struct {
        const char *loader;
        bool path;
    } cases[] = {{"qemu", true}, {"GNU GRUB 0.97", true}, {"SYSLINUX 6.04", true},
                 {"", true},     {"GRUB 2.", false},      {"GRUB 2.06-13+deb12u2", false}};

    (void)state;
    info.flags = MULTIBOOT_INFO_COMMAND_LINE | MULTIBOOT_INFO_LOADER_NAME;
    info.command_line = PAGE;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        paths_skipped = 0;
        strcpy(page(), "dhpc mode=irq");
        info.loader_name = PAGE + 64;
        strcpy((char *)page() + 64, cases[i].loader);
        assert_int_equal(start(MULTIBOOT_LOADER_MAGIC), 1);
        assert_int_equal(paths_skipped, cases[i].path);
    }
    info.loader_name = 0;
    assert_int_equal(start(MULTIBOOT_LOADER_MAGIC), 1);
    assert_int_equal(paths_skipped, 1);
}

/* QEMU puts the command line directly after the image, where free memory begins. */
static void the_command_line_is_kept_out_of_the_free_memory(void **state)
{
    static const char text[] = "ip=10.0.0.2/24 mode=irq";

    (void)state;
    for (unsigned at = 0; at < 64; at++) {
        uintptr_t memory = PAGE + 32;
        char *line = (char *)page() + at;

        memset(page(), 0, PAGE_SIZE);
        strcpy(line, text);
        assert_string_equal(command_line_move(line, &memory), text);
        assert_int_equal(memory, PAGE + 32 + sizeof text);
    }
}

static void a_file_of_any_length_is_read_up_to_a_limit(void **state)
{
    static const size_t sizes[] = {COMMAND_LINE_MAX + 1, 0x7fffffff, 0xfffffffd, 0xffffffff,
                                   SIZE_MAX};

    (void)state;
    file_size = 4;
    command_line_parse("mode=irq");
    assert_string_equal(parsed, "mode=irq dhcp");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        file_size = sizes[i];
        command_line_parse("mode=irq");
        assert_memory_equal(parsed, "mode=irq dhcp ", 14);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_largest_part_is_taken, reset),
        cmocka_unit_test_setup(our_image_is_left_out, reset),
        cmocka_unit_test_setup(an_entry_may_begin_below_1_mib, reset),
        cmocka_unit_test_setup(entry_sizes_that_cannot_be_end_the_map, reset),
        cmocka_unit_test_setup(longer_entries_are_skipped_as_they_say, reset),
        cmocka_unit_test_setup(maps_that_pass_an_end, reset),
        cmocka_unit_test_setup(memory_that_passes_the_end_of_64_bits_is_none, reset),
        cmocka_unit_test_setup(memory_behind_4_gib_is_cut_off, reset),
        cmocka_unit_test_setup(upper_memory_is_taken_instead, reset),
        cmocka_unit_test_setup(grub_2_puts_no_path_there, reset),
        cmocka_unit_test_setup(the_command_line_needs_an_end, reset),
        cmocka_unit_test_setup(the_command_line_is_kept_out_of_the_free_memory, reset),
        cmocka_unit_test_setup(a_file_of_any_length_is_read_up_to_a_limit, reset),
    };

    return cmocka_run_group_tests(tests, make_page, NULL);
}
