/* SPDX-License-Identifier: BSD-2-Clause */
/* Data to send where the content does not matter. Never written. */
#ifndef ZEROS_H
#define ZEROS_H

#include <stdint.h>

enum { ZEROS_SIZE = 16384 };
extern uint8_t zeros[ZEROS_SIZE];

#endif
