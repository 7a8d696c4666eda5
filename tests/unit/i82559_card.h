/* SPDX-License-Identifier: BSD-2-Clause */
/* The i82559 driver on the card of fake_i82559.h, and its client: where its tests begin. */
#ifndef I82559_CARD_H
#define I82559_CARD_H

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "fake_i82559.h"
#include "fake_platform.h"
#include "net/nic.h"
#include "runtime/memory.h"

enum { RFDS = 256, TX_FRAMES = 127, PRIVATE = 64, HEADER = 14, FRAME_MAX = 1518, HELD_MAX = 600 };

static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
static const struct nic_driver *const driver = &nic_i82559;
static struct fake_i82559 fake;
static struct nic_client client;
static void *state;

/* What the client has received and not released. */
static struct {
    void *buffer[HELD_MAX];
    uint8_t *data[HELD_MAX];
    uint32_t length[HELD_MAX];
    unsigned count;
    const void *transmitted[HELD_MAX];
    unsigned done;
    int links; /* changes to up, less changes to down */
} got;

static struct nic_config config;

void *memory_alloc(size_t size, size_t align)
{
    void *memory = virtio_platform_alloc(size, align);

    return memory != NULL ? memset(memory, 0xa5, size) : NULL;
}

void memory_free(void *memory)
{
    virtio_platform_free(memory);
}

uint64_t arch_clock_ns(void)
{
    return virtio_platform_clock_ns();
}

uint32_t arch_bus_address(const void *memory)
{
    return (uint32_t)fake_address(memory, true);
}

static inline void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                           const struct virtio_net_offload *offload)
{
    assert_null(context);
    assert_false(more);
    assert_int_equal(offload->flags, 0);
    assert_true((uint8_t *)data >= (uint8_t *)buffer + PRIVATE);
    assert_int_equal(((uintptr_t)data + HEADER) % 4, 0); /* the IP header */
    memset(buffer, 0x5a, PRIVATE);
    got.buffer[got.count] = buffer;
    got.data[got.count] = data;
    got.length[got.count++] = length;
}

static inline void transmitted(void *context, void *cookie)
{
    (void)context;
    got.transmitted[got.done++] = cookie;
}

static inline void link_changed(void *context, bool up)
{
    (void)context;
    got.links += up ? 1 : -1;
}

static inline bool note_device(const struct vpci_device *device, void *context)
{
    *(struct vpci_device *)context = *device;
    return true;
}

static struct nic_info info;

static inline void *open_on(bool memory)
{
    struct vpci_device pci;

    fake_i82559_open(&fake, mac, memory);
    assert_int_equal(vpci_scan(note_device, &pci), 1);
    assert_true(driver->matches(&pci));
    return driver->open(&pci, &client, &info);
}

static inline int setup(void **unused)
{
    (void)unused;
    fake_platform_reset();
    fake_platform.dma_base = 0x10000000;
    fake_platform.clock_step = 100;
    fake_pci_reset();
    memset(&got, 0, sizeof got);
    memset(&config, 0, sizeof config);
    client = (struct nic_client){.config = &config,
                                 .receive = receive,
                                 .transmitted = transmitted,
                                 .link = link_changed,
                                 .private_size = PRIVATE};
    state = open_on(true);
    assert_non_null(state);
    return 0;
}

static inline struct nic_counters counters(void)
{
    struct nic_counters c;

    driver->counters(state, &c);
    return c;
}

static inline void release_all(void)
{
    while (got.count > 0) {
        driver->release(state, got.buffer[--got.count]);
    }
}

/* The content of frame number n. */
static inline const uint8_t *frame(unsigned n, unsigned length)
{
    static uint8_t bytes[1600];

    for (unsigned i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(n * 7 + i);
    }
    return bytes;
}

static inline bool arrive(unsigned n)
{
    return fake_i82559_receive(&fake, frame(n, 60 + n), 60 + n);
}

static inline int send(const uint8_t *data, unsigned parts, unsigned n)
{
    struct virtqueue_part part[16];

    for (unsigned i = 0; i < parts; i++) {
        part[i] = (struct virtqueue_part){data + 100 * i, 50 + n % 40};
    }
    return driver->transmit(state, part, parts, 0, NULL, (void *)(data + n));
}

#endif
