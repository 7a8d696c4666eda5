/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the Linux peer's first process share:
 *
 *     linux_init.c      mounts, modules, the interface, the services
 *     linux_stats.c     the answers of UDP port 81
 */
#ifndef LINUX_INIT_H
#define LINUX_INIT_H

/* linux_init.c: prints what failed with errno's reason, and ends the guest as failed. */
_Noreturn void die(const char *what);

/*
 * linux_stats.c: opens a socket on UDP port 81; answers there until `until` has no writer any more.
 */
int stats_open(void);
void stats_serve(int fd, const char *interface, int until);

#endif
