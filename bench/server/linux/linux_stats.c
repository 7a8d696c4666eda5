/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers of the Linux peer's UDP port 81, in the form of our own guest:
 *
 *     {"cards": [{"driver": "e1000", "counters": {"rx_buffers": 256, "rx_held": 524288}}]}
 *
 * rx_buffers is the length of the receive ring as reported by ethtool. rx_held is this number times
 * the bytes of a buffer that the card may write to. Neither includes what the kernel adds to each
 * buffer, nor packets that the kernel holds. "counters" is missing for a driver whose buffers are
 * not known here.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "linux_init.h"

#define STATS_PORT 81
#define CARD_HAS_THE_BUFFERS 0

/* The bytes of one receive buffer, by driver, at Ethernet's usual MTU; see buffer_bytes(). */
static const struct {
    const char *driver;
    int bytes;
} buffers[] = {
    {"e1000", 2048},                    /* RCTL.BSIZE */
    {"e100", 16 + 1518 + 4},            /* its header (RFD), frame with VLAN tag, checksum */
    {"ne2k-pci", CARD_HAS_THE_BUFFERS}, /* in the card's own memory; no ring */
};

static int ethtool(int fd, const char *interface, void *command)
{
    struct ifreq request = {.ifr_data = command};

    snprintf(request.ifr_name, IF_NAMESIZE, "%s", interface);
    return ioctl(fd, SIOCETHTOOL, &request);
}

/* Returns the size that virtio_net uses now if buffers can be merged, or -1. */
static int mergeable_bytes(const char *interface)
{
    char path[128];
    int bytes = -1;
    FILE *file;

    snprintf(path, sizeof(path),
             "/sys/class/net/%s/queues/rx-0/virtio_net/mergeable_rx_buffer_size", interface);
    file = fopen(path, "re");
    if (file) {
        if (fscanf(file, "%d", &bytes) != 1) {
            bytes = -1;
        }
        fclose(file);
    }
    return bytes;
}

/* Returns the bytes of one receive buffer, or -1 if they are not known. */
static int buffer_bytes(const char *interface, const char *driver)
{
    if (strcmp(driver, "virtio_net") == 0) {
        return mergeable_bytes(interface);
    }
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
        if (strcmp(driver, buffers[i].driver) == 0) {
            return buffers[i].bytes;
        }
    }
    return -1;
}

/* Writes the answer to `text`. Returns its length. */
static int describe(int fd, const char *interface, char *text, size_t size)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ethtool_ringparam ring = {.cmd = ETHTOOL_GRINGPARAM};
    bool has_ring = ethtool(fd, interface, &ring) == 0;
    int bytes;

    if (ethtool(fd, interface, &info) < 0) {
        die("cannot ask the driver's name");
    }
    bytes = buffer_bytes(interface, info.driver);
    if (bytes < 0 || (bytes != CARD_HAS_THE_BUFFERS && !has_ring)) {
        return snprintf(text, size, "{\"cards\": [{\"driver\": \"%s\"}]}\n", info.driver);
    }
    return snprintf(text, size,
                    "{\"cards\": [{\"driver\": \"%s\", \"counters\": "
                    "{\"rx_buffers\": %u, \"rx_held\": %u}}]}\n",
                    info.driver, has_ring ? ring.rx_pending : 0, ring.rx_pending * (unsigned)bytes);
}

int stats_open(void)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(STATS_PORT)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0) {
        die("cannot serve udp port 81");
    }
    return fd;
}

void stats_serve(int fd, const char *interface, int until)
{
    struct pollfd wait[] = {{.fd = fd, .events = POLLIN}, {.fd = until}};

    while (poll(wait, 2, -1) > 0 && !wait[1].revents) {
        struct sockaddr_in from;
        socklen_t from_length = sizeof(from);
        char text[256];
        ssize_t asked = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &from_length);

        if (asked >= 0) {
            int length = describe(fd, interface, text, sizeof(text));

            (void)sendto(fd, text, (size_t)length, 0, (struct sockaddr *)&from, from_length);
        }
    }
}
