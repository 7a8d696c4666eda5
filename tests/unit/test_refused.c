/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalid arguments: the functions return an error and change nothing, neither in the ring nor
 * elsewhere.
 */
#include <string.h>

#include "fake_vq.h"

#define BIT(feature) ((uint64_t)1 << VIRTIO_NET_F_##feature)

enum { FRAME = 400, HEADROOM = 12 };

static const unsigned rings[] = {0, 3, CARD_PACKED};
enum { RINGS = sizeof rings / sizeof rings[0] };

/* The state of a queue in the driver and in the memory shared with the device. */
static struct virtqueue before;
static uint8_t area[16384];
static struct virtqueue_slot slots[256];

static void remember(const struct virtqueue *q)
{
    assert_true(q->area_size <= sizeof area && q->slots <= 256);
    before = *q;
    memcpy(area, q->descriptor_area, q->area_size);
    memcpy(slots, q->slot, q->slots * sizeof *q->slot);
}

static void check_unchanged(const struct virtqueue *q)
{
    assert_memory_equal(q, &before, sizeof before);
    assert_memory_equal(q->descriptor_area, area, q->area_size);
    assert_memory_equal(q->slot, slots, q->slots * sizeof *q->slot);
}

static void bad_buffers_are_not_added(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * RINGS; n++) {
        struct virtqueue_part good[2], no_memory[2], no_length[2], huge[2];
        const struct {
            const struct virtqueue_part *parts;
            unsigned out, in;
            void *cookie;
            int error;
        } cases[] = {
            {good, 0, 0, &vq, VIRTIO_ERROR_INVAL},
            {good, 1, 1, NULL, VIRTIO_ERROR_INVAL},
            {no_memory, 2, 0, &vq, VIRTIO_ERROR_INVAL},
            {no_memory, 1, 1, &vq, VIRTIO_ERROR_INVAL},
            {no_length, 0, 2, &vq, VIRTIO_ERROR_INVAL},
            {no_length, 2, 0, &vq, VIRTIO_ERROR_INVAL},
            {good, 1, 0, NULL, VIRTIO_ERROR_INVAL},
            {no_memory + 1, 0, 1, &vq, VIRTIO_ERROR_INVAL},
            {no_length + 1, 1, 0, &vq, VIRTIO_ERROR_INVAL},
            {huge, 2, 0, &vq, VIRTIO_ERROR_INVAL},
            {huge, 0, 2, &vq, VIRTIO_ERROR_INVAL},
            {good, 257, 0, &vq, VIRTIO_ERROR_TOOBIG},
            {good, 0, 257, &vq, VIRTIO_ERROR_TOOBIG},
            {good, 1, UINT32_MAX, &vq, VIRTIO_ERROR_TOOBIG}, /* the sum overflows to 0 */
            {good, UINT32_MAX, 2, &vq, VIRTIO_ERROR_TOOBIG},
        };

        vq_start(rings[n / 2], n % 2 ? virtio_bit(VIRTIO_F_INDIRECT_DESC) : 0, 16, 4);
        for (unsigned i = 0; i < 2; i++) {
            good[i] = (struct virtqueue_part){vq_memory + 64 * i, 10 + i};
            no_memory[i] = no_length[i] = huge[i] = good[i];
        }
        no_memory[1].data = NULL;
        no_length[1].length = 0;
        huge[1].length = UINT32_MAX;
        assert_int_equal(vq_add(1, 0, 1), 0);
        for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            remember(&vq);
            assert_int_equal(
                virtqueue_add(&vq, cases[i].parts, cases[i].out, cases[i].in, cases[i].cookie),
                cases[i].error);
            check_unchanged(&vq);
        }
        assert_int_equal(vq_add(1, 1, 2), 0);
        vq_take_and_use();
        vq_take_and_use();
        assert_int_equal(vq_get(), 1);
        assert_int_equal(vq_get(), 2);
        vq_stop();
    }
}

