/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks of VIRTIO_DEBUG: the contexts described at the top of virtio_net.h. Without VIRTIO_DEBUG
 * all of this is empty.
 */
#ifndef VTNET_VIRTIO_NET_DEBUG_H
#define VTNET_VIRTIO_NET_DEBUG_H

#include "virtio/virtio_net.h"
#include "virtio/virtio_platform.h"

#if VIRTIO_DEBUG

/* Who runs: values of net->debug_where. */
enum { VIRTIO_NET_OUTSIDE, VIRTIO_NET_INSIDE, VIRTIO_NET_IN_CLIENT };

#define VIRTIO_NET_HELD 0x48454c44u /* in debug_held of a buffer that the client has */

static inline void virtio_net_check(bool kept, const char *rule)
{
    if (!kept) {
        virtio_platform_broken(rule);
    }
}

struct virtio_net_entry {
    struct virtio_net *net;
    unsigned from;
};

static inline struct virtio_net_entry virtio_net_enter(struct virtio_net *net)
{
    unsigned from = __atomic_exchange_n(&net->debug_where, VIRTIO_NET_INSIDE, __ATOMIC_SEQ_CST);

    virtio_net_check(from != VIRTIO_NET_INSIDE,
                     "a function is called while another one runs for the same device: from "
                     "another processor without the lock, or from an interrupt handler");
    return (struct virtio_net_entry){net, from};
}

static inline void virtio_net_leave(const struct virtio_net_entry *entry)
{
    __atomic_store_n(&entry->net->debug_where, entry->from, __ATOMIC_SEQ_CST);
}

/* At the beginning of a function for holders of the lock; undone by each return. */
#define VIRTIO_NET_ENTER(net)                                                                      \
    __attribute__((cleanup(virtio_net_leave), unused)) const struct virtio_net_entry entry =       \
        virtio_net_enter(net)

/* Before and after a function of the client. */
static inline void virtio_net_to_client(struct virtio_net *net)
{
    __atomic_store_n(&net->debug_where, VIRTIO_NET_IN_CLIENT, __ATOMIC_SEQ_CST);
}

static inline void virtio_net_from_client(struct virtio_net *net)
{
    unsigned where = __atomic_exchange_n(&net->debug_where, VIRTIO_NET_INSIDE, __ATOMIC_SEQ_CST);

    virtio_net_check(where == VIRTIO_NET_IN_CLIENT,
                     "while a function of the client ran, another processor called a function "
                     "without the lock, or virtio_net_open() was called");
}

static inline void virtio_net_check_start(const struct virtio_net *net)
{
    virtio_net_check(net->debug_where != VIRTIO_NET_IN_CLIENT,
                     "virtio_net_start() is called from a function of the client");
}

static inline void virtio_net_hand_out(uint32_t *held)
{
    *held = VIRTIO_NET_HELD;
}

static inline void virtio_net_hand_back(uint32_t *held)
{
    virtio_net_check(*held == VIRTIO_NET_HELD,
                     "a buffer is released that the client does not have");
    *held = 0;
}

#else

#define VIRTIO_NET_ENTER(net) (void)0
#define virtio_net_to_client(net) (void)0
#define virtio_net_from_client(net) (void)0
#define virtio_net_check_start(net) (void)0
#define virtio_net_hand_out(held) (void)0
#define virtio_net_hand_back(held) (void)0

#endif

#endif
