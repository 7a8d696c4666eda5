/* SPDX-License-Identifier: BSD-2-Clause */
/* The NE2000 driver on a controller that behaves like its data sheet, not only like QEMU's. */
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

static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
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

static void transmitted(void *context, void *cookie)
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

static void *open_card(void)
{
    struct vpci_device pci = {.bdf = 3 << 3, .vendor = 0x10ec, .device = 0x8029};

    assert_true(nic_ne2000.matches(&pci));
    return nic_ne2000.open(&pci, &client, &info);
}

static int opened(void **state)
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

static int closed(void **state)
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

static const uint8_t *frame_of(unsigned number, unsigned length)
{
    static uint8_t frame[1518];

    for (unsigned i = 0; i < length; i++) {
        frame[i] = (uint8_t)(number * 7 + i * 13 + (i >> 8));
    }
    memcpy(frame, card->mac, 6);
    return frame;
}

static void assert_received(unsigned index, unsigned number, unsigned length)
{
    assert_int_equal(received[index].length, length);
    assert_memory_equal(received[index].data, frame_of(number, length), length);
    nic_ne2000.release(card, received[index].buffer);
    received[index].buffer = NULL;
}

static struct nic_counters counters(void)
{
    struct nic_counters c;

    nic_ne2000.counters(card, &c);
    return c;
}

static int send_frame(unsigned number, unsigned length)
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

static void card_is_what_the_prom_says(void **state)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    struct nic_link link;

    (void)state;
    assert_memory_equal(info.mac, mac, 6);
    assert_memory_equal(&fake_dp8390.page[1][DP8390_PAR0], mac, 6);
    nic_ne2000.link(card, &link);
    assert_true(link.up);
    assert_int_equal(link.speed, 10);
    assert_int_equal(link.duplex, NIC_DUPLEX_FULL);
    assert_int_equal(fake_dp8390.page[0][DP8390_PSTOP], 0xc0);
    assert_int_equal(fake_dp8390.page[0][DP8390_RCR], DP8390_RCR_AB | DP8390_RCR_AM);
    assert_int_equal(fake_dp8390.page[0][DP8390_TCR], 0);
    assert_false(fake_dp8390_line());
}

static void another_address_is_filtered_by_the_driver(void **state)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    uint8_t frame[60] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    (void)state;
    closed(NULL);
    client.mac = mac;
    opened(NULL);
    assert_true(fake_dp8390.page[0][DP8390_RCR] & DP8390_RCR_PRO);
    assert_true(fake_dp8390_receive(frame, 60));
    memcpy(frame, mac, 6);
    assert_true(fake_dp8390_receive(frame, 60));
    memset(frame, 0xff, 6);
    assert_true(fake_dp8390_receive(frame, 60));
    nic_ne2000.poll(card, 64);
    assert_int_equal(received_count, 2);
    assert_memory_equal(received[0].data, mac, 6);
}

static void small_memory_is_noticed(void **state)
{
    (void)state;
    closed(NULL);
    fake_dp8390_create();
    fake_dp8390.memory_end = 0x8000;
    card = open_card();
    assert_non_null(card);
    assert_int_equal(fake_dp8390.page[0][DP8390_PSTOP], 0x80);
}

static void dead_card_is_given_up(void **state)
{
    (void)state;
    fake_dp8390_create();
    fake_dp8390.dead = true;
    assert_null(open_card());
    assert_int_equal(allocated, 0);
}

/* Frames of every length, until the ring has wrapped several times. */
static void frames_come_in_whole(void **state)
{
    (void)state;
    for (unsigned length = 60; length <= 1518; length++) {
        received_count = 0;
        assert_true(fake_dp8390_receive(frame_of(length, length), length));
        assert_int_equal(nic_ne2000.poll(card, 64), 1);
        assert_int_equal(received_count, 1);
        assert_received(0, length, length);
    }
    assert_int_equal(counters().rx_bad, 0);
    assert_int_equal(counters().rx.packets, 1459);
    assert_int_equal(counters().rx_buffers, NE2000_RX_INITIAL);
}

static void full_ring_is_emptied_within_the_budget(void **state)
{
    unsigned frames = 0;

    (void)state;
    while (fake_dp8390_receive(frame_of(frames, 100), 100)) {
        frames++;
    }
    fake_dp8390.isr &= (uint8_t)~DP8390_ISR_OVW; /* QEMU's card does not set OVW */
    assert_int_equal(frames, 0xc0 - NE2000_RING_FIRST - 2);
    assert_int_equal(nic_ne2000.poll(card, 64), 64);
    assert_true(nic_ne2000.interrupts_on(card, false));
    assert_int_equal(nic_ne2000.poll(card, 64), frames - 64);
    assert_int_equal(nic_ne2000.poll(card, 64), 0);
    assert_false(nic_ne2000.interrupts_on(card, false));
    for (unsigned i = 0; i < frames; i++) {
        assert_received(i, i, 100);
    }
}

