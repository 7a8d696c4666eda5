/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel of port_smp.c, made of the host's threads. */
#ifndef PORT_KERNEL_H
#define PORT_KERNEL_H

#include <pthread.h>

/* The fake device provides its own. */
#define vpci_platform_map port_map

#include "pci/pci_platform.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_platform.h"

enum { PAGE_SIZE = 4096 };

struct spinlock {
    pthread_mutex_t mutex;
};

/* All zeros is an unlocked lock. */
void acquire(struct spinlock *lock);
void release(struct spinlock *lock);
void sleep(const void *address, struct spinlock *lock);
void wakeup(const void *address);

void *page_alloc(void);
void page_free(void *page);
uint64_t physical_address(const void *memory);
void *map_device(uint32_t address, uint32_t size);
void frame_received(const void *data, uint32_t length);

/* Of the port. */
extern struct spinlock card_lock;
void card_interrupt(void);
int card_send(void *page, uint32_t length);
int card_open(const struct vpci_device *function);
void card_thread(void) __attribute__((noreturn));

#endif
