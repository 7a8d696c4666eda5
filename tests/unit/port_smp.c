/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port to a kernel with paging and several processors, as shown in docs/porting.md: what differs
 * from the ports above. The functions of port_kernel.h are the kernel's: spinlocks that disable
 * interrupts while they are held; sleep(), which releases a lock, sleeps until wakeup() with the
 * same address, and takes the lock again; single pages; mappings. Compile with
 * -DVIRTIO_CONFIG_DMA_MAP=1: pointers are not the addresses of the device.
 */
#include <string.h>

#include "port_kernel.h"

static struct virtio_pci pci;
static struct virtio_net net;
struct spinlock card_lock;         /* held during each call for this device but the handler's */
static struct spinlock woken_lock; /* taken last, also by the handler */
static bool woken;
static unsigned waiting; /* senders that sleep until the ring has room */

/* No block is larger than a page, as the options below say. */
void *virtio_platform_alloc(size_t size, size_t align)
{
    void *page = size <= PAGE_SIZE && align <= PAGE_SIZE ? page_alloc() : NULL;

    return page != NULL ? memset(page, 0, PAGE_SIZE) : NULL;
}

void virtio_platform_free(void *memory)
{
    if (memory != NULL) {
        page_free(memory);
    }
}

uint64_t virtio_platform_map(const void *memory, size_t length, enum virtio_direction direction,
                             bool bus)
{
    (void)length, (void)direction, (void)bus;
    return physical_address(memory); /* a frame must not cross pages that are not adjacent */
}

void virtio_platform_unmap(uint64_t address, const void *memory, size_t length,
                           enum virtio_direction direction, bool bus)
{
    (void)address, (void)memory, (void)length, (void)direction, (void)bus;
}

bool vpci_platform_map(uint32_t address, uint32_t size, uintptr_t *at)
{
    void *mapped = map_device(address, size); /* uncached, and the same on all processors */

    *at = (uintptr_t)mapped;
    return mapped != NULL;
}

static void wake_card(void)
{
    acquire(&woken_lock);
    woken = true;
    wakeup(&woken);
    release(&woken_lock);
}

/* The interrupt handler, on any processor: without card_lock. */
void card_interrupt(void)
{
    if (virtio_net_interrupt(&net)) {
        wake_card();
    }
}

/* The client's functions run with card_lock held, in card_thread(). */
static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    (void)context, (void)more, (void)offload;
    frame_received(data, length); /* copies it */
    virtio_net_release(&net, buffer);
}

static void transmitted(void *context, void *cookie)
{
    (void)context;
    page_free(cookie);
    wakeup(&waiting);
}

static void link_changed(void *context, bool up)
{
    (void)context, (void)up;
}

static void announce(void *context)
{
    (void)context;
}

/* From any thread: sends a frame that is in a page, and sleeps while there is no room. */
int card_send(void *page, uint32_t length)
{
    struct virtqueue_part part = {page, length};
    int error;

    acquire(&card_lock);
    while ((error = virtio_net_transmit(&net, &part, 1, 0, NULL, page)) == VIRTIO_ERROR_FULL) {
        virtio_net_flush(&net);
        waiting++;
        wake_card(); /* it enables the interrupt for sent frames */
        sleep(&waiting, &card_lock);
        waiting--;
    }
    virtio_net_flush(&net);
    release(&card_lock);
    return error;
}

/* Before there are interrupts and other threads; card_interrupt() is installed already. */
int card_open(const struct vpci_device *function)
{
    static const struct virtio_net_client client = {
        .receive = receive,
        .transmitted = transmitted,
        .link = link_changed,
        .announce = announce,
    };
    const struct virtio_net_options options = {
        .features = virtio_bit(VIRTIO_F_VERSION_1) | virtio_bit(VIRTIO_NET_F_MAC) |
                    virtio_bit(VIRTIO_NET_F_STATUS) | virtio_bit(VIRTIO_F_EVENT_IDX),
        .rx_maximum = 128,
        .tx_size = 128,
        .weak_barrier = true,
    };
    int error = virtio_pci_open(&pci, function, VIRTIO_PCI_MODERN);

    if (error == 0) {
        error = virtio_net_open(&net, &pci.dev, &options, &client);
    }
    if (error == 0) {
        vpci_enable_line(function); /* level-triggered at the interrupt controller */
        virtio_net_start(&net);
    }
    return error;
}

void card_thread(void)
{
    for (;;) {
        bool busy;

        acquire(&card_lock);
        busy = virtio_net_poll(&net, 64) != 0;
        virtio_net_flush(&net);
        busy = busy || virtio_net_interrupts_on(&net, waiting != 0);
        release(&card_lock);
        acquire(&woken_lock);
        while (!busy && !woken) {
            sleep(&woken, &woken_lock);
        }
        woken = false;
        release(&woken_lock);
    }
}
