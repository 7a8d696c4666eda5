/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends an attack's frames on a tap as fast as that takes them, and says how many there were:
 *
 *   flood INTERFACE ATTACK SECONDS SEED      the frames
 *   flood                                    lists the attacks
 *
 * The same seed makes the same frames. For the guest at 10.0.0.2 and fd00::2 with QEMU's usual MAC.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/hell/frame.h"

enum { BATCH = 64, LEAST = 14 };

static const struct attack *const families[] = {ipv6_attacks, ipv4_attacks, nd_attacks,
                                                link_attacks};
enum { FAMILIES = sizeof families / sizeof families[0] };

static struct frame batch[BATCH];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int open_socket(const char *interface)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET};
    int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;

    address.sll_ifindex = (int)if_nametoindex(interface);
    if (fd < 0 || address.sll_ifindex == 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        die(interface);
    }
    /* without the host's queue: frames for which the tap has no room are dropped at once */
    if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) != 0) {
        die("PACKET_QDISC_BYPASS");
    }
    return fd;
}

static void send_batch(int fd)
{
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    unsigned sent = 0;

    for (unsigned i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){batch[i].data, batch[i].length};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    while (sent < BATCH) {
        int count = sendmmsg(fd, messages + sent, BATCH - sent, 0);

        if (count < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
            die("sendmmsg");
        }
        sent += count > 0 ? (unsigned)count : 1; /* a dropped frame counts too */
    }
}

static const struct attack *find(const char *name)
{
    for (unsigned i = 0; i < FAMILIES; i++) {
        for (const struct attack *attack = families[i]; attack->name != NULL; attack++) {
            if (strcmp(attack->name, name) == 0) {
                return attack;
            }
        }
    }
    fprintf(stderr, "flood: there is no attack %s\n", name);
    exit(1);
}

static void list(void)
{
    for (unsigned i = 0; i < FAMILIES; i++) {
        for (const struct attack *attack = families[i]; attack->name != NULL; attack++) {
            puts(attack->name);
        }
    }
}

static void flood(int fd, const struct attack *attack, double seconds, uint64_t seed)
{
    double begin = now();
    uint64_t random = seed * 0x9e3779b97f4a7c15 + 1; /* not 0 */
    uint32_t number = 0;

    while (now() - begin < seconds) {
        for (unsigned i = 0; i < BATCH; i++) {
            batch[i].number = number++;
            batch[i].random = random;
            attack->make(&batch[i]);
            random = batch[i].random;
            if (batch[i].length < LEAST) {
                abort();
            }
        }
        send_batch(fd);
    }
    printf("%u\n", number);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        list();
        return 0;
    }
    if (argc != 5) {
        fprintf(stderr, "usage: flood [INTERFACE ATTACK SECONDS SEED]\n");
        return 1;
    }
    flood(open_socket(argv[1]), find(argv[2]), strtod(argv[3], NULL), strtoull(argv[4], NULL, 0));
    return 0;
}
