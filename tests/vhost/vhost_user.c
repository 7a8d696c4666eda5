/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vhost-user back end between a guest's card and a tap: a device that never waits for receive
 * buffers. It drops a frame for which none is posted, where QEMU's own back ends keep the frame.
 * Split and packed rings, one pair of queues, a little-endian guest. With "offloads" it offers those of
 * received frames, and never uses them.
 *
 *     vhost-user SOCKET TAP [offloads]
 *
 * It behaves until a line on its standard input tells it a lie (vhost_lies.c).
 *
 * It connects to QEMU, which listens at SOCKET, as often as QEMU ends the connection. What waits in
 * the tap is put into the ring, up to 256 frames, before the guest can see the first. So a test that
 * stops this program (SIGSTOP), sends, and lets it go on knows how many frames are dropped: those
 * beyond the posted buffers.
 *
 * The protocol: "Vhost-user Protocol" of QEMU's interoperability documents.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/vhost/vhost_lies.h"
#include "tests/vhost/vhost_user.h"

struct connection connection;
static uint64_t offered = FEATURES;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int open_tap(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    if (tap < 0 || ioctl(tap, TUNSETIFF, &request) != 0) {
        fail(name);
    }
    /*
     * A previous user may have enabled frames without checksums, or joined ones; the tap keeps that
     * setting.
     */
    if (ioctl(tap, TUNSETOFFLOAD, 0) != 0) {
        fail("TUNSETOFFLOAD");
    }
    return tap;
}

/* Retries until the socket accepts a connection. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path) {
        fail(path);
    }
    memcpy(address.sun_path, path, strlen(path));
    for (;;) {
        int sock = socket(AF_UNIX, SOCK_STREAM, 0);

        if (sock >= 0 && connect(sock, (struct sockaddr *)&address, sizeof address) == 0) {
            return sock;
        }
        close(sock);
        usleep(5000);
    }
}

/* The memory at an address, if all `length` bytes are in one region; else NULL. */
static void *find(uint64_t address, uint64_t length, bool user)
{
    for (unsigned i = 0; i < connection.regions; i++) {
        const struct region *region = &connection.region[i];
        uint64_t first = user ? region->user : region->guest;

        if (address >= first && address - first < region->size &&
            length <= region->size - (address - first)) {
            return region->memory + (address - first);
        }
    }
    return NULL;
}

void *guest_memory(uint64_t address, uint64_t length)
{
    return find(address, length, false);
}

static void forget_memory(void)
{
    while (connection.regions > 0) {
        struct region *region = &connection.region[--connection.regions];

        munmap(region->memory - region->offset, region->size + region->offset);
    }
}

static void set_memory(const struct message *message, const int *fds, unsigned count)
{
    forget_memory();
    for (unsigned i = 0; i < message->memory.regions && i < count; i++) {
        struct region *region = &connection.region[i];

        *region = (struct region){
            .guest = message->memory.region[i].guest,
            .size = message->memory.region[i].size,
            .user = message->memory.region[i].user,
            .offset = message->memory.region[i].offset,
        };
        region->memory = mmap(NULL, region->size + region->offset, PROT_READ | PROT_WRITE,
                              MAP_SHARED, fds[i], 0);
        if (region->memory == MAP_FAILED) {
            fail("mmap");
        }
        region->memory += region->offset;
        close(fds[i]);
        connection.regions++;
    }
}

static void set_addresses(const struct message *message)
{
    struct queue *queue = &connection.queue[message->addresses.index % QUEUES];
    bool packed = agreed(VIRTIO_F_RING_PACKED);
    uint64_t n = queue->size;

    queue->desc = find(message->addresses.desc, n * 16, true);
    queue->avail = find(message->addresses.avail, packed ? 4 : 6 + n * 2, true);
    queue->used = find(message->addresses.used, packed ? 4 : 6 + n * 8, true);
}

/* A packed ring has two positions, of taking and using; a split ring has one index. */
static void set_base(struct queue *queue, uint32_t base)
{
    queue->next = queue->seen = (uint16_t)base;
    queue->used_idx = (uint16_t)(agreed(VIRTIO_F_RING_PACKED) ? base >> 16 : base);
}

static uint32_t get_base(const struct queue *queue)
{
    return queue->next | (agreed(VIRTIO_F_RING_PACKED) ? (uint32_t)queue->used_idx << 16 : 0);
}

/* The file descriptor of a kick or a call; -1: none. */
static void set_file(int *file, int fd)
{
    if (*file >= 0) {
        close(*file);
    }
    *file = fd;
}

static void reply(int sock, struct message *message, uint32_t size)
{
    message->flags = MESSAGE_VERSION | MESSAGE_REPLY;
    message->size = size;
    if (send(sock, message, (size_t)MESSAGE_HEADER + size, MSG_NOSIGNAL) < 0) {
        perror("reply");
    }
}