/* A queue that the device owns is not emptied, set up again, or reset twice. */
static void live_queue_is_left_to_the_device(void **state)
{
    (void)state;
    for (unsigned n = 1; n < RINGS; n++) {
        vq_start(rings[n], virtio_bit(VIRTIO_F_RING_RESET), 16, 0);
        assert_int_equal(virtqueue_restart(&vq), VIRTIO_ERROR_INVAL);
        assert_false(virtqueue_reset_ended(&vq));
        assert_int_equal(vq_add(1, 0, 1), 0);
        remember(&vq);
        assert_null(virtqueue_detach(&vq));
        assert_int_equal(virtqueue_restart(&vq), VIRTIO_ERROR_INVAL);
        check_unchanged(&vq);
        card.dev.queue_reset_takes = 3;
        assert_int_equal(virtqueue_reset_begin(&vq), 0);
        assert_int_equal(virtqueue_reset_begin(&vq), VIRTIO_ERROR_INVAL);
        assert_null(virtqueue_detach(&vq)); /* the device still owns it */
        assert_int_equal(virtqueue_restart(&vq), VIRTIO_ERROR_INVAL);
        while (!virtqueue_reset_ended(&vq)) {
        }
        assert_int_equal(virtqueue_restart(&vq), VIRTIO_ERROR_INVAL);
        assert_ptr_equal(virtqueue_detach(&vq), (void *)1);
        assert_int_equal(virtqueue_restart(&vq), 0);
        assert_int_equal(vq_add(1, 0, 2), 0);
        vq_take_and_use();
        assert_int_equal(vq_get(), 2);
        vq_stop();
    }
}

static void impossible_queues_are_not_made(void **state)
{
    static const struct {
        uint16_t size, tables, parts;
        bool packed; /* allowed in a packed ring */
    } cases[] = {
        {0, 0, 0, false},        {3, 0, 0, true},   {48, 0, 0, true},
        {0xffff, 0, 0, false},   {16, 4, 0, false}, {16, 4, VIRTQUEUE_PARTS_MAX + 1, false},
        {16, 0x8000, 16, false},
    };

    (void)state;
    for (unsigned n = 0; n < RINGS; n++) {
        card_create_as(rings[n], virtio_bit(VIRTIO_F_INDIRECT_DESC));
        assert_int_equal(card_attach(), 0);
        assert_int_equal(virtio_device_begin(&card.vp.dev), 0);
        assert_int_equal(virtio_device_negotiate(&card.vp.dev, UINT64_MAX), 0);
        for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            unsigned live = fake_platform.live;

            if (cases[i].packed && rings[n] == CARD_PACKED) {
                continue;
            }

            assert_int_equal(virtqueue_create(&vq, &card.vp.dev, VQ, cases[i].size, cases[i].tables,
                                              cases[i].parts),
                             VIRTIO_ERROR_INVAL);
            assert_int_equal(fake_platform.live, live);
            assert_false(card.dev.queue[VQ].enabled);
        }
    }
}

/* 0 buffers would interrupt at once and always; more than the ring would never interrupt. */
static void interrupt_is_asked_for_within_the_ring(void **state)
{
    (void)state;
    for (unsigned n = 0; n < RINGS; n++) {
        vq_start(rings[n], virtio_bit(VIRTIO_F_EVENT_IDX), 16, 0);
        for (uint16_t i = 1; i <= vq.size && i <= 16; i++) {
            assert_int_equal(vq_add(1, 0, i), 0);
        }
        assert_false(virtqueue_interrupts_on(&vq, 0));
        vq_take_and_use();
        assert_int_equal(card.dev.queue[VQ].interrupts, 1);
        assert_int_equal(vq_get(), 1);
        vq_stop();
        vq_start(n == 0 ? 3 : CARD_PACKED, virtio_bit(VIRTIO_F_EVENT_IDX), 4, 0);
        for (uint16_t i = 1; i <= 4; i++) {
            assert_int_equal(vq_add(1, 0, i), 0);
        }
        assert_false(virtqueue_interrupts_on(&vq, 1000));
        for (unsigned i = 0; i < 4; i++) {
            vq_take_and_use();
        }
        assert_int_equal(card.dev.queue[VQ].interrupts, 1);
        vq_stop();
    }
}

