/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Provokes the race for notifications. It sends count= pairs of frames. The second frame of each
 * pair is sent when the device, done with the first, requests notifications again. That moment is
 * searched for: later after a pair that was too early, sooner otherwise. If "publish the index" and
 * "read whether to notify" are not ordered, the device sometimes sleeps with a frame in its queue:
 * a stall. With fence=off the run ends at the first stall.
 */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/boot.h"
#include "runtime/memory.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"

#define STALL_NS UINT64_C(2000000000) /* longer than a busy host delays QEMU's threads */
enum {
    FRAME = 60,
    DELAY_STEP_NS = 16,
    CACHE_LINE = 64,
    COLD_STORES = 48,
    COLD_PAGE = 4096,
    COLD_PAGES = 96 << 20 >> 12, /* more than fits in a cache */
};

static struct virtio_pci pci;
static struct virtio_net net;
static unsigned in_flight;

static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    (void)context, (void)data, (void)length, (void)more, (void)offload;
    virtio_net_release(&net, buffer);
}

static void transmitted(void *context, void *cookie)
{
    (void)context, (void)cookie;
    in_flight--;
}

static void link_changed(void *context, bool up)
{
    (void)context, (void)up;
}

static void announce(void *context)
{
    (void)context;
}

/* A vpci_scan() visitor: opens the first virtio network device. */
static bool open_first(const struct vpci_device *device, void *context)
{
    static const struct virtio_net_client client = {
        .receive = receive,
        .transmitted = transmitted,
        .link = link_changed,
        .announce = announce,
    };
    struct virtio_net_options options = {
        .features = VIRTIO_NET_FEATURES,
        .weak_barrier = boot_arguments.fence == BOOT_FENCE_AUTO
                            ? arch_barrier_is_weak()
                            : boot_arguments.fence == BOOT_FENCE_ON,
    };
    bool *opened = context;

    virtio_feature_parse(boot_arguments.features, &options.features);
    if (virtio_pci_is_net(device)) {
        *opened = virtio_pci_open(&pci, device, VIRTIO_PCI_ANY) == 0 &&
                  virtio_net_open(&net, &pci.dev, &options, &client) == 0;
        if (*opened) {
            virtio_net_start(&net); /* without interrupts */
        }
    }
    return !*opened;
}

static void send(uint8_t *memory)
{
    struct virtqueue_part part = {memory + 16, FRAME};

    if (virtio_net_transmit(&net, &part, 1, 16, NULL, memory) == 0) {
        in_flight++;
        virtio_net_flush(&net);
    }
}

static void wait_ns(uint64_t ns)
{
    uint64_t start = arch_clock_ns();

    while (arch_clock_ns() - start < ns) {
    }
}

/*
 * Fills the host processor's store buffer with stores that miss all caches, so that the following
 * store, to the available index, is late. The longer the delay, the more likely the race is lost.
 * All stores are to one page, as a miss in the emulator's own page table acts as a barrier.
 */
static void delay_stores(uint8_t *cold, unsigned round)
{
    uint8_t *page = cold + (round * 2654435761u >> 8) % COLD_PAGES * COLD_PAGE;

    for (unsigned i = 0; i < COLD_STORES; i++) {
        page[i * 37 % (COLD_PAGE / CACHE_LINE) * CACHE_LINE] = (uint8_t)round;
    }
}

/* True if all frames came back in time. Otherwise wakes the device by force. */
static bool wait_for_both(void)
{
    uint64_t start = arch_clock_ns();
    bool in_time = true;

    while (in_flight > 0) {
        virtio_net_poll(&net, 64);
        if (arch_clock_ns() - start > STALL_NS) {
            in_time = false;
            pci.dev.transport->notify(&pci.dev, &net.tx);
            start = arch_clock_ns();
        }
    }
    return in_time;
}

int main(void)
{
    static uint8_t frame[2][16 + FRAME];
    unsigned stalls = 0;
    unsigned pairs = 0;
    unsigned delay = 0; /* ns between the frames of a pair */
    unsigned kicks;
    bool opened = false;
    uint8_t *cold = memory_alloc((size_t)COLD_PAGES * COLD_PAGE, COLD_PAGE);

    vpci_scan(open_first, &opened);
    if (!opened || cold == NULL) {
        printf("vtnet: kickrace: no virtio network device, or no memory\n");
        return 1;
    }
    for (unsigned i = 0; i < 2; i++) {
        memset(frame[i] + 16, 0xff, 6); /* to all stations, an experimental EtherType */
        memcpy(frame[i] + 22, net.mac, 6);
        frame[i][28] = 0x88;
        frame[i][29] = 0xb5;
    }
    while (pairs < boot_arguments.count &&
           (boot_arguments.fence != BOOT_FENCE_OFF || stalls == 0)) {
        send(frame[0]);
        wait_ns(delay);
        delay_stores(cold, pairs);
        kicks = net.tx.counters.kicks;
        send(frame[1]);
        /* Not notified: the device was still busy with the first frame, so send later. */
        if (kicks == net.tx.counters.kicks) {
            delay += DELAY_STEP_NS;
        } else if (delay >= DELAY_STEP_NS) {
            delay -= DELAY_STEP_NS;
        }
        stalls += !wait_for_both();
        pairs++;
    }
    printf("vtnet: kickrace: %u pairs, %u stalls, %u kicks, %u suppressed, %u seen only after the "
           "fence\n",
           pairs, stalls, (unsigned)net.tx.counters.kicks,
           (unsigned)net.tx.counters.kicks_suppressed, (unsigned)net.tx.counters.kicks_saved);
    virtio_net_close(&net);
    return 0;
}
