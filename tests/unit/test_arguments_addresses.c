/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot command line: addresses, and lists of them with one place a card. */
#include "boot_line.h"

static void check_address(const char *name, const struct boot_ipv4 *address)
{
    static const char *const malformed[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.",
        "1.2.3.4.5",
        "256.2.3.4",
        "1.2.3.256",
        "1..3.4",
        "a.2.3.4",
        "1.2.3.4x",
        "1.2.3.4/",
        "1.2.3.4/33",
        "1.2.3.4/24x",
        "1.2.3.4/24/",
        "0.0.0.0",
        "-1.2.3.4",
        "1.2.3.99999999999999999999",
        "1,2,3,4",
    };
    static const char *const impossible[] = {
        "0.0.0.0",   "0.1.2.3",         "127.0.0.1", "224.0.0.0",
        "224.0.0.5", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    };
    char word[64];

    snprintf(word, sizeof word, "%s=10.1.2.254", name);
    good(word);
    assert_int_equal(address->address, 0x0a0102fe);
    snprintf(word, sizeof word, "%s=223.255.255.254", name);
    good(word);
    assert_int_equal(address->address, 0xdffffffe);
    for (unsigned i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        snprintf(word, sizeof word, "%s=%s", name, malformed[i]);
        bad(word, "malformed");
    }
    for (unsigned i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        snprintf(word, sizeof word, "%s=%s", name, impossible[i]);
        bad(word, "malformed");
        assert_non_null(strstr(console, "ignored: this is no valid address of a station\n"));
    }
    bad(name, "malformed");
    assert_null(strstr(console, "no station"));
}

static void addresses_are_read(void **state)
{
    (void)state;
    check_address("ip", boot_arguments.ip);
    check_address("gw", boot_arguments.gw);
    check_address("peer", &boot_arguments.peer);
    good("ip=192.168.0.1/30");
    assert_int_equal(boot_arguments.ip[0].prefix, 30);
    good("ip=192.168.0.1");
    assert_int_equal(boot_arguments.ip[0].prefix, 24);
    good("ip=192.168.0.1/0");
    assert_int_equal(boot_arguments.ip[0].prefix, 0);
    good("ip=192.168.0.1/32");
    assert_int_equal(boot_arguments.ip[0].prefix, 32);
}

static void ipv6_address_is_read(void **state)
{
    static const char *const malformed[] = {
        "",
        ":",
        "::",
        "::1",
        ":1",
        "1",
        "fd00",
        "fd00:",
        "fd00::1:",
        "fd00:::1",
        "fd00::1::2",
        "fd00::12345",
        "fd00::g",
        "fd00::1/",
        "fd00::1/63",
        "fd00::1/640",
        "fd00::1/64/",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "1::2:3:4:5:6:7:8",
        "10.0.0.2",
        "::ffff:10.0.0.2",
        "ff02::1",
        "ffff::1",
        "fe80::1",
        "febf::1",
        "0:0:0:0:1::",
        "fd00::1%1",
    };
    static const uint8_t expected[4][16] = {
        {0xfd, [15] = 0x02},
        {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0xab, 0xcd, 0xff, 0xff},
        {0, 1, [13] = 7, [15] = 8},
        {0xfd},
    };
    char word[64];

    (void)state;
    good("ip6=fd00::2,2001:DB8:1:2:3:4:abcd:ffff/64,1::7:8/64,fd00::");
    assert_memory_equal(boot_arguments.ip6, expected, sizeof expected);
    good("ip6=,fd00::2");
    assert_int_equal(boot_arguments.ip6[0].address[0], 0);
    assert_memory_equal(boot_arguments.ip6[1].address, expected[0], 16);
    good("ip6=fec0::1"); /* beside the link-local ones */
    for (unsigned i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        snprintf(word, sizeof word, "ip6=%s", malformed[i]);
        bad(word, "malformed");
    }
    bad("ip6", "malformed");
    bad("ip6=fd00::2,10.0.0.2", "malformed");
}

static void peer_is_of_either_family(void **state)
{
    static const char *const malformed[] = {
        "::",        "::1",      "fd00",    "fd00::1/64", "ff02::1", "fd00::1%1", "fd00::1,fd00::2",
        "10.0.0.1,", "fd00::1x", "fd00::g",
    };
    static const uint8_t global[16] = {0xfd, [15] = 0x01};
    static const uint8_t local[16] = {0xfe, 0x80, [14] = 0xab, [15] = 0xcd};
    static const uint8_t none[16];
    char word[64];

    (void)state;
    good("");
    assert_int_equal(boot_arguments.peer.address, 0);
    assert_memory_equal(boot_arguments.peer6.address, none, 16);
    good("peer=fd00::1");
    assert_memory_equal(boot_arguments.peer6.address, global, 16);
    assert_int_equal(boot_arguments.peer.address, 0);
    good("peer=fe80::abcd");
    assert_memory_equal(boot_arguments.peer6.address, local, 16);
    good("peer=fd00::1 peer=10.0.0.1"); /* the last one holds */
    assert_int_equal(boot_arguments.peer.address, 0x0a000001);
    assert_memory_equal(boot_arguments.peer6.address, none, 16);
    good("peer=10.0.0.1 peer=fd00::1");
    assert_int_equal(boot_arguments.peer.address, 0);
    assert_memory_equal(boot_arguments.peer6.address, global, 16);
    for (unsigned i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        snprintf(word, sizeof word, "peer=%s", malformed[i]);
        bad(word, "malformed");
    }
}

