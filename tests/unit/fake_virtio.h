/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio network device on the fake PCI machine: the legacy interface in I/O BAR 0, the modern
 * one in a 64-bit memory BAR. It works on the driver's own rings, in the byte order of the
 * interface. It fails the test if the driver breaks a rule of the specification, and can itself be
 * told to break rules. fake_queue.c works on the rings: it acts only when a test calls it.
 */
#ifndef FAKE_VIRTIO_H
#define FAKE_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "fake_pci.h"
#include "fake_platform.h"
#include "virtio/virtio_spec.h"

enum fake_kind { FAKE_LEGACY, FAKE_TRANSITIONAL, FAKE_MODERN };

/* Offsets in the modern BAR, different from QEMU's. */
enum {
    FAKE_BAR = 4,
    FAKE_BAR_SIZE = 0x8000,
    FAKE_NOTIFY = 0x1000,
    FAKE_COMMON = 0x3000,
    FAKE_ISR = 0x4803, /* may be unaligned (§4.1.4.5) */
    FAKE_DEVICE = 0x6000,
    FAKE_NOTIFY_MULTIPLIER = 12,
    FAKE_NOTIFY_LENGTH = 0x100,
    FAKE_DEVICE_LENGTH = 20,
    FAKE_CAP_COMMON = 0x40, /* offsets of the capabilities */
    FAKE_CAP_NOTIFY = 0x50,
    FAKE_CAP_ISR = 0x64,
    FAKE_CAP_DEVICE = 0x74,
    FAKE_CAP_OTHER = 0x84, /* not a virtio capability */
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
    uint64_t value; /* the status, the features or the index of the queue */
};

struct fake_queue {
    uint16_t size;       /* as offered by the device */
    uint16_t notify_off; /* modern */
    uint16_t notif_data; /* value for its doorbell with NOTIF_CONFIG_DATA */

    /* Written by the driver. */
    uint16_t driver_size;
    bool enabled;
    uint16_t vector;
    uint64_t desc, avail, used; /* device addresses */
    unsigned doorbells;
    uint32_t doorbell; /* last value written: 16 bits, or 32 with NOTIFICATION_DATA */

    /* Internal state. */
    bool was_reset;           /* by a reset of this queue: it may be set up again */
    unsigned reset_left;      /* reads of queue_reset that will still return 1 */
    uint64_t holds[3];        /* addresses of its memory, until a reset has completed */
    uint16_t last_avail;      /* next entry of the available ring to take */
    uint16_t next_descriptor; /* with IN_ORDER: first descriptor of the next chain */
    uint16_t used_idx;        /* next entry of the used ring to write */
    uint16_t signalled;       /* used_idx at the previous decision about an interrupt */
    unsigned interrupts;      /* that this queue caused */

    /*
     * Of a packed ring: descriptors counted since the queue was enabled. The offset in the ring and
     * the lap follow from these.
     */
    uint64_t taken;
    uint64_t passed; /* by used descriptors */
    uint64_t taken_buffers, passed_buffers;
    bool miscounted; /* set by fake_tx_drop(): the next chain breaks the device */
    struct fake_used {
        uint64_t at;
        uint16_t id;
        uint32_t length;
    } used_desc[256]; /* written since the previous decision about an interrupt */
    unsigned used_descs;
    unsigned shown; /* how many of those are visible to the driver */
};

enum { FAKE_QUEUES = 7, FAKE_PARTS_MAX = 64, FAKE_FRAME_MAX = 70000 };

/* A chain taken from a queue. */
struct fake_chain {
    uint16_t head;        /* the id for the used entry */
    unsigned descriptors; /* in the ring */
    bool indirect;
    unsigned count; /* parts */
    struct fake_part {
        uint64_t address;
        uint32_t length;
        bool write;
    } part[FAKE_PARTS_MAX];
};

/* The fields of the header of a received frame, as numbers. */
struct fake_offload {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

struct fake_virtio {
    struct fake_function *function;
    enum fake_kind kind;

    /* Properties, to be set by the test before the driver starts. */
    uint64_t offered;
    uint8_t mac[6];
    uint16_t link_status;
    uint8_t generation;
    uint16_t num_queues;
    uint16_t max_pairs, mtu;
    bool any_width; /* of configuration accesses */
    uint32_t speed;
    uint8_t duplex;
    struct fake_queue queue[FAKE_QUEUES];