/*
 * Offloads that were not negotiated or lie outside of the frame; frames above the negotiated MTU.
 */
static void bad_frames_are_not_sent(void **state)
{
    const uint64_t all =
        BIT(CSUM) | BIT(HOST_TSO4) | BIT(HOST_TSO6) | BIT(HOST_ECN) | BIT(HOST_USO);
    enum { SUM = VIRTIO_NET_HDR_F_NEEDS_CSUM, ECN = VIRTIO_NET_HDR_GSO_ECN };
    const struct {
        uint64_t without; /* features */
        struct virtio_net_offload offload;
        bool good;
    } cases[] = {
        {0, {SUM, 0, 34, 16, 0, 0}, true},
        {BIT(CSUM), {SUM, 0, 34, 16, 0, 0}, false},
        {0, {SUM, 0, FRAME - 18, 16, 0, 0}, true},
        {0, {SUM, 0, FRAME - 17, 16, 0, 0}, false},
        {0, {SUM, 0, 0xffff, 0xffff, 0, 0}, false},
        {0, {VIRTIO_NET_HDR_F_DATA_VALID, 0, 0, 0, 0, 0}, false},
        {0, {SUM | VIRTIO_NET_HDR_F_DATA_VALID, 0, 34, 16, 0, 0}, false},
        {0, {SUM, VIRTIO_NET_HDR_GSO_TCPV4, 34, 16, 100, 54}, true},
        {0, {0, VIRTIO_NET_HDR_GSO_TCPV4, 34, 16, 100, 54}, false},
        {BIT(HOST_TSO4), {SUM, VIRTIO_NET_HDR_GSO_TCPV4, 34, 16, 100, 54}, false},
        {0, {SUM, VIRTIO_NET_HDR_GSO_TCPV4, 34, 16, 0, 54}, false},
        {0, {SUM, VIRTIO_NET_HDR_GSO_TCPV4, 34, 16, 100, 0}, false},
        {0, {SUM, VIRTIO_NET_HDR_GSO_TCPV4, 34, 16, 100, FRAME}, false},
        {0, {SUM, VIRTIO_NET_HDR_GSO_TCPV4 | ECN, 34, 16, 100, 54}, true},
        {BIT(HOST_ECN), {SUM, VIRTIO_NET_HDR_GSO_TCPV4 | ECN, 34, 16, 100, 54}, false},
        {0, {SUM, VIRTIO_NET_HDR_GSO_TCPV6, 54, 16, 100, 74}, true},
        {BIT(HOST_TSO6), {SUM, VIRTIO_NET_HDR_GSO_TCPV6, 54, 16, 100, 74}, false},
        {0, {SUM, VIRTIO_NET_HDR_GSO_UDP_L4, 34, 6, 100, 42}, true},
        {BIT(HOST_USO), {SUM, VIRTIO_NET_HDR_GSO_UDP_L4, 34, 6, 100, 42}, false},
        {0, {SUM, VIRTIO_NET_HDR_GSO_UDP_L4 | ECN, 34, 6, 100, 42}, false},
        {0, {SUM, VIRTIO_NET_HDR_GSO_UDP, 34, 6, 100, 42}, false},
        {0, {SUM, ECN, 34, 16, 100, 54}, false},
        {0, {SUM, 77, 34, 16, 100, 54}, false},
    };

    (void)state;
    for (unsigned n = 0; n < RINGS * sizeof cases / sizeof cases[0]; n++) {
        unsigned i = n / RINGS;
        bool good = cases[i].good;
        struct virtqueue_part part;
        uint8_t *frame;

        if (rings[n % RINGS] == 0 && cases[i].offload.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4) {
            good = false; /* a legacy device has no such feature */
        }
        card_create_as(rings[n % RINGS], all & ~cases[i].without);
        assert_int_equal(card_open(), 0);
        frame = card_frame(FRAME, HEADROOM, 1);
        part = (struct virtqueue_part){frame, FRAME};
        remember(&card.net.tx);
        assert_int_equal(
            virtio_net_transmit(&card.net, &part, 1, HEADROOM, &cases[i].offload, frame),
            good ? 0 : VIRTIO_ERROR_INVAL);
        if (!good) {
            check_unchanged(&card.net.tx);
            assert_int_equal(card.net.counters.tx_frames, 0);
        }
        card_free_frame(frame, HEADROOM);
        card_close();
    }
}

