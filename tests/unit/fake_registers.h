/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the fake device's registers and what they do. */
#ifndef FAKE_REGISTERS_H
#define FAKE_REGISTERS_H

#include "fake_virtio.h"

/* Status and features; both check the order of things. */
uint8_t fake_read_status(struct fake_virtio *dev);
void fake_write_status(struct fake_virtio *dev, uint8_t status);
void fake_write_features(struct fake_virtio *dev, uint64_t features);

/* The queue that queue_select names, or NULL; it was set up, is reset, still is being reset. */
struct fake_queue *fake_selected(struct fake_virtio *dev);
void fake_enable_queue(struct fake_virtio *dev, struct fake_queue *q, bool legacy);
void fake_reset_queue(struct fake_virtio *dev, struct fake_queue *q);
uint32_t fake_read_queue_reset(struct fake_queue *q);

/* A doorbell was written to; which queue's, or none's; whether it has 32 bits; where it is in the modern
 * BAR. */
void fake_doorbell(struct fake_virtio *dev, unsigned queue, uint32_t value);
unsigned fake_notified_queue(const struct fake_virtio *dev, uint32_t value);
bool fake_notifies_data(const struct fake_virtio *dev);
uint32_t fake_doorbell_offset(const struct fake_virtio *dev, unsigned queue);

uint8_t fake_read_isr(struct fake_virtio *dev);

#endif
