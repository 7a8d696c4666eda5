/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that nobody on the network can foretell. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Adds what the user gives as random to what the secret is made of; before lwip_port_open(). */
void random_seed(const void *data, size_t length);

/* An initial sequence number asked for from now on is to be above this one, the last of a connection
 * that is opened anew. NULL: no more. */
void random_isn_above(const uint32_t *last);

#endif
