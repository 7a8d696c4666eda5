/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks boot arguments that are valid each, but not in combination, or not on this machine. */
#ifndef ARGUMENTS_CHECK_H
#define ARGUMENTS_CHECK_H

/*
 * Checks combinations. Prints and corrects invalid ones. Returns the number of invalid arguments.
 */
unsigned boot_arguments_check(void);

/* Prints the arguments that are given for cards that do not exist. */
void boot_arguments_check_cards(unsigned cards);

#endif
