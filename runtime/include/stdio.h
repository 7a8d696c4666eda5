/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the C library's <stdio.h> that exists here: see runtime/printf.c. */
#ifndef STDIO_H
#define STDIO_H

#include <stdarg.h>
#include <stddef.h>

/* To the console. Conversions: d i u x X p s c %, flags - 0, width and precision also as *, and the
 * lengths hh h l ll z. All return the number of characters of the whole text. */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* To a buffer of `size` bytes, always terminated (if size is not 0), cut where it does not fit. */
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
