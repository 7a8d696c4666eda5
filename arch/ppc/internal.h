/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of arch/ppc/ and boot/prep_machine.c. */
#ifndef PPC_INTERNAL_H
#define PPC_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

/* The decrementer's interrupt; from interrupt context. */
void ppc_handle_decrementer(void);

/*
 * Whether this start is but the reset by which arch_exit() ended the run before, in an emulator
 * that starts again instead of ending. Forgets about it.
 */
bool ppc_run_has_ended(void);

/* Makes the page of an address known to the processor. Returns false where there is none. From the exception
 * of the first access. */
bool ppc_add_page(uint32_t address);

/* Sleeps for ever. Interrupts must have been initialised, and nobody registered. */
_Noreturn void ppc_halt(void);

#endif
