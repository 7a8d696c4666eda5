/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio network device on the fake PCI machine, as its registers show it: the legacy interface
 * in I/O BAR 0, the modern one in a 64-bit memory BAR. It works on the driver's own rings, in the
 * byte order that the interface has, fails the test when the driver breaks a rule of the
 * specification, and can be told to break the rules itself. fake_queue.c is the part that works on
 * rings; a test calls it when it wants the device to do something: nothing happens by itself.
 */
#ifndef FAKE_VIRTIO_H
#define FAKE_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "fake_pci.h"
#include "fake_platform.h"
#include "virtio/virtio_spec.h"

enum fake_kind { FAKE_LEGACY, FAKE_TRANSITIONAL, FAKE_MODERN };

/* Where things are in the modern BAR: not where QEMU has them. */
enum {
    FAKE_BAR = 4,
    FAKE_BAR_SIZE = 0x8000,
    FAKE_NOTIFY = 0x1000,
    FAKE_COMMON = 0x3000,
    FAKE_ISR = 0x4803, /* it has no alignment (§4.1.4.5) */
    FAKE_DEVICE = 0x6000,
    FAKE_NOTIFY_MULTIPLIER = 12,
    FAKE_NOTIFY_LENGTH = 0x100,
    FAKE_DEVICE_LENGTH = 20,
    FAKE_CAP_COMMON = 0x40, /* offsets of the capabilities */
    FAKE_CAP_NOTIFY = 0x50,
    FAKE_CAP_ISR = 0x64,
    FAKE_CAP_DEVICE = 0x74,
    FAKE_CAP_OTHER = 0x84, /* not of virtio */
    FAKE_CAP_WINDOW = 0xcc,
    FAKE_CAP_MSIX = 0xe0,
    FAKE_MSIX_BAR = 1,
    FAKE_MSIX_TABLE = 0x800,
    FAKE_MSIX_MAX = 8,
};

/* What the driver did, in order. */
enum fake_event_kind { FAKE_STATUS, FAKE_FEATURES, FAKE_QUEUE, FAKE_DOORBELL, FAKE_QUEUE_RESET };
struct fake_event {
    enum fake_event_kind kind;
    uint64_t value; /* the status, the features, the queue's index */
};

struct fake_queue {
    uint16_t size;       /* as offered */
    uint16_t notify_off; /* modern */
    uint16_t notif_data; /* what its doorbell is told with NOTIF_CONFIG_DATA */

    /* Set by the driver. */
    uint16_t driver_size;
    bool enabled;
    uint16_t vector;
    uint64_t desc, avail, used; /* device addresses */
    unsigned doorbells;
    uint32_t doorbell; /* the last one's value: 16 bits, or 32 with NOTIFICATION_DATA */

    /* The device's own. */
    bool was_reset;           /* by itself: it may be set up again */
    unsigned reset_left;      /* reads of queue_reset that still see 1 */
    uint64_t holds[3];        /* addresses of its memory, until a reset has ended */
    uint16_t last_avail;      /* next entry of the available ring to take */
    uint16_t next_descriptor; /* with IN_ORDER: where the next chain must begin */
    uint16_t used_idx;        /* next entry of the used ring to write */
    uint16_t signalled;       /* used_idx at the last look whether to interrupt */
    unsigned interrupts;      /* asked for by this queue */

    /* A packed ring's, in descriptors since the queue was enabled: their offset in the ring and the
     * lap follow from these. */
    uint64_t taken;
    uint64_t passed; /* by used descriptors */
    uint64_t taken_buffers, passed_buffers;
    bool miscounted; /* by fake_tx_drop(): the next chain that it takes breaks the device */
    struct fake_used {
        uint64_t at;
        uint16_t id;
        uint32_t length;
    } used_desc[256]; /* written since the last look whether to interrupt */
    unsigned used_descs;
    unsigned shown; /* of those, visible to the driver */
};

enum { FAKE_QUEUES = 7, FAKE_PARTS_MAX = 64, FAKE_FRAME_MAX = 70000 };

/* A chain taken from a queue. */
struct fake_chain {
    uint16_t head;        /* the id to use it by */
    unsigned descriptors; /* in the ring */
    bool indirect;
    unsigned count; /* parts */
    struct fake_part {
        uint64_t address;
        uint32_t length;
        bool write;
    } part[FAKE_PARTS_MAX];
};

/* The fields of the header before a received frame, as numbers. */
struct fake_offload {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

struct fake_virtio {
    struct fake_function *function;
    enum fake_kind kind;

    /* How it is; for the test to change before the driver comes. */
    uint64_t offered;
    uint8_t mac[6];
    uint16_t link_status;
    uint8_t generation;
    uint16_t num_queues;
    uint16_t max_pairs, mtu;
    bool any_width; /* of accesses to the configuration */
    uint32_t speed;
    uint8_t duplex;
    struct fake_queue queue[FAKE_QUEUES];

