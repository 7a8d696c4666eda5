/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/stats.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "net/cards.h"
#include "net/loop.h"
#include "net/lwip_port/guard.h"
#include "runtime/memory.h"

enum { JSON_COMMON = 2048, JSON_CARD = 5120 }; /* bytes */
#define SECOND_NS UINT64_C(1000000000)

/* A figure: its name, and its offset in the structure that the table describes. */
struct field {
    const char *name;
    uint16_t offset;
    uint16_t width; /* bytes */
};
#define FIELD(type, member)                                                                        \
    {                                                                                              \
#member, offsetof(struct type, member), sizeof(((struct type *)0)->member)                 \
    }
#define QUEUE_FIELD(queue, member)                                                                 \
    {                                                                                              \
#queue "_" #member,                                                                        \
            offsetof(struct nic_counters, queue) + offsetof(struct nic_queue_counters, member),    \
            sizeof(((struct nic_queue_counters *)0)->member)                                       \
    }
#define RING_FIELDS(queue)                                                                         \
    QUEUE_FIELD(queue, kicks), QUEUE_FIELD(queue, kicks_suppressed),                               \
        QUEUE_FIELD(queue, kicks_saved), QUEUE_FIELD(queue, full), QUEUE_FIELD(queue, bad_id),     \
        QUEUE_FIELD(queue, bad_length), QUEUE_FIELD(queue, bad_index)

/* The control queue uses no interrupts. */
#define INTERRUPT_FIELDS(queue)                                                                    \
    QUEUE_FIELD(queue, interrupts), QUEUE_FIELD(queue, interrupts_spurious)

static const struct field card_fields[] = {
    QUEUE_FIELD(rx, packets),
    QUEUE_FIELD(rx, bytes),
    RING_FIELDS(rx),
    INTERRUPT_FIELDS(rx),
    QUEUE_FIELD(tx, packets),
    QUEUE_FIELD(tx, bytes),
    RING_FIELDS(tx),
    INTERRUPT_FIELDS(tx),
    RING_FIELDS(ctrl),
    FIELD(nic_counters, interrupts),
    FIELD(nic_counters, interrupts_spurious),
    FIELD(nic_counters, interrupts_config),
    FIELD(nic_counters, rx_bad),
    FIELD(nic_counters, rx_no_memory),
    FIELD(nic_counters, rx_at_ceiling),
    FIELD(nic_counters, recoveries),
    FIELD(nic_counters, tx_down),
    FIELD(nic_counters, tx_lost),
    FIELD(nic_counters, rx_posted),
    FIELD(nic_counters, rx_limit),
    FIELD(nic_counters, rx_limit_peak),
    FIELD(nic_counters, rx_initial),
    FIELD(nic_counters, rx_maximum),
    FIELD(nic_counters, rx_ups),
    FIELD(nic_counters, rx_downs),
    FIELD(nic_counters, rx_buffers),
    FIELD(nic_counters, rx_buffers_peak),
    FIELD(nic_counters, rx_buffers_max),
    FIELD(nic_counters, rx_held),
    FIELD(nic_counters, rx_held_peak),
};

static const struct field port_fields[] = {
    FIELD(interface_counters, tx_copied),  FIELD(interface_counters, tx_copied_bytes),
    FIELD(interface_counters, rx_copied),  FIELD(interface_counters, rx_copied_bytes),
    FIELD(interface_counters, rx_dropped), FIELD(interface_counters, rx_refused),
    FIELD(interface_counters, rx_foreign), FIELD(interface_counters, rx_own),
    FIELD(interface_counters, rx_lent),
};

static const struct field loop_fields[] = {
    FIELD(net_counters, passes),
    FIELD(net_counters, sleeps),
    FIELD(net_counters, worst_pass_ns),
    FIELD(net_counters, worst_pass_frames),
    FIELD(net_counters, worst_receive_ns),
    FIELD(net_counters, worst_timers_ns),
    FIELD(net_counters, worst_services_ns),
    FIELD(net_counters, worst_flush_ns),
};

static const struct field memory_fields[] = {
    FIELD(memory_usage, total),   FIELD(memory_usage, used),    FIELD(memory_usage, peak),
    FIELD(memory_usage, touched), FIELD(memory_usage, refused), FIELD(memory_usage, sealed),
};

static const struct field stack_fields[] = {
    FIELD(guard_counters, assertions),           FIELD(guard_counters, connections_ended),
    FIELD(guard_counters, segments_refused),     FIELD(guard_counters, segments_dropped),
    FIELD(guard_counters, out_of_order_dropped), FIELD(guard_counters, fragments_refused),
};

