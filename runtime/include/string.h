/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the C library's <string.h> that runtime/string.c provides. */
#ifndef STRING_H
#define STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
size_t strcspn(const char *s, const char *reject);
size_t strspn(const char *s, const char *accept);

/*
 * A freestanding compiler treats these as ordinary functions. The builtins let it expand them
 * inline, which pays for the few bytes of a field or a header.
 */
#define memcpy(to, from, size) __builtin_memcpy(to, from, size)
#define memmove(to, from, size) __builtin_memmove(to, from, size)
#define memset(to, byte, size) __builtin_memset(to, byte, size)
#define memcmp(a, b, size) __builtin_memcmp(a, b, size)
#define strlen(s) __builtin_strlen(s)

#endif
