/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot/prep_machine.c on fakes of the chips that it reads: the non-volatile RAM as filled by QEMU
 * 4.2's prep, and the "super I/O". The source is included, since it uses the machine's addresses:
 * the test's memory must be where the non-volatile RAM says.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_pci.h"

#include "boot/prep_machine.c"

#include "boot/command_line.c"

enum {
    NVRAM_SIZE = 0x2000,
    COMMAND_LINE = 0x017ff000, /* as in QEMU */
    COMMAND_LINE_ROOM = 0x10000,
    MSR_OF_OPENBIOS = 0x2030,
};

static struct {
    uint8_t nvram[NVRAM_SIZE];
    unsigned nvram_address;
    uint8_t super_io_index;
    uint8_t function_enable;
    int pending; /* a value written once to the super I/O; -1: none */
    uint64_t fw_cfg_memory;
    bool has_ended;
    unsigned consoles;
} machine;

static jmp_buf end;
static struct boot_info started;
static char started_line[COMMAND_LINE_ROOM];
char image_start[16], image_end[1];

uint8_t arch_io_read8(uint32_t port)
{
    if (port == NVRAM_DATA) {
        return machine.nvram[machine.nvram_address % NVRAM_SIZE];
    }
    assert_int_equal(port, SUPER_IO_DATA);
    assert_int_equal(machine.super_io_index, SUPER_IO_FUNCTION_ENABLE);
    machine.pending = -1;
    return machine.function_enable;
}

void arch_io_write8(uint32_t port, uint8_t value)
{
    switch (port) {
    case NVRAM_ADDRESS_LOW:
        machine.nvram_address = (machine.nvram_address & 0xff00) | value;
        break;
    case NVRAM_ADDRESS_HIGH:
        machine.nvram_address = (machine.nvram_address & 0xff) | (unsigned)value << 8;
        break;
    case SUPER_IO_INDEX:
        machine.super_io_index = value;
        machine.pending = -1;
        break;
    default:
        assert_int_equal(port, SUPER_IO_DATA);
        if (machine.pending == value) {
            machine.function_enable = value;
        }
        machine.pending = machine.pending == value ? -1 : value;
    }
}

uint64_t fw_cfg_memory_size(void)
{
    return machine.fw_cfg_memory;
}