static void overwrite_warning_is_recovered_from(void **state)
{
    unsigned frames = 0, starts;

    (void)state;
    fake_dp8390.slow = true;
    assert_int_equal(send_frame(1, 100), 0); /* in flight during the recovery */
    while (fake_dp8390_receive(frame_of(frames, 1000), 1000)) {
        frames++;
    }
    starts = fake_dp8390.starts;
    assert_int_equal(nic_ne2000.poll(card, 64), frames);
    assert_int_equal(fake_dp8390.starts, starts + 1);
    assert_int_equal(counters().rx.full, 1);
    assert_int_equal(fake_dp8390.page[0][DP8390_TCR], 0);
    assert_false(fake_dp8390.isr & DP8390_ISR_OVW);
    fake_dp8390_sent(); /* interrupted and restarted by the recovery */
    assert_true(fake_dp8390_receive(frame_of(frames, 1000), 1000));
    assert_int_equal(nic_ne2000.poll(card, 64), 1);
}

static void nonsense_resets_the_receiver(void **state)
{
    static const struct {
        unsigned byte;
        uint8_t value;
    } lies[] = {{0, 0},    {1, 0},    {1, 0xff}, {1, NE2000_RING_FIRST + 5},
                {3, 0xff}, {3, 0x06}, {2, 3}};

    (void)state;
    for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        uint8_t *header = &fake_dp8390.memory[fake_dp8390.curr * 256];

        received_count = 0;
        assert_true(fake_dp8390_receive(frame_of(i, 100), 100));
        header[lies[i].byte] = lies[i].value;
        (void)nic_ne2000.poll(card, 64);
        assert_int_equal(received_count, 0);
        assert_int_equal(counters().rx_bad, i + 1);
        assert_true(fake_dp8390_receive(frame_of(i, 200), 200));
        assert_int_equal(nic_ne2000.poll(card, 64), 1);
        assert_received(0, i, 200);
    }
}

static void stack_that_keeps_all_buffers_is_told(void **state)
{
    static void *kept[NE2000_RX_BUFFERS];

    (void)state;
    for (unsigned i = 0; i < NE2000_RX_BUFFERS; i++) {
        received_count = 0;
        assert_int_equal(nic_ne2000.scarce(card), i > NE2000_RX_BUFFERS - 32);
        assert_true(fake_dp8390_receive(frame_of(i, 60), 60));
        assert_int_equal(nic_ne2000.poll(card, 64), 1);
        kept[i] = received[0].buffer;
    }
    received_count = 0;
    assert_true(fake_dp8390_receive(frame_of(0, 60), 60));
    (void)nic_ne2000.poll(card, 64); /* drops the frame */
    assert_int_equal(received_count, 0);
    assert_int_equal(counters().rx_at_ceiling, 1);
    assert_int_equal(counters().rx_held, (uint64_t)NE2000_RX_BUFFERS * card->buffer_size);
    for (unsigned i = 0; i < NE2000_RX_BUFFERS; i++) {
        nic_ne2000.release(card, kept[i]);
    }
    assert_true(fake_dp8390_receive(frame_of(3, 60), 60));
    assert_int_equal(nic_ne2000.poll(card, 64), 1);
    assert_received(0, 3, 60);
}

static void frames_go_out_whole_and_padded(void **state)
{
    (void)state;
    for (unsigned length = 14; length <= 1518; length += length < 80 ? 1 : 7) {
        unsigned wire = length < 60 ? 60 : length;

        fake_dp8390.sent_count = 0;
        assert_int_equal(send_frame(length % 128, length), 0);
        assert_int_equal(fake_dp8390.sent_count, 1);
        assert_int_equal(fake_dp8390.sent_length[0], wire);
        assert_memory_equal(fake_dp8390.sent[0], frame_of(length % 128, length), length);
        for (unsigned i = length; i < wire; i++) {
            assert_int_equal(fake_dp8390.sent[0][i], 0);
        }
        (void)nic_ne2000.poll(card, 64);
    }
    assert_int_equal(counters().tx.packets, counters().tx.kicks);
}

