/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port on the host, as docs/porting.md shows it: virtio/ and pci/ as libvtnet.a, memory, clock
 * and log of the C library, and the tests' fake device, which is the other five functions. A frame
 * comes in, with an interrupt, goes back to its sender, and is looked at.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake_virtio.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_platform.h"

/* Five functions for virtio/. */

void *virtio_platform_alloc(size_t size, size_t align)
{
    void *memory = aligned_alloc(align, (size + align - 1) / align * align);

    return memory != NULL ? memset(memory, 0, size) : NULL;
}

void virtio_platform_free(void *memory)
{
    free(memory);
}

uint64_t virtio_platform_dma_address(const void *memory)
{
    return (uintptr_t)memory;
}

uint64_t virtio_platform_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void virtio_platform_log(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

/* The device's side of virtio_platform_dma_address(). */
void *fake_dma(uint64_t address, size_t length)
{
    (void)length;
    return (void *)(uintptr_t)address;
}

/* The program. */

static struct fake_virtio device;
static struct virtio_pci pci;
static struct virtio_net net;
static volatile bool woken;

static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    struct virtqueue_part part = {data, length};
    uint8_t *frame = data;

    (void)context, (void)more, (void)offload;
    memcpy(frame, frame + 6, 6); /* to the sender */
    memcpy(frame + 6, net.mac, 6);
    if (virtio_net_transmit(&net, &part, 1, net.header_length, NULL, buffer) != 0) {
        virtio_net_release(&net, buffer);
    }
}

static void transmitted(void *context, void *cookie)
{
    (void)context;
    virtio_net_release(&net, cookie);
}

static void link_changed(void *context, bool up)
{
    (void)context;
    printf("port: link %s\n", up ? "up" : "down");
}

static void announce(void *context)
{
    (void)context;
}

/* The interrupt handler. Here the processor is this program, which looks at the line itself. */
static void handle_interrupt(void)
{
    if (device.isr != 0) {
        woken |= virtio_net_interrupt(&net);
    }
}

static bool open_first(const struct pci_device *function, void *context)
{
    static const struct virtio_net_client client = {
        .receive = receive,
        .transmitted = transmitted,
        .link = link_changed,
        .announce = announce,
    };
    const struct virtio_net_options options = {
        .features = virtio_bit(VIRTIO_NET_F_MAC),
        .weak_barrier = true,
    };
    bool *opened = context;

    if (!virtio_pci_is_net(function)) {
        return true;
    }
    *opened = virtio_pci_open(&pci, function, VIRTIO_PCI_ANY) == 0 &&
              virtio_net_open(&net, &pci.dev, &options, &client) == 0;
    return !*opened;
}

int main(void)
{
    static const uint8_t question[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1};
    const uint8_t *answer;
    bool opened = false;

    setenv("CMOCKA_TEST_ABORT", "1", 1); /* the fake device says what is wrong */
    fake_virtio_create(&device, FAKE_MODERN, virtio_bit(VIRTIO_NET_F_MAC));
    pci_scan(open_first, &opened);
    if (!opened || virtio_net_interrupts_on(&net, false)) {
        return 1;
    }
    fake_rx(&device, question, sizeof question);
    handle_interrupt();
    if (!woken) {
        return 1;
    }
    virtio_net_poll(&net, 64);
    virtio_net_flush(&net);
    if (fake_tx_run(&device) != 1) {
        return 1;
    }
    virtio_net_poll(&net, 64); /* the buffer comes back */
    answer = device.tx_data + net.header_length;
    printf("port: %u bytes came back\n", (unsigned)(device.tx_length - net.header_length));
    virtio_net_close(&net);
    return memcmp(answer, question + 6, 6) != 0;
}
