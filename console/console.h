/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands at the console, while the network runs: docs/console.md. */
#ifndef CONSOLE_H
#define CONSOLE_H

/* To be called once, after net_start(): a poller of the loop takes what is typed. With console=0 it does
 * nothing. */
void console_start(void);

#endif
