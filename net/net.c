/* SPDX-License-Identifier: BSD-2-Clause */
/* Composes the network of a program. */
#include "net/net.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/fw_cfg.h"
#include "net/addresses.h"
#include "net/lwip_port/random.h"
#include "net/stats.h"
#include "runtime/memory.h"

_Static_assert((int)NIC_CARDS <= (int)BOOT_CARDS, "boot arguments for each card");

/* Reads -fw_cfg name=opt/vtnet/seed,file=..., up to the size of a secret. */
static void seed_random(void)
{
    uint8_t seed[64] = {0};

    if (fw_cfg_read_file("opt/vtnet/seed", seed, sizeof seed) != 0) {
        random_seed(seed, sizeof seed);
    }
}

bool net_start(void)
{
    static const uint8_t none[6];

    seed_random();
    for (unsigned i = 0; i < NIC_CARDS; i++) {
        struct lwip_port *port = net_port(i);

        port->mac = memcmp(boot_arguments.mac[i], none, 6) != 0 ? boot_arguments.mac[i] : NULL;
        port->vlan = boot_arguments.vlan[i];
        port->all_groups = boot_arguments.bounded != 0;
        port->exit_on_conflict = boot_arguments.conflict == BOOT_CONFLICT_EXIT;
    }
    if (cards_open(loop_wake) == 0) {
        return false;
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
    for (unsigned i = 0; i < net_port_count(); i++) {
        const struct nic *nic = &net_port(i)->nic;
        struct nic_counters c;

        nic->driver->counters(nic->state, &c);
        if (c.rx_buffers != 0) {
            all &=
                memory_reserve((size_t)(c.rx_held / c.rx_buffers), c.rx_buffers_max - c.rx_buffers);
        }
    }
    memory_seal();
    printf("vtnet: bounded: %zu KiB of memory, and no more from here on%s\n",
           memory_usage().touched >> 10, all ? "" : ": that is less than wanted");
}

/* loop_config.between */
static bool report(uint64_t now)
{
    bool addresses = addresses_announce();

    return (boot_arguments.stats != 0 && stats_print(now)) || addresses;
}

void net_run(void)
{
    static const enum loop_mode modes[] = {
        [BOOT_MODE_HYBRID] = LOOP_HYBRID,
        [BOOT_MODE_IRQ] = LOOP_INTERRUPT,
        [BOOT_MODE_POLL] = LOOP_POLL,
    };
    const struct loop_config config = {
        .mode = modes[boot_arguments.mode],
        .poll_us = boot_arguments.poll_us,
        .timed = boot_arguments.bounded != 0,
        .between = report,
    };

    if (boot_arguments.bounded) {
        seal_memory();
    }
    loop_run(&config);
}
