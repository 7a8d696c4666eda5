/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole port of virtio/ and pci/, as docs/porting.md shows it: the eleven functions, and a program
 * that sends every frame for it back to whoever sent it. It is linked with libvtnet.a and with the
 * parts of this project that stand for the system one would port to: memory_alloc(), printf(),
 * arch_io_read32() and the like.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/boot.h"
#include "pci/pci_platform.h"
#include "runtime/memory.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_platform.h"

/* Four functions for virtio/. */

void *virtio_platform_alloc(size_t size, size_t align)
{
    void *memory = memory_alloc(size, align);

    return memory != NULL ? memset(memory, 0, size) : NULL;
}

void virtio_platform_free(void *memory)
{
    memory_free(memory);
}

uint64_t virtio_platform_clock_ns(void)
{
    return arch_clock_ns();
}

void virtio_platform_log(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

/* Seven functions for pci/. */

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };

uint32_t vpci_platform_config_read(uint16_t bdf, unsigned offset, unsigned width)
{
    bool on = arch_interrupts_save(); /* the two ports belong together */
    uint32_t value;

    arch_io_write32(CONFIG_ADDRESS, 0x80000000u | (uint32_t)bdf << 8 | (offset & 0xfc));
    value = vpci_platform_read(true, CONFIG_DATA + (offset & 3), width);
    arch_interrupts_restore(on);
    return value;
}

void vpci_platform_config_write(uint16_t bdf, unsigned offset, unsigned width, uint32_t value)
{
    bool on = arch_interrupts_save();

    arch_io_write32(CONFIG_ADDRESS, 0x80000000u | (uint32_t)bdf << 8 | (offset & 0xfc));
    vpci_platform_write(true, CONFIG_DATA + (offset & 3), width, value);
    arch_interrupts_restore(on);
}

/* Nothing is translated. */
bool vpci_platform_map(uint32_t address, uint32_t size, uintptr_t *at)
{
    (void)size;
    *at = address;
    return true;
}

uint32_t vpci_platform_read(bool io, uintptr_t address, unsigned width)
{
    switch (width) {
    case 1:
        return io ? arch_io_read8(address) : arch_bus_read8(address);
    case 2:
        return io ? arch_io_read16(address) : arch_bus_read16(address);
    default:
        return io ? arch_io_read32(address) : arch_bus_read32(address);
    }
}

void vpci_platform_write(bool io, uintptr_t address, unsigned width, uint32_t value)
{
    switch (width) {
    case 1:
        io ? arch_io_write8(address, (uint8_t)value) : arch_bus_write8(address, (uint8_t)value);
        break;
    case 2:
        io ? arch_io_write16(address, (uint16_t)value) : arch_bus_write16(address, (uint16_t)value);
        break;
    default:
        io ? arch_io_write32(address, value) : arch_bus_write32(address, value);
        break;
    }
}

unsigned vpci_platform_other_roots(void)
{
    return 0; /* none that we know of */
}

struct vpci_window vpci_platform_window(bool io)
{
    return io ? (struct vpci_window){ARCH_BUS_IO_FIRST, ARCH_BUS_IO_LAST}
              : (struct vpci_window){ARCH_BUS_MEMORY_FIRST, ARCH_BUS_MEMORY_LAST};
}

/* The program. */

static struct virtio_pci pci;
static struct virtio_net net;
static volatile bool woken; /* since the loop last looked */

/* The frame lies in one buffer, as no offload was asked for; it goes back in that buffer. */
static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    struct virtqueue_part part = {data, length};
    uint8_t *frame = data;

    (void)context, (void)more, (void)offload;
    memcpy(frame, frame + 6, 6); /* to the sender */
    memcpy(frame + 6, net.mac, 6);
    /* The bytes before the data are ours to write on, as many as a header takes. */
    if (virtio_net_transmit(&net, &part, 1, net.header_length, NULL, buffer) != 0) {
        virtio_net_release(&net, buffer); /* the ring is full: the frame is lost */
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

static bool handle_interrupt(void *context)
{
    bool ours = virtio_net_interrupt(context);

    woken |= ours;
    return ours;
}

/* Called for each PCI function until it returns false. */
static bool open_first(const struct vpci_device *device, void *context)
{
    static const struct virtio_net_client client = {
        .receive = receive,
        .transmitted = transmitted,
        .link = link_changed,
        .announce = announce,
    };
    const struct virtio_net_options options = {
        .features = VIRTIO_NET_FEATURES & ~virtio_bit(VIRTIO_NET_F_MRG_RXBUF) &
                    ~virtio_bit(VIRTIO_NET_F_GUEST_CSUM),
        .weak_barrier = true,                 /* right under any emulator */
        .bus_offset = arch_bus_address(NULL), /* PReP: RAM is elsewhere on the bus */
    };
    bool *opened = context;

    if (!virtio_pci_is_net(device)) {
        return true;
    }
    *opened = virtio_pci_open(&pci, device, VIRTIO_PCI_ANY) == 0 &&
              virtio_net_open(&net, &pci.dev, &options, &client) == 0 &&
              arch_irq_register(device->irq_line, handle_interrupt, &net);
    if (*opened) {
        vpci_enable_line(device); /* not before there is a handler */
        virtio_net_start(&net);
    }
    return !*opened;
}

int main(void)
{
    bool opened = false;

    vpci_setup_bridges();
    vpci_scan(open_first, &opened);
    if (!opened) {
        return 1;
    }
    printf("vtnet: ready\n"); /* what ./vm waits for */
    for (;;) {
        unsigned frames;

        woken = false;
        frames = virtio_net_poll(&net, 64);
        virtio_net_flush(&net);
        if (frames == 0 && !virtio_net_interrupts_on(&net, false)) {
            arch_interrupts_off();
            if (!woken) {
                arch_wait(); /* turns interrupts on and sleeps until one comes */
            }
            arch_interrupts_on();
        }
    }
}
