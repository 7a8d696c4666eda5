/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/cards.h"

static struct interface interfaces[NIC_CARDS];
static unsigned port_count;

unsigned net_interface_count(void)
{
    return port_count;
}

struct interface *net_interface(unsigned number)
{
    return &interfaces[number];
}

unsigned cards_open(void (*wake)(void))
{
    port_count = interface_open(interfaces, NIC_CARDS, wake);
    return port_count;
}