static void frames_beyond_the_agreed_mtu_are_not_sent(void **state)
{
    const struct virtio_net_offload cut = {
        VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4, 34, 16, 1000, 54};

    (void)state;
    for (unsigned n = 0; n < 2 * RINGS; n++) {
        bool agreed = n % 2;
        uint8_t *frame;

        card_create_as(rings[n / 2], BIT(CSUM) | BIT(HOST_TSO4) | (agreed ? BIT(MTU) : 0));
        card.dev.mtu = 1400;
        assert_int_equal(card_open(), 0);
        frame = card_frame(3000, HEADROOM, 1);
        for (uint32_t length = 1417; length < 1421; length++) {
            assert_int_equal(virtio_net_transmit(&card.net, &(struct virtqueue_part){frame, length},
                                                 1, HEADROOM, NULL, frame),
                             agreed && length > 1400 + 18 ? VIRTIO_ERROR_INVAL : 0);
        }
        assert_int_equal(virtio_net_transmit(&card.net, &(struct virtqueue_part){frame, 3000}, 1,
                                             HEADROOM, &cut, frame),
                         0);
        assert_int_equal(virtio_net_transmit(&card.net, &(struct virtqueue_part){NULL, 60}, 1,
                                             HEADROOM, NULL, frame),
                         VIRTIO_ERROR_INVAL);
        /* A header in the headroom does not make an empty first part valid. */
        assert_int_equal(virtio_net_transmit(&card.net, &(struct virtqueue_part){frame, 0}, 1,
                                             HEADROOM, NULL, frame),
                         VIRTIO_ERROR_INVAL);
        for (uint32_t i = 0; i < card.net.header_length; i++) {
            struct virtqueue_part huge = {frame, UINT32_MAX - i};

            assert_int_equal(virtio_net_transmit(&card.net, &huge, 1, HEADROOM, NULL, frame),
                             VIRTIO_ERROR_INVAL);
        }
        card_free_frame(frame, HEADROOM);
        card_close();
    }
}

/* virtio_net_has_room() is false for frames that virtio_net_transmit() rejects. */
static void room_is_for_what_is_taken(void **state)
{
    (void)state;
    for (unsigned n = 0; n < RINGS; n++) {
        struct virtqueue_part parts[300];
        unsigned count = 1;
        uint8_t *frame;

        card_create_as(rings[n], virtio_bit(VIRTIO_F_INDIRECT_DESC));
        assert_int_equal(card_open(), 0);
        frame = card_frame(300, HEADROOM, 1);
        for (; virtio_net_has_room(&card.net, 1, count, 0); count++) {
            parts[count - 1] = (struct virtqueue_part){frame + count - 1, 1};
            assert_int_equal(virtio_net_transmit(&card.net, parts, count, HEADROOM, NULL, frame),
                             0);
            fake_tx_run(&card.dev);
            virtio_net_poll(&card.net, 8);
        }
        assert_int_equal(count, VIRTIO_NET_PARTS_MAX + 1);
        card_free_frame(frame, HEADROOM);
        card_close();
    }
}

