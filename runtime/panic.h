/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a run that cannot go on. */
#ifndef PANIC_H
#define PANIC_H

/* Says why on the console and ends the run as a failure. Any context. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