/*
 * Two frames are in the card's buffers, the others wait. The loop may sleep until the card is
 * ready.
 */
static void slow_card_is_given_one_after_the_other(void **state)
{
    unsigned added = 1;

    (void)state;
    fake_dp8390.slow = true;
    while (nic_ne2000.has_room(card, 1, 3, 0)) {
        assert_int_equal(send_frame(added++, 100), 0);
    }
    assert_int_equal(added - 1, NE2000_TX_FRAMES);
    assert_int_equal(send_frame(0, 100), NIC_FULL);
    (void)nic_ne2000.poll(card, 64);
    assert_int_equal(cookies[1], 1);
    assert_int_equal(cookies[2], 1);
    assert_int_equal(cookies[3], 0);
    for (unsigned i = 1; i < added; i++) {
        assert_false(nic_ne2000.interrupts_on(card, true));
        assert_false(fake_dp8390_line());
        fake_dp8390_sent();
        assert_true(fake_dp8390_line() || i + 1 == added);
        assert_true(nic_ne2000.interrupt(card) || i + 1 == added);
        (void)nic_ne2000.poll(card, 64);
        assert_int_equal(fake_dp8390.sent_count, i);
    }
    for (unsigned i = 1; i < added; i++) {
        assert_int_equal(cookies[i], 1);
    }
}

static void only_its_own_interrupt_is_taken(void **state)
{
    (void)state;
    assert_false(nic_ne2000.interrupt(card)); /* another card's interrupt while this one is
                                               * disabled */
    assert_false(nic_ne2000.interrupts_on(card, false));
    assert_false(nic_ne2000.interrupt(card));
    assert_true(fake_dp8390_receive(frame_of(1, 60), 60));
    assert_true(fake_dp8390_line());
    assert_true(nic_ne2000.interrupt(card));
    assert_false(fake_dp8390_line());
    assert_false(nic_ne2000.interrupt(card));
    assert_true(nic_ne2000.interrupts_on(card, false)); /* the frame is still pending */
    assert_int_equal(nic_ne2000.poll(card, 64), 1);
    assert_int_equal(counters().interrupts, 1);
}

static void polling_silences_the_card(void **state)
{
    (void)state;
    assert_false(nic_ne2000.interrupts_on(card, false));
    (void)nic_ne2000.poll(card, 64);
    assert_true(fake_dp8390_receive(frame_of(1, 60), 60));
    assert_false(fake_dp8390_line());
}

/* 01:00:5e:00:00:01: the CRC that IEEE 802.3 puts behind it begins with the bits 011111. */
static void groups_are_hashed(void **state)
{
    static const uint8_t all_hosts[1][6] = {{1, 0, 0x5e, 0, 0, 1}};
    static const uint8_t expected[8] = {0, 0, 0, 0x80};

    (void)state;
    assert_true(nic_ne2000.set_groups(card, all_hosts, 1));
    assert_memory_equal(&fake_dp8390.page[1][DP8390_MAR0], expected, 8);
    assert_true(nic_ne2000.set_groups(card, NULL, 0));
    assert_int_equal(fake_dp8390.page[1][DP8390_MAR0 + 3], 0);
}

/*
 * One connection in both directions: its segments, and acknowledgements of a page each, leave room
 * for the largest frame and BNRY's page.
 */
static void windows_fit_the_ring(void **state)
{
    (void)state;
    for (unsigned stop = 0x80; stop <= 0xc0; stop += 0x40) {
        unsigned in, out;

        card->stop = (uint8_t)stop;
        in = nic_ne2000.window(card, false) / 1460;
        out = nic_ne2000.window(card, true) / 1460;
        assert_in_range(in, 3, 100);
        assert_in_range(out, 20, 100);
        assert_in_range(in * 6 + out + 6 + 1, 0, stop - 0x4c);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, opened, closed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(card_is_what_the_prom_says),
        TEST(another_address_is_filtered_by_the_driver),
        TEST(small_memory_is_noticed),
        cmocka_unit_test(dead_card_is_given_up),
        TEST(frames_come_in_whole),
        TEST(full_ring_is_emptied_within_the_budget),
        TEST(overwrite_warning_is_recovered_from),
        TEST(nonsense_resets_the_receiver),
        TEST(stack_that_keeps_all_buffers_is_told),
        TEST(frames_go_out_whole_and_padded),
        TEST(slow_card_is_given_one_after_the_other),
        TEST(only_its_own_interrupt_is_taken),
        TEST(polling_silences_the_card),
        TEST(groups_are_hashed),
        TEST(windows_fit_the_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
