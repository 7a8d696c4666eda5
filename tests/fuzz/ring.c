/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver with either ring format, and a device that lies and changes shared memory between any
 * two loads.
 */
#include "arena.h"
#include "client.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_set(data, size);
    if (client_open() != 0) {
        return 0;
    }
    client_check();
    while (input_left() != 0) {
        client_step();
        client_check();
    }
    client_close();
    return 0;
}
