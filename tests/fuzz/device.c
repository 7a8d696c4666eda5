/* SPDX-License-Identifier: BSD-2-Clause */
/* The fuzzed device: its properties, its transport, and when it acts. */
#include "device.h"

#include <string.h>

#include "arena.h"
#include "input.h"
#include "platform.h"
#include "virtio/virtio_spec.h"

enum {
    LOADS_MAX = 2000000, /* in one call of the driver; more means an endless loop */
};

struct device device;

/* Memory that the device has until a reset has completed must not be freed earlier. */
static bool is_held(const void *memory)
{
    unsigned block = arena_block(memory);

    for (unsigned i = 0; i < DEVICE_QUEUES; i++) {
        const struct device_queue *q = &device.queue[i];

        if (q->entries != 0 && arena_block(q->descriptors) == block) {
            return true;
        }
    }
    return false;
}

/* platform.freed */
static void freed(const void *memory)
{
    fuzz_check(!is_held(memory), "memory of a queue is freed while the device has it");
}

/* The device can access the whole arena, but changes only its queues and buffers. */
static void may_act(void)
{
    if (device.acting) {
        return;
    }
    fuzz_check(++device.loads < LOADS_MAX, "an endless loop");
    if (device.until != 0 && --device.until == 0) {
        device.acting = true;
        device_act();
        device.until = input_byte() % 64;
        device.acting = false;
    }
}

void device_step(void)
{
    device.loads = 0;
    device.until = input_byte();
}

static void reset(void)
{
    device.status = 0;
    device.isr = 0;
    device.resetting = false;
    for (unsigned i = 0; i < DEVICE_QUEUES; i++) {
        device.queue[i] = (struct device_queue){.size = device.queue[i].size};
    }
}

static uint8_t get_status(struct virtio_device *dev)
{
    (void)dev;
    may_act();
    if (device.resetting && device.resets) {
        reset();
    }
    return device.status;
}

static void set_status(struct virtio_device *dev, uint8_t status)
{
    (void)dev;
    if (status == 0) {
        device.resetting = true;
        if (device.resets) {
            reset();
        }
        return;
    }
    fuzz_check(!device.resetting, "the status is written while the device is being reset");
    device.status = status;
    if (!device.keeps_features_ok) {
        device.status &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
    }
}

static uint64_t get_features(struct virtio_device *dev)
{
    (void)dev;
    device.told = device.offered;
    return device.told;
}

static void set_features(struct virtio_device *dev, uint64_t features)
{
    (void)dev;
    fuzz_check((features & ~device.told) == 0, "a feature is accepted that was not offered");
}

static bool config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned width,
                        unsigned count)
{
    uint8_t generation = device.generation;

    may_act();
    for (unsigned i = 0; i < width * count; i++) {
        ((uint8_t *)to)[i] = offset + i < sizeof device.config ? device.config[offset + i] : 0;
    }
    may_act();
    dev->config_generation = generation;
    return device.generation == generation;
}

static void config_write(struct virtio_device *dev, unsigned offset, const uint8_t *bytes,
                         unsigned count)
{
    (void)dev;
    memcpy(device.config + offset, bytes, count);
}

static void config_vector(struct virtio_device *dev)
{
    if (!device.takes_vectors) {
        dev->vectors = 0;
    }
}

static uint16_t queue_size(struct virtio_device *dev, uint16_t queue)
{
    (void)dev;
    may_act();
    return queue < DEVICE_QUEUES ? device.queue[queue].size : 0;
}

static int queue_enable(struct virtio_device *dev, struct virtqueue *vq)
{
    struct device_queue *q = &device.queue[vq->index];

    fuzz_check(vq->index < DEVICE_QUEUES && q->entries == 0, "a queue is enabled twice");
    *q = (struct device_queue){
        .size = q->size,
        .entries = vq->size,
        .descriptors = vq->descriptor_area,
        .driver = vq->driver_area,
        .device = vq->device_area,
        .area_size = vq->area_size,
        .avail = device_packed() ? PVIRTQ_WRAP : 0,
        .used = device_packed() ? PVIRTQ_WRAP : 0,
    };
    vq->vector = dev->vectors != 0 ? virtio_queue_vector(dev, vq->index) : 0;
    return 0;
}

static void queue_reset(struct virtio_device *dev, const struct virtqueue *vq)
{
    (void)dev;
    device.queue[vq->index].resetting = true;
}

static bool queue_is_reset(struct virtio_device *dev, const struct virtqueue *vq)
{
    struct device_queue *q = &device.queue[vq->index];

    (void)dev;
    if (q->resetting && device.resets_queues) {
        *q = (struct device_queue){.size = q->size};
    }
    return q->entries == 0;
}

static void notify(struct virtio_device *dev, const struct virtqueue *vq)
{
    (void)dev;
    fuzz_check(device.status & VIRTIO_STATUS_DRIVER_OK, "a doorbell before DRIVER_OK");
    if (device.answers && device.net != NULL && vq == &device.net->ctrl) {
        device_answer(true);
    }
}

static uint8_t isr_status(struct virtio_device *dev)
{
    uint8_t isr = device.isr;

    (void)dev;
    device.isr = 0;
    return isr;
}

#define TRANSPORT                                                                                  \
    .queue_align = 64, .get_status = get_status, .set_status = set_status,                         \
    .get_features = get_features, .set_features = set_features, .config_read = config_read,        \
    .config_vector = config_vector, .queue_size = queue_size, .queue_enable = queue_enable,        \
    .queue_reset = queue_reset, .queue_is_reset = queue_is_reset, .notify = notify,                \
    .isr_status = isr_status

static const struct virtio_transport modern = {.name = "modern", TRANSPORT};
static const struct virtio_transport legacy = {
    .name = "legacy", .legacy = true, .config_write = config_write, TRANSPORT};

static const uint16_t sizes[] = {256, 64, 16, 8, 4, 2, 1, 1024};

/* Most inputs begin with a usable device. */
void device_create(struct virtio_net_options *options)
{
    uint8_t kind = input_byte();
    uint8_t sizing = input_byte();

    platform_reset();
    platform.freed = freed;
    platform.given = device_given;
    platform.loaded = may_act;
    device = (struct device){
        .offered = ~input_u64(),
        .keeps_features_ok = true,
        .resets = true,
        .resets_queues = true,
        .takes_vectors = true,
        .answers = !(kind & 2),
        .honest = true,
    };
    device.dev.transport = kind & 1 ? &legacy : &modern;
    device.dev.vectors = kind & 4 ? VIRTIO_NET_VECTORS : 0;
    if (!(kind & 1)) {
        device.offered |= virtio_bit(VIRTIO_F_VERSION_1);
    }
    if (kind & 8) {
        device.offered &= ~virtio_bit(VIRTIO_F_RING_PACKED);
    }
    if (kind & 16) {
        device.offered &= ~virtio_bit(VIRTIO_F_IN_ORDER);
    }
    for (unsigned i = 0; i < DEVICE_QUEUES; i++) {
        device.queue[i].size = sizes[sizing >> i % 3 * 3 & (i == 0 ? 3 : 7)];
    }
    memcpy(device.config, "\x52\x54\x00\x12\x34\x56\x01\x00\x01\x00\xdc\x05", 12);
    *options = (struct virtio_net_options){
        .features = VIRTIO_NET_FEATURES,
        .weak_barrier = kind & 32,
        .rx_fixed = kind & 64,
        .rx_initial = input_byte() % 64,
        .rx_maximum = input_byte() % 128,
        .rx_memory = kind & 128 ? 32768 : 0,
    };
}