/* An address that one network has for all of its stations, or for itself. */
static void address_is_of_a_station_in_its_network(void **state)
{
    static const char *const impossible[] = {
        "ip=10.0.0.0",           "ip=10.0.0.255",  "ip=10.0.0.0/8",        "ip=10.255.255.255/8",
        "ip=10.0.0.4/30",        "ip=10.0.0.7/30", "ip=10.0.0.2,10.1.0.0", "ip6=::2",
        "ip6=ff02::1",           "peer=::1",       "peer=ff02::1",         "mac=01:00:5e:00:00:01",
        "mac=00:00:00:00:00:00",
    };
    static const char *const ignored[] = {
        "ip=10.0.0.2 gw=10.0.0.2",          "ip=10.0.0.2 gw=10.0.0.255",
        "ip=10.0.0.2 gw=10.0.0.0",          "gw=10.0.0.2 ip=10.0.0.2",
        "ip=10.0.0.2,10.0.1.2 gw=10.0.1.2", "ip=10.0.0.2 peer=10.0.0.2",
        "ip=10.0.0.2 peer=10.0.0.255",      "ip=10.0.0.2,10.0.1.2 peer=10.0.1.2",
        "ip6=fd00::2 peer=fd00::2",
    };

    (void)state;
    for (unsigned i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        bad(impossible[i], "malformed");
        assert_non_null(strstr(console, "ignored: this is no valid address of a station\n"));
    }
    for (unsigned i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        if (parse(ignored[i]) != 1 ||
            strstr(console, "is not the address of another station") == NULL) {
            fail_msg("'%s' led to: %s", ignored[i], console);
        }
        assert_int_equal(boot_arguments.gw[0].address, 0);
        assert_int_equal(boot_arguments.peer.address, 0);
        assert_int_equal(boot_arguments.peer6.address[0], 0);
    }
    good("ip=10.0.0.0/31 gw=10.0.0.1");
    good("ip=10.0.0.255/32 gw=10.0.0.1");
    good("ip=10.0.0.255/16 gw=10.0.255.0");
    good("ip=169.254.1.2/16");
    good("ip=10.0.0.2 gw=10.9.0.255");
    good("ip6=fd00::2 peer=fd00::");  /* any router */
    bad("join=ff00::1", "malformed"); /* scopes that no link sees */
    bad("join=ff01::1", "malformed");
    bad("join=ff11::1", "malformed");
}

static void cards_have_addresses_of_their_own(void **state)
{
    (void)state;
    good("ip=10.0.0.2/24,10.0.0.3/24,,10.0.1.2 ip6=fd00::2,,fd00::3 gw=10.0.0.1,10.0.0.1");
    assert_int_equal(parse("ip=10.0.0.2/24,,10.0.0.2/16"), 1);
    assert_non_null(strstr(console, "ip= of card 2 is the same as of card 0: it is ignored"));
    assert_int_equal(boot_arguments.ip[0].address, 0x0a000002);
    assert_int_equal(boot_arguments.ip[2].address, 0);
    assert_int_equal(parse("ip6=,fd00::2,fd00::2,fd00::2"), 2);
    assert_non_null(strstr(console, "ip6= of card 3 is the same as of card 1: it is ignored"));
    assert_memory_equal(&boot_arguments.ip6[2], &no_ipv6, sizeof no_ipv6);
}

static void places_without_a_card_are_named(void **state)
{
    (void)state;
    good("ip=10.0.0.2/24,10.0.1.2/24 mac=,02:00:00:00:00:01 gw=10.0.0.1 vlan=,,5 "
         "ip6=fd00::2,fd00:1::2");
    boot_arguments_check_cards(3);
    assert_string_equal(console, "");
    boot_arguments_check_cards(1);
    assert_string_equal(console, "vtnet: ip= is given for card 1, which does not exist\n"
                                 "vtnet: ip6= is given for card 1, which does not exist\n"
                                 "vtnet: mac= is given for card 1, which does not exist\n"
                                 "vtnet: vlan= is given for card 2, which does not exist\n");
}

