/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/zeros.h"

uint8_t zeros[ZEROS_SIZE]; /* not const: an image has no bytes for it then */
