/* SPDX-License-Identifier: BSD-2-Clause */
/* The extra arguments of lwIP's connections, for tests that include a source which uses them. */
#ifndef PCB_ARGUMENTS_H
#define PCB_ARGUMENTS_H

#include "lwip/priv/tcp_priv.h"

void *tcp_ext_arg_get(const struct tcp_pcb *pcb, u8_t id)
{
    return pcb->ext_args[id].data;
}

void tcp_ext_arg_set(struct tcp_pcb *pcb, u8_t id, void *data)
{
    pcb->ext_args[id].data = data;
}

void tcp_ext_arg_set_callbacks(struct tcp_pcb *pcb, u8_t id,
                               const struct tcp_ext_arg_callbacks *const of)
{
    pcb->ext_args[id].callbacks = of;
}

#endif
