/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers that cannot be predicted from the network. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Adds the user's random data to the secret. Call it before interface_open(). */
void random_seed(const void *data, size_t length);

/*
 * Makes initial sequence numbers exceed this one, which is the last of a connection that is being
 * reopened. NULL: ends this.
 */
void random_isn_above(const uint32_t *last);

#endif