#define FIELDS(table) (table), sizeof(table) / sizeof(table)[0]

struct text {
    char *to;
    size_t size;
    size_t used; /* size of the text, which may be larger than the buffer */
};

static void __attribute__((format(printf, 2, 3))) put(struct text *text, const char *format, ...)
{
    size_t at = text->used < text->size ? text->used : text->size;
    va_list args;

    va_start(args, format);
    text->used += (size_t)vsnprintf(text->to + at, text->size - at, format, args);
    va_end(args);
}

static unsigned long long value_of(const struct field *field, const void *base)
{
    const uint8_t *at = (const uint8_t *)base + field->offset;
    uint64_t wide;
    uint32_t word;
    uint16_t half;

    switch (field->width) {
    case sizeof wide:
        memcpy(&wide, at, sizeof wide);
        return wide;
    case sizeof word:
        memcpy(&word, at, sizeof word);
        return word;
    case sizeof half:
        memcpy(&half, at, sizeof half);
        return half;
    default:
        return *at;
    }
}

static void put_fields(struct text *text, const struct field *fields, size_t count,
                       const void *base, const char *before)
{
    for (size_t i = 0; i < count; i++) {
        put(text, "%s\"%s\":%llu", i == 0 ? before : ",", fields[i].name,
            value_of(&fields[i], base));
    }
}

static void put_features(struct text *text, const char *name,
                         const struct nic_description *description, uint64_t features)
{
    const char *between = "";

    put(text, ",\"features_%s\":[", name);
    for (unsigned bit = 0; bit < 64; bit++) {
        const char *known;

        if (!(features >> bit & 1)) {
            continue;
        }
        known = description->feature_name(bit);
        if (known != NULL) {
            put(text, "%s\"%s\"", between, known);
        } else {
            put(text, "%s\"%u\"", between, bit);
        }
        between = ",";
    }
    put(text, "]");
}

static void put_addresses(struct text *text, const struct interface *interface)
{
    const struct netif *netif = &interface->netif;
    const uint8_t *mac = netif->hwaddr;
    char ip[IP4ADDR_STRLEN_MAX];

    put(text, "\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",\"ip\":\"%s\",\"mtu\":%u,\"vlan\":%u",
        mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
        ip4addr_ntoa_r(netif_ip4_addr(netif), ip, sizeof ip), netif->mtu, interface->vlan);
}

static void put_ipv6(struct text *text, const struct netif *netif)
{
    const char *between = "";
    char ip[IP6ADDR_STRLEN_MAX];

    put(text, ",\"ip6\":[");
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i))) {
            put(text, "%s\"%s\"", between, interface_text_ipv6(netif_ip6_addr(netif, i), ip));
            between = ",";
        }
    }
    put(text, "]");
}

static void put_card(struct text *text, const struct interface *interface)
{
    const struct nic *nic = &interface->nic;
    struct nic_description description;
    struct nic_counters counters;
    static const char *const full_duplex[] = {
        [NIC_DUPLEX_UNKNOWN] = "null",
        [NIC_DUPLEX_HALF] = "false",
        [NIC_DUPLEX_FULL] = "true",
    };
    struct nic_link link;

    nic->driver->link(nic->state, &link);
    nic->driver->describe(nic->state, &description);
    nic->driver->counters(nic->state, &counters);
    put(text, "{\"pci\":\"" VPCI_BDF_FORMAT "\",\"driver\":\"%s\",", VPCI_BDF_ARGS(nic->pci.bdf),
        nic->driver->name);
    put_addresses(text, interface);
    put_ipv6(text, &interface->netif);
    put(text, ",\"link\":%s,\"speed\":%u,\"full_duplex\":%s", link.up ? "true" : "false",
        (unsigned)link.speed, full_duplex[link.duplex]);
    put(text, ",\"transport\":\"%s\",\"ring\":\"%s\",\"interrupt_kind\":\"%s\"",
        description.transport, description.ring, description.interrupts);
    put_features(text, "offered", &description, description.offered);
    put_features(text, "asked", &description, description.asked);
    put_features(text, "accepted", &description, description.accepted);
    put_fields(text, FIELDS(card_fields), &counters, ",\"counters\":{");
    put_fields(text, FIELDS(port_fields), &interface->counters, ",");
    put(text, "}}");
}

size_t stats_json_room(void)
{
    return JSON_COMMON + JSON_CARD * (size_t)net_interface_count();
}

