/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot arguments that are in order each, and not together, or not on this machine. */
#ifndef ARGUMENTS_CHECK_H
#define ARGUMENTS_CHECK_H

/*
 * Names on the console what only the whole line tells, and puts it right. Returns the number of arguments
 * that were wrong.
 */
unsigned boot_arguments_check(void);

/* Names what lists have places for beyond the number of cards. */
void boot_arguments_check_cards(unsigned cards);

#endif
