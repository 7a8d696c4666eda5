/* SPDX-License-Identifier: BSD-2-Clause */
/* Explains a memory access that the machine has refused. */
#ifndef FAULT_H
#define FAULT_H

#include <stdint.h>

enum fault { FAULT_READ, FAULT_WRITE, FAULT_EXECUTE };

/* Prints the reason and the address of the access. For the report of an exception. */
void fault_say(uintptr_t address, enum fault how);

/* Addresses in the image, from link.ld. The page at stack_guard, below the stack, is not mapped. */
extern const char text_start[], text_end[], rodata_end[], stack_guard[];

enum { FAULT_PAGE = 4096 };

#endif
