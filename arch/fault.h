/* SPDX-License-Identifier: BSD-2-Clause */
/* What an access that the machine has refused says about the program. */
#ifndef FAULT_H
#define FAULT_H

#include <stdint.h>

enum fault { FAULT_READ, FAULT_WRITE, FAULT_EXECUTE };

/* Says on the console what was wrong with an access. For the report of an exception. */
void fault_say(uintptr_t address, enum fault how);

/* Of the image, by link.ld; a page below the stack is none. */
extern const char text_start[], text_end[], rodata_end[], stack_guard[];

enum { FAULT_PAGE = 4096 };

#endif
