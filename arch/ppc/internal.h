/* SPDX-License-Identifier: BSD-2-Clause */
/* The interfaces between the files of arch/ppc/ and boot/prep_machine.c. */
#ifndef PPC_INTERNAL_H
#define PPC_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

/* Handles the decrementer's interrupt. Interrupt context. */
void ppc_handle_decrementer(void);

/*
 * True if this start is the reset with which arch_exit() ended the previous run, in an emulator
 * that restarts instead of exiting. Clears that mark.
 */
bool ppc_run_has_ended(void);

/*
 * Adds the page of an address to the page table. Returns false if there is no such page. Called by
 * the exception of the first access.
 */
bool ppc_add_page(uint32_t address);

/* Sleeps forever. Interrupts must be initialised, without registered handlers. */
_Noreturn void ppc_halt(void);

#endif
