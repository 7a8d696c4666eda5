/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the C library's <stdlib.h> that runtime/memory.c provides. */
#ifndef STDLIB_H
#define STDLIB_H

#include <stddef.h>

/* Not zeroed, 16-byte aligned; NULL when there is no memory. */
void *malloc(size_t size);
/* Zeroed. */
void *calloc(size_t count, size_t size);
void free(void *memory);
int atoi(const char *s);

#endif
