/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network device's interrupts: enabling and disabling, the top half, and which queue each was
 * for.
 */
#include "virtio/internal/virtio_net_interrupts.h"

#include "virtio/internal/virtio_net_debug.h"
#include "virtio/internal/virtio_net_rx.h"

/*
 * True if fewer receive buffers are posted than should be: there is no memory, or all buffers that
 * may exist are elsewhere. They may be in the transmit ring, from where they come back only when
 * somebody polls.
 */
static bool is_starved(struct virtio_net *net)
{
    if (net->rx_posted < net->rx_limit && !net->rx.stopped) {
        virtio_net_rx_refill(net);
    }
    return net->rx_posted < net->rx_limit;
}

bool virtio_net_interrupts_on(struct virtio_net *net, bool tx)
{
    VIRTIO_NET_ENTER(net);
    /*
     * When three quarters of the frames in flight are done: early enough to keep the device busy,
     * late enough to be worth a wake-up.
     */
    uint16_t after = (uint16_t)(net->tx.in_flight - net->tx.in_flight / 4);
    bool pending = net->config_changed;

    if (!net->live) { /* only a poll completes a reset; a delayed one is not urgent */
        return net->recovery == VIRTIO_NET_RESETS ||
               (net->recovery == VIRTIO_NET_WAITS && net->recovery_delay_ms == 0);
    }
    if (is_starved(net)) {
        tx = true;
        after = net->tx.in_flight != 0;  /* the first one may contain the buffer that the device
                                          * needs */
        pending |= net->rx_buffers == 0; /* nothing would wake the loop, so it must keep trying
                                          * to allocate */
    }
    pending |= virtqueue_interrupts_on(&net->rx, 1);
    /*
     * The end of a queue's reset causes no interrupt, so the loop must poll. A reset that takes too
     * long is trouble.
     */
    pending |= net->rx.stopped;
    if (tx && after != 0 && virtqueue_interrupts_on(&net->tx, after)) {
        pending = true;
    }
    net->polled = false;
    if (net->dev->weak_barrier) { /* enabling interrupts took a fence */
        virtqueue_kick_again(&net->rx);
        virtqueue_kick_again(&net->tx);
    }
    return pending;
}

void virtio_net_interrupts_off(struct virtio_net *net)
{
    VIRTIO_NET_ENTER(net);
    if (net->tx.dev == NULL) {
        return; /* closed */
    }
    virtqueue_interrupts_off(&net->rx);
    virtqueue_interrupts_off(&net->tx);
}

void virtio_net_interrupts_start(struct virtio_net *net)
{
    net->own_vectors = net->dev->vectors != 0 && net->rx.vector != net->tx.vector &&
                       net->rx.vector != VIRTIO_CONFIG_VECTOR &&
                       net->tx.vector != VIRTIO_CONFIG_VECTOR;
}

static void interrupt_queue(struct virtio_net *net, struct virtqueue *vq)
{
    virtqueue_interrupts_off(vq);
    vq->interrupted = true;
    net->interrupted = true;
}

/*
 * §4.1.5.4: reading the ISR status clears it and deasserts the line. Both bits may be set at once.
 */
bool virtio_net_interrupt(struct virtio_net *net)
{
    uint8_t isr = net->dev->transport->isr_status(net->dev);

    if (!(isr & (VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG))) {
        return false;
    }
    if (isr & VIRTIO_ISR_CONFIG) {
        net->counters.interrupts_config++;
        net->config_changed = true;
    }
    if (isr & VIRTIO_ISR_QUEUE && net->live) {
        interrupt_queue(net, &net->rx);
        interrupt_queue(net, &net->tx);
    }
    net->counters.interrupts++;
    return true;
}

static void interrupt_by_vector(struct virtio_net *net, struct virtqueue *vq, uint16_t vector)
{
    if (vq->vector == vector) {
        interrupt_queue(net, vq);
        vq->counters.interrupts += net->own_vectors;
    }
}

/*
 * §4.1.5.5: the vector tells the cause; the ISR status is not read. A device may send configuration
 * interrupts as soon as they have a vector, i.e. before there are queues. A message may also arrive
 * while the queues are being removed. The configuration is read after DRIVER_OK in any case.
 */
void virtio_net_interrupt_vector(struct virtio_net *net, uint16_t vector)
{
    if (!net->live) {
        return;
    }
    if (vector == VIRTIO_CONFIG_VECTOR) {
        net->counters.interrupts_config++;
        net->config_changed = true;
    }
    interrupt_by_vector(net, &net->rx, vector);
    interrupt_by_vector(net, &net->tx, vector);
    net->counters.interrupts++;
}

static bool take(volatile bool *flag)
{
    bool was_set = *flag;

    *flag = false;
    return was_set;
}

struct virtio_net_interrupts virtio_net_interrupts_take(struct virtio_net *net)
{
    return (struct virtio_net_interrupts){
        .any = take(&net->interrupted),
        .rx = take(&net->rx.interrupted),
        .tx = take(&net->tx.interrupted),
    };
}

/* Counts an interrupt that may be this queue's; the queue then had `used` buffers. */
static void count_interrupt(struct virtio_net *net, struct virtqueue *vq, bool own, unsigned used)
{
    if (!own) {
        vq->counters.interrupts += used != 0;
    } else if (used == 0) {
        vq->counters.interrupts_spurious++;
        net->counters.interrupts_spurious++;
    }
}

void virtio_net_interrupts_count(struct virtio_net *net,
                                 const struct virtio_net_interrupts *interrupts, unsigned received,
                                 unsigned transmitted)
{
    const bool own = net->own_vectors;

    if (!interrupts->any) {
        return;
    }
    if (interrupts->rx) {
        count_interrupt(net, &net->rx, own, received);
    }
    if (interrupts->tx) {
        count_interrupt(net, &net->tx, own, transmitted);
    }
    if (!own && !interrupts->config && received + transmitted == 0) {
        net->counters.interrupts_spurious++;
    }
}