static void reply_number(int sock, struct message *message, uint64_t number)
{
    message->number = number;
    reply(sock, message, sizeof message->number);
}

/* A queue runs from the message with its kick descriptor until its base is requested. */
static void handle(int sock, struct message *message, int *fds, unsigned count)
{
    struct queue *queue = &connection.queue[message->state.index % QUEUES];
    int fd = message->number & NO_FILE || count == 0 ? -1 : fds[0];

    switch (message->request) {
    case GET_FEATURES:
        reply_number(sock, message, offered);
        break;
    case SET_FEATURES:
        connection.features = message->number;
        break;
    case GET_PROTOCOL_FEATURES:
        reply_number(sock, message, 0);
        break;
    case SET_MEM_TABLE:
        set_memory(message, fds, count);
        break;
    case SET_VRING_NUM:
        queue->size = (uint16_t)message->state.number;
        break;
    case SET_VRING_ADDR:
        set_addresses(message);
        break;
    case SET_VRING_BASE:
        set_base(queue, message->state.number);
        break;
    case GET_VRING_BASE:
        message->state.number = get_base(queue);
        set_file(&queue->kick, -1);
        queue->running = false;
        reply(sock, message, sizeof message->state);
        break;
    case SET_VRING_KICK:
        set_file(&connection.queue[message->number % QUEUES].kick, fd);
        queue_start(&connection.queue[message->number % QUEUES]);
        break;
    case SET_VRING_CALL:
        set_file(&connection.queue[message->number % QUEUES].call, fd);
        break;
    default:
        break; /* nothing to do, and no reply expected */
    }
}

/* Returns false when the connection has ended. */
static bool receive_message(int sock)
{
    struct message message;
    struct iovec header = {&message, MESSAGE_HEADER};
    char control[CMSG_SPACE(REGIONS * sizeof(int))];
    struct msghdr request = {
        .msg_iov = &header,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    struct cmsghdr *attached;
    int fds[REGIONS];
    unsigned count = 0;
    ssize_t size;

    memset(&message, 0, sizeof message);
    if (recvmsg(sock, &request, MSG_WAITALL) != MESSAGE_HEADER ||
        message.size > sizeof message - MESSAGE_HEADER) {
        return false;
    }
    size = message.size;
    if (size != 0 && recv(sock, &message.number, (size_t)size, MSG_WAITALL) != size) {
        return false;
    }
    attached = CMSG_FIRSTHDR(&request);
    if (attached != NULL && attached->cmsg_type == SCM_RIGHTS) {
        count = (unsigned)((attached->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(attached), count * sizeof(int));
    }
    handle(sock, &message, fds, count);
    return true;
}

/* Returns the milliseconds for which to disconnect. */
static unsigned serve(int sock, int tap)
{
    struct queue *rx = &connection.queue[RX];
    struct queue *tx = &connection.queue[TX];
    static int commands = STDIN_FILENO;
    bool connected = true;
    unsigned away = 0;

    while (connected && away == 0) {
        bool ends = lies_end();
        struct pollfd wait[] = {
            {.fd = sock, .events = POLLIN},
            {.fd = lies_stall(rx) ? -1 : tap, .events = POLLIN},
            {.fd = tx->running && !lies_stall(tx) ? tx->kick : -1, .events = POLLIN},
            {.fd = commands, .events = POLLIN},
        };

        poll(wait, 4, ends ? 10 : -1);
        if (wait[1].revents != 0) {
            queue_receive(rx, tap);
        }
        if (wait[2].revents != 0) {
            uint64_t kicks;

            (void)!read(tx->kick, &kicks, sizeof kicks);
            queue_transmit(tx, tap);
        }
        if (wait[0].revents != 0) {
            connected = receive_message(sock);
        }
        if (wait[3].revents != 0) {
            commands = lies_read() ? commands : -1;
            away = lies_away();
        }
    }
    return away;
}

int main(int argc, char **argv)
{
    unsigned away;
    int tap;

    if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[3], "offloads") != 0)) {
        fprintf(stderr, "usage: vhost-user SOCKET TAP [offloads]\n");
        return 2;
    }
    offered |= argc == 4 ? OFFLOADS : 0;
    tap = open_tap(argv[2]);
    for (;;) {
        int sock = connect_to(argv[1]);

        connection =
            (struct connection){.queue = {{.kick = -1, .call = -1}, {.kick = -1, .call = -1}}};
        away = serve(sock, tap);
        for (unsigned i = 0; i < QUEUES; i++) {
            set_file(&connection.queue[i].kick, -1);
            set_file(&connection.queue[i].call, -1);
        }
        forget_memory();
        close(sock);
        usleep(1000 * away);
    }
}
