/* SPDX-License-Identifier: BSD-2-Clause */
/* The figures of a running guest: as a line on the console, and as JSON (RFC 8259). */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that surely hold the JSON of the cards that are open. */
size_t stats_json_room(void);

/*
 * Writes everything that is counted, as one JSON object and a newline, with a terminating zero.
 * Returns its length in bytes without that, or 0 where `size` bytes do not hold it.
 */
size_t stats_json(char *to, size_t size);

/* For the loop: once a second a line for each card, with rates since the last one. now: the clock,
 * in ns. Returns whether it was time for them. */
bool stats_print(uint64_t now);

#endif
