/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The i82559 driver on the card of fake_i82559.h, which checks what the driver does and its memory.
 */
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

static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
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

static void transmitted(void *context, void *cookie)
{
    (void)context;
    got.transmitted[got.done++] = cookie;
}

static void link_changed(void *context, bool up)
{
    (void)context;
    got.links += up ? 1 : -1;
}

static bool note_device(const struct vpci_device *device, void *context)
{
    *(struct vpci_device *)context = *device;
    return true;
}

static struct nic_info info;

static struct nic_link link_of(void *card)
{
    struct nic_link link;

    driver->link(card, &link);
    return link;
}

static void *open_on(bool memory)
{
    struct vpci_device pci;

    fake_i82559_open(&fake, mac, memory);
    assert_int_equal(vpci_scan(note_device, &pci), 1);
    assert_true(driver->matches(&pci));
    return driver->open(&pci, &client, &info);
}

static int setup(void **unused)
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

static struct nic_counters counters(void)
{
    struct nic_counters c;

    driver->counters(state, &c);
    return c;
}

static void release_all(void)
{
    while (got.count > 0) {
        driver->release(state, got.buffer[--got.count]);
    }
}

/* The content of frame number n. */
static const uint8_t *frame(unsigned n, unsigned length)
{
    static uint8_t bytes[1600];

    for (unsigned i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(n * 7 + i);
    }
    return bytes;
}

static bool arrive(unsigned n)
{
    return fake_i82559_receive(&fake, frame(n, 60 + n), 60 + n);
}

static void expect(unsigned index, unsigned n)
{
    assert_int_equal(got.length[index], 60 + n);
    assert_memory_equal(got.data[index], frame(n, 60 + n), 60 + n);
}

static void test_open(void **unused)
{
    uint32_t at = fake.ru_next;
    unsigned rfds = 1;

    (void)unused;
    assert_memory_equal(info.mac, mac, 6);
    assert_memory_equal(fake.address, mac, 6);
    assert_int_equal(fake.configuration[0], 22);
    assert_int_equal(fake.configuration[6] & 0x10, 0x10); /* standard TxCB */
    assert_int_equal(fake.configuration[15] & 1, 0);      /* not promiscuous */
    assert_int_equal(fake.configuration[21] & 8, 0);      /* not all multicast */
    assert_int_equal(fake.mask & 1, 1);
    assert_int_equal(fake.ru_state, FAKE_RU_READY);
    assert_int_equal(fake.cu_state, FAKE_CU_SUSPENDED);
    for (; !(fake_i82559_get16(at + 2) & 0x8000); rfds++) {
        assert_int_equal(fake_i82559_get16(at + 14), 1520);
        at = fake_i82559_get32(at + 4);
    }
    assert_int_equal(rfds, RFDS);
    assert_int_equal(counters().rx_held % RFDS, 0);
    assert_true(link_of(state).up);
}

static void test_io_space_and_other_address(void **unused)
{
    static const uint8_t other[6] = {2, 0, 0, 0, 0, 0x42};

    (void)unused;
    fake_pci_reset();
    client.mac = other;
    state = open_on(false);
    assert_non_null(state);
    assert_memory_equal(info.mac, other, 6);
    assert_memory_equal(fake.address, other, 6);
}

static void test_cannot_open(void **unused)
{
    struct vpci_device pci;
    unsigned live = fake_platform.live;
    unsigned allocations = fake_platform.allocations;

    (void)unused;
    assert_int_equal(vpci_scan(note_device, &pci), 1);
    assert_non_null(driver->open(&pci, &client, &info));
    allocations = fake_platform.allocations - allocations;
    live = fake_platform.live;
    for (unsigned nth = 1; nth <= allocations - RFDS; nth++) {
        fake_platform.fail_nth = nth;
        assert_null(driver->open(&pci, &client, &info));
        assert_int_equal(fake_platform.live, live);
    }
    config.rx_memory = 1 << 10; /* less than one receive buffer */
    assert_null(driver->open(&pci, &client, &info));
    config.rx_memory = 0;
    fake.eeprom[5]++; /* wrong checksum */
    assert_null(driver->open(&pci, &client, &info));
    fake.eeprom[5]--;
    fake.commands_lost = true;
    assert_null(driver->open(&pci, &client, &info));
    fake.commands_lost = false;
    fake.deaf = true;
    assert_null(driver->open(&pci, &client, &info));
    assert_int_equal(fake_platform.live, live);
}

