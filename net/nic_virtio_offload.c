/* SPDX-License-Identifier: BSD-2-Clause */
/* Offloads in the words of the device and in those of net/nic.h. */
#include "net/nic_virtio.h"

uint32_t nic_virtio_offloads(uint64_t features)
{
    static const struct {
        uint8_t feature, offload;
    } map[] = {
        {VIRTIO_NET_F_CSUM, NIC_SEND_CHECKSUM},          {VIRTIO_NET_F_HOST_TSO4, NIC_SEND_TCP4},
        {VIRTIO_NET_F_HOST_TSO6, NIC_SEND_TCP6},         {VIRTIO_NET_F_HOST_USO, NIC_SEND_UDP},
        {VIRTIO_NET_F_GUEST_CSUM, NIC_RECEIVE_CHECKSUM},
    };
    uint32_t offloads = 0;

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (virtio_has(features, map[i].feature)) {
            offloads |= map[i].offload;
        }
    }
    return offloads;
}

struct nic_offload nic_virtio_received(const struct virtio_net_offload *offload)
{
    struct nic_offload o = {
        .checksum = offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .checked = offload->flags & VIRTIO_NET_HDR_F_DATA_VALID,
        .checksum_start = offload->csum_start,
        .checksum_offset = offload->csum_offset,
        .segment_size = offload->gso_size,
        .header_length = offload->hdr_len,
    };

    switch (offload->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        o.segments = NIC_WHOLE;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV4:
        o.segments = NIC_TCP4;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        o.segments = NIC_TCP6;
        break;
    case VIRTIO_NET_HDR_GSO_UDP_L4:
        o.segments = NIC_UDP;
        break;
    default: /* the driver delivers no other */
        o.segments = NIC_WHOLE;
        break;
    }
    return o;
}

struct virtio_net_offload nic_virtio_sent(const struct nic_offload *offload)
{
    static const uint8_t types[] = {
        [NIC_WHOLE] = VIRTIO_NET_HDR_GSO_NONE,
        [NIC_TCP4] = VIRTIO_NET_HDR_GSO_TCPV4,
        [NIC_TCP6] = VIRTIO_NET_HDR_GSO_TCPV6,
        [NIC_UDP] = VIRTIO_NET_HDR_GSO_UDP_L4,
    };

    return (struct virtio_net_offload){
        .flags = offload->checksum ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0,
        .gso_type = types[offload->segments],
        .csum_start = offload->checksum_start,
        .csum_offset = offload->checksum_offset,
        .gso_size = offload->segment_size,
        .hdr_len = offload->header_length,
    };
}
