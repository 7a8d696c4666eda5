/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paging. All addresses map to themselves, except for two pages that are not mapped: the one at 0
 * and the one below the stack. Code and constants are read-only. If the processor has NX, only code
 * is executable. This uses PAE page tables (Intel SDM volume 3, Paging), as other formats have no
 * NX; a processor without PAE runs without paging.
 */
#include "arch/arch.h"
#include "arch/fault.h"
#include "arch/i386/internal.h"

enum {
    CPUID_EDX_PAE = 1 << 6,
    CPUID_EDX_NX = 1 << 20, /* in leaf CPUID_EXTENDED + 1 */
    CR4_PAE = 1 << 5,
    MSR_EFER = 0xc0000080,
    EFER_NX = 1 << 11,

    ENTRIES = 512,
    LARGE_SHIFT = 21,
    SMALL_SHIFT = 12,
    FINE = 2, /* number of large pages from 0 on that are split into small ones; the image is
               * there */
};
#define CPUID_EXTENDED 0x80000000u
#define CR0_PAGES 0x80010000u /* paging, and read-only pages apply to ring 0 too */

#define PAGE_PRESENT 1ull
#define PAGE_WRITABLE 2ull
#define PAGE_LARGE 0x80ull
#define PAGE_NO_EXECUTE (1ull << 63)

static uint64_t top[4] __attribute__((aligned(32)));
static uint64_t large[4][ENTRIES] __attribute__((aligned(4096)));
static uint64_t small[FINE][ENTRIES] __attribute__((aligned(4096)));

static bool has_pae(void)
{
    struct i386_cpuid id;

    return i386_cpuid(1, &id) && id.edx & CPUID_EDX_PAE;
}

static bool has_nx(void)
{
    struct i386_cpuid id;

    return i386_cpuid(CPUID_EXTENDED, &id) && id.eax > CPUID_EXTENDED &&
           i386_cpuid(CPUID_EXTENDED + 1, &id) && id.edx & CPUID_EDX_NX;
}

static uint64_t small_page(uint32_t address, uint64_t data)
{
    if (address == 0 || address == (uint32_t)stack_guard) {
        return 0;
    }
    if (address >= (uint32_t)text_start && address < (uint32_t)text_end) {
        return address | PAGE_PRESENT;
    }
    if (address >= (uint32_t)text_end && address < (uint32_t)rodata_end) {
        return address | (data & ~PAGE_WRITABLE);
    }
    return address | data;
}

const char *arch_protect(uintptr_t memory_end)
{
    uint64_t data = PAGE_PRESENT | PAGE_WRITABLE;
    bool nx = has_nx();
    uint32_t low, high;

    (void)memory_end; /* not used: devices are above it */
    if (!has_pae()) {
        return "nothing, as the processor has no PAE";
    }
    if (nx) {
        data |= PAGE_NO_EXECUTE;
        __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_EFER));
        __asm__ volatile("wrmsr" ::"a"(low | EFER_NX), "d"(high), "c"(MSR_EFER));
    }
    for (uint32_t i = 0; i < 4 * ENTRIES; i++) {
        large[i / ENTRIES][i % ENTRIES] = (uint64_t)i << LARGE_SHIFT | data | PAGE_LARGE;
    }
    for (uint32_t i = 0; i < FINE * ENTRIES; i++) {
        small[i / ENTRIES][i % ENTRIES] = small_page(i << SMALL_SHIFT, data);
    }
    for (unsigned i = 0; i < FINE; i++) {
        large[0][i] = (uint32_t)small[i] | PAGE_PRESENT | PAGE_WRITABLE;
    }
    for (unsigned i = 0; i < 4; i++) {
        top[i] = (uint32_t)large[i] | PAGE_PRESENT;
    }
    __asm__ volatile("movl %%cr4, %0\n\torl %1, %0\n\tmovl %0, %%cr4" : "=&r"(low) : "i"(CR4_PAE));
    __asm__ volatile("movl %0, %%cr3" ::"r"(top) : "memory");
    __asm__ volatile("movl %%cr0, %0\n\torl %1, %0\n\tmovl %0, %%cr0"
                     : "=&r"(low)
                     : "i"(CR0_PAGES)
                     : "memory");
    i386_double_fault_task(); /* so that the double fault's task uses these page tables */
    return nx ? "address 0, the stack's end, code, constants; data is not executed"
              : "address 0, the stack's end, code, constants";
}
