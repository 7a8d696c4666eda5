/* SPDX-License-Identifier: BSD-2-Clause */
/* net_may_send(): when a datagram may be sent, and who is woken when it may not. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/lwip_port/room.c"
#include "net/may_send.c"

enum { PORTS = 2, PATH_MTU = 1280 };

/* Functions and variables that the guest has elsewhere. */
const ip_addr_t ip_addr_any, ip6_addr_any;
static struct interface interface[PORTS];
static struct netif *route;

struct netif *ip4_route(const ip4_addr_t *to)
{
    (void)to;
    return route;
}

struct netif *ip6_route(const ip6_addr_t *from, const ip6_addr_t *to)
{
    (void)from, (void)to;
    return route;
}

u16_t nd6_get_destination_mtu(const ip6_addr_t *to, struct netif *netif)
{
    (void)to, (void)netif;
    return PATH_MTU;
}

unsigned gso_parts(const struct gso *gso)
{
    (void)gso;
    return 0;
}

unsigned net_interface_count(void)
{
    return PORTS;
}

struct interface *net_interface(unsigned number)
{
    return &interface[number];
}

/* A card, and what it was asked last. */
static bool room;
static unsigned asked_frames, asked_parts;

static bool card_has_room(void *state, unsigned frames, unsigned parts, unsigned spare)
{
    (void)state, (void)spare;
    asked_frames = frames;
    asked_parts = parts;
    return room;
}

static const struct nic_driver driver = {.has_room = card_has_room};
static const ip_addr_t to4 = IPADDR4_INIT(0x0100000a), to6 = IPADDR6_INIT(0xfe, 0, 0, 1);

static int set_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PORTS; i++) {
        interface[i] = (struct interface){.nic = {.driver = &driver}, .tx_parts = NIC_PARTS_MAX};
        interface[i].netif.state = &interface[i];
        interface[i].netif.mtu = 1500;
        interface[i].netif.flags = NETIF_FLAG_LINK_UP;
    }
    route = &interface[1].netif;
    room = true;
    return 0;
}

static void with_room_it_may_send(void **state)
{
    (void)state;
    assert_true(net_may_send(&to4, 100));
    assert_int_equal(asked_frames, 1);
    assert_int_equal(asked_parts, FRAGMENT_PARTS);
    assert_false(interface[1].tx_full);
}

/* The poller is called again: tx_full makes the loop ask for an interrupt when a frame is sent. */
static void without_room_it_is_woken_later(void **state)
{
    (void)state;
    room = false;
    for (unsigned round = 0; round < 3; round++) {
        interface[1].tx_full = false;
        interface[1].tx_room = true; /* a frame came back before; the wish is for the next one */
        assert_false(net_may_send(round == 1 ? &to6 : &to4, 100));
        assert_true(interface[1].tx_full);
        assert_false(interface[1].tx_room);
        assert_false(interface[0].tx_full); /* only the card that the datagram leaves by */
    }
}

static unsigned frames_of(const ip_addr_t *to, uint32_t payload)
{
    assert_true(net_may_send(to, payload));
    return asked_frames;
}

static void each_fragment_needs_room(void **state)
{
    (void)state;
    assert_int_equal(frames_of(&to4, 0), 1);
    assert_int_equal(frames_of(&to4, 1472), 1);
    assert_int_equal(frames_of(&to4, 1473), 2);
    assert_int_equal(frames_of(&to4, 2 * 1480 - 8), 2);
    assert_int_equal(frames_of(&to4, 2 * 1480 - 7), 3);
    assert_int_equal(frames_of(&to6, PATH_MTU - 48), 1);
    assert_int_equal(frames_of(&to6, PATH_MTU - 47), 2);
    assert_int_equal(frames_of(&to6, 2 * 1232 - 8), 2);
    assert_int_equal(frames_of(&to6, 2 * 1232 - 7), 3);
    interface[1].netif.mtu = 20; /* no payload fits: 8 bytes are the least */
    assert_int_equal(frames_of(&to4, 8), 2);
}

/* Without a route sending reports the error, unless a link that comes up may bring the route. */
static void without_a_route_it_waits_for_links(void **state)
{
    (void)state;
    route = NULL;
    assert_true(net_may_send(&to4, 100));
    interface[0].netif.flags = 0;
    assert_false(net_may_send(&to4, 100));
    assert_false(interface[0].tx_full || interface[1].tx_full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(with_room_it_may_send, set_up),
        cmocka_unit_test_setup(without_room_it_is_woken_later, set_up),
        cmocka_unit_test_setup(each_fragment_needs_room, set_up),
        cmocka_unit_test_setup(without_a_route_it_waits_for_links, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
