/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Integers in memory shared with the device. Their byte order depends on the device: little-endian
 * if VERSION_1 is negotiated, otherwise that of the guest's processor (virtio 1.3 §2.4 "Legacy
 * Interface: A Note on Device Configuration Space endian-ness", §2.7.3 "Legacy Interfaces: A Note
 * on Virtqueue Endianness"). They are structs, so that the compiler rejects an access without these
 * accessors. Each accessor reads or writes its field exactly once.
 */
#ifndef VTNET_VIRTIO_ENDIAN_H
#define VTNET_VIRTIO_ENDIAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint16_t raw;
} virtio16_t;

typedef struct {
    uint32_t raw;
} virtio32_t;

typedef struct {
    uint64_t raw;
} virtio64_t;

/* Each conversion is its own inverse. Compilers reduce them to nothing or to a byte swap. */
static inline uint16_t virtio_le16(uint16_t value)
{
    uint8_t b[2];

    memcpy(b, &value, sizeof b);
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t virtio_le32(uint32_t value)
{
    uint8_t b[4];

    memcpy(b, &value, sizeof b);
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t virtio_le64(uint64_t value)
{
    uint32_t half[2];

    memcpy(half, &value, sizeof half);
    return virtio_le32(half[0]) | (uint64_t)virtio_le32(half[1]) << 32;
}

/* little: the device's fields are little-endian (virtio_device.little_endian). */
static inline uint16_t virtio16_read(bool little, const virtio16_t *field)
{
    uint16_t raw = *(const volatile uint16_t *)&field->raw;

    return little ? virtio_le16(raw) : raw;
}

static inline uint32_t virtio32_read(bool little, const virtio32_t *field)
{
    uint32_t raw = *(const volatile uint32_t *)&field->raw;

    return little ? virtio_le32(raw) : raw;
}

static inline void virtio16_write(bool little, virtio16_t *field, uint16_t value)
{
    *(volatile uint16_t *)&field->raw = little ? virtio_le16(value) : value;
}

static inline void virtio32_write(bool little, virtio32_t *field, uint32_t value)
{
    *(volatile uint32_t *)&field->raw = little ? virtio_le32(value) : value;
}

static inline void virtio64_write(bool little, virtio64_t *field, uint64_t value)
{
    *(volatile uint64_t *)&field->raw = little ? virtio_le64(value) : value;
}

#ifdef __cplusplus
}
#endif

#endif