static void mac_address_is_read(void **state)
{
    static const uint8_t expected[6] = {0x52, 0x54, 0x00, 0xAb, 0xcD, 0xef};

    (void)state;
    good("mac=52:54:00:Ab:cD:ef");
    assert_memory_equal(boot_arguments.mac[0], expected, 6);
    bad("mac", "malformed");
    bad("mac=", "malformed");
    bad("mac=52:54:00:ab:cd", "malformed");
    bad("mac=52:54:00:ab:cd:", "malformed");
    bad("mac=52:54:00:ab:cd:e", "malformed");
    bad("mac=52:54:00:ab:cd:ef:", "malformed");
    bad("mac=52:54:00:ab:cd:ef0", "malformed");
    bad("mac=52-54-00-ab-cd-ef", "malformed");
    bad("mac=52:54:00:ab:cd:eg", "malformed");
    bad("mac=52:54:00:ab:cd:e@", "malformed");
    bad("mac=53:54:00:ab:cd:ef", "malformed"); /* a group's */
    bad("mac=ff:ff:ff:ff:ff:ff", "malformed");
    bad("mac=00:00:00:00:00:00", "malformed");
}

/* A value for each card; an empty place leaves the default, zero. */
static void lists_are_read(void **state)
{
    static const uint8_t macs[3][6] = {{0}, {0x52, 0x54, 0, 0, 0, 1}, {0}};

    (void)state;
    good("ip=10.0.0.2/8,,10.0.2.2 gw=10.0.0.1,10.0.1.1 vlan=0,5,4094 mac=,52:54:00:00:00:01,");
    assert_int_equal(boot_arguments.ip[0].address, 0x0a000002);
    assert_int_equal(boot_arguments.ip[0].prefix, 8);
    assert_int_equal(boot_arguments.ip[1].address, 0);
    assert_int_equal(boot_arguments.ip[2].address, 0x0a000202);
    assert_int_equal(boot_arguments.ip[2].prefix, 24);
    assert_int_equal(boot_arguments.gw[0].address, 0x0a000001);
    assert_int_equal(boot_arguments.gw[1].address, 0x0a000101);
    assert_int_equal(boot_arguments.gw[2].address, 0);
    assert_int_equal(boot_arguments.vlan[0], 0);
    assert_int_equal(boot_arguments.vlan[1], 5);
    assert_int_equal(boot_arguments.vlan[2], 4094);
    assert_memory_equal(boot_arguments.mac, macs, sizeof macs);
    good("vlan=1,2,3,4,5,6,7,8");
    assert_int_equal(boot_arguments.vlan[BOOT_CARDS - 1], 8);
    good("vlan=7 vlan=,9"); /* the last one holds, for all cards */
    assert_int_equal(boot_arguments.vlan[0], 0);
    bad("vlan", "malformed");
    bad("vlan=", "malformed");
    bad("vlan=,", "malformed");
    bad("vlan=4095", "malformed");
    bad("vlan=-1", "malformed");
    bad("vlan=1,x", "malformed");
    bad("vlan=1;2", "malformed");
    bad("vlan=1,2,3,4,5,6,7,8,9", "malformed");
    bad("vlan=1,2,3,4,5,6,7,8,", "malformed");
    bad("vlan=000000000000000000000000000000000000000000000000001",
        "malformed"); /* longer than any item */
    bad("ip=10.0.0.2,10.0.1", "malformed");
    bad("gw=10.0.0.1,10.0.1.1/24", "malformed");
    bad("mac=52:54:00:00:00:01,53:54:00:00:00:02", "malformed");
}

static void group_is_read(void **state)
{
    static const uint8_t group6[16] = {0xff, 0x12, [14] = 0x12, [15] = 0x34};

    (void)state;
    good("join=239.1.2.3");
    assert_int_equal(boot_arguments.join.address, 0xef010203);
    good("join=224.0.0.0");
    good("join=ff12::1234");
    assert_int_equal(boot_arguments.join.address, 0);
    assert_memory_equal(boot_arguments.join6.address, group6, sizeof group6);
    bad("join=fd00::1", "malformed");
    bad("join=ff12::1234/64", "malformed");
    bad("join=223.255.255.255", "malformed");
    bad("join=240.0.0.0", "malformed");
    bad("join=239.1.2.3/24", "malformed");
    bad("join=239.1.2.3,239.1.2.4", "malformed");
    bad("join", "malformed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(ipv6_address_is_read),
        cmocka_unit_test(peer_is_of_either_family),
        cmocka_unit_test(address_is_of_a_station_in_its_network),
        cmocka_unit_test(cards_have_addresses_of_their_own),
        cmocka_unit_test(places_without_a_card_are_named),
        cmocka_unit_test(mac_address_is_read),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(group_is_read),
    };

    return cmocka_run_group_tests(tests, keep_defaults, NULL);
}
