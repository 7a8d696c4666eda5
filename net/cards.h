/* SPDX-License-Identifier: BSD-2-Clause */
/* The open cards, each with its netif. */
#ifndef NET_CARDS_H
#define NET_CARDS_H

#include "net/lwip_port/interface.h"

/* The number of open cards; the first is number 0. */
unsigned net_interface_count(void);
struct interface *net_interface(unsigned number);

/*
 * Initialises lwIP and opens the cards. First set the fields to be set before interface_open(), in
 * net_interface(0) to net_interface(NIC_CARDS - 1). wake: called in interrupt context when there is something
 * to poll. Returns the number of open cards; if there is none, the reason is printed.
 */
unsigned cards_open(void (*wake)(void));

#endif
