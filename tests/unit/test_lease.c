/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP's DHCP client with net/lease.c in front of it, and servers with arbitrary replies. The
 * client's own timers count the time, so hours pass at once.
 */
#include "dhcp_server.h"

static void lease_is_taken_and_renewed(void **state)
{
    (void)state;
    run(2);
    assert_int_equal(address(), OURS);
    assert_int_equal(sent, 2);
    run(7200);
    assert_int_equal(address(), OURS);
    assert_int_equal(sent_of[DHCP_DISCOVER], 1);
    assert_in_range(sent_of[DHCP_REQUEST], 4, 6); /* one per half an hour */
    assert_int_equal(sent_of[DHCP_RELEASE], 0);
}

static void refusals_make_questions_rare(void **state)
{
    (void)state;
    offer.refusals = UINT_MAX;
    run(4);
    assert_in_range(sent, 4, 8);
    run(600);
    assert_in_range(sent, 16, 60);
    assert_int_equal(address(), 0);
    offer.refusals = 0;
    run(70);
    assert_int_equal(address(), OURS);
    assert_int_equal(histories[0].wait_ms, 0);
}

/* In each state in which a NAK counts, from the chosen server. */
static void refused_while_renewing(void **state)
{
    (void)state;
    offer.lease = 100;
    run(10);
    assert_int_equal(address(), OURS);
    offer.refusals = 3;
    offer.address = OURS + 1;
    run(100);
    assert_int_equal(address(), OURS + 1);
    assert_int_equal(sent_of[DHCP_RELEASE], 0);
    assert_in_range(sent, 9, 16);
}

static void another_server_cannot_refuse(void **state)
{
    (void)state;
    offer.silent = 1; /* the request */
    answer();
    offer.silent = 0;
    dhcp_network_changed_link_up(&our_port.netif);
    for (unsigned i = 0; i < 5000; i++) {
        if (question.options[2] == DHCP_REQUEST) {
            offer.server = OTHER;
            say(DHCP_NAK);
            offer.no_server = true;
            say(DHCP_NAK);
            offer.no_server = false;
            offer.server = SERVER;
        }
        run(1);
    }
    assert_int_equal(address(), OURS);
    assert_in_range(sent, 2, 10);
    offer.server = OTHER; /* while bound */
    say(DHCP_NAK);
    assert_int_equal(address(), OURS);
}

/*
 * A server that answers first but never leases is not chosen forever, whether it refuses or is
 * silent.
 */
static void another_server_gets_its_turn(void **state)
{
    (void)state;
    for (unsigned silent = 0; silent < 2; silent++) {
        unsigned i;

        for (i = 0; i < 1000 && address() == 0; i++) {
            if (asked && question.options[2] == DHCP_DISCOVER) {
                asked = false;
                offer.server = OTHER;
                say(DHCP_OFFER);
                if (!asked) {
                    offer.server = SERVER;
                    say(DHCP_OFFER);
                }
            } else if (asked && asked_server == OTHER && silent) {
                asked = false;
            } else if (asked) {
                asked = false;
                offer.server = asked_server;
                say(asked_server == OTHER ? DHCP_NAK : DHCP_ACK);
            }
            dhcp_fine_tmr();
        }
        assert_int_equal(address(), OURS);
        assert_true(i < (silent ? 300 : 20)); /* half seconds */
        end(NULL);
        start(NULL);
    }
}

static void another_servers_lease_is_not_taken(void **state)
{
    (void)state;
    answer(); /* an offer */
    assert_int_equal(question.options[2], DHCP_REQUEST);
    offer.server = OTHER;
    say(DHCP_ACK);
    assert_int_equal(address(), 0);
    offer.server = SERVER;
    say(DHCP_ACK);
    assert_int_equal(address(), OURS);
}

/* After T2 all servers are asked. The one that answers is the server from then on. */
static void another_server_takes_over(void **state)
{
    (void)state;
    run(2);
    offer.silent = UINT_MAX;
    run(3600 * 7 / 8 - 100);
    assert_int_equal(address(), OURS);
    offer.silent = 0;
    offer.server = OTHER;
    run(200);
    assert_int_equal(address(), OURS);
    assert_int_equal(sent_of[DHCP_DISCOVER], 1);
    assert_true(is_chosen(netif_dhcp_data(&our_port.netif), &(struct reply){.server = OTHER}));
}

