/* SPDX-License-Identifier: BSD-2-Clause */
/* The two halves of the iperf service (services.h). */
#ifndef IPERF_H
#define IPERF_H

#include <stdbool.h>

bool iperf_tcp_start(void);
bool iperf_udp_start(void);

#endif
