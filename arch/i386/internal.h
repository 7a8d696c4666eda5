/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of arch/i386 have for each other. */
#ifndef INTERNAL_H
#define INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

/* Interrupt vectors after the processor's own: the 8259s' lines, then messages. As many entry
 * points as vectors are in vectors.S. */
enum {
    I386_VECTOR_IRQ = 32,
    I386_VECTOR_MESSAGE = 48,
    I386_VECTORS = 64,
};

enum { I386_DOUBLE_FAULT = 8, I386_PAGE_FAULT = 14 };

enum { I386_CODE_SEGMENT = 0x08, I386_DATA_SEGMENT = 0x10 }; /* boot/multiboot_entry.S */

/* As vectors.S leaves the stack. */
struct i386_trap_frame {
    uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
    uint32_t vector;
    uint32_t error;
    uint32_t eip, cs, eflags;
};

/* Makes the double fault a task. Returns its segment. */
uint16_t i386_double_fault_task(void);

enum { I386_TICK_LINE = 0 }; /* of the 8254's channel 0 */

struct i386_cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* Asks CPUID about a leaf. Returns false on a processor without that instruction. */
bool i386_cpuid(uint32_t leaf, struct i386_cpuid *answer);

/* Whether the console has a screen that somebody may look at. */
bool i386_screen_is_present(void);

/* Leaves only the tick's interrupts on the 8259s; works at any time, also after a failure. */
void i386_interrupts_only_tick(void);

/* An interrupt at one of the vectors from I386_VECTOR_MESSAGE on. */
void i386_message_handle(unsigned vector);

#endif
