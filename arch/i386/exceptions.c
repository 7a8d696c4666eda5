/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions: each is reported and ends the run. */
#include <stdio.h>

#include "arch/arch.h"
#include "arch/fault.h"
#include "arch/i386/internal.h"

enum {
    PROGRAM_TASK = 0x18, /* in the descriptor table of boot/multiboot_entry.S */
    DOUBLE_FAULT_TASK = 0x20,
    TASK_AVAILABLE = 0x89, /* present, ring 0, 32-bit task */

    ERROR_WRITE = 1 << 1, /* of a page fault */
    ERROR_FETCH = 1 << 4,
    EFLAGS_ONE = 1 << 1,
};

/* Task-state segment (Intel SDM volume 3, Task-State Segment). */
struct task {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map;
};
_Static_assert(sizeof(struct task) == 104, "task");

extern uint64_t gdt[];
extern const uint8_t double_fault_entry[], exception_stack_top[];
_Noreturn void exception_report(const struct i386_trap_frame *frame);
_Noreturn void double_fault_report(void);

static struct task program, double_fault;

static void describe(uint16_t segment, const struct task *task)
{
    uint64_t base = (uint32_t)task;

    gdt[segment / 8] = (sizeof *task - 1) | (base & 0xffffff) << 16 |
                       (uint64_t)TASK_AVAILABLE << 40 | (base >> 24) << 56;
}

uint16_t i386_double_fault_task(void)
{
    uint32_t cr3;

    __asm__ volatile("movl %%cr3, %0" : "=r"(cr3));
    double_fault = (struct task){
        .cr3 = cr3,
        .eip = (uint32_t)double_fault_entry,
        .eflags = EFLAGS_ONE,
        .esp = (uint32_t)exception_stack_top,
        .cs = I386_CODE_SEGMENT,
        .es = I386_DATA_SEGMENT,
        .ss = I386_DATA_SEGMENT,
        .ds = I386_DATA_SEGMENT,
        .fs = I386_DATA_SEGMENT,
        .gs = I386_DATA_SEGMENT,
        .io_map = sizeof double_fault,
    };
    describe(PROGRAM_TASK, &program);
    describe(DOUBLE_FAULT_TASK, &double_fault);
    __asm__ volatile("ltr %w0" ::"r"(PROGRAM_TASK) : "memory");
    return DOUBLE_FAULT_TASK;
}

static const char *vector_name(uint32_t vector)
{
    static const char *const names[] = {
        "divide error",
        "debug",
        "NMI",
        "breakpoint",
        "overflow",
        "bound range",
        "invalid opcode",
        "device not available",
        "double fault",
        "coprocessor overrun",
        "invalid TSS",
        "segment not present",
        "stack fault",
        "general protection",
        "page fault",
    };

    return vector < sizeof names / sizeof names[0] ? names[vector] : "reserved";
}

static _Noreturn void report(const struct i386_trap_frame *f, uint32_t esp)
{
    uint32_t cr2;

    __asm__ volatile("movl %%cr2, %0" : "=r"(cr2));
    printf("\nvtnet: exception %u (%s), error code 0x%08x at eip %08x\n", (unsigned)f->vector,
           vector_name(f->vector), (unsigned)f->error, (unsigned)f->eip);
    printf("  eax %08x  ebx %08x  ecx %08x  edx %08x\n", (unsigned)f->eax, (unsigned)f->ebx,
           (unsigned)f->ecx, (unsigned)f->edx);
    printf("  esi %08x  edi %08x  ebp %08x  esp %08x\n", (unsigned)f->esi, (unsigned)f->edi,
           (unsigned)f->ebp, (unsigned)esp);
    printf("  cs %04x  eflags %08x  cr2 %08x\n", (unsigned)(f->cs & 0xffff), (unsigned)f->eflags,
           (unsigned)cr2);
    if (f->vector == I386_PAGE_FAULT || f->vector == I386_DOUBLE_FAULT) {
        fault_say(cr2, f->error & ERROR_FETCH   ? FAULT_EXECUTE
                       : f->error & ERROR_WRITE ? FAULT_WRITE
                                                : FAULT_READ);
    }
    arch_exit(false);
}

void exception_report(const struct i386_trap_frame *frame)
{
    report(frame, (uint32_t)(frame + 1));
}

/*
 * The first exception could not be pushed, so its error code is unknown. As the push was a store,
 * the report says so.
 */
void double_fault_report(void)
{
    struct i386_trap_frame frame = {
        .edi = program.edi,
        .esi = program.esi,
        .ebp = program.ebp,
        .ebx = program.ebx,
        .edx = program.edx,
        .ecx = program.ecx,
        .eax = program.eax,
        .vector = I386_DOUBLE_FAULT,
        .error = ERROR_WRITE,
        .eip = program.eip,
        .cs = program.cs,
        .eflags = program.eflags,
    };

    report(&frame, program.esp);
}
