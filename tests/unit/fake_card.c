/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver on a fake device, and a client. */
#include "fake_card.h"

#include <string.h>

enum { PRIVATE_BYTE = 0xa5 };

struct fake_card card;

static void check_private(const void *buffer)
{
    const uint8_t *private = buffer;

    for (unsigned i = 0; i < FAKE_PRIVATE; i++) {
        assert_int_equal(private[i], PRIVATE_BYTE);
    }
}

static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    assert_ptr_equal(context, &card);
    assert_true((uintptr_t)buffer % _Alignof(void *) == 0);
    assert_true((uint8_t *)data >= (uint8_t *)buffer + FAKE_PRIVATE);
    memset(buffer, PRIVATE_BYTE, FAKE_PRIVATE);
    if (card.uses_room) {
        memset((uint8_t *)data - card.net.header_length, 0x5a, card.net.header_length);
        check_private(buffer);
    }
    if (!card.rx_more) {
        card.rx_length = 0;
        card.rx_parts = 0;
    }
    assert_true(card.rx_length + length <= sizeof card.rx_data);
    memcpy(card.rx_data + card.rx_length, data, length);
    card.rx_length += length;
    card.rx_offload = *offload;
    card.rx_parts++;
    card.rx_more = more;
    card.rx_frames += !more;
    if (card.releases_all) {
        card_release_all();
    }
    if (card.holds) {
        assert_true(card.helds < sizeof card.held / sizeof card.held[0]);
        card.held[card.helds++] = buffer;
    } else {
        virtio_net_release(&card.net, buffer);
    }
}

static void transmitted(void *context, void *cookie)
{
    assert_ptr_equal(context, &card);
    card.sent[card.sents++ % FAKE_COOKIES] = cookie;
}

static void announce(void *context)
{
    assert_ptr_equal(context, &card);
    card.announces++;
}

static void link_changed(void *context, bool up)
{
    assert_ptr_equal(context, &card);
    card.links++;
    card.link_up = up;
}

void card_create(enum fake_kind kind, uint64_t offered)
{
    fake_pci_reset();
    fake_platform_reset();
    memset(&card, 0, sizeof card);
    fake_virtio_create(&card.dev, kind, offered);
    fake_platform.on_free = fake_freed;
    fake_platform.on_free_context = &card.dev;
    card.options.features = VIRTIO_NET_FEATURES;
    card.client = (struct virtio_net_client){
        .receive = receive,
        .transmitted = transmitted,
        .link = link_changed,
        .announce = announce,
        .context = &card,
        .private_size = FAKE_PRIVATE,
    };
}

void card_create_as(unsigned which, uint64_t offered)
{
    static const enum fake_kind kinds[] = {FAKE_LEGACY, FAKE_TRANSITIONAL, FAKE_TRANSITIONAL,
                                           FAKE_MODERN, FAKE_MODERN};

    card_create(kinds[which],
                offered | (which == CARD_PACKED ? virtio_bit(VIRTIO_F_RING_PACKED) : 0));
    card.interface = which == 1 ? VIRTIO_PCI_LEGACY : VIRTIO_PCI_ANY;
}

static bool visit(const struct vpci_device *device, void *context)
{
    if (virtio_pci_is_net(device)) {
        *(struct vpci_device *)context = *device;
        return false;
    }
    return true;
}

/* With messages that test_msix.c recognises. */
static void use_vectors(void)
{
    uint16_t count = 0;

    while (count < card.vectors && count < card.vp.msix.entries) {
        vpci_msix_set(&card.vp.msix, count, CARD_MESSAGE_ADDRESS, CARD_MESSAGE_DATA + count);
        count++;
    }
    virtio_pci_use_msix(&card.vp, count);
}

int card_attach(void)
{
    struct vpci_device found = {0};
    int error;

    vpci_scan(visit, &found);
    if (found.vendor == 0) {
        return VIRTIO_ERROR_NODEV;
    }
    error = virtio_pci_open(&card.vp, &found, card.interface);
    if (error == 0) {
        use_vectors();
    }
    return error;
}

unsigned card_interrupts(void)
{
    unsigned count = 0;

    if (card.dev.isr != 0) {
        assert_int_equal(card.vp.dev.vectors, 0);
        assert_true(virtio_net_interrupt(&card.net));
        return 1;
    }
    for (uint16_t vector = 0; vector < FAKE_MSIX_MAX; vector++) {
        for (; card.dev.messages[vector] > 0; card.dev.messages[vector]--) {
            virtio_net_interrupt_vector(&card.net, vector);
            count++;
        }
    }
    return count;
}

int card_open_net(void)
{
    int error;

    card.options.weak_barrier = fake_platform.weak_barrier;
    error = virtio_net_open(&card.net, &card.vp.dev, &card.options, &card.client);
    if (error == 0) {
        if (card.vp.dev.vectors == 0) {
            vpci_enable_line(&card.vp.pci);
        }
        virtio_net_start(&card.net);
        assert_true(fake_hears(&card.dev, card.net.mac));
    }
    return error;
}

int card_open(void)
{
    int error = card_attach();

    return error != 0 ? error : card_open_net();
}

void card_send_back(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    struct virtqueue_part part = {data, length};

    (void)context, (void)more, (void)offload;
    assert_int_equal(virtio_net_transmit(&card.net, &part, 1, card.net.header_length, NULL, buffer),
                     0);
}

void card_release_all(void)
{
    while (card.helds > 0) {
        check_private(card.held[--card.helds]);
        virtio_net_release(&card.net, card.held[card.helds]);
    }
}

void card_close(void)
{
    card_release_all();
    assert_int_equal(virtio_net_close(&card.net), 0);
    assert_int_equal(card.dev.status, 0);
    assert_int_equal(fake_platform.live, 0);
    assert_int_equal(fake_platform.mapped, 0);
    assert_int_equal(fake_pci.unclaimed, 0);
}

uint8_t *card_frame(size_t length, unsigned headroom, uint8_t first)
{
    uint8_t *block = virtio_platform_alloc(headroom + length, 1);

    assert_non_null(block);
    memset(block, 0xcc, headroom);
    for (size_t i = 0; i < length; i++) {
        block[headroom + i] = (uint8_t)(first + i);
    }
    return block + headroom;
}

void card_free_frame(uint8_t *frame, unsigned headroom)
{
    virtio_platform_free(frame - headroom);
}

unsigned card_posted(void)
{
    return fake_owned(&card.dev, VIRTIO_NET_QUEUE_RX);
}

unsigned card_deliver_all(void)
{
    unsigned frames = 0;

    while (fake_rx(&card.dev, "fourteen bytes", 14)) {
        frames++;
    }
    return frames;
}

unsigned card_events(enum fake_event_kind kind, uint64_t *values, unsigned room)
{
    unsigned count = 0;

    for (unsigned i = 0; i < card.dev.events; i++) {
        if (card.dev.event[i].kind == kind && count < room) {
            values[count++] = card.dev.event[i].value;
        }
    }
    return count;
}
