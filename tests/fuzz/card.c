/* SPDX-License-Identifier: BSD-2-Clause */
/* The card under the stack: replaces net/nic_open.c. */
#include <string.h>

#include "arena.h"
#include "input.h"
#include "net/nic_open.h"
#include "stack.h"

enum {
    HEADROOM = 12,
    RING = 64,
    BUFFERS = 1300,
    BUFFER = 1530,
    MTU = 1500,
    HEADERS = 18, /* Ethernet, with a VLAN tag */
    FRAME_MAX = 70000,
    LEAST = 96, /* minimum size of a buffer, so that a header in the first buffer can be read before
             * its length is checked */
    PARTS_MAX = 48, /* buffers of a frame */
};

/* A receive buffer. */
struct buffer {
    uint64_t private[8];
    uint8_t headroom[HEADROOM + 2];
    uint8_t data[];
};

struct card card;

static struct sent {
    void *cookie;
    struct virtqueue_part part[NIC_PARTS_MAX];
    unsigned count;
} ring[RING];

/* To be delivered by the next poll. */
static struct {
    const uint8_t *frame;
    size_t length;
    unsigned buffers;
    struct virtio_net_offload offload;
} pending;

void stack_receive(const uint8_t *frame, size_t length, unsigned buffers,
                   const struct virtio_net_offload *offload)
{
    pending.frame = frame;
    pending.length = length;
    pending.buffers = buffers;
    pending.offload = *offload;
    stack_pass(0);
}

/* Takes buffers for the whole frame, or drops it. Returns their number. */
static unsigned take_buffers(struct buffer *buffers[PARTS_MAX], size_t each)
{
    unsigned wanted = (unsigned)((pending.length + each - 1) / each);
    unsigned count = 0;

    while (wanted <= PARTS_MAX && count < wanted && card.lent + count < BUFFERS &&
           (buffers[count] = arena_take(sizeof *buffers[0] + (each < LEAST ? LEAST : each), 16)) !=
               NULL) {
        count++;
    }
    if (count == wanted) {
        return count;
    }
    while (count > 0) {
        arena_give(buffers[--count]);
    }
    return 0;
}

static void deliver(void)
{
    struct buffer *buffers[PARTS_MAX];
    size_t each = pending.length / (pending.buffers != 0 ? pending.buffers : 1) + 1;
    const uint8_t *from = pending.frame;
    size_t left = pending.length;
    unsigned count;

    each = each > BUFFER ? BUFFER : each;
    pending.frame = NULL;
    count = take_buffers(buffers, each);
    card.lent += count;
    for (unsigned i = 0; i < count; i++) {
        size_t length = left < each ? left : each;

        memcpy(buffers[i]->data, from, length);
        from += length;
        left -= length;
        card.client->receive(card.client->context, buffers[i], buffers[i]->data, (uint32_t)length,
                             left > 0, &pending.offload);
    }
}

/* All bytes must be accessible until the card is done with them. */
static size_t read_parts(const struct sent *sent, uint8_t *to)
{
    size_t length = 0;

    for (unsigned i = 0; i < sent->count; i++) {
        fuzz_check(sent->part[i].length != 0, "a part of a frame without bytes");
        fuzz_check(length + sent->part[i].length <= FRAME_MAX, "a frame beyond 64 KiB");
        memcpy(to + length, sent->part[i].data, sent->part[i].length);
        length += sent->part[i].length;
    }
    return length;
}

static void check_offload(const struct virtio_net_offload *offload, size_t length)
{
    if (offload == NULL || offload->gso_type == VIRTIO_NET_HDR_GSO_NONE) {
        fuzz_check(length <= MTU + HEADERS, "a frame longer than the MTU allows");
    } else {
        static const uint32_t needed[] = {
            [VIRTIO_NET_HDR_GSO_TCPV4] = NIC_SEND_TCP4,
            [VIRTIO_NET_HDR_GSO_TCPV6] = NIC_SEND_TCP6,
            [VIRTIO_NET_HDR_GSO_UDP_L4] = NIC_SEND_UDP,
        };

        fuzz_check(card.offloads & needed[offload->gso_type], "an offload that the card has not");
        fuzz_check(offload->gso_size != 0 && offload->hdr_len < length &&
                       offload->hdr_len + offload->gso_size <= MTU + HEADERS,
                   "segments longer than the MTU allows");
    }
    if (offload != NULL && offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        fuzz_check(offload->csum_start + offload->csum_offset + 2u <= length,
                   "a checksum outside of the frame");
    }
}

