/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reflector of bench/runner/floor: the library without a stack. It answers ARP requests and
 * pings for its address, and serves echo, sink and source over UDP with the messages of
 * net/services/services.h. Apart from QEMU, the tap and the client, its time for a message is the
 * driver's.
 */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/boot.h"
#include "pci/pci.h"
#include "runtime/memory.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"

enum {
    ETHERNET = 14, /* bytes of each header */
    IP = 20,
    UDP = 8,
    ARP = 28,
    HEADERS = ETHERNET + IP + UDP,
    PAYLOAD_MAX = 1472,
    TYPE_IP = 0x0800,
    TYPE_ARP = 0x0806,
    PROTOCOL_ICMP = 1,
    PROTOCOL_UDP = 17,
    ECHO = 7,
    SINK = 9,
    SOURCE = 19,
    FRAMES = 128, /* frames of the source in the ring at once */
    BUDGET = 64,  /* frames in a pass */
};

static struct virtio_pci pci;
static struct virtio_net net;
static volatile bool woken; /* since the loop last checked */
static uint8_t address[4];  /* IPv4, in network byte order */

static uint64_t sink_datagrams, sink_bytes;

/* The current burst: its frames have the same headers, and a number each. */
static struct {
    uint32_t left, next, size;
    uint8_t headers[HEADERS];
} source;

static struct source_frame {
    struct source_frame *next;
    uint8_t headroom[sizeof(struct virtio_net_hdr)];
    uint8_t data[HEADERS + PAYLOAD_MAX];
} frames[FRAMES], *free_frames;

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

static void put64(uint8_t *at, uint64_t value)
{
    put32(at, (uint32_t)(value >> 32));
    put32(at + 4, (uint32_t)value);
}

static void swap(uint8_t *one, uint8_t *other, size_t size)
{
    uint8_t kept[6];

    memcpy(kept, one, size);
    memcpy(one, other, size);
    memcpy(other, kept, size);
}

/* The Internet checksum of `size` bytes, an even number. */
static uint16_t checksum(const uint8_t *at, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i += 2) {
        sum += get16(at + i);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

/* Sends the frame, which is in the receive buffer, back to its sender. */
static void send_back(void *buffer, uint8_t *frame, uint32_t length)
{
    struct virtqueue_part part = {frame, length};

    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, net.mac, 6);
    if (virtio_net_transmit(&net, &part, 1, net.header_length, NULL, buffer) != 0) {
        virtio_net_release(&net, buffer); /* the ring is full: the frame is lost */
    }
}

/* Answers requests for our address in place. */
static bool answer_arp(void *buffer, uint8_t *frame, uint32_t length)
{
    uint8_t *arp = frame + ETHERNET;

    if (length < ETHERNET + ARP || get16(arp + 6) != 1 || memcmp(arp + 24, address, 4) != 0) {
        return false;
    }
    put16(arp + 6, 2);
    memcpy(arp + 18, arp + 8, 10);
    memcpy(arp + 8, net.mac, 6);
    memcpy(arp + 14, address, 4);
    send_back(buffer, frame, length);
    return true;
}

/* The sum changes by the difference of the types: 8 (request), 0 (reply). */
static bool answer_ping(void *buffer, uint8_t *frame, uint32_t length)
{
    uint8_t *icmp = frame + ETHERNET + IP;
    uint32_t sum;

    if (length < ETHERNET + IP + 8 || icmp[0] != 8) {
        return false;
    }
    sum = get16(icmp + 2) + 0x0800u;
    icmp[0] = 0;
    put16(icmp + 2, (uint16_t)(sum + (sum >> 16)));
    swap(frame + ETHERNET + 12, frame + ETHERNET + 16, 4);
    send_back(buffer, frame, length);
    return true;
}

/*
 * Makes the answer out of the request's frame. The sums stay valid: the same numbers are added in
 * another order.
 */
static void turn_around(uint8_t *frame)
{
    swap(frame + ETHERNET + 12, frame + ETHERNET + 16, 4);
    swap(frame + ETHERNET + IP, frame + ETHERNET + IP + 2, 2);
}

/* Counts a datagram, or answers "STAT" with the counters. */
static bool serve_sink(void *buffer, uint8_t *frame, uint32_t size)
{
    enum { ANSWER = 24 };
    uint8_t *data = frame + HEADERS;
    uint8_t *ip = frame + ETHERNET;

    if (size != 8 || memcmp(data, "STAT", 4) != 0) {
        sink_datagrams++;
        sink_bytes += size;
        return false;
    }
    put64(data + 8, sink_datagrams);
    put64(data + 16, sink_bytes);
    turn_around(frame);
    put16(ip + 2, IP + UDP + ANSWER);
    put16(ip + 10, 0);
    put16(ip + 10, checksum(ip, IP));
    put16(ip + IP + 4, UDP + ANSWER);
    put16(ip + IP + 6, 0); /* none (RFC 768) */
    send_back(buffer, frame, HEADERS + ANSWER);
    return true;
}