static void test_receive(void **unused)
{
    unsigned reads = fake.status_reads;

    (void)unused;
    assert_int_equal(driver->poll(state, 64), 0);
    assert_int_equal(fake.status_reads, reads);
    for (unsigned n = 0; n < 5; n++) {
        assert_true(arrive(n));
    }
    assert_int_equal(driver->poll(state, 3), 3);
    assert_int_equal(fake.status_reads, reads + 1); /* once a pass, before the frames are read */
    assert_int_equal(driver->poll(state, 3), 2);
    for (unsigned n = 0; n < 5; n++) {
        expect(n, n);
    }
    assert_int_equal(counters().rx_posted, RFDS);
    assert_int_equal(counters().rx.packets, 5);
    assert_int_equal(counters().rx.bytes, 5 * 60 + 10);
    assert_int_equal(counters().rx_buffers, RFDS + 5);
    release_all();
    for (unsigned n = 0; n < 3 * RFDS; n++) {
        assert_true(arrive(n % 200));
        assert_int_equal(driver->poll(state, 64), 1);
        expect(0, n % 200);
        release_all();
    }
    assert_int_equal(counters().rx_buffers, RFDS + 5); /* the released buffers were reused */
    assert_int_equal(fake.ru_starts, 1);
}

static void test_ring_overflows(void **unused)
{
    (void)unused;
    for (unsigned n = 0; n < RFDS; n++) {
        assert_true(arrive(n % 200));
    }
    assert_false(arrive(0));
    assert_int_equal(driver->poll(state, 10), 10); /* makes room for ten more */
    assert_int_equal(fake.ru_starts, 2);
    for (unsigned n = 0; n < 10; n++) {
        assert_true(arrive(100 + n));
    }
    assert_false(arrive(0));
    assert_int_equal(driver->poll(state, 2 * RFDS), RFDS);
    for (unsigned n = 0; n < RFDS; n++) {
        expect(n, n % 200);
    }
    assert_int_equal(fake.ru_starts, 3);
    for (unsigned n = 0; n < 10; n++) {
        expect(RFDS + n, 100 + n);
    }
    assert_int_equal(counters().rx.full, 2);
    assert_true(arrive(0));
}

/* The card had read the EL bit before the driver cleared it. */
static void test_end_seen_in_between(void **unused)
{
    (void)unused;
    fake.sees_end = true;
    assert_true(arrive(1));
    assert_int_equal(driver->poll(state, 64), 1);
    assert_true(arrive(2));
    fake.sees_end = true;
    assert_true(arrive(3));
    assert_true(driver->interrupts_on(state, false));
    assert_int_equal(fake.ru_state, FAKE_RU_READY);
    assert_true(arrive(4));
    assert_int_equal(driver->poll(state, 64), 3);
    for (unsigned n = 1; n <= 4; n++) {
        expect(n - 1, n);
    }
}

static void test_client_has_all_buffers(void **unused)
{
    unsigned most;

    (void)unused;
    fake_pci_reset();
    config.rx_memory = 40 << 10;
    state = open_on(true);
    most = counters().rx_buffers_max;
    assert_true(most > 20 && most < 30);
    assert_int_equal(counters().rx_limit, most);
    for (unsigned n = 0; n < most; n++) {
        assert_int_equal(driver->scarce(state), n > most - most / 4);
        assert_true(arrive(n));
        assert_int_equal(driver->poll(state, 64), 1);
    }
    assert_int_equal(counters().rx_posted, 0);
    assert_true(driver->scarce(state));
    assert_false(arrive(1));
    driver->release(state, got.buffer[--got.count]);
    assert_true(arrive(2));
    assert_false(arrive(3));
    assert_int_equal(driver->poll(state, 64), 1);
    assert_int_equal(counters().rx_buffers_peak, most);
    assert_true(counters().rx_at_ceiling > 0);
}