size_t fw_cfg_read_file(const char *name, void *to, size_t size)
{
    (void)name;
    (void)to;
    (void)size;
    return 0;
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

unsigned boot_arguments_parse(const char *command_line)
{
    (void)command_line;
    return 0;
}

void arch_console_init(void)
{
    machine.consoles++;
}

void arch_interrupts_init(void)
{
}

bool ppc_run_has_ended(void)
{
    return machine.has_ended;
}

_Noreturn void ppc_halt(void)
{
    longjmp(end, 1);
}

_Noreturn void boot_start(const struct boot_info *info)
{
    started = *info;
    strncpy(started_line, info->command_line, sizeof started_line - 1);
    longjmp(end, 1);
}

static void start(uintptr_t at, uint32_t msr)
{
    started = (struct boot_info){0};
    memset(started_line, 0, sizeof started_line);
    if (setjmp(end) == 0) {
        prep_start(at, msr);
    }
}

static void nvram_write32(unsigned offset, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        machine.nvram[offset + i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static void fill_nvram(uint32_t memory, const char *line)
{
    memcpy(machine.nvram, "QEMU_BIOS", 10);
    nvram_write32(0x30, memory);
    if (line != NULL) {
        strcpy((char *)(uintptr_t)COMMAND_LINE, line);
        nvram_write32(0x40, COMMAND_LINE);
        nvram_write32(0x44, (uint32_t)strlen(line));
    }
}

static int reset(void **state)
{
    (void)state;
    memset(&machine, 0, sizeof machine);
    memset(machine.nvram, 0xff, 256);
    machine.function_enable = 0x4f;
    machine.pending = -1;
    memset((void *)(uintptr_t)COMMAND_LINE, 'x', COMMAND_LINE_ROOM);
    return 0;
}

static int make_memory(void **state)
{
    void *memory = mmap((void *)(uintptr_t)COMMAND_LINE, COMMAND_LINE_ROOM, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    (void)state;
    return memory == (void *)(uintptr_t)COMMAND_LINE ? 0 : 1;
}

static void prep_tells_memory_and_command_line(void **state)
{
    (void)state;
    fill_nvram(128 << 20, "ip=10.0.0.2/24 mode=irq");
    start((uintptr_t)image_start, 0x1000);
    assert_int_equal(started.memory_end, 128 << 20);
    assert_ptr_equal((void *)started.memory_start, image_end);
    assert_string_equal(started_line, "ip=10.0.0.2/24 mode=irq");
}

static void a_long_command_line_is_whole(void **state)
{
    static char line[20001];

    (void)state;
    memset(line, 'a', sizeof line - 1);
    line[sizeof line - 2] = 'z';
    fill_nvram(128 << 20, line);
    start((uintptr_t)image_start, 0x1000);
    assert_string_equal(started_line, line);
}

/* QEMU rejects "-append" without "-kernel"; the address may then be outside of memory. */
static void without_a_command_line_nothing_is_read(void **state)
{
    (void)state;
    fill_nvram(128 << 20, NULL);
    nvram_write32(0x40, 0x1000);
    nvram_write32(0x44, 0);
    start((uintptr_t)image_start, 0x1000);
    assert_string_equal(started_line, "");
}

static void a_command_line_behind_the_memory_is_none(void **state)
{
    (void)state;
    fill_nvram(16 << 20, "ip=10.0.0.2/24");
    start((uintptr_t)image_start, 0x1000);
    assert_string_equal(started_line, "");
    assert_int_equal(started.memory_end, 16 << 20);
}

static void a_command_line_that_passes_the_end_of_the_memory_is_none(void **state)
{
    (void)state;
    fill_nvram(COMMAND_LINE + 16, "0123456789abcdef");
    start((uintptr_t)image_start, 0x1000);
    assert_string_equal(started_line, "");
    fill_nvram(COMMAND_LINE + 16, "0123456789abcde");
    start((uintptr_t)image_start, 0x1000);
    assert_string_equal(started_line, "0123456789abcde");
}

static void memory_ends_where_pci_begins(void **state)
{
    (void)state;
    fill_nvram(0xc0000000, "");
    start((uintptr_t)image_start, 0x1000);
    assert_int_equal(started.memory_end, 0x80000000);
}

static void fw_cfg_goes_before_non_volatile_ram(void **state)
{
    (void)state;
    fill_nvram(64 << 20, "");
    machine.fw_cfg_memory = 128 << 20;
    start((uintptr_t)image_start, 0x1000);
    assert_int_equal(started.memory_end, 128 << 20);
}

static void an_unknown_machine_has_the_least_memory(void **state)
{
    (void)state;
    start((uintptr_t)image_start, 0x1000);
    assert_int_equal(started.memory_end, 16 << 20);
    assert_string_equal(started_line, "");
}

static void the_loader_shows_in_address_and_translation(void **state)
{
    (void)state;
    start((uintptr_t)image_start, 0x1040);
    assert_string_equal(started.loader, "the reset vector");
    start(0x01000000, 0x1040);
    assert_string_equal(started.loader, "a ROM");
    start(0x01000000, MSR_OF_OPENBIOS);
    assert_string_equal(started.loader, "OpenBIOS");
}

static void the_serial_port_is_switched_on(void **state)
{
    (void)state;
    machine.function_enable = 0x4d;
    start((uintptr_t)image_start, 0x1000);
    assert_int_equal(machine.function_enable, 0x4f);
}

static void a_run_that_has_ended_is_not_started_again(void **state)
{
    (void)state;
    machine.has_ended = true;
    start((uintptr_t)image_start, 0x1000);
    assert_null(started.loader);
    assert_int_equal(machine.consoles, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(prep_tells_memory_and_command_line, reset),
        cmocka_unit_test_setup(a_long_command_line_is_whole, reset),
        cmocka_unit_test_setup(without_a_command_line_nothing_is_read, reset),
        cmocka_unit_test_setup(a_command_line_behind_the_memory_is_none, reset),
        cmocka_unit_test_setup(a_command_line_that_passes_the_end_of_the_memory_is_none, reset),
        cmocka_unit_test_setup(memory_ends_where_pci_begins, reset),
        cmocka_unit_test_setup(fw_cfg_goes_before_non_volatile_ram, reset),
        cmocka_unit_test_setup(an_unknown_machine_has_the_least_memory, reset),
        cmocka_unit_test_setup(the_loader_shows_in_address_and_translation, reset),
        cmocka_unit_test_setup(the_serial_port_is_switched_on, reset),
        cmocka_unit_test_setup(a_run_that_has_ended_is_not_started_again, reset),
    };

    return cmocka_run_group_tests(tests, make_memory, NULL);
}
