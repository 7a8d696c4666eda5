/* SPDX-License-Identifier: BSD-2-Clause */
/* The input of a fuzz target, read from its beginning: after its end all is zero. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void input_set(const uint8_t *data, size_t size);

/* The bytes that are left. */
size_t input_left(void);

uint8_t input_byte(void);
uint16_t input_u16(void); /* little-endian */
uint32_t input_u32(void);
uint64_t input_u64(void);

/* A number below `limit`, which is not 0; takes one byte where that is enough, else two. */
unsigned input_below(unsigned limit);

/* A number where the edges of what 16 bits hold are as likely as any: takes one to three bytes. */
uint16_t input_edge(void);

/* Fills `size` bytes. */
void input_bytes(void *to, size_t size);

/* Ends the run as a finding where `good` is false; the text says which rule was broken. */
void fuzz_check(bool good, const char *rule);

#endif
