/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver, either ring, with a device that lies and changes the shared memory between any two loads. */
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
