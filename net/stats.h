/* SPDX-License-Identifier: BSD-2-Clause */
/* Statistics of a running guest: as a line on the console, and as JSON (RFC 8259). */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A size that is sufficient for the JSON of the open cards. */
size_t stats_json_room(void);

/*
 * Writes all counters as a JSON object with a newline and a terminating zero. Returns its length
 * without the zero, or 0 if it does not fit into `size` bytes.
 */
size_t stats_json(char *to, size_t size);

/*
 * Called by the loop: prints a line per card once a second, with rates since the previous one. now:
 * the clock, in ns.
 */
bool stats_print(uint64_t now);

#endif
