/* SPDX-License-Identifier: BSD-2-Clause */
/* The interfaces between the files of arch/i386. */
#ifndef INTERNAL_H
#define INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Interrupt vectors behind the processor's own: first the lines of the 8259s, then messages.
 * vectors.S has an entry point for each of the I386_VECTORS.
 */
enum {
    I386_VECTOR_IRQ = 32,
    I386_VECTOR_MESSAGE = 48,
    I386_VECTORS = 64,
};

enum { I386_DOUBLE_FAULT = 8, I386_PAGE_FAULT = 14 };

enum { I386_CODE_SEGMENT = 0x08, I386_DATA_SEGMENT = 0x10 }; /* boot/multiboot_entry.S */

/* The stack frame built by vectors.S. */
struct i386_trap_frame {
    uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
    uint32_t vector;
    uint32_t error;
    uint32_t eip, cs, eflags;
};

/* Makes the double fault's handler a task. Returns its segment. */
uint16_t i386_double_fault_task(void);

enum { I386_TICK_LINE = 0 }; /* channel 0 of the 8254 */

struct i386_cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* Executes CPUID for a leaf. Returns false if the processor has no CPUID. */
bool i386_cpuid(uint32_t leaf, struct i386_cpuid *answer);

/* True if the console has a screen that is visible. */
bool i386_screen_is_present(void);

/*
 * Leaves only the tick's interrupt enabled at the 8259s. May be called at any time, also after a
 * failure.
 */
void i386_interrupts_only_tick(void);

/* Handles an interrupt of a vector from I386_VECTOR_MESSAGE on. */
void i386_message_handle(unsigned vector);

#endif
