/* SPDX-License-Identifier: BSD-2-Clause */
/* The queues of the vhost-user back end, and the frames passing through them. */
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/vhost/vhost_lies.h"
#include "tests/vhost/vhost_ring.h"
#include "tests/vhost/vhost_user.h"

enum {
    FRAME_MAX = 65536,
    BURST = 256, /* most frames made visible together */
};

static bool header_has_buffers(void)
{
    return agreed(VIRTIO_F_VERSION_1) || agreed(VIRTIO_NET_F_MRG_RXBUF);
}

static size_t header_length(void)
{
    return header_has_buffers() ? sizeof(struct virtio_net_hdr) : VIRTIO_NET_HDR_LEGACY_LEN;
}

bool chain_add(struct chain *chain, uint64_t address, uint32_t length)
{
    void *memory = chain->count < PARTS ? guest_memory(address, length) : NULL;

    if (memory != NULL) {
        chain->part[chain->count++] = (struct iovec){memory, length};
    }
    return memory != NULL;
}

static bool take(struct queue *queue, struct chain *chain)
{
    if (!queue->ring->take(queue, chain)) {
        return false;
    }
    queue->out[chain->id % QUEUE_MAX] = true;
    return true;
}

static void put(struct queue *queue, const struct chain *chain, size_t length)
{
    struct used_entry *entry = &queue->pending[queue->pending_count++];

    *entry = (struct used_entry){chain->id, (uint32_t)length, 0, chain->descriptors};
    for (unsigned i = 0; i < chain->count; i++) {
        entry->room += (uint32_t)chain->part[i].iov_len;
    }
}

/* Makes pending entries visible, and interrupts if the guest wants that. */
static void publish(struct queue *queue)
{
    bool wanted;

    if (queue->pending_count == 0) {
        return;
    }
    for (unsigned i = 0; i < queue->pending_count; i++) {
        queue->out[queue->pending[i].id % QUEUE_MAX] = false;
    }
    lies_used(queue);
    wanted = queue->ring->show(queue);
    queue->pending_count = 0;
    lies_shown(queue);
    if (wanted && queue->call >= 0 && !lies_mute(queue)) {
        uint64_t one = 1;

        (void)!write(queue->call, &one, sizeof one);
    }
}

/* The device checks for receive buffers when there are frames, so it needs no notifications. */
void queue_start(struct queue *queue)
{
    queue->running = queue->desc != NULL && queue->avail != NULL && queue->used != NULL &&
                     queue->size != 0 && queue->size <= QUEUE_MAX;
    queue->ring = agreed(VIRTIO_F_RING_PACKED) ? &packed_ring : &split_ring;
    queue->pending_count = 0;
    memset(queue->out, 0, sizeof queue->out);
    if (queue->running) {
        queue->ring->want_kick(queue, queue == &connection.queue[TX]);
    }
}

/* Copies to the parts. Returns the number of bytes copied. */
static size_t scatter(const struct chain *chain, const uint8_t *from, size_t length)
{
    size_t done = 0;

    for (unsigned i = 0; i < chain->count && done < length; i++) {
        const struct iovec *part = &chain->part[i];
        size_t now = part->iov_len < length - done ? part->iov_len : length - done;

        memcpy(part->iov_base, from + done, now);
        done += now;
    }
    return done;
}

/* Writes header and frame to as many buffers as needed, or to none if there are too few. */
static void deliver(struct queue *queue, uint8_t *frame, size_t length)
{
    struct virtio_net_hdr *header = (struct virtio_net_hdr *)frame;
    const uint16_t next = queue->next;
    const unsigned pending = queue->pending_count;
    static struct chain chain, first;
    uint16_t buffers = 0;
    size_t done = 0;

    memset(frame, 0, header_length());
    while (done < length && queue->pending_count < QUEUE_MAX &&
           (buffers == 0 || agreed(VIRTIO_NET_F_MRG_RXBUF)) && take(queue, &chain)) {
        size_t now = scatter(&chain, frame + done, lies_share(queue, length - done));

        if (buffers++ == 0) {
            first = chain;
        }
        put(queue, &chain, now);
        done += now;
    }
    if (done < length) { /* dropped: the next frame uses these buffers */
        queue->next = next;
        queue->pending_count = pending;
        return;
    }
    if (header_has_buffers()) {
        memcpy(&header->num_buffers, &buffers, sizeof buffers);
    }
    lies_header(queue, header);
    scatter(&first, frame, header_length());
}

void queue_receive(struct queue *queue, int tap)
{
    static uint8_t frame[FRAME_MAX];
    ssize_t length;

    for (unsigned n = 0; n < BURST; n++) {
        size_t header = queue->running ? header_length() : 0;

        length = read(tap, frame + header, sizeof frame - header);
        if (length <= 0) {
            break;
        }
        if (queue->running) {
            deliver(queue, frame, (size_t)length + header);
        }
    }
    if (queue->running) {
        publish(queue);
    }
}

static void send_frame(int tap, struct chain *chain)
{
    size_t skip = header_length();
    unsigned i = 0;

    while (i < chain->count && chain->part[i].iov_len <= skip) {
        skip -= chain->part[i++].iov_len;
    }
    if (i < chain->count) {
        chain->part[i].iov_base = (uint8_t *)chain->part[i].iov_base + skip;
        chain->part[i].iov_len -= skip;
        (void)!writev(tap, &chain->part[i], (int)(chain->count - i));
    }
}

void queue_transmit(struct queue *queue, int tap)
{
    static struct chain chain;

    do {
        while (queue->pending_count < BURST && take(queue, &chain)) {
            if (!lies_loses(queue)) {
                send_frame(tap, &chain);
                put(queue, &chain, 0);
            }
        }
        publish(queue);
    } while (queue->ring->want_kick(queue, true));
}
