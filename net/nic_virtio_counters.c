/* SPDX-License-Identifier: BSD-2-Clause */
/* What virtio/ counts, as net/nic.h has it. */
#include "net/nic_virtio.h"

static struct nic_queue_counters queue_counters(const struct virtqueue *vq, uint64_t packets,
                                                uint64_t bytes)
{
    return (struct nic_queue_counters){
        .packets = packets,
        .bytes = bytes,
        .kicks = vq->counters.kicks,
        .kicks_suppressed = vq->counters.kicks_suppressed,
        .kicks_saved = vq->counters.kicks_saved,
        .full = vq->counters.full,
        .bad_id = vq->counters.bad_id,
        .bad_length = vq->counters.bad_length,
        .bad_index = vq->counters.bad_index,
        .interrupts = vq->counters.interrupts,
        .interrupts_spurious = vq->counters.interrupts_spurious,
    };
}

void nic_virtio_counters(const struct virtio_net *net, struct nic_counters *counters)
{
    const struct virtio_net_counters *c = &net->counters;

    *counters = (struct nic_counters){
        .rx = queue_counters(&net->rx, c->rx_frames, c->rx_bytes),
        .tx = queue_counters(&net->tx, c->tx_frames, c->tx_bytes),
        .ctrl = queue_counters(&net->ctrl, 0, 0),
        .interrupts = c->interrupts,
        .interrupts_spurious = c->interrupts_spurious,
        .interrupts_config = c->interrupts_config,
        .rx_bad = c->rx_bad,
        .rx_no_memory = c->rx_no_memory,
        .rx_at_ceiling = c->rx_at_ceiling,
        .recoveries = c->recoveries,
        .tx_down = c->tx_down,
        .tx_lost = c->tx_lost,
        .rx_posted = net->rx_posted,
        .rx_limit = net->rx_limit,
        .rx_limit_peak = net->rx_limit_peak,
        .rx_initial = net->rx_initial,
        .rx_maximum = net->rx_maximum,
        .rx_ups = c->rx_ups,
        .rx_downs = c->rx_downs,
        .rx_buffers = net->rx_buffers,
        .rx_buffers_peak = net->rx_peak,
        .rx_buffers_max = net->rx_buffers_max,
        .rx_held = (uint64_t)net->rx_buffers * net->rx_buffer_size,
        .rx_held_peak = (uint64_t)net->rx_peak * net->rx_buffer_size,
    };
    counters->tx.full = c->tx_full; /* as the stack sees it */
}
