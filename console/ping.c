/* SPDX-License-Identifier: BSD-2-Clause */
/* `ping` */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/address_text.h"
#include "console/command.h"
#include "lwip/ip.h"
#include "net/lwip_port/interface.h"
#include "net/lwip_port/ping.h"
#include "net/net.h"

#define SECOND_NS UINT64_C(1000000000)
enum {
    COUNT = 4, /* number of requests, unless the line sets it */
    COUNT_MAX = 1000000,
    SIZE = 56,
};

static struct {
    ip_addr_t to;
    uint16_t id, size;
    unsigned count, sent, answered;
    uint64_t sent_at; /* the last one */
    bool waits;       /* for the answer to it */
    uint64_t took;    /* time of the last answer in ns, which is not printed yet; 0: none */
    uint64_t least, most, sum; /* ns, of all answers */
} ping;

static void heard(const ip_addr_t *from, uint16_t id, uint16_t sequence, uint16_t size)
{
    if (ping.waits && id == ping.id && sequence == (uint16_t)ping.sent && size == ping.size &&
        ip_addr_eq(from, &ping.to)) {
        ping.took = arch_clock_ns() - ping.sent_at;
        ping.waits = false;
    }
}

/* A link-local IPv6 address is in the first card's network. */
static bool read_address(const char *text, ip_addr_t *to)
{
    struct boot_ipv4 ipv4;
    uint8_t address[16];

    if (address_station_item(text, &ipv4)) {
        ip_addr_set_ip4_u32_val(*to, lwip_htonl(ipv4.address));
        return true;
    }
    if (!address_parse_station_ipv6(&text, address) || *text != '\0') {
        return false;
    }
    IP_SET_TYPE(to, IPADDR_TYPE_V6);
    memcpy(ip_2_ip6(to)->addr, address, sizeof address);
    ip6_addr_clear_zone(ip_2_ip6(to));
    ip6_addr_assign_zone(ip_2_ip6(to), IP6_UNICAST, &net_interface(0)->netif);
    return true;
}

/* Why no station would answer from this address, or NULL. lwIP has no loopback. */
static const char *unanswerable(const ip_addr_t *to)
{
    for (unsigned card = 0; card < net_interface_count(); card++) {
        struct netif *netif = &net_interface(card)->netif;

        if (IP_IS_V6(to) ? netif_get_ip6_addr_match(netif, ip_2_ip6(to)) >= 0
                         : ip4_addr_eq(netif_ip4_addr(netif), ip_2_ip4(to))) {
            return "this station's own address";
        }
        if (!IP_IS_V6(to) && ip4_addr_isbroadcast(ip_2_ip4(to), netif)) {
            return "the address of all stations of a network";
        }
    }
    return NULL;
}

static enum command_progress start(char *const words[], unsigned count)
{
    static uint16_t id;
    const char *reason;
    ip_addr_t to;
    unsigned requests = COUNT, size = SIZE, size_max;

    memset(&to, 0, sizeof to);
    if (!read_address(words[1], &to)) {
        printf("'%s' is not an IPv4 or IPv6 address of a station\n", words[1]);
        return COMMAND_DONE;
    }
    size_max = IP_IS_V6(&to) ? PING6_SIZE_MAX : PING_SIZE_MAX;
    reason = unanswerable(&to);
    if (reason != NULL) {
        printf("'%s' is %s\n", words[1], reason);
        return COMMAND_DONE;
    }
    if (count > 2 && !command_number(words[2], 1, COUNT_MAX, &requests)) {
        printf("COUNT is from 1 to %u\n", (unsigned)COUNT_MAX);
        return COMMAND_DONE;
    }
    if (count > 3 && !command_number(words[3], 0, size_max, &size)) {
        printf("SIZE is up to %u bytes over IPv%u\n", size_max, IP_IS_V6(&to) ? 6u : 4u);
        return COMMAND_DONE;
    }
    memset(&ping, 0, sizeof ping);
    ip_addr_copy(ping.to, to);
    ping.id = ++id;
    ping.count = requests;
    ping.size = (uint16_t)size;
    ping_heard = heard;
    return COMMAND_WAITS;
}

static void send(uint64_t now)
{
    err_t error;

    ping.sent++;
    ping.sent_at = now;
    ping.waits = true;
    error = ping_send(&ping.to, ping.id, (uint16_t)ping.sent, ping.size);
    if (error != ERR_OK) {
        ping.waits = false;
        printf("%u: not sent: %s\n", ping.sent,
               error == ERR_RTE ? "no route to that network" : "no room to send it");
    }
}

/* ms with three digits behind the point */
#define MS_FORMAT "%u.%03u ms"
#define MS_ARGS(ns) (unsigned)((ns) / 1000000), (unsigned)((ns) / 1000 % 1000)

static void stop(void)
{
    ping_heard = NULL;
    printf("%u sent, %u answered", ping.sent, ping.answered);
    if (ping.answered != 0) {
        printf(", min " MS_FORMAT ", mean " MS_FORMAT ", max " MS_FORMAT, MS_ARGS(ping.least),
               MS_ARGS(ping.sum / ping.answered), MS_ARGS(ping.most));
    }
    printf("\n");
}

static void count_answer(void)
{
    ping.answered++;
    ping.sum += ping.took;
    ping.least = ping.answered == 1 || ping.took < ping.least ? ping.took : ping.least;
    ping.most = ping.took > ping.most ? ping.took : ping.most;
    printf("%u: %u bytes in " MS_FORMAT "\n", ping.sent, ping.size, MS_ARGS(ping.took));
    ping.took = 0;
}

/* One request a second. An answer after that does not count; the last one has as much time. */
static enum command_progress step(void)
{
    uint64_t now = arch_clock_ns();

    if (ping.took != 0) {
        count_answer();
    }
    if (ping.sent == ping.count && !ping.waits) {
        stop();
        return COMMAND_DONE;
    }
    if (ping.sent != 0 && now - ping.sent_at < SECOND_NS) {
        return COMMAND_WAITS;
    }
    if (ping.waits) {
        printf("%u: no answer\n", ping.sent);
        ping.waits = false;
    } else {
        send(now);
    }
    return COMMAND_GOES_ON;
}

const struct command command_ping = {
    .name = "ping",
    .usage = "ADDRESS [COUNT [SIZE]]",
    .help = "echo requests, one a second",
    .least = 1,
    .most = 3,
    .start = start,
    .step = step,
    .stop = stop,
};
