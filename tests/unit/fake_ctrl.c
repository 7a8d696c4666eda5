/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake device's control queue (virtio 1.3 §5.1.6.5, from the device's side). */
#include <string.h>

#include "fake_virtio.h"

/* GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, GUEST_ECN, GUEST_UFO; GUEST_USO4, GUEST_USO6 (§5.1.6.5.6.1). */
#define GUEST_OFFLOADS UINT64_C(0x00c0000000000782)

static bool has(const struct fake_virtio *dev, unsigned feature)
{
    return dev->features >> feature & 1;
}

unsigned fake_ctrl_queue(const struct fake_virtio *dev)
{
    return has(dev, VIRTIO_NET_F_MQ) ? 2u * dev->max_pairs : 2;
}

/* Fails the test if the command's feature was not negotiated or its size is wrong. */
static void check(const struct fake_virtio *dev, unsigned feature, size_t size)
{
    assert_true(has(dev, feature));
    assert_int_equal(dev->command_length, 2 + size);
}

static void set_table(struct fake_virtio *dev)
{
    const uint8_t *data = dev->command + 2;

    dev->unicasts = (unsigned)fake_get(dev, data, 4);
    data += 4 + 6 * dev->unicasts;
    assert_true(data + 4 <= dev->command + dev->command_length);
    dev->multicasts = (unsigned)fake_get(dev, data, 4);
    check(dev, VIRTIO_NET_F_CTRL_RX, 8 + 6u * (dev->unicasts + dev->multicasts));
    assert_true(!dev->all_groups_only || dev->multicasts != 0 || dev->rx_mode & 2);
}

static void obey(struct fake_virtio *dev)
{
    uint8_t *data = dev->command + 2;
    unsigned command = dev->command[1];

    switch (dev->command[0]) {
    case 0: /* RX */
        check(dev, command < 2 ? VIRTIO_NET_F_CTRL_RX : VIRTIO_NET_F_CTRL_RX_EXTRA, 1);
        assert_true(command < 6 && data[0] < 2);
        dev->rx_mode = (uint8_t)((dev->rx_mode & ~(1u << command)) | (unsigned)data[0] << command);
        break;
    case 1:                                          /* MAC */
        assert_true(has(dev, VIRTIO_NET_F_CTRL_RX)); /* §5.1.6.5.2.2 */
        if (command == 0) {
            set_table(dev);
        } else {
            assert_int_equal(command, 1);
            check(dev, VIRTIO_NET_F_CTRL_MAC_ADDR, 6);
            memcpy(dev->mac, data, 6);
        }
        break;
    case 2: /* VLAN */
        check(dev, VIRTIO_NET_F_CTRL_VLAN, 2);
        assert_true(command < 2 && fake_get(dev, data, 2) < 4096);
        dev->vlans = (uint16_t)(dev->vlans + (command == 0 ? 1 : -1));
        break;
    case 3: /* ANNOUNCE */
        check(dev, VIRTIO_NET_F_GUEST_ANNOUNCE, 0);
        assert_int_equal(command, 0);
        dev->link_status &= (uint16_t)~VIRTIO_NET_S_ANNOUNCE;
        break;
    case 4: /* MQ */
        check(dev, VIRTIO_NET_F_MQ, 2);
        assert_int_equal(command, 0);
        dev->pairs = (uint16_t)fake_get(dev, data, 2);
        break;
    case 5: /* GUEST_OFFLOADS */
        check(dev, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, 8);
        assert_int_equal(command, 0);
        dev->guest_offloads = fake_get(dev, data, 8);
        assert_int_equal(dev->guest_offloads & ~(dev->features & GUEST_OFFLOADS), 0);
        break;
    default:
        fail_msg("control class %u", dev->command[0]);
    }
}

bool fake_hears(const struct fake_virtio *dev, const uint8_t mac[6])
{
    return dev->rx_mode & 1 || memcmp(mac, dev->mac, sizeof dev->mac) == 0;
}

/*
 * §5.1.6.6 Legacy Interface: Framing Requirements: without ANY_LAYOUT, class and command, the data
 * and the answer each have one descriptor; the data of MAC_TABLE_SET has one for each table.
 */
static void check_framing(const struct fake_virtio *dev, const struct fake_chain *chain)
{
    const struct fake_part *last = &chain->part[chain->count - 1];
    bool table = dev->command[0] == 1 && dev->command[1] == 0;
    bool data = dev->command_length > 2;

    if (has(dev, VIRTIO_F_VERSION_1) || has(dev, VIRTIO_F_ANY_LAYOUT)) {
        return;
    }
    assert_int_equal(chain->count, table ? 4 : data ? 3 : 2);
    assert_int_equal(chain->part[0].length, 2);
    assert_true(last->write && last->length == 1);
    if (table) {
        assert_int_equal(chain->part[1].length, 4 + 6 * fake_get(dev, dev->command + 2, 4));
    }
}

static void answer_one(struct fake_virtio *dev, unsigned queue, const struct fake_chain *chain)
{
    uint8_t answer = dev->refuses_commands;

    dev->command_length = fake_gather(chain, dev->command, sizeof dev->command);
    check_framing(dev, chain);
    dev->commands++;
    answer |= dev->refuses_rx_modes && dev->command[0] == 0;
    if (answer == 0) {
        obey(dev);
    }
    if (dev->lie_answer != 0) {
        answer = (uint8_t)dev->lie_answer;
    }
    if (dev->lie_answer != -1) {
        fake_scatter(chain, &answer, 1);
    }
    fake_use(dev, queue, chain->head, dev->lie_answer == -1 ? 0 : 1 + dev->lie_answer_length);
}

void fake_ctrl_run(struct fake_virtio *dev, unsigned queue)
{
    struct fake_chain chain;

    while (fake_take(dev, queue, &chain)) {
        if (fake_packed(dev) && has(dev, VIRTIO_F_IN_ORDER) &&
            chain.descriptors == dev->queue[queue].driver_size) {
            fail_msg("a chain takes the whole ring: QEMU 10 finds it empty then");
        }
        if (dev->ignores_commands) {
            assert_int_equal(dev->late.count, 0); /* one command at a time */
            dev->late = chain;
            fake_gather(&chain, dev->late_command, sizeof dev->late_command);
        } else {
            answer_one(dev, queue, &chain);
        }
    }
    fake_want_kick(dev, queue, true);
}

void fake_ctrl_answer(struct fake_virtio *dev)
{
    struct fake_chain chain = dev->late;

    assert_int_not_equal(chain.count, 0);
    dev->late.count = 0;
    answer_one(dev, fake_ctrl_queue(dev), &chain);
    assert_memory_equal(dev->command, dev->late_command, dev->command_length);
}
