/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/config.h"

static struct net_config current;

void net_configure(const struct net_config *config)
{
    current = *config;
}

const struct net_config *net_config(void)
{
    return &current;
}
