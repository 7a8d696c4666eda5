/* SPDX-License-Identifier: BSD-2-Clause */
/* Composes the network of a program. */
#include "net/net.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/fw_cfg.h"
#include "net/addresses.h"
#include "net/lwip_port/random.h"
#include "net/stats.h"
#include "runtime/memory.h"

/* Reads -fw_cfg name=opt/vtnet/seed,file=..., up to the size of a secret. */
static void seed_random(void)
{
    uint8_t seed[64] = {0};

    if (fw_cfg_read_file("opt/vtnet/seed", seed, sizeof seed) != 0) {
        random_seed(seed, sizeof seed);
    }
}

bool net_start(const struct net_config *config)
{
    static const uint8_t none[6];

    net_configure(config);
    config = net_config();
    seed_random();
    for (unsigned i = 0; i < NIC_CARDS; i++) {
        const struct net_card_config *card = &config->card[i];
        struct interface *interface = net_interface(i);

        interface->config = &config->nic;
        interface->mac = memcmp(card->mac, none, sizeof none) != 0 ? card->mac : NULL;
        interface->vlan = card->vlan;
        interface->all_groups = config->bounded;
        interface->exit_on_conflict = config->exit_on_conflict;
    }
    if (cards_open(loop_wake) == 0) {
        return false;
    }
    if (config->opened != NULL) {
        config->opened(net_interface_count());
    }
    addresses_start();
    return true;
}

/*
 * bounded=1: reserves the most memory that the stack will need, in blocks of powers of two, since
 * an allocation may use a block of up to twice its size, and the most receive buffers of each card.
 * From then on all memory comes from these.
 */
static void seal_memory(void)
{
    static const struct {
        uint16_t size, count;
    } reserve[] = {
        {48, 3072},  /* pbufs that refer to data, segments */
        {112, 1536}, /* headers of segments, acknowledgements */
        {240, 256},  /* connections, small datagrams */
        {496, 64},   /* small frames */
        {1008, 64},  /* small frames too */
        {2032, 256}, /* copied frames */
        {4080, 16},  /* statistics of a few cards */
        {16368, 8},  /* statistics of many cards; datagrams to be fragmented */
    };
    bool all = true;

    for (size_t i = 0; i < sizeof reserve / sizeof reserve[0]; i++) {
        all &= memory_reserve(reserve[i].size, reserve[i].count);
    }
    for (unsigned i = 0; i < net_interface_count(); i++) {
        const struct nic *nic = &net_interface(i)->nic;
        struct nic_counters c;

        nic->driver->counters(nic->state, &c);
        if (c.rx_buffers != 0) {
            all &=
                memory_reserve((size_t)(c.rx_held / c.rx_buffers), c.rx_buffers_max - c.rx_buffers);
        }
    }
    memory_seal();
    printf("vtnet: bounded: %zu KiB of memory are in use, and no more will be%s\n",
           memory_usage().touched >> 10, all ? "" : ": this is less than planned");
}

/* loop_config.between */
static bool report(uint64_t now)
{
    bool addresses = addresses_announce();

    return (net_config()->stats && stats_print(now)) || addresses;
}

void net_run(void)
{
    const struct net_config *net = net_config();
    const struct loop_config config = {
        .mode = net->mode,
        .poll_us = net->poll_us,
        .timed = net->bounded,
        .between = report,
    };

    if (net->bounded) {
        seal_memory();
    }
    loop_run(&config);
}
