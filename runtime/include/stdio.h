/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the C library's <stdio.h> that runtime/printf.c provides. */
#ifndef STDIO_H
#define STDIO_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Print to the console. Conversions: d i u x X p s c %, flags - 0, width and precision also as *,
 * and the lengths hh h l ll z. All return the number of characters of the whole text.
 */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/*
 * Print to a buffer of `size` bytes. The text is cut to fit and always terminated, unless size is
 * 0.
 */
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
