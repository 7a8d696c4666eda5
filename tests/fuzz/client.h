/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver on the fuzzed device, and its client, which knows who owns each buffer: no buffer is
 * handed out that the client has, each transmitted frame comes back once, and nothing is left at the
 * end.
 */
#ifndef FUZZ_CLIENT_H
#define FUZZ_CLIENT_H

#include "device.h"

extern struct virtio_net net;

/* Makes the device and opens the driver on it. Returns 0 or the driver's error. */
int client_open(void);

/* One step: polls, transmits, releases, waits, ..., as the input says. */
void client_step(void);

/* One command of the control queue. */
void client_command(void);

/* What must hold between two calls of the driver. */
void client_check(void);

/* Closes the driver, and looks whether all came back. */
void client_close(void);

#endif