static void bad_addresses_and_vlans_are_not_commanded(void **state)
{
    static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1}, zero[6];

    (void)state;
    for (unsigned n = 0; n < RINGS; n++) {
        unsigned commands;
        uint8_t mac[6];

        card_create_as(rings[n], BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(CTRL_VLAN) | BIT(CTRL_MAC_ADDR) |
                                     BIT(MAC));
        assert_int_equal(card_open(), 0);
        commands = card.dev.commands;
        memcpy(mac, card.net.mac, 6);
        assert_int_equal(virtio_net_set_mac(&card.net, group), VIRTIO_ERROR_INVAL);
        assert_int_equal(virtio_net_set_mac(&card.net, NULL), VIRTIO_ERROR_INVAL);
        assert_int_equal(virtio_net_set_mac(&card.net, zero), VIRTIO_ERROR_INVAL);
        assert_int_equal(virtio_net_set_vlan(&card.net, 4095, true), VIRTIO_ERROR_INVAL);
        assert_int_equal(virtio_net_set_vlan(&card.net, 0xffff, true), VIRTIO_ERROR_INVAL);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 1, NULL, 0), VIRTIO_ERROR_INVAL);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, NULL, 65),
                         VIRTIO_ERROR_INVAL);
        assert_int_equal(card.dev.commands, commands);
        assert_memory_equal(card.net.mac, mac, 6);
        assert_int_equal(virtio_net_set_vlan(&card.net, 4094, true), 0);
        card_close();
    }
}

/*
 * A client that lacks one of its four functions, a private part above the limit, a multicast
 * address.
 */
static void bad_clients_are_not_served(void **state)
{
    static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1};

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        card_create_as(3, 0);
        switch (i) {
        case 0:
            card.client.receive = NULL;
            break;
        case 1:
            card.client.transmitted = NULL;
            break;
        case 2:
            card.client.link = NULL;
            break;
        case 3:
            card.client.announce = NULL;
            break;
        case 4:
            card.client.private_size = VIRTIO_NET_PRIVATE_MAX + 1;
            break;
        default:
            card.options.mac = group;
        }
        assert_int_equal(card_open(), VIRTIO_ERROR_INVAL);
        assert_int_equal(fake_platform.live, 0);
    }
}

static void what_is_not_there_cannot_be_opened(void **state)
{
    (void)state;
    card_create_as(3, 0);
    card.interface = (enum virtio_pci_interface)(VIRTIO_PCI_MODERN + 1);
    assert_int_equal(card_attach(), VIRTIO_ERROR_INVAL);
    card.interface = VIRTIO_PCI_MODERN;
    assert_int_equal(card_attach(), 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(virtio_net_open(i == 0 ? NULL : &card.net, i == 1 ? NULL : &card.vp.dev,
                                         i == 2 ? NULL : &card.options,
                                         i == 3 ? NULL : &card.client),
                         VIRTIO_ERROR_INVAL);
    }
    assert_int_equal(fake_platform.live, 0);
}

/* Entries beyond the table, where other registers may lie. */
static void vectors_beyond_the_table_are_not_used(void **state)
{
    (void)state;
    card_create_as(3, 0);
    fake_virtio_add_msix(&card.dev, 2);
    assert_int_equal(card_attach(), 0);
    vpci_msix_set(&card.vp.msix, 2, 1, 2);
    vpci_msix_set(&card.vp.msix, UINT32_MAX, 1, 2);
    virtio_pci_use_msix(&card.vp, 3);
    assert_int_equal(card.vp.dev.vectors, 2);
    card_create_as(3, 0);
    assert_int_equal(card_attach(), 0); /* the table may be missing */
    virtio_pci_use_msix(&card.vp, 1);
    assert_int_equal(card.vp.dev.vectors, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_buffers_are_not_added),
        cmocka_unit_test(live_queue_is_left_to_the_device),
        cmocka_unit_test(impossible_queues_are_not_made),
        cmocka_unit_test(interrupt_is_asked_for_within_the_ring),
        cmocka_unit_test(bad_frames_are_not_sent),
        cmocka_unit_test(frames_beyond_the_agreed_mtu_are_not_sent),
        cmocka_unit_test(room_is_for_what_is_taken),
        cmocka_unit_test(bad_addresses_and_vlans_are_not_commanded),
        cmocka_unit_test(bad_clients_are_not_served),
        cmocka_unit_test(what_is_not_there_cannot_be_opened),
        cmocka_unit_test(vectors_beyond_the_table_are_not_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
