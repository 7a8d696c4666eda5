/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nic.h"

static void (*wake_loop)(void);

void nic_on_wake(void (*wake)(void))
{
    wake_loop = wake;
}

void nic_wake(void)
{
    wake_loop();
}
