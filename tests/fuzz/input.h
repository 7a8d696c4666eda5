/* SPDX-License-Identifier: BSD-2-Clause */
/* The input of a fuzz target, read from its start. Behind its end all bytes are zero. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void input_set(const uint8_t *data, size_t size);

/* The number of bytes left. */
size_t input_left(void);

uint8_t input_byte(void);
uint16_t input_u16(void); /* little-endian */
uint32_t input_u32(void);
uint64_t input_u64(void);

/* A number below `limit`, which is not 0. Takes one byte if that is enough, else two. */
unsigned input_below(unsigned limit);

/* A 16-bit number; values near the limits are as likely as all others. Takes one to three bytes. */
uint16_t input_edge(void);

/* Fills `size` bytes. */
void input_bytes(void *to, size_t size);

/* Fails the run if `good` is false; the text says which rule was broken. */
void fuzz_check(bool good, const char *rule);

#endif