size_t stats_json(char *to, size_t size)
{
    struct text text = {.to = to, .size = size};
    struct memory_usage memory = memory_usage();

    put(&text, "{\"arch\":\"%s\",\"clock_ns\":%llu,\"irq_unclaimed\":%u,\"console_lost\":%u",
        ARCH_NAME, (unsigned long long)arch_clock_ns(), (unsigned)arch_irq_unclaimed,
        (unsigned)arch_console_lost);
    put_fields(&text, FIELDS(loop_fields), net_counters(), ",\"loop\":{");
    put_fields(&text, FIELDS(memory_fields), &memory, "},\"memory\":{");
    put_fields(&text, FIELDS(stack_fields), &guard_counters, "},\"stack\":{");
    put(&text, "},\"cards\":[");
    for (unsigned i = 0; i < net_interface_count(); i++) {
        put(&text, "%s", i == 0 ? "" : ",");
        put_card(&text, net_interface(i));
    }
    put(&text, "]}\n");
    return text.used < size ? text.used : 0;
}

static uint32_t ring_errors(const struct nic_queue_counters *queue)
{
    return queue->bad_id + queue->bad_length + queue->bad_index;
}

/* Prints rates since the last line, and totals of what should remain zero. */
static void print_card(const struct interface *interface, const struct nic_counters *last,
                       const struct nic_counters *c)
{
    printf("vtnet: %sstats: rx %u frames %u KiB, tx %u frames %u KiB, %u interrupts (%u rx, %u tx, "
           "%u spurious), "
           "%u kicks (%u suppressed), %u rx buffers of %u KiB, %zu KiB in use; ",
           interface->label, (unsigned)(c->rx.packets - last->rx.packets),
           (unsigned)((c->rx.bytes - last->rx.bytes) >> 10),
           (unsigned)(c->tx.packets - last->tx.packets),
           (unsigned)((c->tx.bytes - last->tx.bytes) >> 10),
           (unsigned)(c->interrupts - last->interrupts),
           (unsigned)(c->rx.interrupts - last->rx.interrupts),
           (unsigned)(c->tx.interrupts - last->tx.interrupts),
           (unsigned)(c->interrupts_spurious - last->interrupts_spurious),
           (unsigned)(c->rx.kicks - last->rx.kicks + c->tx.kicks - last->tx.kicks),
           (unsigned)(c->rx.kicks_suppressed - last->rx.kicks_suppressed + c->tx.kicks_suppressed -
                      last->tx.kicks_suppressed),
           (unsigned)c->rx_buffers, (unsigned)(c->rx_held >> 10), memory_usage().used >> 10);
    printf("total: dropped %u, ring full %u, copied %u, device errors %u; worst pass %u us of %u "
           "frames\n",
           (unsigned)(c->rx_bad + c->rx_no_memory + interface->counters.rx_dropped +
                      interface->counters.rx_refused),
           (unsigned)c->tx.full, (unsigned)interface->counters.tx_copied,
           (unsigned)(ring_errors(&c->rx) + ring_errors(&c->tx) + ring_errors(&c->ctrl)),
           (unsigned)(net_counters()->worst_pass_ns / 1000),
           (unsigned)net_counters()->worst_pass_frames);
}

static void print_bounded(void)
{
    const struct net_counters *loop = net_counters();
    struct memory_usage memory = memory_usage();

    printf("vtnet: bounded: worst pass %llu ns of %u frames: receive %llu, timers %llu, services "
           "%llu, flush %llu ns; %zu KiB touched, %u allocations refused\n",
           (unsigned long long)loop->worst_pass_ns, (unsigned)loop->worst_pass_frames,
           (unsigned long long)loop->worst_receive_ns, (unsigned long long)loop->worst_timers_ns,
           (unsigned long long)loop->worst_services_ns, (unsigned long long)loop->worst_flush_ns,
           memory.touched >> 10, (unsigned)memory.refused);
}

bool stats_print(uint64_t now)
{
    static struct nic_counters last[NIC_CARDS];
    static uint64_t next;

    if (now < next) {
        return false;
    }
    for (unsigned i = 0; i < net_interface_count(); i++) {
        const struct interface *interface = net_interface(i);
        struct nic_counters counters;

        interface->nic.driver->counters(interface->nic.state, &counters);
        if (next != 0) {
            print_card(interface, &last[i], &counters);
        }
        last[i] = counters;
    }
    if (next != 0 && memory_usage().sealed) {
        print_bounded();
    }
    next = now + SECOND_NS;
    return true;
}
