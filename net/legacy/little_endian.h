/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Little-endian integers in memory shared with a PCI card. They are structs, so that the compiler
 * rejects an access without these accessors. Each accessor reads or writes its field exactly once.
 */
#ifndef LITTLE_ENDIAN_H
#define LITTLE_ENDIAN_H

#include <stdint.h>
#include <string.h>

typedef struct {
    uint16_t raw;
} le16_t;

typedef struct {
    uint32_t raw;
} le32_t;

/* Each is its own inverse. Compilers reduce them to nothing or to a byte swap. */
static inline uint16_t le16_swap(uint16_t value)
{
    uint8_t b[2];

    memcpy(b, &value, sizeof b);
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t le32_swap(uint32_t value)
{
    uint8_t b[4];

    memcpy(b, &value, sizeof b);
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint16_t le16_read(const le16_t *field)
{
    return le16_swap(*(const volatile uint16_t *)&field->raw);
}

static inline void le16_write(le16_t *field, uint16_t value)
{
    *(volatile uint16_t *)&field->raw = le16_swap(value);
}

static inline void le32_write(le32_t *field, uint32_t value)
{
    *(volatile uint32_t *)&field->raw = le32_swap(value);
}

#endif