static void silent_server_is_asked_less_and_less(void **state)
{
    (void)state;
    offer.silent = UINT_MAX;
    run(10);
    assert_in_range(sent, 4, 8);
    run(3600);
    assert_in_range(sent, 40, 90);
    offer.silent = 0;
    run(70);
    assert_int_equal(address(), OURS);
}

/* Invalid times cost neither the address nor many messages, however long the server sends them. */
static void times_are_put_in_order(void **state)
{
    static const struct {
        uint32_t lease, t1, t2;
        bool no_lease, zero_t1;
        unsigned sent_max; /* in an hour */
    } cases[] = {
        {.no_lease = true, .sent_max = 125},
        {.lease = 0, .sent_max = 125},
        {.lease = 0, .t1 = 1, .t2 = 1, .sent_max = 125},
        {.lease = 1, .sent_max = 125},
        {.lease = 3, .sent_max = 125},
        {.lease = 4, .sent_max = 1805},
        {.lease = 60, .sent_max = 125},
        {.lease = 3600, .t1 = 1, .sent_max = 5},
        {.lease = 3600, .zero_t1 = true, .sent_max = 5},
        {.lease = 3600, .t1 = 1, .t2 = 1, .sent_max = 5},
        {.lease = 3600, .t2 = 1, .sent_max = 5},
        {.lease = 3600, .t1 = 3000, .t2 = 1000, .sent_max = 5},
        {.lease = 3600, .t1 = 1800, .t2 = 1800, .sent_max = 5},
        {.lease = 3600, .t1 = 9999, .t2 = 99999, .sent_max = 5},
        {.lease = 3600, .t1 = UINT32_MAX, .t2 = UINT32_MAX, .sent_max = 5},
        {.lease = 3600, .t2 = UINT32_MAX, .sent_max = 5},
        {.lease = 613566757, .sent_max = 2}, /* times 7 more than 32 bits hold */
        {.lease = UINT32_MAX - 1, .sent_max = 2},
        {.lease = UINT32_MAX, .sent_max = 2},
        {.lease = UINT32_MAX, .t1 = 1, .t2 = 2, .sent_max = 2},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        offer.lease = cases[i].lease;
        offer.t1 = cases[i].t1;
        offer.t2 = cases[i].t2;
        offer.no_lease = cases[i].no_lease;
        offer.zero_t1 = cases[i].zero_t1;
        for (unsigned second = 0; second < 3600; second++) {
            run(1);
            assert_int_equal(address(), second == 0 ? address() : OURS);
        }
        if (sent > cases[i].sent_max || address() != OURS) {
            fail_msg("case %zu: %u messages", i, sent);
        }
        assert_int_equal(sent_of[DHCP_DISCOVER], 1);
        end(state);
        start(state);
    }
}

/* A countdown of an earlier lease does not end an infinite one. */
static void lease_becomes_endless(void **state)
{
    (void)state;
    offer.lease = 100;
    run(10);
    offer.lease = UINT32_MAX;
    run(1000);
    assert_int_equal(address(), OURS);
    assert_in_range(sent, 3, 3);
}

static void lease_ends(void **state)
{
    (void)state;
    offer.lease = 100;
    run(10);
    offer.silent = UINT_MAX;
    run(80);
    assert_int_equal(address(), OURS);
    run(20);
    assert_int_equal(address(), 0);
    assert_in_range(sent, 5, 12);
}

static void impossible_addresses_are_not_taken(void **state)
{
    static const struct {
        uint32_t address, mask;
    } cases[] = {
        {0, MASK},          {0x00000001, MASK},       {0x7f000001, MASK},       {0xe0000001, MASK},
        {0xefffffff, MASK}, {0xf0000001, MASK},       {0xffffffff, MASK},       {0x0a000000, MASK},
        {0x0a0000ff, MASK}, {0x0a00ffff, 0xffff0000}, {OURS, 0xff00ff00},       {OURS, 0x000000ff},
        {SERVER, MASK},     {0x0a00004c, 0xfffffffc}, {0x0a00004f, 0xfffffffc},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* in the offer */
        offer.address = cases[i].address;
        offer.mask = cases[i].mask;
        run(20);
        assert_int_equal(address(), 0);
        assert_int_equal(sent_of[DHCP_REQUEST], 0);
        assert_in_range(sent, 4, 8);
        end(state);
        start(state);
        /* in the lease only */
        answer();
        offer.address = cases[i].address;
        offer.mask = cases[i].mask;
        run(20);
        assert_int_equal(address(), 0);
        assert_in_range(sent, 3, 8);
        end(state);
        start(state);
    }
}

