/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver on the fuzzed device, and its client. The client tracks the owner of each buffer: no
 * buffer that it holds is passed to it again, each transmitted frame comes back once, and no memory
 * is left at the end.
 */
#ifndef FUZZ_CLIENT_H
#define FUZZ_CLIENT_H

#include "device.h"

extern struct virtio_net net;

/* Creates the device and opens the driver on it. Returns 0 or the driver's error. */
int client_open(void);

/* One step chosen by the input: polls, transmits, releases, waits, ... */
void client_step(void);

/* One command of the control queue. */
void client_command(void);

/* Checks the invariants between two calls of the driver. */
void client_check(void);

/* Closes the driver and checks that everything has come back. */
void client_close(void);

#endif
