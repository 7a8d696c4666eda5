/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs into an invalid opcode, for the test of the exception report. */
#include <stdio.h>

#include "boot/boot.h"

int main(void)
{
    printf("vtnet: exception: now\n");
    __builtin_trap();
}
