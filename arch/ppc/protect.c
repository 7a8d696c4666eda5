/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address translation, one to one, for the sake of protection (PowerPC 32-bit Programming
 * Environments Manual, chapter 7).
 *
 * Code is covered by one block (BAT); all segments are no-execute, so nothing else can be executed.
 * Data is mapped by pages, on processors that search the page table themselves (604, 750). The
 * first access to a page raises an exception, which adds the page to the table. For the page at 0,
 * the page below the stack and addresses without memory the exception ends the run.
 *
 * On a 603 each TLB miss would be an exception, so many per packet; there data is not translated.
 * Exceptions and interrupts start with translation off, and their handlers leave it off.
 */
#include <string.h>

#include "arch/arch.h"
#include "arch/fault.h"
#include "arch/ppc/internal.h"
#include "runtime/memory.h"

enum {
    PVR_603 = 0x0003,
    PVR_603E = 0x0006,
    PVR_603R = 0x0007,
    PVR_604 = 0x0004,
    PVR_604E = 0x0009,
    PVR_604R = 0x000a,
    PVR_750 = 0x0008,

    SEGMENTS = 16,
    TABLE_SIZE = 0x10000, /* the minimum: 1024 groups of 8 entries */
    GROUPS = 1024,
    GROUP = 8,
    TLB_SETS = 64,
    PAGE_SHIFT = 12,
    SEGMENT_SHIFT = 28,

    BAT_SHIFT = 17, /* of the smallest block */
    BAT_VALID = 2,  /* for supervisor mode */
    BAT_READ = 1,

    PAGE_USED = 0x180,  /* referenced and changed are set, so that they need no update */
    PAGE_DEVICE = 0x28, /* not cached, guarded */
    PAGE_READ_WRITE = 2,
    PAGE_READ = 3,
};
#define SEGMENT_NO_EXECUTE 0x10000000u
#define PAGE_VALID 0x80000000u
#define DEVICES 0x80000000u /* the PCI spaces start here */

struct page {
    uint32_t name; /* valid bit, segment, upper bits of the address */
    uint32_t place;
};

extern const char code_block_end[];

static struct page (*table)[GROUP];
static uintptr_t memory_end;
static unsigned victim;

static bool in_image(uint32_t address, const char *start, const char *end)
{
    return address >= (uint32_t)start && address < (uint32_t)end;
}

/* The second word of a page's entry; 0: no such page. */
static uint32_t place_of(uint32_t address)
{
    uint32_t page = address & ~(uint32_t)(FAULT_PAGE - 1);

    if (page >= DEVICES) {
        return page | PAGE_USED | PAGE_DEVICE | PAGE_READ_WRITE;
    }
    if (page == 0 || page == (uint32_t)stack_guard || page >= memory_end) {
        return 0;
    }
    return page | PAGE_USED |
           (page < (uint32_t)text_start || in_image(page, text_start, rodata_end)
                ? PAGE_READ
                : PAGE_READ_WRITE);
}

static void forget(uint32_t address)
{
    __asm__ volatile("tlbie %0\n\tsync" ::"r"(address) : "memory");
}

/* When a group is full, its entries are replaced in turn. A segment's identifier is its number. */
bool ppc_add_page(uint32_t address)
{
    uint32_t segment = address >> SEGMENT_SHIFT;
    uint32_t index = address >> PAGE_SHIFT & 0xffff;
    uint32_t group = (index ^ segment) % GROUPS;
    uint32_t place = place_of(address);
    struct page *page = NULL;

    if (table == NULL || place == 0) {
        return false;
    }
    for (unsigned i = 0; i < GROUP && page == NULL; i++) {
        page = table[group][i].name & PAGE_VALID ? NULL : &table[group][i];
    }
    if (page == NULL) {
        page = &table[group][victim++ % GROUP];
        segment = page->name >> 7 & 0xf;
        page->name = 0;
        forget(segment << SEGMENT_SHIFT | (page->place & 0x0ffff000));
        segment = address >> SEGMENT_SHIFT;
    }
    page->place = place;
    __asm__ volatile("sync" ::: "memory");
    page->name = PAGE_VALID | segment << 7 | index >> 10;
    __asm__ volatile("sync" ::: "memory");
    return true;
}

static void clear_bats(void)
{
    __asm__ volatile(
        ".irp n, 528, 530, 532, 534, 536, 538, 540, 542\n\tmtspr \\n, %0\n\t.endr\n\tisync" ::"r"(0)
        : "memory");
}

static void set_code_block(void)
{
    uint32_t length = ((uint32_t)code_block_end >> BAT_SHIFT) - 1;

    __asm__ volatile("mtspr 529, %0\n\tmtspr 528, %1\n\tisync" ::"r"(BAT_READ),
                     "r"(length << 2 | BAT_VALID)
                     : "memory");
}

static void set_segments(void)
{
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        __asm__ volatile("mtsrin %0, %1" ::"r"(SEGMENT_NO_EXECUTE | i), "r"(i << SEGMENT_SHIFT));
    }
    for (uint32_t i = 0; i < TLB_SETS; i++) {
        forget(i << PAGE_SHIFT);
    }
    __asm__ volatile("sync\n\tisync" ::: "memory");
}

static void translate(uint32_t what)
{
    arch_write_msr(arch_read_msr() | what);
    __asm__ volatile("isync" ::: "memory");
}

const char *arch_protect(uintptr_t end)
{
    uint32_t pvr;
    bool finds_pages;

    __asm__ volatile("mfspr %0, 287" : "=r"(pvr));
    pvr >>= 16;
    finds_pages = pvr == PVR_604 || pvr == PVR_604E || pvr == PVR_604R || pvr == PVR_750;
    if (!finds_pages && pvr != PVR_603 && pvr != PVR_603E && pvr != PVR_603R) {
        return "nothing on this processor";
    }
    if (finds_pages) {
        table = memory_alloc(TABLE_SIZE, TABLE_SIZE);
        finds_pages = table != NULL;
    }
    clear_bats();
    set_code_block();
    set_segments();
    if (!finds_pages) {
        translate(ARCH_MSR_TRANSLATION & ~ARCH_MSR_DATA);
        return "data is not executed";
    }
    memset(table, 0, TABLE_SIZE);
    memory_end = end;
    __asm__ volatile("sync\n\tmtspr 25, %0\n\tsync\n\tisync" ::"r"(table) : "memory");
    translate(ARCH_MSR_TRANSLATION);
    return "address 0, the stack's end, code, constants; data is not executed";
}