/* Of very few buffers the stack may not keep the last one. */
static void test_client_has_all_of_few_buffers(void **unused)
{
    (void)unused;
    fake_pci_reset();
    config.rx_memory = 3 * 1700;
    state = open_on(true);
    assert_int_equal(counters().rx_buffers_max, 3);
    for (unsigned n = 0; n < 3; n++) {
        assert_false(driver->scarce(state));
        assert_true(arrive(n));
        assert_int_equal(driver->poll(state, 64), 1);
    }
    assert_true(driver->scarce(state));
}

static void test_lying_card(void **unused)
{
    static const uint16_t lengths[] = {1, HEADER, FRAME_MAX + 1, 1520, 0x3fff, 0xffff};

    (void)unused;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        fake.lie_count = lengths[i];
        assert_true(arrive(1));
    }
    fake.lie_status = 0x8000; /* complete but not OK */
    assert_true(arrive(1));
    assert_int_equal(driver->poll(state, 64), 7);
    assert_int_equal(counters().rx_bad, 7);
    assert_int_equal(got.count, 0);
    fake.lie_count = 0xc000 | FRAME_MAX; /* EOF and F, as on real hardware */
    assert_true(arrive(1));
    assert_int_equal(driver->poll(state, 64), 1);
    assert_int_equal(got.length[0], FRAME_MAX);
    assert_int_equal(counters().rx_buffers, RFDS + 1);
}

/* Segments and acknowledgements fit together. Buffers that the client keeps do not count. */
static void test_window(void **unused)
{
    unsigned in, out, posted;

    (void)unused;
    assert_int_equal(driver->window(state, false), RFDS / 2 * 1460);
    assert_int_equal(driver->window(state, true), RFDS / 2 * 1460);
    fake_pci_reset();
    config.rx_memory = 64 << 10;
    state = open_on(true);
    posted = counters().rx_posted;
    assert_in_range(posted, 30, 50);
    in = driver->window(state, false) / 1460;
    out = driver->window(state, true) / 1460;
    assert_in_range(in, 10, posted - out);
    assert_int_equal(out, posted / 2);
    for (unsigned n = 0; n < posted - 4; n++) {
        assert_true(arrive(n));
        assert_int_equal(driver->poll(state, 64), 1);
    }
    assert_int_equal(driver->window(state, false), 2 * 1460);
    assert_int_equal(driver->window(state, true) / 1460, out);
    release_all();
    assert_int_equal(driver->window(state, false) / 1460, in);
}

static int send(const uint8_t *data, unsigned parts, unsigned n)
{
    struct virtqueue_part part[16];

    for (unsigned i = 0; i < parts; i++) {
        part[i] = (struct virtqueue_part){data + 100 * i, 50 + n % 40};
    }
    return driver->transmit(state, part, parts, 0, NULL, (void *)(data + n));
}

static void test_transmit(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    memcpy(data, frame(3, 1600), 1600);
    assert_int_equal(send(data, 1, 0), 0);
    assert_int_equal(send(data, 8, 1), 0);
    assert_int_equal(send(data, 9, 2), NIC_PARTS);
    assert_int_equal(fake.sent, 0);
    driver->flush(state);
    driver->flush(state); /* nothing to notify of */
    assert_int_equal(fake.resumes, 1);
    assert_int_equal(fake.sent, 2);
    assert_int_equal(fake.length[0], 50);
    assert_int_equal(fake.length[1], 8 * 51);
    for (unsigned i = 0; i < 8; i++) {
        assert_memory_equal(&fake.frame[1][51 * i], data + 100 * i, 51);
    }
    assert_int_equal(driver->poll(state, 64), 0);
    assert_int_equal(got.done, 2);
    assert_ptr_equal(got.transmitted[0], data);
    assert_ptr_equal(got.transmitted[1], data + 1);
    assert_int_equal(counters().tx.bytes, 50 + 8 * 51);
}

static void test_transmit_bursts(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);
    unsigned sent = 0;

    (void)unused;
    for (unsigned burst = 1; burst <= TX_FRAMES; burst += 9) {
        unsigned resumes = fake.resumes;

        got.done = 0;
        for (unsigned n = 0; n < burst; n++) {
            assert_int_equal(send(data, 2, n), 0);
        }
        driver->flush(state);
        sent += burst;
        assert_int_equal(fake.sent, sent);
        assert_int_equal(fake.resumes - resumes, (burst + 15) / 16);
        driver->poll(state, 64);
        assert_int_equal(got.done, burst);
    }
    assert_int_equal(counters().tx.kicks, fake.resumes);
}

