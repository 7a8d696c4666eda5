/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Room in the transmit ring for frames that can wait, on the driver and a device with rings of any
 * size.
 */
#include <limits.h>

#include "fake_card.h"

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/lwip_port/room.c"

static unsigned open_parts; /* of the current joined frame */

unsigned gso_parts(const struct gso *gso)
{
    (void)gso;
    return open_parts;
}

static bool card_has_room(void *state, unsigned frames, unsigned parts, unsigned spare)
{
    return virtio_net_has_room(state, frames, parts, spare);
}

static const struct nic_driver driver = {.has_room = card_has_room};
static struct interface interface;

static void open_with(enum fake_kind kind, uint64_t features, uint16_t size)
{
    card_create(kind, features);
    card.dev.queue[VIRTIO_NET_QUEUE_TX].size = size;
    assert_int_equal(card_open(), 0);
    interface = (struct interface){.nic = {.driver = &driver, .state = &card.net}};
    open_parts = 0;
    interface_choose_reserve(&interface);
}

static bool transmit(uint8_t *frame, unsigned parts)
{
    struct virtqueue_part part[NIC_PARTS_MAX];

    for (unsigned i = 0; i < parts; i++) {
        part[i] = (struct virtqueue_part){frame + 60 * i, 60};
    }
    return virtio_net_transmit(&card.net, part, parts, 12, NULL, frame) == 0;
}

/*
 * For any ring size: a frame that can wait is never delayed while the ring is empty, as it would
 * wait forever. What is reported as room is available, and some is left for others.
 */
static void ring_of_any_size_has_room(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4 * 10; n++) {
        uint16_t size = (uint16_t)(1 << n / 4);
        bool split = (n & 3) == 0, indirect = (n & 3) == 1;
        uint8_t *frame;

        if (split && size == 1) {
            continue; /* is refused: test_queue_setup.c */
        }
        open_with(n & 2 ? FAKE_MODERN : FAKE_LEGACY,
                  (split ? 0 : virtio_bit(VIRTIO_F_ANY_LAYOUT)) |
                      (indirect ? virtio_bit(VIRTIO_F_INDIRECT_DESC) : 0),
                  size);
        frame = card_frame(NIC_PARTS_MAX * 60, 12, 0);
        for (unsigned parts = 1; parts <= NIC_PARTS_MAX; parts++) {
            unsigned sent = 0, others = 0;

            assert_true(interface_has_room(&interface, 1, parts));
            while (interface_has_room(&interface, 1, parts) &&
                   transmit(frame, parts <= interface.tx_parts ? parts : 1)) {
                sent++;
            }
            assert_true(sent > 0);
            while (transmit(frame, 1)) {
                others++;
            }
            assert_true(others >= interface.tx_reserve);
            assert_true(size < 64 || interface.tx_reserve == 16);
            assert_true(size < 16 || interface.tx_reserve > 1);
            fake_tx_run(&card.dev);
            virtio_net_poll(&card.net, 8);
        }
        card_free_frame(frame, 12);
        card_close();
    }
}

/* The current joined frame needs places, too. */
static void joined_frame_under_way_counts(void **state)
{
    (void)state;
    open_with(FAKE_MODERN, 0, 64);
    open_parts = 44;
    assert_true(interface_has_room(&interface, 1, 4));
    assert_false(interface_has_room(&interface, 1, 5));
    assert_false(interface.tx_full); /* who asks need not wait */
    card_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_of_any_size_has_room),
        cmocka_unit_test(joined_frame_under_way_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
