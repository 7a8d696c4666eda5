/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device's interrupts: on and off, the top half, what each was for. */
#include "virtio/internal/virtio_net_interrupts.h"

#include "virtio/internal/virtio_net_rx.h"

/*
 * Whether fewer receive buffers are posted than should be, as there is no memory, or all that may exist are
 * elsewhere: perhaps in the transmit ring, from where they come back only when somebody looks.
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
    /* When three quarters of what is in flight are done: early enough not to run the device dry,
     * late enough to be worth a wake-up. */
    uint16_t after = (uint16_t)(net->tx.in_flight - net->tx.in_flight / 4);
    bool pending = net->config_changed;

    if (!net->live) { /* who waits for the end of a reset has to look; later on it need not hurry */
        return net->recovery == VIRTIO_NET_RESETS ||
               (net->recovery == VIRTIO_NET_WAITS && net->recovery_delay_ms == 0);
    }
    if (is_starved(net)) {
        tx = true;
        after = net->tx.in_flight != 0;  /* the first may hold what the device waits for */
        pending |= net->rx_buffers == 0; /* nobody will wake us: memory has to be looked for */
    }
    pending |= virtqueue_interrupts_on(&net->rx, 1);
    /* Who waits for a reset to end has to look, as it does not interrupt. One that takes too long is trouble. */
    pending |= net->rx.stopped;
    if (tx && after != 0 && virtqueue_interrupts_on(&net->tx, after)) {
        pending = true;
    }
    return pending;
}

void virtio_net_interrupts_off(struct virtio_net *net)
{
    if (net->tx.dev == NULL) {
        return; /* closed */
    }
    virtqueue_interrupts_off(&net->rx);
    virtqueue_interrupts_off(&net->tx);
}

/* Whether each queue has a vector to itself. */
static bool has_own_vectors(const struct virtio_net *net)
{
    return net->dev->vectors != 0 && net->rx.vector != net->tx.vector &&
           net->rx.vector != VIRTIO_CONFIG_VECTOR && net->tx.vector != VIRTIO_CONFIG_VECTOR;
}

static void interrupt_queue(struct virtio_net *net, struct virtqueue *vq)
{
    virtqueue_interrupts_off(vq);
    vq->interrupted = true;
    net->interrupted = true;
}

/* §4.1.5.4: reading the ISR status clears it and lowers the line; both bits can come together. */
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
        vq->counters.interrupts += has_own_vectors(net);
    }
}

/*
 * §4.1.5.5: the vector says what it is about, the ISR status is not read. A device may interrupt for
 * its configuration as soon as that has a vector, which is before there are queues; and a message may
 * be under way while they go. What the configuration then says is read after DRIVER_OK.
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

/* An interrupt came that may be of this queue, and found it with `used` buffers to take. */
static void count_interrupt(struct virtio_net *net, struct virtqueue *vq, unsigned used)
{
    if (!has_own_vectors(net)) {
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
    if (interrupts->rx) {
        count_interrupt(net, &net->rx, received);
    }
    if (interrupts->tx) {
        count_interrupt(net, &net->tx, transmitted);
    }
    if (interrupts->any && !has_own_vectors(net) && !interrupts->config &&
        received + transmitted == 0) {
        net->counters.interrupts_spurious++;
    }
}
