/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The i82559's receive side: a list of buffers, each beginning with its RFD. The card fills them in
 * order. The last one has the EL bit; after it the card stops and drops frames. A buffer is
 * appended by linking it and then clearing the EL bit of the previous one. If the card has already
 * seen that bit, it must be restarted at the first unfilled RFD.
 */
#include <stdio.h>

#include "arch/arch.h"
#include "net/legacy/i82559.h"
#include "runtime/memory.h"

enum {
    BUFFER_ALIGN = 16,
    ETHERNET_HEADER = 14,
    WINDOW_MIN = 2, /* segments; a window of 0 would only be opened by a timer */
};

static struct i82559_rfd *rfd_of(const struct i82559 *card, struct i82559_buffer *buffer)
{
    return (struct i82559_rfd *)((uint8_t *)buffer + card->rfd_offset);
}

static bool is_done(const struct i82559 *card, struct i82559_buffer *buffer)
{
    return le16_read(&rfd_of(card, buffer)->status) & I82559_STATUS_C;
}

/* Keeps up to rx_limit buffers for reuse and frees the others. */
static void keep(struct i82559 *card, struct i82559_buffer *buffer)
{
    if (card->rx_kept_count >= card->rx_limit) {
        memory_free(buffer);
        card->rx_buffers--;
        return;
    }
    buffer->next = card->rx_kept;
    card->rx_kept = buffer;
    card->rx_kept_count++;
}

static struct i82559_buffer *take_kept(struct i82559 *card)
{
    struct i82559_buffer *buffer = card->rx_kept;

    if (buffer != NULL) {
        card->rx_kept = buffer->next;
        card->rx_kept_count--;
    }
    return buffer;
}

static struct i82559_buffer *take_buffer(struct i82559 *card)
{
    struct i82559_buffer *buffer = take_kept(card);

    if (buffer != NULL) {
        return buffer;
    }
    if (card->rx_buffers >= card->rx_buffers_max) {
        card->counters.rx_at_ceiling++;
        return NULL;
    }
    buffer = memory_alloc(card->buffer_size, BUFFER_ALIGN);
    if (buffer == NULL) {
        card->counters.rx_no_memory++;
        return NULL;
    }
    if (++card->rx_buffers > card->rx_peak) {
        card->rx_peak = card->rx_buffers;
    }
    return buffer;
}

static void append(struct i82559 *card, struct i82559_buffer *buffer)
{
    struct i82559_rfd *rfd = rfd_of(card, buffer);
    uint32_t address = arch_bus_address(rfd);

    buffer->next = NULL;
    le16_write(&rfd->status, 0);
    le16_write(&rfd->command, I82559_CB_EL);
    le16_write(&rfd->count, 0);
    le16_write(&rfd->size, I82559_RX_ROOM);
    if (card->rx_tail == NULL) {
        card->rx_head = buffer;
        card->ru_stopped = true; /* at the EL bit of the previous buffer, which has been taken */
    } else {
        struct i82559_rfd *before = rfd_of(card, card->rx_tail);

        le16_write(&before->link[0], (uint16_t)address);
        le16_write(&before->link[1], (uint16_t)(address >> 16));
        i82559_write_barrier(); /* the link and the RFD must be in memory before the card sees
                                 * the EL bit cleared */
        le16_write(&before->command, 0);
        card->rx_tail->next = buffer;
    }
    card->rx_tail = buffer;
    card->rx_posted++;
}

static void post(struct i82559 *card)
{
    while (card->rx_posted < card->rx_limit) {
        struct i82559_buffer *buffer = take_buffer(card);

        if (buffer == NULL) {
            break;
        }
        append(card, buffer);
    }
}

/* Starts the RU if it has stopped and there is an RFD to fill. */
static void start(struct i82559 *card)
{
    struct i82559_buffer *buffer = card->rx_head;

    if (!card->ru_stopped) {
        return;
    }
    while (buffer != NULL && is_done(card, buffer)) {
        buffer = buffer->next;
    }
    if (buffer != NULL) {
        card->ru_stopped = false;
        card->counters.rx.kicks++;
        i82559_command(card, I82559_RU_START, arch_bus_address(rfd_of(card, buffer)));
    }
}

