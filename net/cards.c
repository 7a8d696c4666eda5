/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/cards.h"

static struct lwip_port ports[NIC_CARDS];
static unsigned port_count;

unsigned net_port_count(void)
{
    return port_count;
}

struct lwip_port *net_port(unsigned number)
{
    return &ports[number];
}

unsigned cards_open(void (*wake)(void))
{
    port_count = lwip_port_open(ports, NIC_CARDS, wake);
    return port_count;
}
