/* SPDX-License-Identifier: BSD-2-Clause */
/* The NE2000 driver on the controller of fake_dp8390.h, and its client: where its tests begin. */
#ifndef NE2000_CARD_H
#define NE2000_CARD_H

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "fake_dp8390.h"
#include "net/legacy/ne2000.h"
#include "runtime/memory.h"

enum { PRIVATE = 61, FRAMES_MAX = 200 };

static struct ne2000 *card;
static bool interrupts = true;
static uint64_t now;
static unsigned allocated;

/* What the client has received. */
static struct {
    void *buffer;
    uint8_t *data;
    uint32_t length;
} received[FRAMES_MAX];
static unsigned received_count;
static unsigned cookies[FRAMES_MAX]; /* how often each cookie came back */

void arch_io_read32s(uint32_t port, void *to, size_t count)
{
    for (size_t i = 0; i < 4 * count; i += 4) {
        uint32_t word = vpci_platform_read(true, port, 4);

        for (unsigned b = 0; b < 4; b++) {
            ((uint8_t *)to)[i + b] = (uint8_t)(word >> 8 * b);
        }
    }
}

void arch_io_write32s(uint32_t port, const void *from, size_t count)
{
    const uint8_t *bytes = from;

    for (size_t i = 0; i < 4 * count; i += 4) {
        vpci_platform_write(true, port, 4,
                            bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 |
                                (uint32_t)bytes[i + 3] << 24);
    }
}

bool arch_interrupts_save(void)
{
    bool on = interrupts;

    interrupts = false;
    return on;
}

void arch_interrupts_restore(bool on)
{
    interrupts = on;
}

uint64_t arch_clock_ns(void)
{
    return now += 100000;
}

void *memory_alloc(size_t size, size_t align)
{
    (void)align;
    allocated++;
    return malloc(size);
}

void memory_free(void *memory)
{
    allocated--;
    free(memory);
}

static inline void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                           const struct virtio_net_offload *offload)
{
    (void)context;
    assert_false(more);
    assert_int_equal(offload->flags, 0);
    assert_true((uint8_t *)data - (uint8_t *)buffer >= PRIVATE);
    assert_int_equal(((uintptr_t)data + 14) % 4, 0);
    assert_in_range(received_count, 0, FRAMES_MAX - 1);
    memset(buffer, 0xa5, PRIVATE);
    received[received_count].buffer = buffer;
    received[received_count].data = data;
    received[received_count++].length = length;
}

static inline void transmitted(void *context, void *cookie)
{
    (void)context;
    cookies[(uintptr_t)cookie]++;
}

static struct nic_client client = {
    .receive = receive,
    .transmitted = transmitted,
    .private_size = PRIVATE,
};

static struct nic_info info;

static inline void *open_card(void)
{
    struct vpci_device pci = {.bdf = 3 << 3, .vendor = 0x10ec, .device = 0x8029};

    assert_true(nic_ne2000.matches(&pci));
    return nic_ne2000.open(&pci, &client, &info);
}

static inline int opened(void **state)
{
    (void)state;
    memset(received, 0, sizeof received);
    memset(cookies, 0, sizeof cookies);
    received_count = 0;
    fake_dp8390_create();
    card = open_card();
    assert_non_null(card);
    return 0;
}

static inline int closed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < received_count; i++) {
        if (received[i].buffer != NULL) {
            nic_ne2000.release(card, received[i].buffer);
        }
    }
    while (card->free != NULL) {
        struct ne2000_buffer *next = card->free->next;

        memory_free(card->free);
        card->free = next;
    }
    memory_free(card);
    client.mac = NULL;
    assert_int_equal(allocated, 0);
    assert_true(interrupts);
    return 0;
}

static inline const uint8_t *frame_of(unsigned number, unsigned length)
{
    static uint8_t frame[1518];

    for (unsigned i = 0; i < length; i++) {
        frame[i] = (uint8_t)(number * 7 + i * 13 + (i >> 8));
    }
    memcpy(frame, card->mac, 6);
    return frame;
}

static inline void assert_received(unsigned index, unsigned number, unsigned length)
{
    assert_int_equal(received[index].length, length);
    assert_memory_equal(received[index].data, frame_of(number, length), length);
    nic_ne2000.release(card, received[index].buffer);
    received[index].buffer = NULL;
}

static inline struct nic_counters counters(void)
{
    struct nic_counters c;

    nic_ne2000.counters(card, &c);
    return c;
}

static inline int send_frame(unsigned number, unsigned length)
{
    /* The card copies the frame before transmit() returns, or the test uses one frame only. */
    static uint8_t frame[1518];
    struct virtqueue_part parts[3];
    unsigned first = length > 5 ? 5 : length, count = 1;

    memcpy(frame, frame_of(number, length), length);
    parts[0] = (struct virtqueue_part){frame, first};
    if (length > first) {
        parts[count++] = (struct virtqueue_part){frame + first, 1};
    }
    if (length > first + 1) {
        parts[count++] = (struct virtqueue_part){frame + first + 1, length - first - 1};
    }
    return nic_ne2000.transmit(card, parts, count, 0, NULL, (void *)(uintptr_t)number);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, opened, closed)

#endif