    /* Lies. */
    bool refuses_commands;      /* of the control queue */
    int lie_answer;             /* answer to a command; 0: the correct one; -1: none, though the
                                 * buffer is used */
    bool mac_is_fixed;          /* a legacy device ignores writes to the address */
    bool refuses_rx_modes;      /* only those of class RX */
    bool all_groups_only;       /* fails if the MAC table is cleared without ALLMULTI */
    bool ignores_commands;      /* the next one gets no answer before fake_ctrl_answer() */
    bool refuses_features;      /* clears FEATURES_OK */
    bool never_resets_queues;   /* a reset does not complete if a queue was set up */
    unsigned reset_takes;       /* reads of the status that return it after a reset */
    unsigned queue_reset_takes; /* the same for queue_reset */
    bool omits_write_flag;      /* in used descriptors, like QEMU */
    struct fake_offload rx_offload;
    int lie_num_buffers;        /* num_buffers of a received frame; -1: the correct number */
    uint32_t lie_used_length;   /* added to the length of a used entry */
    uint32_t lie_answer_length; /* the same for a control command */
    int refuses_vector;         /* 0: the configuration's, n: that of queue n - 1; -1: none */
    int refuses_but;            /* the only vector accepted there; -1: none */
    /* Called on accesses, so that a test can interfere. */
    void (*on_config_read)(struct fake_virtio *dev, unsigned offset);
    void (*on_status_read)(struct fake_virtio *dev);
    void (*on_window)(struct fake_virtio *dev); /* before and after each write to the window */

    /* Written by the driver. */
    uint8_t status;
    uint64_t features;
    uint8_t isr;
    bool sees_line; /* sampled the line's enable bit at DRIVER_OK, like QEMU's vhost */
    uint16_t config_vector;
    struct fake_msix_entry {
        uint32_t field[4]; /* address, its upper half, data, control */
    } msix[FAKE_MSIX_MAX];
    unsigned messages[FAKE_MSIX_MAX]; /* sent, not yet taken by card_interrupts() */
    uint32_t feature_select, driver_feature_select;
    uint16_t queue_select;
    unsigned isr_reads;
    unsigned reset_left;
    uint8_t status_before_reset;
    uint32_t common_length; /* of the common structure; 64 if a feature needs it, else 56 */
    struct fake_event event[256];
    unsigned events;

    /* The last control command, and the state that commands have set. */
    uint8_t command[512];
    size_t command_length;
    unsigned commands;
    struct fake_chain late; /* a command that got no answer, and its bytes */
    uint8_t late_command[512];
    uint8_t rx_mode; /* one bit per command of the class */
    uint16_t pairs;
    uint16_t vlans; /* number of VLANs received */
    uint64_t guest_offloads;
    unsigned unicasts, multicasts; /* of the MAC table */