static void test_transmit_full(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    assert_true(driver->has_room(state, TX_FRAMES - 16, 3, 16));
    assert_false(driver->has_room(state, TX_FRAMES - 15, 3, 16));
    for (unsigned n = 0; n < TX_FRAMES; n++) {
        assert_int_equal(send(data, 1, n), 0);
    }
    assert_int_equal(send(data, 1, 0), NIC_FULL);
    assert_int_equal(counters().tx.full, 1);
    assert_false(driver->has_room(state, 1, 1, 0));
    assert_true(driver->interrupts_on(state, true)); /* some are complete */
    driver->poll(state, 64);
    assert_true(driver->has_room(state, 1, 1, 0));
    assert_int_equal(send(data, 1, 0), 0);
}

static void test_lost_resume(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    fake.commands_lost = true;
    assert_int_equal(send(data, 1, 5), 0);
    assert_int_equal(send(data, 1, 6), 0);
    driver->flush(state);
    fake.commands_lost = false;
    assert_int_equal(fake.sent, 0);
    driver->interrupts_on(state, false);
    assert_int_equal(fake.sent, 2);
    driver->poll(state, 64);
    assert_int_equal(got.done, 2);
    assert_int_equal(send(data, 1, 7), 0);
    driver->flush(state);
    assert_int_equal(fake.sent, 3);
}

static void test_card_dies(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    fake.deaf = true;
    assert_int_equal(send(data, 1, 5), 0);
    driver->flush(state); /* the card accepts the command but never executes it */
    assert_int_equal(send(data, 1, 5), 0);
    driver->flush(state);
    assert_int_equal(send(data, 1, 5), NIC_DOWN);
    assert_false(driver->set_groups(state, NULL, 0));
}

static void test_interrupts(void **unused)
{
    (void)unused;
    assert_true(arrive(1));
    assert_false(fake_i82559_line(&fake));
    assert_false(driver->interrupt(state)); /* another card's interrupt while ours are disabled */
    assert_true(driver->interrupts_on(state, false));
    assert_int_equal(driver->poll(state, 64), 1);
    assert_false(driver->interrupts_on(state, false));
    assert_false(fake_i82559_line(&fake)); /* raised for the frame that was taken */
    assert_false(driver->interrupt(state));
    assert_true(arrive(2));
    assert_true(fake_i82559_line(&fake));
    assert_true(driver->interrupt(state));
    assert_false(fake_i82559_line(&fake));
    assert_true(arrive(3));
    assert_false(fake_i82559_line(&fake));
    assert_int_equal(driver->poll(state, 64), 2);
    assert_false(driver->interrupts_on(state, false));
    fake.ack |= 4; /* a cause that is not enabled */
    assert_true(driver->interrupt(state));
    assert_false(fake_i82559_line(&fake));
    driver->poll(state, 64);
    assert_int_equal(counters().interrupts, 2);
    assert_int_equal(counters().interrupts_spurious, 1);
}

static void test_transmit_interrupt(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    driver->interrupts_on(state, false);
    assert_int_equal(send(data, 1, 0), 0);
    driver->flush(state);
    assert_false(fake_i82559_line(&fake));
    driver->poll(state, 64);
    driver->interrupts_on(state, true);
    assert_int_equal(send(data, 1, 0), 0);
    driver->flush(state);
    assert_true(fake_i82559_line(&fake));
}

/*
 * If receive buffers are missing, they may be in transmitted frames: then a completed transmission
 * must interrupt.
 */
static void test_transmit_interrupt_where_buffers_are_missing(void **unused)
{
    uint8_t *data = memory_alloc(2000, 16);
    unsigned most;

    (void)unused;
    fake_pci_reset();
    config.rx_memory = 40 << 10;
    state = open_on(true);
    most = counters().rx_buffers_max;
    for (unsigned n = 0; n < most; n++) {
        assert_true(arrive(n));
        assert_int_equal(driver->poll(state, 64), 1);
    }
    assert_false(driver->interrupts_on(state, false));
    assert_int_equal(send(data, 1, 0), 0);
    driver->flush(state);
    assert_true(fake_i82559_line(&fake));
}

