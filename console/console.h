/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands on the console while the network runs: docs/console.md. */
#ifndef CONSOLE_H
#define CONSOLE_H

/*
 * Call it once, after net_start(): a poller of the loop takes the input. Does nothing with
 * console=0.
 */
void console_start(void);

#endif