static void possible_addresses_are_taken(void **state)
{
    static const struct {
        uint32_t address, mask;
        bool no_mask;
    } cases[] = {
        {OURS, 0xffffffff, false}, {OURS, 0xfffffffe, false}, {OURS + 1, 0xfffffffe, false},
        {OURS, 0xff000000, false}, {0xdfffff01, MASK, false}, {0x0a00ff00, 0xffff0000, false},
        {OURS, 0, true},           {0x01000001, MASK, false}, {OURS, 0, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        offer.address = cases[i].address;
        offer.mask = cases[i].mask;
        offer.no_mask = cases[i].no_mask;
        run(2);
        assert_int_equal(address(), cases[i].address);
        end(state);
        start(state);
    }
}

static void impossible_routers_are_left_out(void **state)
{
    static const uint32_t routers[] = {0x7f000001, 0xe0000001, 0xffffffff, 0x00000001, OURS};

    for (size_t i = 0; i < sizeof routers / sizeof routers[0]; i++) {
        offer.router = routers[i];
        run(2);
        assert_int_equal(address(), OURS);
        assert_true(ip4_addr_isany(netif_ip4_gw(&our_port.netif)));
        end(state);
        start(state);
    }
    run(2);
    assert_int_equal(lwip_ntohl(netif_ip4_gw(&our_port.netif)->addr), SERVER);
}

static void impossible_servers_are_not_chosen(void **state)
{
    static const uint32_t servers[] = {0, 0x7f000001, 0xe0000001, 0xffffffff};

    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        offer.server = servers[i];
        run(20);
        assert_int_equal(address(), 0);
        assert_in_range(sent, 4, 8);
        end(state);
        start(state);
    }
    offer.no_server = true;
    run(20);
    assert_int_equal(address(), 0);
    assert_in_range(sent, 4, 8);
}

static void broken_messages_are_dropped(void **state)
{
    struct dhcp_msg message;

    offer.cut = true;
    run(20);
    assert_int_equal(address(), 0);
    assert_in_range(sent, 4, 8);
    message = question;
    message.op = DHCP_BOOTREPLY;
    for (size_t length = 0; length < sizeof message; length++) {
        deliver(&message, length);
    }
    message.cookie = 0;
    deliver(&message, sizeof message);
    memset(message.options, 0xfe, sizeof message.options);
    deliver(&message, sizeof message);
    assert_int_equal(address(), 0);
    end(state);
    start(state);
    question.xid++;
    offer.silent = 0;
    say(DHCP_OFFER);
    question.xid--;
    question.chaddr[5]++;
    say(DHCP_OFFER);
    question.chaddr[5]--;
    assert_int_equal(sent, 1);
    say(DHCP_OFFER);
    assert_int_equal(sent, 2);
}

/* Options in the file name field are read: they identify the server. */
static void overloaded_fields_are_read(void **state)
{
    (void)state;
    offer.overload = true;
    offer.refusals = 1;
    run(4);
    assert_int_equal(address(), OURS);
    assert_int_equal(sent, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lease_is_taken_and_renewed, start, end),
        cmocka_unit_test_setup_teardown(refusals_make_questions_rare, start, end),
        cmocka_unit_test_setup_teardown(refused_while_renewing, start, end),
        cmocka_unit_test_setup_teardown(another_server_cannot_refuse, start, end),
        cmocka_unit_test_setup_teardown(another_server_gets_its_turn, start, end),
        cmocka_unit_test_setup_teardown(another_servers_lease_is_not_taken, start, end),
        cmocka_unit_test_setup_teardown(another_server_takes_over, start, end),
        cmocka_unit_test_setup_teardown(silent_server_is_asked_less_and_less, start, end),
        cmocka_unit_test_setup_teardown(times_are_put_in_order, start, end),
        cmocka_unit_test_setup_teardown(lease_becomes_endless, start, end),
        cmocka_unit_test_setup_teardown(lease_ends, start, end),
        cmocka_unit_test_setup_teardown(impossible_addresses_are_not_taken, start, end),
        cmocka_unit_test_setup_teardown(possible_addresses_are_taken, start, end),
        cmocka_unit_test_setup_teardown(impossible_routers_are_left_out, start, end),
        cmocka_unit_test_setup_teardown(impossible_servers_are_not_chosen, start, end),
        cmocka_unit_test_setup_teardown(broken_messages_are_dropped, start, end),
        cmocka_unit_test_setup_teardown(overloaded_fields_are_read, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
