/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface between the fake device's registers and their functions. */
#ifndef FAKE_REGISTERS_H
#define FAKE_REGISTERS_H

#include "fake_virtio.h"

/* Status and features. Both check the order of accesses. */
uint8_t fake_read_status(struct fake_virtio *dev);
void fake_write_status(struct fake_virtio *dev, uint8_t status);
void fake_write_features(struct fake_virtio *dev, uint64_t features);

/*
 * The queue selected by queue_select, or NULL; its set-up; its reset; whether the reset is in
 * progress.
 */
struct fake_queue *fake_selected(struct fake_virtio *dev);
void fake_enable_queue(struct fake_virtio *dev, struct fake_queue *q, bool legacy);
void fake_reset_queue(struct fake_virtio *dev, struct fake_queue *q);
uint32_t fake_read_queue_reset(struct fake_queue *q);

/*
 * A write to a doorbell; the queue that it belongs to, if any; whether it has 32 bits; its offset
 * in the modern BAR.
 */
void fake_doorbell(struct fake_virtio *dev, unsigned queue, uint32_t value);
unsigned fake_notified_queue(const struct fake_virtio *dev, uint32_t value);
bool fake_notifies_data(const struct fake_virtio *dev);
uint32_t fake_doorbell_offset(const struct fake_virtio *dev, unsigned queue);

uint8_t fake_read_isr(struct fake_virtio *dev);

#endif
