/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host as an architecture for arch/arch.h, as far as boot/ and net/ need it. host.c implements
 * the functions.
 */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCH_NAME "host"

void arch_interrupts_off(void);
void arch_interrupts_on(void);
bool arch_interrupts_save(void);
void arch_interrupts_restore(bool on);
void arch_wait(void);
void arch_fw_cfg_select(uint16_t key);
uint8_t arch_fw_cfg_read8(void);
void arch_screen_say(const char *text);
void arch_screen_show_cursor(void);

static inline void arch_pause(void)
{
}

#endif