    /* How it lies. */
    bool refuses_commands;      /* of the control queue */
    int lie_answer;             /* to a command: 0: the truth; -1: none, though it is used */
    bool mac_is_fixed;          /* a legacy device's field: writes are ignored */
    bool refuses_rx_modes;      /* of those, the class RX */
    bool all_groups_only;       /* fails where the MAC table is cleared without ALLMULTI */
    bool ignores_commands;      /* does not answer one, until fake_ctrl_answer() */
    bool refuses_features;      /* does not keep FEATURES_OK */
    bool never_resets_queues;   /* a reset never ends where a queue was set up */
    unsigned reset_takes;       /* reads of the status that still see it after a reset */
    unsigned queue_reset_takes; /* the same of queue_reset */
    bool omits_write_flag;      /* in used descriptors, as QEMU does */
    struct fake_offload rx_offload;
    int lie_num_buffers;        /* what a received frame says; -1: the truth */
    uint32_t lie_used_length;   /* added to what a used entry says */
    uint32_t lie_answer_length; /* the same of a control command's */
    int refuses_vector;         /* 0: of the configuration, n: of queue n - 1; -1: none */
    int refuses_but;            /* the one that it takes there; -1: none */
    /* Called with each access; the test's own trouble. */
    void (*on_config_read)(struct fake_virtio *dev, unsigned offset);
    void (*on_status_read)(struct fake_virtio *dev);
    void (*on_window)(struct fake_virtio *dev); /* before and after each write to the window */

    /* What the driver set. */
    uint8_t status;
    uint64_t features;
    uint8_t isr;
    bool sees_line; /* it looked at DRIVER_OK, as QEMU's vhost does, and never again */
    uint16_t config_vector;
    struct fake_msix_entry {
        uint32_t field[4]; /* address, its upper half, data, control */
    } msix[FAKE_MSIX_MAX];
    unsigned messages[FAKE_MSIX_MAX]; /* sent and not yet taken by card_interrupts() */
    uint32_t feature_select, driver_feature_select;
    uint16_t queue_select;
    unsigned isr_reads;
    unsigned reset_left;
    uint8_t status_before_reset;
    uint32_t common_length; /* of the common structure; 64 with what needs it, else 56 */
    struct fake_event event[256];
    unsigned events;

    /* The last control command, and what they all set. */
    uint8_t command[512];
    size_t command_length;
    unsigned commands;
    struct fake_chain late; /* one that was ignored, and its bytes */
    uint8_t late_command[512];
    uint8_t rx_mode; /* one bit a command of the class */
    uint16_t pairs;
    uint16_t vlans; /* how many are received */
    uint64_t guest_offloads;
    unsigned unicasts, multicasts; /* of the MAC table */