static void test_groups(void **unused)
{
    uint8_t groups[65][6] = {{1, 0, 0x5e, 0, 0, 1}, {1, 0, 0x5e, 1, 2, 3}};
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    assert_int_equal(send(data, 1, 0), 0); /* transmitted while the card is notified */
    assert_true(driver->set_groups(state, (const uint8_t(*)[6])groups, 2));
    assert_int_equal(fake.groups[0], 2);
    assert_memory_equal(fake.groups + 1, groups, 12);
    assert_int_equal(fake.sent, 1);
    assert_int_equal(send(data, 1, 0), 0); /* transmitted later */
    driver->flush(state);
    assert_int_equal(fake.sent, 2);
    assert_true(driver->set_groups(state, (const uint8_t(*)[6])groups, 65));
    assert_int_equal(fake.configuration[21] & 8, 8); /* all multicast */
    assert_true(driver->set_groups(state, (const uint8_t(*)[6])groups, 64));
    assert_int_equal(fake.configuration[21] & 8, 0);
    assert_int_equal(fake.groups[0], 64);
}

/* A filter that could not be set is set by the next call. */
static void test_groups_are_told_again(void **unused)
{
    static const uint8_t groups[65][6];
    uint8_t *data = memory_alloc(2000, 16);

    (void)unused;
    fake_platform.clock_step = 1000000;
    fake.commands_lost = true;
    assert_int_equal(send(data, 1, 0), 0);
    driver->flush(state);
    assert_false(driver->set_groups(state, groups, 65)); /* a frame remains in flight for too
                                                          * long */
    assert_int_equal(fake.configuration[21] & 8, 0);
    fake.commands_lost = false;
    assert_int_equal(send(data, 1, 0), 0);
    driver->flush(state);
    assert_true(driver->set_groups(state, groups, 65));
    assert_int_equal(fake.configuration[21] & 8, 8);
}

static void test_link(void **unused)
{

    (void)unused;
    assert_int_equal(link_of(state).speed, 100);
    assert_int_equal(link_of(state).duplex, NIC_DUPLEX_FULL);
    fake.link = false;
    driver->poll(state, 64);
    assert_int_equal(got.links, 0); /* the link is read every two seconds */
    fake_platform.clock_ns += UINT64_C(2100000000);
    driver->poll(state, 64);
    assert_int_equal(got.links, -1);
    assert_false(link_of(state).up);
    fake.link = true;
    fake_platform.clock_ns += UINT64_C(2100000000);
    driver->poll(state, 64);
    assert_true(link_of(state).up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_open, setup),
        cmocka_unit_test_setup(test_io_space_and_other_address, setup),
        cmocka_unit_test_setup(test_cannot_open, setup),
        cmocka_unit_test_setup(test_receive, setup),
        cmocka_unit_test_setup(test_ring_overflows, setup),
        cmocka_unit_test_setup(test_end_seen_in_between, setup),
        cmocka_unit_test_setup(test_client_has_all_buffers, setup),
        cmocka_unit_test_setup(test_client_has_all_of_few_buffers, setup),
        cmocka_unit_test_setup(test_window, setup),
        cmocka_unit_test_setup(test_lying_card, setup),
        cmocka_unit_test_setup(test_transmit, setup),
        cmocka_unit_test_setup(test_transmit_bursts, setup),
        cmocka_unit_test_setup(test_transmit_full, setup),
        cmocka_unit_test_setup(test_lost_resume, setup),
        cmocka_unit_test_setup(test_card_dies, setup),
        cmocka_unit_test_setup(test_interrupts, setup),
        cmocka_unit_test_setup(test_transmit_interrupt, setup),
        cmocka_unit_test_setup(test_transmit_interrupt_where_buffers_are_missing, setup),
        cmocka_unit_test_setup(test_groups, setup),
        cmocka_unit_test_setup(test_groups_are_told_again, setup),
        cmocka_unit_test_setup(test_link, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
