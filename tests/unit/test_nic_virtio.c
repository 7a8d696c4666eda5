/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio card of net/nic.h, and the defaults of a program's configuration. */
#include <limits.h>
#include <string.h>

#include "arch/arch.h"
#include "fake_card.h"
#undef BYTE_ORDER /* lwIP defines its own */
#include "net/config.c"
#include "runtime/memory.h"

enum { ALLOCATIONS_MAX = 200, MESSAGES = 3 };

static const struct nic_driver *const driver = &nic_virtio;
static struct nic_config config;
static struct nic_info info;
static unsigned messages_left, messages_used;

void memory_free(void *memory)
{
    virtio_platform_free(memory);
}

uint32_t arch_bus_address(const void *memory)
{
    assert_null(memory);
    return 0;
}

bool arch_barrier_is_weak(void)
{
    return true;
}

bool arch_msi_allocate(arch_irq_handler_t handler, void *context, struct arch_msi *message)
{
    if (messages_left == 0) {
        return false;
    }
    messages_left--;
    messages_used++;
    *message = (struct arch_msi){CARD_MESSAGE_ADDRESS, CARD_MESSAGE_DATA};
    assert_true(handler != NULL && context != NULL);
    return true;
}

void arch_msi_free(const struct arch_msi *message)
{
    assert_int_equal(message->data, CARD_MESSAGE_DATA);
    messages_left++;
    messages_used--;
}

static bool visit(const struct vpci_device *device, void *context)
{
    *(struct vpci_device *)context = *device;
    return !driver->matches(device);
}

static void *open_card(void)
{
    static struct nic_client client;
    struct vpci_device found = {0};

    client = (struct nic_client){
        .receive = card.client.receive,
        .transmitted = card.client.transmitted,
        .link = card.client.link,
        .announce = card.client.announce,
        .context = &card,
        .private_size = FAKE_PRIVATE,
        .config = &config,
    };
    vpci_scan(visit, &found);
    return driver->open(&found, &client, &info);
}

static void create(void)
{
    card_create(FAKE_MODERN, virtio_bit(VIRTIO_NET_F_CTRL_VQ) | virtio_bit(VIRTIO_NET_F_CTRL_RX) |
                                 virtio_bit(VIRTIO_NET_F_MTU));
    fake_virtio_add_msix(&card.dev, MESSAGES);
    messages_left = MESSAGES;
    messages_used = 0;
    info = (struct nic_info){0};
    config = (struct nic_config){0};
}

/* A configuration of zeros means the driver's defaults, also for the features. */
static void zeros_are_the_defaults(void **state)
{
    struct nic_description description;
    struct net_config zeros = {0};
    void *opened;

    (void)state;
    create();
    opened = open_card();
    assert_non_null(opened);
    driver->start(opened);
    driver->describe(opened, &description);
    assert_int_equal(description.accepted, card.dev.offered);
    assert_int_equal(info.vectors, MESSAGES);
    assert_int_equal(virtio_net_close(opened), 0);
    net_configure(&zeros);
    assert_string_equal(net_config()->name, "vtnet");
    zeros.name = "other";
    net_configure(&zeros);
    assert_string_equal(net_config()->name, "other");
}

static void features_can_be_left_out(void **state)
{
    struct nic_description description;
    void *opened;

    (void)state;
    create();
    config.features = "-mtu,-ctrl_vq";
    opened = open_card();
    assert_non_null(opened);
    driver->describe(opened, &description);
    assert_int_equal(description.accepted, virtio_bit(VIRTIO_F_VERSION_1));
    assert_int_equal(virtio_net_close(opened), 0);
}

/* Whatever fails, nothing is left: no memory and no message. */
static void failed_openings_leave_nothing(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (;; failed++) {
        void *opened;

        assert_true(failed < ALLOCATIONS_MAX);
        create();
        messages_left = failed % (MESSAGES + 1);
        fake_platform.fail_nth = failed + 1;
        opened = open_card();
        if (opened != NULL) {
            assert_int_equal(info.vectors, messages_used);
            assert_int_equal(virtio_net_close(opened), 0);
            break;
        }
        assert_int_equal(fake_platform.live, 0);
        assert_int_equal(fake_platform.mapped, 0);
        assert_int_equal(messages_used, 0);
        assert_true(failed == 0 || !fake_msix_enabled(&card.dev)); /* 0: it was not looked at */
    }
    assert_true(failed > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeros_are_the_defaults),
        cmocka_unit_test(features_can_be_left_out),
        cmocka_unit_test(failed_openings_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
