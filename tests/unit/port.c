/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port on the host, as shown in docs/porting.md: virtio/ and pci/ as libvtnet.a; memory, clock
 * and log from the C library; the tests' fake device provides the functions of pci/. A frame
 * arrives with an interrupt, is sent back, and is checked.
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

/* Four functions for virtio/. */

/* Memory that the device may access. */
static struct block {
    uint8_t *memory;
    size_t size;
} blocks[300];
enum { BLOCKS = sizeof blocks / sizeof blocks[0] };

static struct block *find_block(const void *memory)
{
    unsigned i = 0;

    while (i < BLOCKS && blocks[i].memory != memory) {
        i++;
    }
    return i < BLOCKS ? &blocks[i] : NULL;
}

void *virtio_platform_alloc(size_t size, size_t align)
{
    struct block *block = find_block(NULL);
    void *memory = aligned_alloc(align, (size + align - 1) / align * align);

    if (block == NULL || memory == NULL) {
        free(memory);
        return NULL;
    }
    *block = (struct block){memory, size};
    return memset(memory, 0, size);
}

void virtio_platform_free(void *memory)
{
    if (memory != NULL) {
        *find_block(memory) = (struct block){NULL, 0};
        free(memory);
    }
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

/* The device's side: its addresses are pointers. */
void *fake_dma(uint64_t address, size_t length)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        uint64_t first = (uintptr_t)blocks[i].memory;

        if (first != 0 && address >= first && address + length <= first + blocks[i].size) {
            return blocks[i].memory + (address - first);
        }
    }
    printf("port: the device is sent to %#llx, which is in no block of its memory\n",
           (unsigned long long)address);
    abort();
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
    memcpy(frame, frame + 6, 6); /* back to the sender */
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

/* The interrupt handler. Here the program itself checks the line. */
static void handle_interrupt(void)
{
    if (fake_line(&device)) {
        woken |= virtio_net_interrupt(&net);
    }
}

/* Here only one thing happens meanwhile: a frame arrives. */
static void sleep_until_interrupt(void)
{
    static const uint8_t question[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1};

    fake_rx(&device, question, sizeof question);
    handle_interrupt();
}

static bool open_first(const struct vpci_device *function, void *context)
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
    if (*opened) {
        vpci_enable_line(function); /* the handler is installed */
        virtio_net_start(&net);
    }
    return !*opened;
}

int main(void)
{
    static const uint8_t sender[6] = {2, 0, 0, 0, 0, 1};
    bool opened = false;

    setenv("CMOCKA_TEST_ABORT", "1", 1); /* makes the fake device print what is wrong */
    fake_virtio_create(&device, FAKE_MODERN, virtio_bit(VIRTIO_NET_F_MAC));
    vpci_scan(open_first, &opened);
    if (!opened) {
        return 1;
    }
    while (device.tx_frames == 0) {
        unsigned frames;

        woken = false;
        frames = virtio_net_poll(&net, 64);
        virtio_net_flush(&net);
        fake_tx_run(&device); /* the device handles its notification */
        if (frames == 0 && !virtio_net_interrupts_on(&net, false) && !woken) {
            sleep_until_interrupt();
            if (!woken) {
                printf("port: the frame brought no interrupt\n");
                return 1;
            }
        }
    }
    virtio_net_poll(&net, 64); /* the buffer comes back */
    printf("port: %u bytes came back\n", (unsigned)(device.tx_length - net.header_length));
    virtio_net_close(&net);
    return memcmp(device.tx_data + net.header_length, sender, sizeof sender) != 0;
}