static int transmit(void *state, struct virtqueue_part *parts, unsigned count, unsigned headroom,
                    const struct virtio_net_offload *offload, void *cookie)
{
    static uint8_t frame[FRAME_MAX];
    struct sent *sent = &ring[card.out];
    size_t length;

    (void)state;
    if (!card.link) {
        return NIC_DOWN;
    }
    if (card.out == RING) {
        return NIC_FULL;
    }
    fuzz_check(count != 0 && count <= NIC_PARTS_MAX, "a frame of too many parts");
    if (headroom >= HEADROOM) { /* space for the card's header */
        memset((uint8_t *)(uintptr_t)parts[0].data - HEADROOM, 0x5a, HEADROOM);
    } else if (offload != NULL) {
        return NIC_PARTS;
    }
    sent->cookie = cookie;
    sent->count = count;
    memcpy(sent->part, parts, count * sizeof parts[0]);
    length = read_parts(sent, frame);
    check_offload(offload, length);
    card.out++;
    peer_saw(frame, length);
    return 0;
}

static void reclaim(void *state)
{
    static uint8_t frame[FRAME_MAX];

    (void)state;
    while (!card.holds && card.out > 0) {
        struct sent sent = ring[0];

        card.out--;
        memmove(&ring[0], &ring[1], card.out * sizeof ring[0]);
        read_parts(&sent, frame); /* unchanged since it was passed */
        card.client->transmitted(card.client->context, sent.cookie);
    }
}

static unsigned poll(void *state, unsigned budget)
{
    unsigned taken = pending.frame != NULL;

    (void)budget;
    reclaim(state);
    if (taken) {
        deliver();
    }
    return taken;
}

static void release(void *state, void *buffer)
{
    (void)state;
    card.lent--;
    arena_give(buffer);
}

static void link(void *state, struct nic_link *to)
{
    (void)state;
    *to = (struct nic_link){.up = card.link};
}

static bool has_room(void *state, unsigned frames, unsigned parts, unsigned spare)
{
    (void)state, (void)parts;
    return card.out + frames + spare <= RING;
}

static void flush(void *state)
{
    (void)state;
}

static bool is_scarce(void *state)
{
    (void)state;
    return card.scarce || card.lent > BUFFERS * 3 / 4;
}

static bool set_groups(void *state, const uint8_t (*groups)[6], unsigned count)
{
    uint8_t sum = 0;

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        sum ^= groups[i][5];
    }
    return sum != 0xff; /* reads every byte */
}

static bool set_vlan(void *state, uint16_t vlan, bool on)
{
    (void)state, (void)vlan, (void)on;
    return true;
}

static bool interrupts_on(void *state, bool tx)
{
    (void)state, (void)tx;
    return false;
}

static void counters(void *state, struct nic_counters *to)
{
    (void)state;
    *to = (struct nic_counters){.rx_buffers_max = BUFFERS, .rx_buffers = card.lent};
}

static const char *feature_name(unsigned bit)
{
    (void)bit;
    return NULL;
}

static void describe(void *state, struct nic_description *to)
{
    (void)state;
    *to = (struct nic_description){"fuzz", "none", "none", 0, 0, 0, feature_name};
}

static const struct nic_driver driver = {
    .name = "fuzz",
    .link = link,
    .transmit = transmit,
    .has_room = has_room,
    .flush = flush,
    .reclaim = reclaim,
    .poll = poll,
    .release = release,
    .scarce = is_scarce,
    .set_groups = set_groups,
    .set_vlan = set_vlan,
    .interrupts_on = interrupts_on,
    .counters = counters,
    .describe = describe,
};

unsigned nic_open(struct nic *const nics[], unsigned count, void (*wake)(void))
{
    (void)count, (void)wake;
    card.client = nics[0]->client;
    nics[0]->driver = &driver;
    nics[0]->info = (struct nic_info){
        .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
        .mtu = MTU,
        .headroom = HEADROOM,
        .offloads = card.offloads,
    };
    return 1;
}

void card_set_link(bool up)
{
    if (card.link != up) {
        card.link = up;
        card.client->link(card.client->context, up);
    }
}