    /* The last frame that the driver sent; header and all. */
    struct fake_chain tx_chain;
    uint8_t tx_data[FAKE_FRAME_MAX];
    size_t tx_length;
    unsigned tx_frames;
};

/* Puts a device of this kind with these features (VERSION_1 is added for a modern one) on the
 * machine at 00:03.0, its BARs assigned. */
void fake_virtio_create(struct fake_virtio *dev, enum fake_kind kind, uint64_t offered);

/* To be called with each block of memory that is freed, context being the device: that of queues is
 * the device's until a reset has ended, and freeing it before fails the test. */
void fake_freed(void *context, uint64_t address, size_t size);

/* Writes a virtio capability at this place, the next one being at `next`. */
void fake_virtio_capability(struct fake_virtio *dev, uint8_t at, uint8_t next, uint8_t type,
                            uint8_t bar, uint32_t offset, uint32_t length);

/* Gives it an MSI-X capability with this many entries, or the PCI configuration access capability;
 * fake_extras.c is the device behind both. */
void fake_virtio_add_msix(struct fake_virtio *dev, uint16_t entries);
void fake_virtio_add_window(struct fake_virtio *dev);

/* For the fake device itself: its registers, whichever way they are reached; the table and the
 * vectors of MSI-X; interrupts. */
uint32_t fake_virtio_read(struct fake_virtio *dev, unsigned bar, uint32_t offset, unsigned width);
void fake_virtio_write(struct fake_virtio *dev, unsigned bar, uint32_t offset, unsigned width,
                       uint32_t value);
uint32_t fake_msix_read(struct fake_virtio *dev, uint32_t offset, unsigned width);
void fake_msix_write(struct fake_virtio *dev, uint32_t offset, unsigned width, uint32_t value);
bool fake_msix_enabled(const struct fake_virtio *dev);
uint16_t fake_msix_map(struct fake_virtio *dev, int event, uint16_t vector);
void fake_interrupt(struct fake_virtio *dev, uint8_t isr, uint16_t vector);

/* Whether this program runs on a big-endian processor. */
#define FAKE_HOST_BIG (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

/* Whether a frame for this station would be received: for the device's own address, and while it is
 * promiscuous, as it is after a reset, for any. */
bool fake_hears(const struct fake_virtio *dev, const uint8_t mac[6]);

/* The control queue was notified (fake_ctrl.c): answers what is there, in the doorbell's write. */
unsigned fake_ctrl_queue(const struct fake_virtio *dev);
void fake_ctrl_run(struct fake_virtio *dev, unsigned queue);

/* Answers what it has ignored; fails the test where the driver has touched it meanwhile. */
void fake_ctrl_answer(struct fake_virtio *dev);

/* Whether rings, headers and configuration are little-endian now. */
bool fake_virtio_little(const struct fake_virtio *dev);

/* Fields of memory in that byte order. */
uint64_t fake_get(const struct fake_virtio *dev, const void *field, unsigned width);
void fake_put(const struct fake_virtio *dev, void *field, unsigned width, uint64_t value);

/* Whether its interrupt line is asserted: not while the function is forbidden to (PCI 3.0 §6.2.2), and
 * never where it was when the driver set DRIVER_OK. */
bool fake_line(const struct fake_virtio *dev);

/* The configuration changed: the generation moves, an interrupt comes. */
void fake_virtio_config_changed(struct fake_virtio *dev);

/* Whether the ring is packed; then the functions for the indices and flags of a split one fail. */
bool fake_packed(const struct fake_virtio *dev);

/* What NOTIFICATION_DATA says of a queue (§2.9): where the driver will make the next entry
 * available, as the ring itself shows. */
uint16_t fake_next_place(struct fake_virtio *dev, unsigned queue);

/* The place that so many descriptors of a packed ring later lies at: offset and wrap counter. */
uint16_t fake_place(const struct fake_virtio *dev, unsigned queue, uint64_t count);

/* The driver's event suppression structure of a packed ring, as it is in memory; sets the
 * device's. */
uint16_t fake_driver_event(struct fake_virtio *dev, unsigned queue);
uint16_t fake_driver_event_flags(struct fake_virtio *dev, unsigned queue);
void fake_set_device_event(struct fake_virtio *dev, unsigned queue, uint16_t place, uint16_t flags);

/* The available index as it is in memory, and the driver's suppression fields. */
uint16_t fake_avail_idx(struct fake_virtio *dev, unsigned queue);
uint16_t fake_avail_flags(struct fake_virtio *dev, unsigned queue);
uint16_t fake_used_event(struct fake_virtio *dev, unsigned queue);

/* Sets the device's: avail_event with EVENT_IDX, flags without. */
void fake_set_avail_event(struct fake_virtio *dev, unsigned queue, uint16_t event);
uint16_t fake_get_avail_event(struct fake_virtio *dev, unsigned queue);
void fake_set_used_flags(struct fake_virtio *dev, unsigned queue, uint16_t flags);

/* Asks for a kick with the next buffer, or for none, in whichever of the two ways was agreed. */
void fake_want_kick(struct fake_virtio *dev, unsigned queue, bool want);

/* Takes the next available chain and checks it. Returns false when there is none. */
bool fake_take(struct fake_virtio *dev, unsigned queue, struct fake_chain *chain);

/* The chain's bytes: those that the device reads; those that it writes. Return how many. */
size_t fake_gather(const struct fake_chain *chain, void *to, size_t size);
size_t fake_scatter(const struct fake_chain *chain, const void *from, size_t size);

/* Takes all available chains, which checks them, and leaves them where they are. Returns how many. */
unsigned fake_peek(struct fake_virtio *dev, unsigned queue);

/* How many buffers the device has: available, or taken and not used. */
unsigned fake_owned(struct fake_virtio *dev, unsigned queue);

/* Writes a used entry; shows the entries written; shows them, and interrupts if the driver wants
 * that. */
void fake_push(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length);
void fake_show(struct fake_virtio *dev, unsigned queue);
void fake_publish(struct fake_virtio *dev, unsigned queue);

/* Writes one used entry for so many buffers of so many descriptors of a ring, in order. */
void fake_push_batch(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length,
                     unsigned buffers, unsigned descriptors);
void fake_use(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length);

/* Takes one frame from the transmit queue into tx_chain and tx_data, without using it up. */
bool fake_tx_take(struct fake_virtio *dev);

/* What QEMU does with the frames of a transmit queue while the link is down: of a split one it drops all, of
 * a packed one the first, and then it counts one buffer too many in its hands for ever. */
void fake_tx_drop(struct fake_virtio *dev);

/* Sends all there is, uses it up and asks for a kick. Returns the number of frames. */
unsigned fake_tx_run(struct fake_virtio *dev);

/* For fake_queue.c: the same of a packed ring. `keep`: it remains available. */
bool fake_packed_take(struct fake_virtio *dev, unsigned queue, struct fake_chain *chain, bool keep);
void fake_packed_push(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length,
                      unsigned buffers, unsigned descriptors);
unsigned fake_packed_length(struct fake_virtio *dev, unsigned queue, uint32_t id);
void fake_packed_show(struct fake_virtio *dev, unsigned queue);
bool fake_packed_wants_interrupt(struct fake_virtio *dev, unsigned queue);
void fake_packed_want_kick(struct fake_virtio *dev, unsigned queue, bool want);

/* Checks a part of a chain, and adds it. */
void fake_add_part(struct fake_chain *chain, uint64_t address, uint32_t length, bool write);

/* Delivers a frame: over as many buffers as it takes with MRG_RXBUF, else in one. Returns false,
 * having taken nothing, when there are too few buffers. */
bool fake_rx(struct fake_virtio *dev, const void *frame, size_t length);

#endif