bool i82559_rx_open(struct i82559 *card)
{
    uint32_t fixed = (uint32_t)sizeof(struct i82559_buffer) + card->client->private_size;

    card->rfd_offset = (fixed + 3) / 4 * 4 + 2;
    card->buffer_size = card->rfd_offset + (uint32_t)sizeof(struct i82559_rfd) + I82559_RX_ROOM;
    card->rx_buffers_max /= card->buffer_size; /* rx_buffers_max was in bytes so far */
    card->rx_limit = card->rx_buffers_max < I82559_RFDS ? card->rx_buffers_max : I82559_RFDS;
    post(card);
    if (card->rx_posted == 0) {
        printf("vtnet: i82559: no memory for receive buffers\n");
        return false;
    }
    start(card);
    return !card->down;
}

void i82559_rx_close(struct i82559 *card)
{
    struct i82559_buffer *buffer;

    while ((buffer = card->rx_head) != NULL) {
        card->rx_head = buffer->next;
        memory_free(buffer);
    }
    while ((buffer = take_kept(card)) != NULL) {
        memory_free(buffer);
    }
}

bool i82559_rx_ready(const struct i82559 *card)
{
    return card->rx_head != NULL && is_done(card, card->rx_head);
}

/* status: the SCB's status word. */
static void note_state(struct i82559 *card, uint16_t status)
{
    if ((status & I82559_RU_STATE) != I82559_RU_READY && !card->ru_stopped) {
        card->ru_stopped = true;
        card->counters.rx.full++;
    }
}

void i82559_rx_restart(struct i82559 *card, uint16_t status)
{
    note_state(card, status);
    start(card);
}

/*
 * Takes the frame of the first buffer. The client gets a valid frame; the buffer of a bad one is
 * kept.
 */
static void take_frame(struct i82559 *card)
{
    static const struct virtio_net_offload no_offload;
    struct i82559_buffer *buffer = card->rx_head;
    struct i82559_rfd *rfd = rfd_of(card, buffer);
    uint32_t length = le16_read(&rfd->count) & I82559_COUNT;

    card->rx_head = buffer->next;
    if (card->rx_head == NULL) {
        card->rx_tail = NULL;
    }
    card->rx_posted--;
    if (!(le16_read(&rfd->status) & I82559_STATUS_OK) || length <= ETHERNET_HEADER ||
        length > I82559_FRAME_MAX) {
        card->counters.rx_bad++;
        keep(card, buffer);
        return;
    }
    card->counters.rx.packets++;
    card->counters.rx.bytes += length;
    card->client->receive(card->client->context, buffer->private, rfd + 1, length, false,
                          &no_offload);
}

unsigned i82559_rx_poll(struct i82559 *card, unsigned budget)
{
    struct i82559_buffer *buffer = card->rx_head;
    unsigned ready = 0;

    while (ready < budget && buffer != NULL && is_done(card, buffer)) {
        buffer = buffer->next;
        ready++;
    }
    if (ready != 0) {
        /*
         * QEMU sets C before it writes the length and the frame, but answers a register read only
         * after all of that. So one read is needed before the frames are used.
         */
        uint16_t status = vpci_read16(&card->csr, I82559_SCB_STATUS);

        i82559_read_barrier();
        note_state(card, status);
    }
    for (unsigned i = 0; i < ready; i++) {
        take_frame(card);
        /*
         * After each frame, so that the card does not run out of RFDs, nor the stack out of
         * transmit blocks, while the remaining frames are handled.
         */
        post(card);
        start(card);
        (void)i82559_reclaim(card);
    }
    post(card);
    start(card);
    return ready;
}

void i82559_release(struct i82559 *card, void *private)
{
    keep(card,
         (struct i82559_buffer *)((uint8_t *)private - offsetof(struct i82559_buffer, private)));
    if (card->rx_posted == 0) {
        post(card); /* the card has no buffers, so no frame would trigger the next poll */
        start(card);
    }
}

bool i82559_scarce(const struct i82559 *card)
{
    return card->rx_buffers >= card->rx_buffers_max &&
           (card->rx_posted == 0 || card->rx_posted < card->rx_limit / 4) && card->rx_kept == NULL;
}

/*
 * Half of the RFDs are for segments, half for acknowledgements. Buffers that the stack keeps cannot
 * receive, and the stack may not keep the last quarter of rx_limit.
 */
uint32_t i82559_window(const struct i82559 *card, bool sending)
{
    uint32_t left = card->rx_posted + card->rx_kept_count + card->rx_buffers_max - card->rx_buffers;
    uint32_t spare = card->rx_limit / 4;

    left = left > spare ? left - spare : 0;
    if (sending || left > card->rx_limit) {
        left = card->rx_limit;
    }
    return left / 2 < WINDOW_MIN ? WINDOW_MIN : left / 2;
}
