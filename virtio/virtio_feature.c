/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature bits: their dependencies and names, and parsing a feature mask. */
#include <string.h>

#include "virtio/virtio.h"
#include "virtio/virtio_spec.h"

/* §5.1.3.1 Feature bit requirements: each feature requires one of the two others. */
static const struct {
    uint8_t feature, needs, or_needs;
} requirements[] = {
    {VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_CSUM},
    {VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_CSUM},
    {VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_CSUM},
    {VIRTIO_NET_F_GUEST_USO6, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_CSUM},
    /* Without mergeable buffers each buffer would have to hold 64 KiB. */
    {VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_MRG_RXBUF},
    {VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_MRG_RXBUF},
    {VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_MRG_RXBUF},
    {VIRTIO_NET_F_GUEST_USO6, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_MRG_RXBUF},
    /*
     * Not required by the specification. But Linux's tap joins datagrams only for both families,
     * and if only one is requested it performs none of the other offloads either.
     */
    {VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_GUEST_USO6, VIRTIO_NET_F_GUEST_USO6},
    {VIRTIO_NET_F_GUEST_USO6, VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_GUEST_USO4},
    {VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6},
    {VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_CSUM, VIRTIO_NET_F_CSUM},
    {VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_CSUM, VIRTIO_NET_F_CSUM},
    {VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_HOST_TSO6},
    {VIRTIO_NET_F_HOST_USO, VIRTIO_NET_F_CSUM, VIRTIO_NET_F_CSUM},
    {VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
    {VIRTIO_NET_F_CTRL_RX_EXTRA, VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_RX},
    {VIRTIO_NET_F_CTRL_VLAN, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
    {VIRTIO_NET_F_GUEST_ANNOUNCE, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
    {VIRTIO_NET_F_MQ, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
    /*
     * Not required by the specification, but without CTRL_RX commands of its class must not be sent
     * (§5.1.6.5.2.2).
     */
    {VIRTIO_NET_F_CTRL_MAC_ADDR, VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_RX},
    {VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
};

uint64_t virtio_feature_require(uint64_t features)
{
    for (unsigned i = 0; i < sizeof requirements / sizeof requirements[0]; i++) {
        if (!virtio_has(features, requirements[i].needs) &&
            !virtio_has(features, requirements[i].or_needs)) {
            features &= ~virtio_bit(requirements[i].feature);
        }
    }
    return features;
}

static const char *const names[64] = {
    [VIRTIO_NET_F_CSUM] = "csum",
    [VIRTIO_NET_F_GUEST_CSUM] = "guest_csum",
    [VIRTIO_NET_F_CTRL_GUEST_OFFLOADS] = "ctrl_guest_offloads",
    [VIRTIO_NET_F_MTU] = "mtu",
    [VIRTIO_NET_F_MAC] = "mac",
    [VIRTIO_NET_F_GSO] = "gso",
    [VIRTIO_NET_F_GUEST_TSO4] = "guest_tso4",
    [VIRTIO_NET_F_GUEST_TSO6] = "guest_tso6",
    [VIRTIO_NET_F_GUEST_ECN] = "guest_ecn",
    [VIRTIO_NET_F_GUEST_UFO] = "guest_ufo",
    [VIRTIO_NET_F_HOST_TSO4] = "host_tso4",
    [VIRTIO_NET_F_HOST_TSO6] = "host_tso6",
    [VIRTIO_NET_F_HOST_ECN] = "host_ecn",
    [VIRTIO_NET_F_HOST_UFO] = "host_ufo",
    [VIRTIO_NET_F_MRG_RXBUF] = "mrg_rxbuf",
    [VIRTIO_NET_F_STATUS] = "status",
    [VIRTIO_NET_F_CTRL_VQ] = "ctrl_vq",
    [VIRTIO_NET_F_CTRL_RX] = "ctrl_rx",
    [VIRTIO_NET_F_CTRL_VLAN] = "ctrl_vlan",
    [VIRTIO_NET_F_CTRL_RX_EXTRA] = "ctrl_rx_extra",
    [VIRTIO_NET_F_GUEST_ANNOUNCE] = "guest_announce",
    [VIRTIO_NET_F_MQ] = "mq",
    [VIRTIO_NET_F_CTRL_MAC_ADDR] = "ctrl_mac_addr",
    [VIRTIO_F_NOTIFY_ON_EMPTY] = "notify_on_empty",
    [VIRTIO_F_ANY_LAYOUT] = "any_layout",
    [VIRTIO_F_INDIRECT_DESC] = "indirect_desc",
    [VIRTIO_F_EVENT_IDX] = "event_idx",
    [VIRTIO_F_BAD_FEATURE] = "bad_feature",
    [VIRTIO_F_VERSION_1] = "version_1",
    [VIRTIO_F_ACCESS_PLATFORM] = "access_platform",
    [VIRTIO_F_RING_PACKED] = "ring_packed",
    [VIRTIO_F_IN_ORDER] = "in_order",
    [VIRTIO_F_ORDER_PLATFORM] = "order_platform",
    [VIRTIO_F_SR_IOV] = "sr_iov",
    [VIRTIO_F_NOTIFICATION_DATA] = "notification_data",
    [VIRTIO_F_NOTIF_CONFIG_DATA] = "notif_config_data",
    [VIRTIO_F_RING_RESET] = "ring_reset",
    [VIRTIO_F_ADMIN_VQ] = "admin_vq",
    [VIRTIO_NET_F_DEVICE_STATS] = "device_stats",
    [VIRTIO_NET_F_HASH_TUNNEL] = "hash_tunnel",
    [VIRTIO_NET_F_VQ_NOTF_COAL] = "vq_notf_coal",
    [VIRTIO_NET_F_NOTF_COAL] = "notf_coal",
    [VIRTIO_NET_F_GUEST_USO4] = "guest_uso4",
    [VIRTIO_NET_F_GUEST_USO6] = "guest_uso6",
    [VIRTIO_NET_F_HOST_USO] = "host_uso",
    [VIRTIO_NET_F_HASH_REPORT] = "hash_report",
    [VIRTIO_NET_F_GUEST_HDRLEN] = "guest_hdrlen",
    [VIRTIO_NET_F_RSS] = "rss",
    [VIRTIO_NET_F_RSC_EXT] = "rsc_ext",
    [VIRTIO_NET_F_STANDBY] = "standby",
    [VIRTIO_NET_F_SPEED_DUPLEX] = "speed_duplex",
};

const char *virtio_feature_name(unsigned bit)
{
    return bit < 64 ? names[bit] : NULL;
}

const char *virtio_feature_names(uint64_t features, char *text, size_t size)
{
    size_t used = 0;

    if (size == 0) {
        return "";
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        char number[] = {(char)('0' + bit / 10), (char)('0' + bit % 10), '\0'};
        const char *name = names[bit] != NULL ? names[bit] : number + (bit < 10);
        size_t length = strlen(name);

        if (virtio_has(features, bit) && used + length + 2 <= size) {
            text[used] = ' ';
            memcpy(text + used + 1, name, length);
            used += 1 + length;
        }
    }
    text[used] = '\0';
    return used != 0 ? text + 1 : text;
}

/* The bit with the name or number in the first `length` characters of `word`, or -1. */
static int find_bit(const char *word, size_t length)
{
    unsigned number = 0;
    size_t digits = 0;

    for (unsigned bit = 0; bit < 64; bit++) {
        if (names[bit] != NULL && strlen(names[bit]) == length &&
            memcmp(names[bit], word, length) == 0) {
            return (int)bit;
        }
    }
    while (digits < length && digits < 3 && word[digits] >= '0' && word[digits] <= '9') {
        number = number * 10 + (unsigned)(word[digits] - '0');
        digits++;
    }
    return digits > 0 && digits == length && number < 64 ? (int)number : -1;
}

const char *virtio_feature_parse(const char *text, uint64_t *features)
{
    while (*text != '\0') {
        size_t length = 0;
        int bit;

        while (text[length] != '\0' && text[length] != ',') {
            length++;
        }
        bit = length > 1 ? find_bit(text + 1, length - 1) : -1;
        if (bit < 0 || (text[0] != '+' && text[0] != '-')) {
            return text;
        }
        if (text[0] == '+') {
            *features |= virtio_bit((unsigned)bit);
        } else {
            *features &= ~virtio_bit((unsigned)bit);
        }
        text += length;
        text += *text == ',';
    }
    return NULL;
}
