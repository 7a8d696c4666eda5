/* SPDX-License-Identifier: BSD-2-Clause */
/* The cards that are open, each with its netif. */
#ifndef NET_CARDS_H
#define NET_CARDS_H

#include "net/lwip_port/port.h"

/* The cards that are open; the first is number 0. */
unsigned net_port_count(void);
struct lwip_port *net_port(unsigned number);

/*
 * Starts lwIP and opens the cards. What is to be set before lwip_port_open() is set in net_port(0) to
 * net_port(NIC_CARDS - 1). wake: called from interrupt context when there is something to poll. Returns how
 * many are open; the reason for none is on the console.
 */
unsigned cards_open(void (*wake)(void));

#endif
