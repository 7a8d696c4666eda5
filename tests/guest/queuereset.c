/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resets each queue of a network device separately (RING_RESET), count= times, with buffers in
 * flight. After each reset it asks peer= for its address by ARP, which needs both queues.
 */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/boot.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_platform.h"
#include "virtio/virtqueue.h"

enum { HEADER = 12, FRAME = 42, BUFFER = 2048, POSTED = 20 };
#define PATIENCE_NS UINT64_C(2000000000)

static struct virtio_pci pci;
static struct virtqueue rx, tx;
static uint8_t *buffers; /* POSTED buffers, and one for the frame */

static bool open_first(const struct vpci_device *device, void *context)
{
    uint64_t wanted = virtio_bit(VIRTIO_F_RING_RESET) | virtio_bit(VIRTIO_F_RING_PACKED) |
                      virtio_bit(VIRTIO_F_EVENT_IDX) | virtio_bit(VIRTIO_F_INDIRECT_DESC);
    bool *opened = context;

    virtio_feature_parse(boot_arguments.features, &wanted);
    pci.dev.weak_barrier = arch_barrier_is_weak();
    if (virtio_pci_is_net(device)) {
        *opened = virtio_pci_open(&pci, device, VIRTIO_PCI_MODERN) == 0 &&
                  virtio_device_begin(&pci.dev) == 0 &&
                  virtio_device_negotiate(&pci.dev, wanted) == 0 &&
                  virtqueue_create(&rx, &pci.dev, VIRTIO_NET_QUEUE_RX, 64, 0, 0) == 0 &&
                  virtqueue_create(&tx, &pci.dev, VIRTIO_NET_QUEUE_TX, 64, 4, 4) == 0;
    }
    return !*opened;
}

static void post(uint8_t *buffer)
{
    struct virtqueue_part part = {buffer, BUFFER};

    virtqueue_add(&rx, &part, 0, 1, buffer);
}

static void put_address(uint8_t *to, const struct boot_ipv4 *ip)
{
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (uint8_t)(ip->address >> (24 - 8 * i));
    }
}

/* An ARP request (RFC 826). The device's header before it is all zeros. */
static void ask(void)
{
    static const uint8_t request[] = {0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1};
    uint8_t *frame = buffers + (size_t)BUFFER * POSTED;
    struct virtqueue_part parts[] = {{frame, HEADER}, {frame + HEADER, FRAME}};

    memset(frame, 0, HEADER + FRAME);
    memset(frame + HEADER, 0xff, 6);
    frame[HEADER + 6] = frame[HEADER + 22] = 0x02; /* our address: 02:00:00:00:00:00 */
    memcpy(frame + HEADER + 12, request, sizeof request);
    put_address(frame + HEADER + 28, &boot_arguments.ip[0]);
    put_address(frame + HEADER + 38, &boot_arguments.peer);
    virtqueue_add(&tx, parts, 2, 0, frame);
    virtqueue_kick(&tx);
}

/* True if the answer arrives; other frames are dropped. */
static bool answered(void)
{
    uint64_t start = arch_clock_ns();
    uint32_t length;
    uint8_t *buffer;

    while (arch_clock_ns() - start < PATIENCE_NS) {
        virtqueue_get(&tx, &length);
        while ((buffer = virtqueue_get(&rx, &length)) != NULL) {
            const uint8_t *arp = buffer + HEADER + 12;
            bool answer = length >= HEADER + FRAME && arp[1] == 0x06 && arp[9] == 2;

            post(buffer);
            virtqueue_kick(&rx);
            if (answer) {
                return true;
            }
        }
    }
    return false;
}

/* Returns the number of buffers that came back, or a negative error. */
static int remake(struct virtqueue *vq)
{
    int error = virtqueue_reset(vq);
    int back = 0;

    while (error == 0 && virtqueue_detach(vq) != NULL) {
        back++;
    }
    error = error != 0 ? error : virtqueue_restart(vq);
    return error != 0 ? error : back;
}

int main(void)
{
    bool opened = false;
    unsigned answers = 0;
    int back = POSTED;

    buffers = virtio_platform_alloc((size_t)BUFFER * (POSTED + 1), BUFFER);
    vpci_scan(open_first, &opened);
    if (!opened || buffers == NULL) {
        printf("vtnet: queuereset: no virtio network device, or no memory\n");
        return 1;
    }
    if (!virtio_has(pci.dev.features, VIRTIO_F_RING_RESET)) {
        printf("vtnet: queuereset: the device has no RING_RESET\n");
        return 0;
    }
    virtio_device_ready(&pci.dev);
    for (unsigned round = 0; round < boot_arguments.count; round++) {
        for (unsigned i = 0; i < POSTED; i++) {
            post(buffers + (size_t)BUFFER * i);
        }
        virtqueue_kick(&rx);
        ask();
        answers += answered();
        if (remake(&tx) < 0 || (back = remake(&rx)) != POSTED) {
            break;
        }
    }
    printf("vtnet: queuereset: %u of %u answers, %d buffers came back, features 0x%llx\n", answers,
           boot_arguments.count, back, (unsigned long long)pci.dev.features);
    virtio_device_reset(&pci.dev);
    return 0;
}
