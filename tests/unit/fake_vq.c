/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtqueue by itself. */
#include "fake_vq.h"

struct virtqueue vq;
uint8_t *vq_memory;
uint32_t vq_length;
static uint32_t seed;

/*
 * What the device can see must be consistent at any time: checks it whenever the driver is about to
 * write a descriptor.
 */
static void look(void)
{
    if (card.dev.queue[VQ].enabled && card.dev.status & VIRTIO_STATUS_DRIVER_OK) {
        fake_peek(&card.dev, VQ);
    }
}

void vq_start(unsigned which, uint64_t features, uint16_t size, uint16_t tables)
{
    struct virtio_device *dev = &card.vp.dev;
    bool weak = fake_platform.weak_barrier;

    card_create_as(which, features);
    fake_platform.weak_barrier = weak;
    fake_platform.on_dma_address = look;
    card.dev.queue[VQ].size = size;
    assert_int_equal(card_attach(), 0);
    dev->weak_barrier = weak;
    assert_int_equal(virtio_device_begin(dev), 0);
    assert_int_equal(virtio_device_negotiate(dev, card.dev.offered), 0);
    assert_int_equal(virtqueue_create(&vq, dev, VQ, size, tables, tables != 0 ? 16 : 0), 0);
    virtio_device_ready(dev);
    vq_memory = virtio_platform_alloc(VQ_PARTS * 64, 1);
    for (unsigned i = 0; i < VQ_PARTS * 64; i++) {
        vq_memory[i] = (uint8_t)(i * 7);
    }
    seed = 1;
}

void vq_stop(void)
{
    assert_int_equal(virtio_device_reset(&card.vp.dev), 0);
    virtqueue_destroy(&vq);
    virtio_platform_free(vq_memory);
    assert_int_equal(fake_platform.live, 0);
    assert_int_equal(fake_platform.mapped, 0);
}

int vq_add(unsigned out, unsigned in, uintptr_t cookie)
{
    struct virtqueue_part parts[VQ_PARTS];

    assert_true(out + in <= VQ_PARTS);
    for (unsigned i = 0; i < out + in; i++) {
        parts[i] = (struct virtqueue_part){vq_memory + (size_t)64 * i, 10 + i};
    }
    return virtqueue_add(&vq, parts, out, in, (void *)cookie);
}

uintptr_t vq_get(void)
{
    return (uintptr_t)virtqueue_get(&vq, &vq_length);
}

void vq_take_and_use(void)
{
    struct fake_chain chain;

    assert_true(fake_take(&card.dev, VQ, &chain));
    fake_use(&card.dev, VQ, chain.head, 0);
}

void vq_check_chain(const struct fake_chain *chain, unsigned out, unsigned in)
{
    assert_int_equal(chain->count, out + in);
    for (unsigned i = 0; i < out + in; i++) {
        assert_int_equal(chain->part[i].length, 10 + i);
        assert_int_equal(chain->part[i].write, i >= out);
        if (!chain->part[i].write) {
            assert_memory_equal(fake_dma(chain->part[i].address, 10 + i),
                                vq_memory + (size_t)64 * i, 10 + i);
        }
    }
}

unsigned vq_random(unsigned limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}
