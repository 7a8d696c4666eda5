/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends a run that cannot continue. */
#ifndef PANIC_H
#define PANIC_H

/* Prints the reason on the console and ends the run as a failure. Any context. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
