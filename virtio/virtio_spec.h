/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wire format of virtio 1.3 for a network device on PCI, without code. Names are the
 * specification's; sections are those of version 1.3.
 */
#ifndef VTNET_VIRTIO_SPEC_H
#define VTNET_VIRTIO_SPEC_H

#include "virtio/virtio_endian.h"

#ifdef __cplusplus
#define VIRTIO_SIZE(type, bytes) static_assert(sizeof(type) == (bytes), #type)
extern "C" {
#else
#define VIRTIO_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#endif

/* §2.1 Device Status Field */
enum {
    VIRTIO_STATUS_ACKNOWLEDGE = 1,
    VIRTIO_STATUS_DRIVER = 2,
    VIRTIO_STATUS_DRIVER_OK = 4,
    VIRTIO_STATUS_FEATURES_OK = 8,
    VIRTIO_STATUS_DEVICE_NEEDS_RESET = 64,
    VIRTIO_STATUS_FAILED = 128,
};

/* Feature bits, as bit numbers: §5.1.3 Feature bits (network device) */
enum {
    VIRTIO_NET_F_CSUM = 0,
    VIRTIO_NET_F_GUEST_CSUM = 1,
    VIRTIO_NET_F_CTRL_GUEST_OFFLOADS = 2,
    VIRTIO_NET_F_MTU = 3,
    VIRTIO_NET_F_MAC = 5,
    VIRTIO_NET_F_GSO = 6, /* legacy only */
    VIRTIO_NET_F_GUEST_TSO4 = 7,
    VIRTIO_NET_F_GUEST_TSO6 = 8,
    VIRTIO_NET_F_GUEST_ECN = 9,
    VIRTIO_NET_F_GUEST_UFO = 10,
    VIRTIO_NET_F_HOST_TSO4 = 11,
    VIRTIO_NET_F_HOST_TSO6 = 12,
    VIRTIO_NET_F_HOST_ECN = 13,
    VIRTIO_NET_F_HOST_UFO = 14,
    VIRTIO_NET_F_MRG_RXBUF = 15,
    VIRTIO_NET_F_STATUS = 16,
    VIRTIO_NET_F_CTRL_VQ = 17,
    VIRTIO_NET_F_CTRL_RX = 18,
    VIRTIO_NET_F_CTRL_VLAN = 19,
    VIRTIO_NET_F_CTRL_RX_EXTRA = 20,
    VIRTIO_NET_F_GUEST_ANNOUNCE = 21,
    VIRTIO_NET_F_MQ = 22,
    VIRTIO_NET_F_CTRL_MAC_ADDR = 23,
    VIRTIO_NET_F_DEVICE_STATS = 50,
    VIRTIO_NET_F_HASH_TUNNEL = 51,
    VIRTIO_NET_F_VQ_NOTF_COAL = 52,
    VIRTIO_NET_F_NOTF_COAL = 53,
    VIRTIO_NET_F_GUEST_USO4 = 54,
    VIRTIO_NET_F_GUEST_USO6 = 55,
    VIRTIO_NET_F_HOST_USO = 56,
    VIRTIO_NET_F_HASH_REPORT = 57,
    VIRTIO_NET_F_GUEST_HDRLEN = 59,
    VIRTIO_NET_F_RSS = 60,
    VIRTIO_NET_F_RSC_EXT = 61,
    VIRTIO_NET_F_STANDBY = 62,
    VIRTIO_NET_F_SPEED_DUPLEX = 63,
};

/* §6 Reserved Feature Bits */
enum {
    VIRTIO_F_NOTIFY_ON_EMPTY = 24, /* legacy only */
    VIRTIO_F_ANY_LAYOUT = 27,      /* legacy only */
    VIRTIO_F_INDIRECT_DESC = 28,
    VIRTIO_F_EVENT_IDX = 29,
    VIRTIO_F_BAD_FEATURE = 30, /* legacy only: QEMU offers it to catch drivers that echo all bits */
    VIRTIO_F_VERSION_1 = 32,
    VIRTIO_F_ACCESS_PLATFORM = 33,
    VIRTIO_F_RING_PACKED = 34,
    VIRTIO_F_IN_ORDER = 35,
    VIRTIO_F_ORDER_PLATFORM = 36,
    VIRTIO_F_SR_IOV = 37,
    VIRTIO_F_NOTIFICATION_DATA = 38,
    VIRTIO_F_NOTIF_CONFIG_DATA = 39,
    VIRTIO_F_RING_RESET = 40,
    VIRTIO_F_ADMIN_VQ = 41,
};

/* §2.7.5 The Virtqueue Descriptor Table */
enum {
    VIRTQ_DESC_F_NEXT = 1,
    VIRTQ_DESC_F_WRITE = 2,
    VIRTQ_DESC_F_INDIRECT = 4,
};

struct virtq_desc {
    virtio64_t addr;
    virtio32_t len;
    virtio16_t flags;
    virtio16_t next;
};
VIRTIO_SIZE(struct virtq_desc, 16);

/* §2.7.6 The Virtqueue Available Ring; `used_event` follows ring[size]. */
enum { VIRTQ_AVAIL_F_NO_INTERRUPT = 1 };

struct virtq_avail {
    virtio16_t flags;
    virtio16_t idx;
    virtio16_t ring[];
};
VIRTIO_SIZE(struct virtq_avail, 4);

/* §2.7.8 The Virtqueue Used Ring; `avail_event` follows ring[size]. */
enum { VIRTQ_USED_F_NO_NOTIFY = 1 };

struct virtq_used_elem {
    virtio32_t id;
    virtio32_t len;
};
VIRTIO_SIZE(struct virtq_used_elem, 8);

struct virtq_used {
    virtio16_t flags;
    virtio16_t idx;
    struct virtq_used_elem ring[];
};
VIRTIO_SIZE(struct virtq_used, 4);

/* §2.7, §2.8: the largest queue size of either format. */
enum { VIRTQ_SIZE_MAX = 32768 };

/*
 * §2.8.13 The Virtqueue Descriptor Format (packed). Flags in addition to those of §2.7.5: §2.8.1.
 */
enum {
    VIRTQ_DESC_F_AVAIL = 1 << 7,
    VIRTQ_DESC_F_USED = 1 << 15,
};

struct pvirtq_desc {
    virtio64_t addr;
    virtio32_t len;
    virtio16_t id;
    virtio16_t flags;
};
VIRTIO_SIZE(struct pvirtq_desc, 16);

/* §2.8.10 Driver and Device Event Suppression, §2.8.14 its format */
enum {
    RING_EVENT_FLAGS_ENABLE = 0,
    RING_EVENT_FLAGS_DISABLE = 1,
    RING_EVENT_FLAGS_DESC = 2,
    RING_EVENT_FLAGS_MASK = 3,
};

struct pvirtq_event_suppress {
    virtio16_t desc; /* PVIRTQ_OFF and PVIRTQ_WRAP */
    virtio16_t flags;
};
VIRTIO_SIZE(struct pvirtq_event_suppress, 4);

/* A position in a packed ring: the offset and the lap's wrap counter. */
enum {
    PVIRTQ_OFF = 0x7fff,
    PVIRTQ_WRAP = 0x8000,
};

/* §5.1.2 Virtqueues of a network device. The control queue follows all pairs. */
enum {
    VIRTIO_NET_QUEUE_RX = 0,
    VIRTIO_NET_QUEUE_TX = 1,
    VIRTIO_NET_QUEUE_CTRL = 2, /* without MQ; with it, twice the number of pairs */
};

/* §5.1.4 Device configuration layout: offsets */
enum {
    VIRTIO_NET_CONFIG_MAC = 0,
    VIRTIO_NET_CONFIG_STATUS = 6,
    VIRTIO_NET_CONFIG_MAX_VIRTQUEUE_PAIRS = 8, /* with MQ or RSS */
    VIRTIO_NET_CONFIG_MTU = 10,                /* with MTU */
    VIRTIO_NET_CONFIG_SPEED = 12,              /* with SPEED_DUPLEX, Mbit/s */
    VIRTIO_NET_CONFIG_DUPLEX = 16,             /* with SPEED_DUPLEX, 1: full */
};
enum { VIRTIO_NET_MTU_LEAST = 68 };
enum {
    VIRTIO_NET_PAIRS_MAX = 0x7fff
};     /* with 0x8000 the index of the control queue would need
                                         * 17 bits */
enum { /* the duplex field; any other value: unknown */
       VIRTIO_NET_DUPLEX_HALF = 0,
       VIRTIO_NET_DUPLEX_FULL = 1,
       VIRTIO_NET_DUPLEX_UNKNOWN = 0xff,
};
enum {
    VIRTIO_NET_S_LINK_UP = 1,
    VIRTIO_NET_S_ANNOUNCE = 2,
};

/* §5.1.6 Device Operation */
struct virtio_net_hdr {
    uint8_t flags;
    uint8_t gso_type;
    virtio16_t hdr_len;
    virtio16_t gso_size;
    virtio16_t csum_start;
    virtio16_t csum_offset;
    virtio16_t num_buffers; /* only with VERSION_1 or MRG_RXBUF */
};
VIRTIO_SIZE(struct virtio_net_hdr, 12);
enum { VIRTIO_NET_HDR_LEGACY_LEN = 10 }; /* without num_buffers */
enum {                                   /* flags */
       VIRTIO_NET_HDR_F_NEEDS_CSUM = 1,
       VIRTIO_NET_HDR_F_DATA_VALID = 2,
};
enum { /* gso_type */
       VIRTIO_NET_HDR_GSO_NONE = 0,
       VIRTIO_NET_HDR_GSO_TCPV4 = 1,
       VIRTIO_NET_HDR_GSO_UDP = 3, /* fragments of a single datagram */
       VIRTIO_NET_HDR_GSO_TCPV6 = 4,
       VIRTIO_NET_HDR_GSO_UDP_L4 = 5, /* separate datagrams */
       VIRTIO_NET_HDR_GSO_ECN = 0x80,
};

/* §5.1.6.5 Control Virtqueue: class and command, data, then the device's answer */
enum {
    VIRTIO_NET_CTRL_RX = 0,
    VIRTIO_NET_CTRL_RX_PROMISC = 0, /* commands of this class: one byte, 0 or 1 */
    VIRTIO_NET_CTRL_RX_ALLMULTI = 1,
    VIRTIO_NET_CTRL_RX_ALLUNI = 2,
    VIRTIO_NET_CTRL_RX_NOMULTI = 3,
    VIRTIO_NET_CTRL_RX_NOUNI = 4,
    VIRTIO_NET_CTRL_RX_NOBCAST = 5,

    VIRTIO_NET_CTRL_MAC = 1,
    VIRTIO_NET_CTRL_MAC_TABLE_SET = 0, /* unicast, then multicast: each a 32-bit count and the
                                        * addresses */
    VIRTIO_NET_CTRL_MAC_ADDR_SET = 1,  /* an address */

    VIRTIO_NET_CTRL_VLAN = 2,
    VIRTIO_NET_CTRL_VLAN_ADD = 0, /* 16 bits */
    VIRTIO_NET_CTRL_VLAN_DEL = 1,

    VIRTIO_NET_CTRL_ANNOUNCE = 3,
    VIRTIO_NET_CTRL_ANNOUNCE_ACK = 0, /* no data */

    VIRTIO_NET_CTRL_MQ = 4,
    VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET = 0, /* 16 bits */

    VIRTIO_NET_CTRL_GUEST_OFFLOADS = 5,
    VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET = 0, /* 64 bits */

    VIRTIO_NET_OK = 0,
    VIRTIO_NET_ERR = 1,
};

/* §4.1.2 PCI Device Discovery */
enum {
    VIRTIO_PCI_VENDOR = 0x1af4,
    VIRTIO_PCI_DEVICE_NET_TRANSITIONAL = 0x1000,
    VIRTIO_PCI_DEVICE_NET = 0x1041,
    VIRTIO_ID_NET = 1, /* subsystem device id of a transitional network device */
};

/* §4.1.4 Virtio Structure PCI Capabilities: offsets from the capability's start */
enum {
    VIRTIO_PCI_CAP_LEN = 2, /* of the whole capability */
    VIRTIO_PCI_CAP_CFG_TYPE = 3,
    VIRTIO_PCI_CAP_BAR = 4,
    VIRTIO_PCI_CAP_OFFSET = 8,
    VIRTIO_PCI_CAP_LENGTH = 12,
    VIRTIO_PCI_CAP_SIZE = 16,
    VIRTIO_PCI_NOTIFY_CAP_MULTIPLIER = 16, /* of the notification capability */
    VIRTIO_PCI_CFG_DATA = 16,              /* of the PCI configuration access capability */
};
enum {
    VIRTIO_PCI_CAP_COMMON_CFG = 1,
    VIRTIO_PCI_CAP_NOTIFY_CFG = 2,
    VIRTIO_PCI_CAP_ISR_CFG = 3,
    VIRTIO_PCI_CAP_DEVICE_CFG = 4,
    VIRTIO_PCI_CAP_PCI_CFG = 5,
};

/* §4.1.4.3 Common configuration structure layout: offsets; all fields are little-endian */
enum {
    VIRTIO_PCI_COMMON_DEVICE_FEATURE_SELECT = 0,
    VIRTIO_PCI_COMMON_DEVICE_FEATURE = 4,
    VIRTIO_PCI_COMMON_DRIVER_FEATURE_SELECT = 8,
    VIRTIO_PCI_COMMON_DRIVER_FEATURE = 12,
    VIRTIO_PCI_COMMON_CONFIG_MSIX_VECTOR = 16,
    VIRTIO_PCI_COMMON_NUM_QUEUES = 18,
    VIRTIO_PCI_COMMON_DEVICE_STATUS = 20,
    VIRTIO_PCI_COMMON_CONFIG_GENERATION = 21,
    VIRTIO_PCI_COMMON_QUEUE_SELECT = 22,
    VIRTIO_PCI_COMMON_QUEUE_SIZE = 24,
    VIRTIO_PCI_COMMON_QUEUE_MSIX_VECTOR = 26,
    VIRTIO_PCI_COMMON_QUEUE_ENABLE = 28,
    VIRTIO_PCI_COMMON_QUEUE_NOTIFY_OFF = 30,
    VIRTIO_PCI_COMMON_QUEUE_DESC = 32,
    VIRTIO_PCI_COMMON_QUEUE_DRIVER = 40,
    VIRTIO_PCI_COMMON_QUEUE_DEVICE = 48,
    VIRTIO_PCI_COMMON_LENGTH = 56, /* up to the end of queue_device, which every device has */
    VIRTIO_PCI_COMMON_QUEUE_NOTIF_CONFIG_DATA = 56, /* since virtio 1.2, like queue_reset */
    VIRTIO_PCI_COMMON_QUEUE_RESET = 58,
};

/* §4.1.5.1.2 MSI-X Vector Configuration */
enum { VIRTIO_MSI_NO_VECTOR = 0xffff };

/* §4.1.4.5 ISR status capability */
enum {
    VIRTIO_ISR_QUEUE = 1,
    VIRTIO_ISR_CONFIG = 2,
};

/* §4.1.4.10 Legacy Interfaces: A Note on PCI Device Layout: offsets in the I/O BAR 0 */
enum {
    VIRTIO_PCI_LEGACY_DEVICE_FEATURES = 0,
    VIRTIO_PCI_LEGACY_DRIVER_FEATURES = 4,
    VIRTIO_PCI_LEGACY_QUEUE_ADDRESS = 8,
    VIRTIO_PCI_LEGACY_QUEUE_SIZE = 12,
    VIRTIO_PCI_LEGACY_QUEUE_SELECT = 14,
    VIRTIO_PCI_LEGACY_QUEUE_NOTIFY = 16,
    VIRTIO_PCI_LEGACY_DEVICE_STATUS = 18,
    VIRTIO_PCI_LEGACY_ISR_STATUS = 19,
    VIRTIO_PCI_LEGACY_CONFIG = 20, /* without MSI-X; with MSI-X: */
    VIRTIO_PCI_LEGACY_CONFIG_MSIX_VECTOR = 20,
    VIRTIO_PCI_LEGACY_QUEUE_MSIX_VECTOR = 22,
    VIRTIO_PCI_LEGACY_MSIX_CONFIG = 24,
};
/* §2.7.2 Legacy Interfaces: A Note on Virtqueue Layout; the queue address is in these units too */
enum { VIRTIO_PCI_LEGACY_QUEUE_ALIGN = 4096 };

#ifdef __cplusplus
}
#endif

#endif
