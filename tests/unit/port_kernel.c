/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs port_smp.c: one thread is its card_thread(), another sends more frames than the ring holds,
 * and this one is the fake device and the interrupt. VIRTIO_DEBUG watches the locks.
 */
#include "port_kernel.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake_virtio.h"

enum { FRAMES = 400, SLOW = 100, OFFSET = 0x100000 };

static struct fake_virtio device;
static pthread_mutex_t sleepers = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t awake = PTHREAD_COND_INITIALIZER;
static unsigned wakeups;
static unsigned received;

void acquire(struct spinlock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void release(struct spinlock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}

/* A wakeup wakes all sleepers; each checks again what it waits for. */
void sleep(const void *address, struct spinlock *lock)
{
    struct timespec until;
    unsigned before;

    (void)address;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&sleepers);
    before = wakeups;
    release(lock);
    while (wakeups == before) {
        if (pthread_cond_timedwait(&awake, &sleepers, &until) != 0) {
            printf("port: nobody woke a sleeper\n");
            abort();
        }
    }
    pthread_mutex_unlock(&sleepers);
    acquire(lock);
}

void wakeup(const void *address)
{
    (void)address;
    pthread_mutex_lock(&sleepers);
    wakeups++;
    pthread_cond_broadcast(&awake);
    pthread_mutex_unlock(&sleepers);
}

void *page_alloc(void)
{
    return aligned_alloc(PAGE_SIZE, PAGE_SIZE);
}

void page_free(void *page)
{
    free(page);
}

uint64_t physical_address(const void *memory)
{
    return (uintptr_t)memory - OFFSET;
}

void *fake_dma(uint64_t address, size_t length)
{
    (void)length;
    return (void *)(uintptr_t)(address + OFFSET);
}

void *map_device(uint32_t address, uint32_t size)
{
    return size != 0 ? (void *)(uintptr_t)address : NULL;
}

void frame_received(const void *data, uint32_t length)
{
    received += length == 60 && *(const uint8_t *)data == 0xff;
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

void virtio_platform_broken(const char *rule)
{
    printf("port: %s\n", rule);
    abort();
}

static void *run_card(void *argument)
{
    (void)argument;
    card_thread();
}

static void *run_sender(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < FRAMES; i++) {
        void *page = page_alloc();

        memset(page, 0xff, 60);
        if (card_send(page, 60) != 0) {
            printf("port: a frame was refused\n");
            abort();
        }
    }
    return NULL;
}

static bool open_first(const struct vpci_device *function, void *opened)
{
    if (virtio_pci_is_net(function)) {
        *(bool *)opened = card_open(function) == 0;
        return false;
    }
    return true;
}

int main(void)
{
    static const uint8_t question[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    pthread_t threads[2];
    bool opened = false;
    bool done = false;
    unsigned delivered = 0;
    unsigned sent = 0;
    uintptr_t at;

    setenv("CMOCKA_TEST_ABORT", "1", 1);
    fake_virtio_create(&device, FAKE_MODERN,
                       virtio_bit(VIRTIO_NET_F_MAC) | virtio_bit(VIRTIO_F_EVENT_IDX));
    vpci_scan(open_first, &opened);
    if (!opened || !port_map(0x1000, 16, &at) || at != 0x1000) {
        return 1;
    }
    pthread_create(&threads[0], NULL, run_card, NULL);
    pthread_create(&threads[1], NULL, run_sender, NULL);
    for (unsigned pass = 0; !done; pass++) {
        acquire(&card_lock); /* the fake device is for one thread at a time */
        if (pass % SLOW == 0) {
            sent += fake_tx_run(&device); /* seldom: the sender has to sleep */
        }
        if (delivered < FRAMES && fake_rx(&device, question, sizeof question)) {
            delivered++;
        }
        if (fake_line(&device)) {
            card_interrupt();
        }
        done = sent == FRAMES && received == FRAMES;
        release(&card_lock);
        sched_yield();
    }
    printf("port: %u frames sent, %u received\n", sent, received);
    return 0;
}
