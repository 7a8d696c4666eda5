/* SPDX-License-Identifier: BSD-2-Clause */
/* The possible actions of the fuzzed device. */
#include <string.h>

#include "arena.h"
#include "device.h"
#include "input.h"
#include "platform.h"
#include "virtio/virtio_spec.h"

/* The receive and transmit queues are chosen twice as often as the control queue. */
static struct device_queue *choose_queue(void)
{
    unsigned which = input_byte() % 5;

    return which == 4 && device.net != NULL ? &device.queue[device.net->ctrl_index % DEVICE_QUEUES]
                                            : &device.queue[which % 2];
}

static bool is_live(const struct device_queue *q)
{
    return q->entries != 0 && device.status & VIRTIO_STATUS_DRIVER_OK;
}

static void use(bool truly)
{
    struct device_queue *q = choose_queue();
    unsigned which = input_byte();
    unsigned count = 1 + which / 32;

    device_take(q);
    while (count-- > 0) {
        device_use(q, truly ? 0 : which, truly);
    }
}

/* Writes any bytes to a queue's memory, including fields that only the driver writes. */
static void write_anywhere(void)
{
    struct device_queue *q = choose_queue();
    uint8_t bytes[16];
    unsigned count = 1 + input_below(sizeof bytes);
    size_t at;

    if (!is_live(q)) {
        return;
    }
    at = input_u16() % q->area_size;
    count = at + count > q->area_size ? (unsigned)(q->area_size - at) : count;
    input_bytes(bytes, count);
    device.honest = false;
    memcpy(q->descriptors + at, bytes, count);
}

/*
 * Writes the fields of the device outside of used entries: the index (packed ring: the event), and
 * when it wants to be notified.
 */
static void write_index(void)
{
    struct device_queue *q = choose_queue();
    uint16_t value = input_edge();
    uint8_t *field;

    if (!is_live(q)) {
        return;
    }
    device.honest = false;
    if (device_packed()) {
        field = q->device + (value & 1 ? 2 : 0);
        value = input_edge();
    } else if (value & 1) {
        field = q->device + 4 + 8u * q->entries; /* the available event */
        value = (uint16_t)(q->avail + input_byte() - 128);
    } else {
        field = q->device + (value & 2 ? 2 : 0);
        value = value & 2 ? (uint16_t)(q->used + input_edge()) : input_byte();
    }
    memcpy(field, &value, sizeof value);
}

/* Marks a descriptor of a packed ring as used, whoever owns it. */
static void write_descriptor(void)
{
    struct device_queue *q = choose_queue();
    uint8_t *at;
    uint16_t id = input_edge();
    uint16_t flags = input_byte() & 1 ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0;

    if (!is_live(q) || !device_packed()) {
        return;
    }
    at = q->descriptors + 16u * (input_u16() % q->entries);
    device.honest = false;
    memcpy(at + 12, &id, sizeof id);
    memcpy(at + 14, &flags, sizeof flags);
}

/* Writes to memory that it was given at some time: a frame's header, an answer. */
static void write_buffer(void)
{
    struct device_queue *q = choose_queue();
    uint8_t bytes[12];

    input_bytes(bytes, sizeof bytes);
    for (unsigned i = 0; i < q->chains; i++) {
        for (unsigned j = 0; j < q->chain[i].count; j++) {
            struct device_part *part = &q->chain[i].part[j];
            uint32_t length = part->length < sizeof bytes ? part->length : (uint32_t)sizeof bytes;

            if (arena_shares(part->data, length)) {
                memcpy(part->data, bytes, length);
            }
        }
    }
}

static void change_configuration(void)
{
    unsigned at = input_below(sizeof device.config);

    device.config[at] = input_byte();
    device.generation = (uint8_t)(device.generation + input_byte() % 3);
    device.isr |= VIRTIO_ISR_CONFIG;
}

static void change_character(void)
{
    uint8_t bits = input_byte();

    device.keeps_features_ok = !(bits & 1);
    device.resets = !(bits & 2);
    device.resets_queues = !(bits & 4);
    device.takes_vectors = !(bits & 8);
    device.answers = !(bits & 16);
    if (bits & 32) {
        device.offered = input_u64() | virtio_bit(VIRTIO_F_VERSION_1);
    }
    if (bits & 64) {
        device.queue[input_byte() % DEVICE_QUEUES].size = input_u16();
    }
}

/* From the driver's point of view, in interrupt context. */
static void interrupt(void)
{
    uint8_t vector = input_byte();

    device.isr |= vector & 3;
    if (device.net == NULL || device.net->dev == NULL) {
        return;
    }
    if (device.dev.vectors != 0) {
        virtio_net_interrupt_vector(device.net, vector);
    } else {
        (void)virtio_net_interrupt(device.net);
    }
}

void device_answer(bool truly)
{
    struct device_queue *q = &device.queue[device.net->ctrl_index % DEVICE_QUEUES];

    device_take(q);
    for (unsigned i = 0; i < q->chains && q->chain[i].count != 0; i++) {
        uint8_t *answer = q->chain[i].part[0].data;

        if (arena_shares(answer, 1)) {
            *answer = truly ? VIRTIO_NET_OK : input_byte();
        }
    }
    device_use(q, 0, truly);
}

void device_act(void)
{
    switch (input_byte() % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
        use(true);
        break;
    case 4:
    case 5:
    case 6:
        use(false);
        break;
    case 7:
        write_index();
        break;
    case 8:
        write_anywhere();
        break;
    case 9:
        write_descriptor();
        break;
    case 10:
        write_buffer();
        break;
    case 11:
        change_configuration();
        break;
    case 12:
        change_character();
        break;
    case 13:
        device.status |= input_byte() & (VIRTIO_STATUS_DEVICE_NEEDS_RESET);
        break;
    case 14:
        platform.clock_ns += (uint64_t)input_byte() * 50000000;
        break;
    default:
        interrupt();
        break;
    }
}
