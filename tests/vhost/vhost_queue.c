/* SPDX-License-Identifier: BSD-2-Clause */
/* The rings of the vhost-user back end, and the frames that pass through them. */
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/vhost/vhost_user.h"

enum {
    PARTS = 256,
    FRAME_MAX = 65536,
    BURST = 256, /* frames that the guest is told of together */
};

static bool agreed(unsigned feature)
{
    return connection.features & BIT(feature);
}

static bool header_has_buffers(void)
{
    return agreed(VIRTIO_F_VERSION_1) || agreed(VIRTIO_NET_F_MRG_RXBUF);
}

static size_t header_length(void)
{
    return header_has_buffers() ? sizeof(struct virtio_net_hdr) : VIRTIO_NET_HDR_LEGACY_LEN;
}

/* Adds descriptors to parts from the one at `index` on, of which there are `size`. */
static unsigned add_parts(const struct descriptor *desc, unsigned size, unsigned index,
                          struct iovec *part, unsigned count)
{
    for (unsigned n = 0; n < size && index < size && count < PARTS; n++) {
        const struct descriptor *d = &desc[index];
        void *memory = guest_memory(d->address, d->length);

        if (memory == NULL) {
            break;
        }
        if (d->flags & VIRTQ_DESC_F_INDIRECT) {
            return add_parts(memory, d->length / sizeof *d, 0, part, count);
        }
        part[count++] = (struct iovec){memory, d->length};
        if (!(d->flags & VIRTQ_DESC_F_NEXT)) {
            break;
        }
        index = d->next;
    }
    return count;
}

/* The next chain; returns its parts, 0: there is none. */
static unsigned take(struct queue *queue, uint16_t *head, struct iovec *part)
{
    if (__atomic_load_n(&queue->avail->idx, __ATOMIC_ACQUIRE) == queue->next) {
        return 0;
    }
    *head = queue->avail->ring[queue->next++ % queue->size];
    return add_parts(queue->desc, queue->size, *head, part, 0);
}

static void put(struct queue *queue, uint16_t head, size_t length)
{
    queue->used->ring[queue->used_idx % queue->size].id = head;
    queue->used->ring[queue->used_idx % queue->size].length = (uint32_t)length;
    queue->used_idx++;
}

/* Shows what was put, and interrupts if the guest wants that (§2.7.7, §2.7.10). */
static void publish(struct queue *queue)
{
    uint16_t before = queue->used->idx;
    uint16_t event;
    bool wanted;

    if (before == queue->used_idx) {
        return;
    }
    __atomic_store_n(&queue->used->idx, queue->used_idx, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    event = queue->avail->ring[queue->size];
    wanted = agreed(VIRTIO_F_EVENT_IDX)
                 ? (uint16_t)(queue->used_idx - event - 1) < (uint16_t)(queue->used_idx - before)
                 : !(queue->avail->flags & VIRTQ_AVAIL_F_NO_INTERRUPT);
    if (wanted && queue->call >= 0) {
        uint64_t one = 1;

        (void)!write(queue->call, &one, sizeof one);
    }
}

/* Asks to be notified of the next buffer. Returns whether there is one already. */
static bool want_kick(struct queue *queue)
{
    if (agreed(VIRTIO_F_EVENT_IDX)) {
        uint16_t *event = (uint16_t *)&queue->used->ring[queue->size];

        __atomic_store_n(event, queue->next, __ATOMIC_SEQ_CST);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&queue->avail->idx, __ATOMIC_SEQ_CST) != queue->next;
}

/* It looks for receive buffers when there are frames, so nobody need notify it of them. */
void queue_start(struct queue *queue)
{
    queue->running = queue->desc != NULL && queue->avail != NULL && queue->used != NULL;
    if (!queue->running) {
        return;
    }
    queue->used->flags = queue == &connection.queue[RX] ? VIRTQ_USED_F_NO_NOTIFY : 0;
    if (queue == &connection.queue[TX]) {
        want_kick(queue);
    }
}

/* Copies to parts; returns how many bytes had room. */
static size_t scatter(const struct iovec *part, unsigned count, const uint8_t *from, size_t length)
{
    size_t done = 0;

    for (unsigned i = 0; i < count && done < length; i++) {
        size_t now = part[i].iov_len < length - done ? part[i].iov_len : length - done;

        memcpy(part[i].iov_base, from + done, now);
        done += now;
    }
    return done;
}

/* Puts header and frame into as many buffers as it takes, or into none where there are too few. */
static void deliver(struct queue *queue, uint8_t *frame, size_t length)
{
    struct virtio_net_hdr *header = (struct virtio_net_hdr *)frame;
    uint16_t next = queue->next, used_idx = queue->used_idx;
    struct iovec part[PARTS], first[PARTS];
    unsigned first_count = 0;
    uint16_t buffers = 0;
    size_t done = 0;

    memset(frame, 0, header_length());
    while (done < length && (buffers == 0 || agreed(VIRTIO_NET_F_MRG_RXBUF))) {
        uint16_t head = 0;
        unsigned count = take(queue, &head, part);
        size_t now = scatter(part, count, frame + done, length - done);

        if (now == 0) {
            break;
        }
        if (buffers++ == 0) {
            memcpy(first, part, count * sizeof *part);
            first_count = count;
        }
        put(queue, head, now);
        done += now;
    }
    if (done < length) { /* dropped: what was taken is taken by the next one */
        queue->next = next;
        queue->used_idx = used_idx;
    } else if (header_has_buffers()) {
        memcpy(&header->num_buffers, &buffers, sizeof buffers);
        scatter(first, first_count, frame, header_length());
    }
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

static void send_frame(int tap, struct iovec *part, unsigned count)
{
    size_t skip = header_length();
    unsigned i = 0;

    while (i < count && part[i].iov_len <= skip) {
        skip -= part[i++].iov_len;
    }
    if (i < count) {
        part[i].iov_base = (uint8_t *)part[i].iov_base + skip;
        part[i].iov_len -= skip;
        (void)!writev(tap, part + i, (int)(count - i));
    }
}

void queue_transmit(struct queue *queue, int tap)
{
    struct iovec part[PARTS];
    uint64_t kicks;

    (void)!read(queue->kick, &kicks, sizeof kicks);
    do {
        uint16_t head;
        unsigned count;

        while ((count = take(queue, &head, part)) != 0) {
            send_frame(tap, part, count);
            put(queue, head, 0);
        }
        publish(queue);
    } while (want_kick(queue));
}
