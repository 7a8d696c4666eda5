/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/config.h"

#include <stddef.h>

static struct net_config current;

void net_configure(const struct net_config *config)
{
    current = *config;
    if (current.name == NULL) {
        current.name = "vtnet";
    }
}

const struct net_config *net_config(void)
{
    return &current;
}
