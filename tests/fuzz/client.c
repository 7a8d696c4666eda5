/* SPDX-License-Identifier: BSD-2-Clause */
#include "client.h"

#include <string.h>

#include "arena.h"
#include "input.h"
#include "platform.h"
#include "virtio/virtio_spec.h"

enum { HELD_MAX = 256, FRAMES = 32, PRIVATE = 40 };

struct virtio_net net;

/* Received buffers that the client has. */
static void *held[HELD_MAX];
static unsigned helds;
static bool holds;

/* Frames that the device has. */
static struct frame {
    bool out;
    uint8_t *block;
} frames[FRAMES];
static unsigned out;

static void release(unsigned which)
{
    void *buffer = held[which];

    held[which] = held[--helds];
    virtio_net_release(&net, buffer);
}

static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    unsigned block = arena_block(buffer);

    (void)context, (void)more, (void)offload;
    fuzz_check(arena_holds(buffer, PRIVATE) && arena_holds(data, length) &&
                   arena_block(data) == block && length != 0,
               "a frame is not within its buffer");
    for (unsigned i = 0; i < helds; i++) {
        fuzz_check(arena_block(held[i]) != block, "a buffer is received that the client has");
    }
    memset(buffer, 0x5a, PRIVATE);
    memset(data, 0x5a, length);
    fuzz_check(helds < HELD_MAX, "more buffers than may exist");
    held[helds++] = buffer;
    if (!holds || helds > HELD_MAX / 2) {
        release(helds - 1);
    }
}

static void transmitted(void *context, void *cookie)
{
    struct frame *frame = cookie;

    (void)context;
    fuzz_check(frame >= frames && frame < frames + FRAMES && frame->out,
               "a frame comes back that was not out");
    frame->out = false;
    out--;
    arena_give(frame->block);
}

static void link_changed(void *context, bool up)
{
    (void)context, (void)up;
}

static void announce(void *context)
{
    (void)context;
}

void device_given(const void *memory)
{
    for (unsigned i = 0; i < helds; i++) {
        fuzz_check(arena_block(memory) != arena_block(held[i]),
                   "the device is given a buffer that the client has");
    }
}

int client_open(void)
{
    static const struct virtio_net_client client = {
        .receive = receive,
        .transmitted = transmitted,
        .link = link_changed,
        .announce = announce,
        .private_size = PRIVATE,
    };
    struct virtio_net_options options;
    int error;

    memset(&net, 0, sizeof net);
    memset(frames, 0, sizeof frames);
    helds = 0;
    out = 0;
    holds = false;
    device_create(&options);
    device_step();
    error = virtio_net_open(&net, &device.dev, &options, &client);
    if (error == 0) {
        device.net = &net;
        device_step();
        virtio_net_start(&net);
    }
    return error;
}

static void transmit(void)
{
    struct virtqueue_part parts[VIRTQUEUE_PARTS_MAX];
    unsigned count = 1 + input_below(VIRTIO_NET_PARTS_MAX + 1);
    uint8_t kind = input_byte();
    uint32_t size = kind & 1 ? 20 : 100;
    struct virtio_net_offload offload = {.flags = kind >> 2 & 1};
    struct frame *frame = frames;

    while (frame < frames + FRAMES && frame->out) {
        frame++;
    }
    if (frame == frames + FRAMES) {
        return;
    }
    if (kind & 4) {
        offload.gso_type = input_byte();
        offload.csum_start = input_edge();
        offload.csum_offset = input_edge();
        offload.gso_size = input_edge();
        offload.hdr_len = input_edge();
    }
    frame->block = arena_take(16 + count * size, 16);
    if (frame->block == NULL) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        parts[i] = (struct virtqueue_part){frame->block + 16 + i * size, size};
    }
    if (virtio_net_transmit(&net, parts, count, kind & 2 ? 16 : 0, kind & 4 ? &offload : NULL,
                            frame) != 0) {
        arena_give(frame->block);
        return;
    }
    frame->out = true;
    out++;
}

void client_command(void)
{
    uint8_t table[80][6] = {{0x02, 1, 2, 3, 4, 5}};

    switch (input_byte() % 6) {
    case 0:
        (void)virtio_net_set_rx_mode(&net, input_byte());
        break;
    case 1:
        (void)virtio_net_set_mac_table(&net, (const uint8_t(*)[6])table, input_below(70),
                                       (const uint8_t(*)[6])table, input_below(70));
        break;
    case 2:
        (void)virtio_net_set_vlan(&net, input_u16(), input_byte() & 1);
        break;
    case 3:
        (void)virtio_net_set_mac(&net, table[input_byte() & 1]);
        break;
    case 4:
        (void)virtio_net_set_guest_offloads(&net, input_u64());
        break;
    default:
        (void)virtio_net_poll(&net, 8);
        break;
    }
}

void client_step(void)
{
    device_step();
    switch (input_byte() % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
        (void)virtio_net_poll(&net, input_byte());
        break;
    case 4:
    case 5:
    case 6:
        transmit();
        break;
    case 7:
        virtio_net_flush(&net);
        break;
    case 8:
        (void)virtio_net_interrupts_on(&net, input_byte() & 1);
        break;
    case 9:
        virtio_net_interrupts_off(&net);
        break;
    case 10:
        holds = !holds;
        break;
    case 11:
        for (unsigned count = input_byte(); count > 0 && helds > 0; count--) {
            release(count % helds);
        }
        break;
    case 12:
        client_command();
        break;
    case 13:
        arena_limit(input_byte());
        break;
    case 14:
        (void)virtio_net_scarce(&net);
        (void)virtio_net_has_room(&net, input_byte(), input_byte(), input_byte());
        break;
    default:
        device.acting = true;
        device_act();
        device.acting = false;
        break;
    }
}

void client_check(void)
{
    fuzz_check(net.tx.in_flight == out, "the driver and the client count other frames out");
    fuzz_check(net.rx.in_flight == net.rx_posted, "the driver counts other buffers posted");
    fuzz_check(net.rx_buffers == net.rx_posted + net.rx_kept_count + helds,
               "a receive buffer is lost");
    fuzz_check(net.rx.free_count <= net.rx.slots && net.tx.free_count <= net.tx.slots,
               "more descriptors are free than there are");
}

void client_close(void)
{
    int error;

    while (helds > 0) {
        release(0);
    }
    device_step();
    device.net = NULL;
    error = virtio_net_close(&net);
    if (error == 0) {
        fuzz_check(out == 0, "a frame did not come back");
        fuzz_check(arena_blocks() == 0, "memory is left");
        fuzz_check(platform.mapped == 0, "memory is still mapped");
    }
}
