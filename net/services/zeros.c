/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/zeros.h"

uint8_t zeros[ZEROS_SIZE]; /* not const: so it is in .bss and takes no space in the image */
