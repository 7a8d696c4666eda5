/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EXAMPLES_NET_CONFIG_H
#define EXAMPLES_NET_CONFIG_H

#include "net/config.h"

/* The boot arguments as a configuration for net_start(). */
const struct net_config *net_config_from_boot(void);

#endif
