/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening a port, for the services. */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>

#include "lwip/tcp.h"
#include "lwip/udp.h"

/* Both return false where there is no memory or the port is taken; the console then says so. */
bool listen_udp(u16_t number, udp_recv_fn receive);
bool listen_tcp(u16_t number, tcp_accept_fn accept);

#endif