/* Accepts a request. The headers of the burst are made from those of the request. */
static void begin_burst(const uint8_t *order, uint32_t size)
{
    uint8_t *headers = source.headers;
    uint8_t *ip = headers + ETHERNET;

    source.left = 0;
    if (size != 12 || memcmp(order + HEADERS, "SEND", 4) != 0 ||
        get32(order + HEADERS + 8) > PAYLOAD_MAX || get32(order + HEADERS + 8) < 4) {
        return;
    }
    source.left = get32(order + HEADERS + 4);
    source.size = get32(order + HEADERS + 8);
    source.next = 0;
    memcpy(headers, order, HEADERS);
    memcpy(headers, order + 6, 6);
    memcpy(headers + 6, net.mac, 6);
    turn_around(headers);
    put16(ip + 2, (uint16_t)(IP + UDP + source.size));
    put16(ip + 10, 0);
    put16(ip + 10, checksum(ip, IP));
    put16(ip + IP + 4, (uint16_t)(UDP + source.size));
    put16(ip + IP + 6, 0);
}

/* Returns true if something is left to send. */
static bool continue_burst(void)
{
    while (source.left != 0 && free_frames != NULL) {
        struct source_frame *frame = free_frames;
        struct virtqueue_part part = {frame->data, HEADERS + source.size};

        memcpy(frame->data, source.headers, HEADERS);
        put32(frame->data + HEADERS, source.next);
        if (virtio_net_transmit(&net, &part, 1, net.header_length, NULL, frame) != 0) {
            break;
        }
        free_frames = frame->next;
        source.next++;
        source.left--;
    }
    return source.left != 0;
}

/* Handles a datagram for us. Returns false if there is no answer. */
static bool serve(void *buffer, uint8_t *frame, uint32_t length)
{
    uint32_t size = get16(frame + ETHERNET + IP + 4) - (uint32_t)UDP;

    if (length < HEADERS || size > length - HEADERS) {
        return false;
    }
    switch (get16(frame + ETHERNET + IP + 2)) {
    case ECHO:
        turn_around(frame);
        send_back(buffer, frame, length);
        return true;
    case SINK:
        return serve_sink(buffer, frame, size);
    case SOURCE:
        begin_burst(frame, size);
        return false;
    default:
        return false;
    }
}

/* A frame is in one buffer, because no offload was negotiated. */
static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    uint8_t *frame = data;
    uint16_t type = length >= ETHERNET + IP ? get16(frame + 12) : 0;
    bool answered = false;

    (void)context, (void)more, (void)offload;
    if (type == TYPE_ARP) {
        answered = answer_arp(buffer, frame, length);
    } else if (type == TYPE_IP && frame[ETHERNET] == 0x45 &&
               memcmp(frame + ETHERNET + 16, address, 4) == 0) {
        uint8_t protocol = frame[ETHERNET + 9];

        answered = protocol == PROTOCOL_UDP    ? serve(buffer, frame, length)
                   : protocol == PROTOCOL_ICMP ? answer_ping(buffer, frame, length)
                                               : false;
    }
    if (!answered) {
        virtio_net_release(&net, buffer);
    }
}

/* The cookie is a frame of the source or a receive buffer. */
static void transmitted(void *context, void *cookie)
{
    (void)context;
    if ((uintptr_t)cookie - (uintptr_t)frames < sizeof frames) {
        struct source_frame *frame = cookie;

        frame->next = free_frames;
        free_frames = frame;
    } else {
        virtio_net_release(&net, cookie);
    }
}

static void link_changed(void *context, bool up)
{
    (void)context, (void)up;
}

static void announce(void *context)
{
    (void)context;
}

static bool handle_interrupt(void *context)
{
    bool ours = virtio_net_interrupt(context);

    woken |= ours;
    return ours;
}

/* Called for each PCI function until it returns false. */
static bool open_first(const struct vpci_device *device, void *context)
{
    static const struct virtio_net_client client = {
        .receive = receive,
        .transmitted = transmitted,
        .link = link_changed,
        .announce = announce,
    };
    const uint64_t receive_offloads =
        virtio_bit(VIRTIO_NET_F_MRG_RXBUF) | virtio_bit(VIRTIO_NET_F_GUEST_CSUM);
    const struct virtio_net_options options = {
        .features = VIRTIO_NET_FEATURES & ~receive_offloads,
        .weak_barrier = arch_barrier_is_weak(),
        .bus_offset = arch_bus_address(NULL),
    };
    bool *opened = context;

    if (!virtio_pci_is_net(device)) {
        return true;
    }
    *opened = virtio_pci_open(&pci, device, VIRTIO_PCI_ANY) == 0 &&
              virtio_net_open(&net, &pci.dev, &options, &client) == 0 &&
              arch_irq_register(device->irq_line, handle_interrupt, &net);
    if (*opened) {
        vpci_enable_line(device);
        virtio_net_start(&net);
    }
    return !*opened;
}

static void sleep_unless_woken(void)
{
    arch_interrupts_off();
    if (!woken) {
        arch_wait();
    }
    arch_interrupts_on();
}

int main(void)
{
    bool sleeps = boot_arguments.mode != BOOT_MODE_POLL;
    bool opened = false;

    put32(address, boot_arguments.ip[0].address);
    for (unsigned i = 0; i < FRAMES; i++) {
        frames[i].next = free_frames;
        free_frames = &frames[i];
    }
    vpci_setup_bridges();
    vpci_scan(open_first, &opened);
    if (!opened) {
        printf("floor: no virtio network device\n");
        return 1;
    }
    arch_interrupts_on();
    printf("vtnet: ready at %u.%u.%u.%u/24\n", address[0], address[1], address[2], address[3]);
    for (;;) {
        unsigned taken;
        bool more;

        woken = false;
        taken = virtio_net_poll(&net, BUDGET);
        more = continue_burst();
        virtio_net_flush(&net);
        if (sleeps && taken == 0 && !virtio_net_interrupts_on(&net, more)) {
            sleep_unless_woken();
        }
    }
}
