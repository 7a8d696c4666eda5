/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iperf 2: the server. With peer= it is the client, which for seconds= sends to `iperf -s` as fast
 * as possible. Over UDP it sends datagrams of size= bytes (the peer: `iperf -s -u`), and the server
 * reports what arrived. Over TCP (proto=) the server may send in addition or instead (dir=).
 */
#include <stdio.h>

#include "boot/arguments.h"
#include "boot/boot.h"
#include "examples/net_config.h"
#include "net/net.h"
#include "net/services/iperf_client.h"
#include "net/services/services.h"

static bool succeeded;

static void print_rate(const char *name, uint64_t bytes, uint64_t ns)
{
    /* tenths of a Mbit/s: bytes * 8 * 10 / us */
    uint32_t tenths = ns >= 1000 ? (uint32_t)(bytes * 80 / (ns / 1000)) : 0;

    printf(" %s %u.%u Mbit/s (%llu bytes)", name, (unsigned)(tenths / 10), (unsigned)(tenths % 10),
           (unsigned long long)bytes);
}

static void print_result(const struct iperf_client *client)
{
    unsigned ms = (unsigned)(client->ns / 1000000);

    printf("vtnet: iperf: ");
    if (client->over_tcp) {
        printf("TCP");
    } else {
        printf("UDP, %u bytes", (unsigned)client->size);
    }
    printf(", %u.%03u s:", ms / 1000, ms % 1000);
    if (client->sends) {
        print_rate("sent", client->sent_bytes, client->ns);
    }
    if (client->receives) {
        print_rate("received", client->received_bytes, client->ns);
    }
    if (!client->over_tcp) {
        printf(", lost %llu/%llu datagrams, jitter %u.%03u ms",
               (unsigned long long)client->report.lost,
               (unsigned long long)client->report.datagrams,
               (unsigned)(client->report.jitter_us / 1000),
               (unsigned)(client->report.jitter_us % 1000));
    }
    printf("\n");
}

static void done(struct iperf_client *client)
{
    if (client->failure != NULL) {
        printf("vtnet: iperf: %s: check that peer= is right and runs `iperf -s%s`\n",
               client->failure, client->over_tcp ? "" : " -u");
    } else {
        print_result(client);
        succeeded = true;
    }
    net_stop();
}

static int run_server(void)
{
    if (!iperf_start()) {
        return 1;
    }
    net_run();
    return 0;
}

int main(void)
{
    static struct iperf_client client = {.done = done};

    if (!net_start(net_config_from_boot())) {
        return 1;
    }
    if (!talk_peer(&client.peer)) {
        return run_server();
    }
    client.over_tcp = boot_arguments.proto == BOOT_PROTOCOL_TCP;
    client.sends = boot_arguments.dir != BOOT_DIRECTION_RECEIVE;
    client.receives =
        boot_arguments.dir == BOOT_DIRECTION_RECEIVE || boot_arguments.dir == BOOT_DIRECTION_BOTH;
    client.size = boot_arguments.size;
    client.seconds = boot_arguments.seconds;
    if (client.receives && !client.over_tcp) {
        printf("vtnet: iperf: UDP can only send: dir=receive and dir=both need proto=tcp\n");
        return 1;
    }
    iperf_client_start(&client);
    net_run();
    return succeeded ? 0 : 1;
}