    /* The last frame that the driver sent, with its header. */
    struct fake_chain tx_chain;
    uint8_t tx_data[FAKE_FRAME_MAX];
    size_t tx_length;
    unsigned tx_frames;
};

/*
 * Puts a device of this kind with these features (plus VERSION_1 for a modern one) at 00:03.0, with
 * its BARs assigned.
 */
void fake_virtio_create(struct fake_virtio *dev, enum fake_kind kind, uint64_t offered);

/*
 * Call it for each block of memory that is freed; context: the device. A queue's memory belongs to
 * the device until a reset has completed; freeing it earlier fails the test.
 */
void fake_freed(void *context, uint64_t address, size_t size);

/* Writes a virtio capability at this offset; `next`: offset of the next one. */
void fake_virtio_capability(struct fake_virtio *dev, uint8_t at, uint8_t next, uint8_t type,
                            uint8_t bar, uint32_t offset, uint32_t length);

/*
 * Add an MSI-X capability with this many entries, or the PCI configuration access capability.
 * fake_extras.c implements both.
 */
void fake_virtio_add_msix(struct fake_virtio *dev, uint16_t entries);
void fake_virtio_add_window(struct fake_virtio *dev);

/*
 * For the fake device itself: access to its registers, by any path; the MSI-X table and vectors;
 * interrupts.
 */
uint32_t fake_virtio_read(struct fake_virtio *dev, unsigned bar, uint32_t offset, unsigned width);
void fake_virtio_write(struct fake_virtio *dev, unsigned bar, uint32_t offset, unsigned width,
                       uint32_t value);
uint32_t fake_msix_read(struct fake_virtio *dev, uint32_t offset, unsigned width);
void fake_msix_write(struct fake_virtio *dev, uint32_t offset, unsigned width, uint32_t value);
bool fake_msix_enabled(const struct fake_virtio *dev);
uint16_t fake_msix_map(struct fake_virtio *dev, int event, uint16_t vector);
void fake_interrupt(struct fake_virtio *dev, uint8_t isr, uint16_t vector);

/* True if this program runs on a big-endian processor. */
#define FAKE_HOST_BIG (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

/*
 * True if the device would receive a frame for this station: the address is its own, or it is
 * promiscuous, as after a reset.
 */
bool fake_hears(const struct fake_virtio *dev, const uint8_t mac[6]);

/*
 * Handles a notification of the control queue (fake_ctrl.c): answers the commands at once, within
 * the write of the doorbell.
 */
unsigned fake_ctrl_queue(const struct fake_virtio *dev);
void fake_ctrl_run(struct fake_virtio *dev, unsigned queue);

/*
 * Answers the command that had got no answer. Fails the test if the driver has changed its memory.
 */
void fake_ctrl_answer(struct fake_virtio *dev);

/* True if rings, headers and configuration are little-endian now. */
bool fake_virtio_little(const struct fake_virtio *dev);

/* Fields in memory in that byte order. */
uint64_t fake_get(const struct fake_virtio *dev, const void *field, unsigned width);
void fake_put(const struct fake_virtio *dev, void *field, unsigned width, uint64_t value);

/*
 * True if the interrupt line is asserted. It is not while INTx is disabled (PCI 3.0 §6.2.2), and
 * never if it was disabled when the driver set DRIVER_OK.
 */
bool fake_line(const struct fake_virtio *dev);

/* Changes the configuration generation and interrupts. */
void fake_virtio_config_changed(struct fake_virtio *dev);

/* True if the ring is packed. The functions about indices and flags of a split ring then fail. */
bool fake_packed(const struct fake_virtio *dev);

/*
 * The value of NOTIFICATION_DATA for a queue (§2.9): the position of the next available entry, read
 * from the ring.
 */
uint16_t fake_next_place(struct fake_virtio *dev, unsigned queue);

/* The position `count` descriptors later in a packed ring: offset and wrap counter. */
uint16_t fake_place(const struct fake_virtio *dev, unsigned queue, uint64_t count);

/* Reads the driver's event suppression structure of a packed ring; writes the device's. */
uint16_t fake_driver_event(struct fake_virtio *dev, unsigned queue);
uint16_t fake_driver_event_flags(struct fake_virtio *dev, unsigned queue);
void fake_set_device_event(struct fake_virtio *dev, unsigned queue, uint16_t place, uint16_t flags);

/* The available index in memory, and the driver's suppression fields. */
uint16_t fake_avail_idx(struct fake_virtio *dev, unsigned queue);
uint16_t fake_avail_flags(struct fake_virtio *dev, unsigned queue);
uint16_t fake_used_event(struct fake_virtio *dev, unsigned queue);

/* Sets the device's suppression field: avail_event with EVENT_IDX, flags without. */
void fake_set_avail_event(struct fake_virtio *dev, unsigned queue, uint16_t event);
uint16_t fake_get_avail_event(struct fake_virtio *dev, unsigned queue);
void fake_set_used_flags(struct fake_virtio *dev, unsigned queue, uint16_t flags);

/* Requests a notification with the next buffer, or none, by the negotiated method. */
void fake_want_kick(struct fake_virtio *dev, unsigned queue, bool want);

/* Takes the next available chain and checks it. Returns false if there is none. */
bool fake_take(struct fake_virtio *dev, unsigned queue, struct fake_chain *chain);

/*
 * Read the chain's device-readable bytes; write its device-writable bytes. Return the number of
 * bytes.
 */
size_t fake_gather(const struct fake_chain *chain, void *to, size_t size);
size_t fake_scatter(const struct fake_chain *chain, const void *from, size_t size);

/* Checks all available chains without taking them. Returns their number. */
unsigned fake_peek(struct fake_virtio *dev, unsigned queue);

/* The number of buffers owned by the device: available, or taken and not used. */
unsigned fake_owned(struct fake_virtio *dev, unsigned queue);

/*
 * Writes a used entry; makes written entries visible; does so and interrupts if the driver wants
 * that.
 */
void fake_push(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length);
void fake_show(struct fake_virtio *dev, unsigned queue);
void fake_publish(struct fake_virtio *dev, unsigned queue);

/* Writes one used entry for a batch of buffers, in order. */
void fake_push_batch(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length,
                     unsigned buffers, unsigned descriptors);
void fake_use(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length);

/* Takes one frame from the transmit queue into tx_chain and tx_data, without marking it used. */
bool fake_tx_take(struct fake_virtio *dev);

/*
 * Imitates QEMU's transmit queue while the link is down. It drops all frames of a split ring; of a
 * packed ring it drops the first, and then counts one buffer too many as its own.
 */
void fake_tx_drop(struct fake_virtio *dev);

/* Sends and uses all frames, and requests a notification. Returns the number of frames. */
unsigned fake_tx_run(struct fake_virtio *dev);

/* For fake_queue.c: the same for a packed ring. `keep`: leaves the chain available. */
bool fake_packed_take(struct fake_virtio *dev, unsigned queue, struct fake_chain *chain, bool keep);
void fake_packed_push(struct fake_virtio *dev, unsigned queue, uint32_t id, uint32_t length,
                      unsigned buffers, unsigned descriptors);
unsigned fake_packed_length(struct fake_virtio *dev, unsigned queue, uint32_t id);
void fake_packed_show(struct fake_virtio *dev, unsigned queue);
bool fake_packed_wants_interrupt(struct fake_virtio *dev, unsigned queue);
void fake_packed_want_kick(struct fake_virtio *dev, unsigned queue, bool want);

/* Checks a part of a chain and adds it. */
void fake_add_part(struct fake_chain *chain, uint64_t address, uint32_t length, bool write);

/*
 * Delivers a frame: in as many buffers as it needs with MRG_RXBUF, else in one. If there are too
 * few, takes none and returns false.
 */
bool fake_rx(struct fake_virtio *dev, const void *frame, size_t length);

#endif
