/* SPDX-License-Identifier: BSD-2-Clause */
/* The control queue: each command may be answered at any time, late, twice, or with any value. */
#include "client.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_set(data, size);
    if (client_open() != 0) {
        return 0;
    }
    while (input_left() != 0) {
        uint8_t how = input_byte();

        device.answers = how & 1;
        device_step();
        if (how & 6) {
            device.until = how >> 3;
        }
        client_command();
        client_check();
        if (how & 2) {
            device_answer(how & 4);
        }
    }
    client_close();
    return 0;
}
