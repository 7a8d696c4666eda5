/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot command line. boot/arguments.c is compiled in here, with its console captured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char console[8192];

static int __attribute__((format(printf, 1, 2))) captured_printf(const char *format, ...)
{
    size_t used = strlen(console);
    va_list args;
    int count;

    va_start(args, format);
    count = vsnprintf(console + used, sizeof console - used, format, args);
    va_end(args);
    return count;
}

#define printf captured_printf
#include "boot/arguments.c"
#include "boot/arguments_check.c"
#undef printf
#include "boot/address_text.c"
#include "boot/image_path.c"
#include "boot/ipv6_text.c"

static struct boot_arguments defaults;

static int keep_defaults(void **state)
{
    (void)state;
    defaults = boot_arguments;
    return 0;
}

static unsigned parse(const char *line)
{
    boot_arguments = defaults;
    console[0] = '\0';
    return boot_arguments_parse(line);
}

/* A line that is in order is silent. */
static void good(const char *line)
{
    if (parse(line) != 0 || console[0] != '\0') {
        fail_msg("'%s' was refused: %s", line, console);
    }
}

/* A word that is not is named with what is wanted, and changes nothing. */
static void bad(const char *word, const char *says)
{
    char quoted[256];

    snprintf(quoted, sizeof quoted, "vtnet: boot argument '%s' is %s and ignored", word, says);
    if (parse(word) != 1) {
        fail_msg("'%s' was accepted", word);
    }
    if (strstr(console, quoted) == NULL || strstr(console, "valid boot arguments:") == NULL) {
        fail_msg("'%s' led to: %s", word, console);
    }
    if (memcmp(&boot_arguments, &defaults, sizeof defaults) != 0) {
        fail_msg("'%s' was ignored, but not altogether", word);
    }
}

static void nothing_changes_nothing(void **state)
{
    (void)state;
    good("");
    good("     ");
    assert_memory_equal(&boot_arguments, &defaults, sizeof defaults);
    assert_int_equal(boot_arguments.mode, BOOT_MODE_HYBRID);
    assert_int_equal(boot_arguments.bufinit, 0);
    assert_int_equal(boot_arguments.bufmax, 256);
    assert_int_equal(boot_arguments.ip[0].address, 0);
    assert_int_equal(boot_arguments.rxdyn, 1);
}

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
        assert_non_null(strstr(console, "ignored: no station can have that address\n"));
    }
    bad(name, "malformed");
    assert_null(strstr(console, "no station"));
}

static void services_are_read(void **state)
{
    static const char *const malformed[] = {"",          "ECHO",      "echo,",     ",echo",
                                            "echo,none", "echosink",  "echo;sink", "ech",
                                            "all",       "echo,,sink"};
    char word[64];

    (void)state;
    assert_int_equal(boot_arguments.services, BOOT_SERVICES_ALL);
    good("services=none");
    assert_int_equal(boot_arguments.services, 0);
    good("services=echo");
    assert_int_equal(boot_arguments.services, BOOT_SERVICE_ECHO);
    good("services=mdns,stats,sink,source,iperf,netperf");
    assert_int_equal(boot_arguments.services, BOOT_SERVICES_ALL & ~BOOT_SERVICE_ECHO);
    for (unsigned i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        snprintf(word, sizeof word, "services=%s", malformed[i]);
        bad(word, "malformed");
    }
    good("answer=any");
    assert_int_equal(boot_arguments.answer, BOOT_ANSWER_ANY);
    bad("answer=all", "malformed");
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
        assert_non_null(strstr(console, "ignored: no station can have that address\n"));
    }
    for (unsigned i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        if (parse(ignored[i]) != 1 || strstr(console, "no other station beside ip=") == NULL) {
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

static void white_space_separates_words(void **state)
{
    (void)state;
    good("\t\r\n\v\f ");
    good("ip=10.0.0.2/16\n");
    assert_int_equal(boot_arguments.ip[0].prefix, 16);
    good("\r\nip=10.0.0.2/16\r\nmode=irq\tdhcp\vbufinit=8\f\fbufmax=64\r\n");
    assert_int_equal(boot_arguments.ip[0].prefix, 16);
    assert_int_equal(boot_arguments.mode, BOOT_MODE_IRQ);
    assert_int_equal(boot_arguments.bufinit, 8);
    assert_int_equal(boot_arguments.bufmax, 64);
    assert_true(boot_arguments.dhcp);
}

static void image_path_is_skipped(void **state)
{
    static const char *const cases[][2] = {
        /* QEMU, GRUB Legacy, Syslinux */
        {"vtnet-demo.elf ip=10.0.0.2/24", " ip=10.0.0.2/24"},
        {"build/i386/vtnet-demo.elf dhcp", " dhcp"},
        {"/boot/image ip=10.0.0.2/24", " ip=10.0.0.2/24"},
        {"image mode=irq", " mode=irq"},
        {"vtnet-demo.elf", ""},
        {"build/i386/vtnet-demo.elf ", " "},
        {"a.elf b.elf dhcp", " b.elf dhcp"},
        /* blanks */
        {"/home/my dhcp test/vtnet-demo.elf ip=10.0.0.2/24", " ip=10.0.0.2/24"},
        {"my dhcp test/image linklocal", " linklocal"},
        {"dhcp test/vtnet-demo.elf", ""},
        {"dhcp/my demo.elf mode=irq", " mode=irq"},
        {"  my\tdhcp\ntest/x.elf\tdhcp", "\tdhcp"},
        {"/srv/a=b c/vtnet.elf dhcp", " dhcp"},
        {"my ip=10.0.0.9 test/x.elf ip=10.0.0.2", " ip=10.0.0.2"},
        {".elf dhcp", " dhcp"},
        {"a.elfx/b.el c/d dhcp", " dhcp"},
        {"/srv/x y=1 z/vtnet.elf dhcp", " dhcp"},
        /* a user's mistakes are left to be named */
        {"x.elf 10.0.0.2/24 mode=irq", " 10.0.0.2/24 mode=irq"},
        {"x.elf mode=irq 10.0.0.2/24", " mode=irq 10.0.0.2/24"},
        {"image mode=irq 10.0.0.2/24", " mode=irq 10.0.0.2/24"},
        {"image 10.0.0.2/24", " 10.0.0.2/24"},
        {"my 1.2/image 10.0.0.2/24 mode=irq", " 10.0.0.2/24 mode=irq"},
        {"10.0.0.2/24 mode=irq", "10.0.0.2/24 mode=irq"},
        /* GRUB 2 */
        {"ip=10.0.0.2/24 mode=irq", "ip=10.0.0.2/24 mode=irq"},
        {"dhcp", "dhcp"},
        {"dhcp mode=irq", "dhcp mode=irq"},
        {"linklocal dhcp", "linklocal dhcp"},
        {"ipp=10.0.0.2/24 dhcp", "ipp=10.0.0.2/24 dhcp"},
        {"", ""},
        {" ", " "},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(image_path_skip(cases[i][0]), cases[i][1]);
    }
}

/* Byte order marks, blanks of other alphabets and control characters can be seen in the message. */
static void unprintable_is_shown(void **state)
{
    (void)state;
    parse("\xef\xbb\xbf"
          "ip=10.0.0.2/24 name=a\xc2\xa0"
          "b \x1b[2J");
    assert_non_null(strstr(console, "'\\xef\\xbb\\xbfip=10.0.0.2/24' is unknown"));
    assert_non_null(strstr(console, "'name=a\\xc2\\xa0b' is malformed"));
    assert_non_null(strstr(console, "'\\x1b[2J' is unknown"));
}

static void cards_have_addresses_of_their_own(void **state)
{
    (void)state;
    good("ip=10.0.0.2/24,10.0.0.3/24,,10.0.1.2 ip6=fd00::2,,fd00::3 gw=10.0.0.1,10.0.0.1");
    assert_int_equal(parse("ip=10.0.0.2/24,,10.0.0.2/16"), 1);
    assert_non_null(strstr(console, "ip= of card 2 is card 0's, and ignored"));
    assert_int_equal(boot_arguments.ip[0].address, 0x0a000002);
    assert_int_equal(boot_arguments.ip[2].address, 0);
    assert_int_equal(parse("ip6=,fd00::2,fd00::2,fd00::2"), 2);
    assert_non_null(strstr(console, "ip6= of card 3 is card 1's, and ignored"));
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
    assert_string_equal(console, "vtnet: ip= is given for card 1, and there is no such card\n"
                                 "vtnet: ip6= is given for card 1, and there is no such card\n"
                                 "vtnet: mac= is given for card 1, and there is no such card\n"
                                 "vtnet: vlan= is given for card 2, and there is no such card\n");
}

static void name_is_read(void **state)
{
    char word[128] = "name=";

    (void)state;
    good("");
    assert_string_equal(boot_arguments.name, "vtnet");
    good("name=Guest-2");
    assert_string_equal(boot_arguments.name, "Guest-2");
    good("name=0");
    memset(word + 5, 'x', BOOT_NAME_MAX);
    good(word);
    assert_int_equal(strlen(boot_arguments.name), BOOT_NAME_MAX);
    word[5 + BOOT_NAME_MAX] = 'x';
    bad(word, "malformed");
    bad("name", "malformed");
    bad("name=", "malformed");
    bad("name=-a", "malformed");
    bad("name=a-", "malformed");
    bad("name=a.local", "malformed");
    bad("name=a_b", "malformed");
    assert_int_equal(parse("name=\x10"), 1); /* which with bit 5 set would be a digit */
    assert_non_null(strstr(console, "'name=\\x10' is malformed and ignored"));
    assert_memory_equal(&boot_arguments, &defaults, sizeof defaults);
    bad("name=[", "malformed");
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

static void check_number(const char *name, const unsigned *to, unsigned min, unsigned max)
{
    static const char *const malformed[] = {
        "",
        "x",
        "-1",
        "+1",
        "1x",
        "0x10",
        "1.5",
        "4294967296",
        "4294967297",
        "18446744073709551616",
        "99999999999999999999",
    };
    char word[64];

    snprintf(word, sizeof word, "%s=%u bufmax=32768", name, min);
    good(word);
    assert_int_equal(*to, strcmp(name, "bufmax") == 0 ? 32768 : min);
    snprintf(word, sizeof word, "bufmax=32768 %s=%u", name, max);
    good(word);
    assert_int_equal(*to, max);
    snprintf(word, sizeof word, "%s=%u", name, max + 1);
    bad(word, "malformed");
    if (min > 0) {
        snprintf(word, sizeof word, "%s=%u", name, min - 1);
        bad(word, "malformed");
    }
    for (unsigned i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        snprintf(word, sizeof word, "%s=%s", name, malformed[i]);
        bad(word, "malformed");
    }
    bad(name, "malformed");
}

static void numbers_are_read(void **state)
{
    (void)state;
    check_number("poll_us", &boot_arguments.poll_us, 0, 1000000);
    check_number("bufinit", &boot_arguments.bufinit, 1, 32768);
    check_number("bufmax", &boot_arguments.bufmax, 1, 32768);
    check_number("rxdyn", &boot_arguments.rxdyn, 0, 1);
    check_number("bufmem", &boot_arguments.bufmem, 16, 1048576);
    check_number("rxquiet", &boot_arguments.rxquiet, 1, 3600000);
    check_number("bounded", &boot_arguments.bounded, 0, 1);
    check_number("stats", &boot_arguments.stats, 0, 1);
    check_number("count", &boot_arguments.count, 1, 100000000);
    check_number("size", &boot_arguments.size, 12, 1472);
    check_number("seconds", &boot_arguments.seconds, 1, 3600);
}

static void check_choice(const char *name, const unsigned *to, unsigned choice, const char *text)
{
    char word[64];

    snprintf(word, sizeof word, "%s=%s", name, text);
    good(word);
    assert_int_equal(*to, choice);
    snprintf(word, sizeof word, "%s=%sx", name, text);
    bad(word, "malformed");
    snprintf(word, sizeof word, "%s=%.*s", name, (int)strlen(text) - 1, text);
    bad(word, "malformed");
    bad(name, "malformed");
}

static void choices_are_read(void **state)
{
    (void)state;
    check_choice("mode", &boot_arguments.mode, BOOT_MODE_HYBRID, "hybrid");
    check_choice("mode", &boot_arguments.mode, BOOT_MODE_IRQ, "irq");
    check_choice("mode", &boot_arguments.mode, BOOT_MODE_POLL, "poll");
    check_choice("transport", &boot_arguments.transport, BOOT_TRANSPORT_ANY, "any");
    check_choice("transport", &boot_arguments.transport, BOOT_TRANSPORT_LEGACY, "legacy");
    check_choice("transport", &boot_arguments.transport, BOOT_TRANSPORT_MODERN, "modern");
    check_choice("fence", &boot_arguments.fence, BOOT_FENCE_AUTO, "auto");
    check_choice("fence", &boot_arguments.fence, BOOT_FENCE_ON, "on");
    check_choice("fence", &boot_arguments.fence, BOOT_FENCE_OFF, "off");
    check_choice("irq", &boot_arguments.irq, BOOT_IRQ_AUTO, "auto");
    check_choice("irq", &boot_arguments.irq, BOOT_IRQ_INTX, "intx");
    check_choice("irq", &boot_arguments.irq, BOOT_IRQ_MSIX, "msix");
    check_choice("proto", &boot_arguments.proto, BOOT_PROTOCOL_UDP, "udp");
    check_choice("proto", &boot_arguments.proto, BOOT_PROTOCOL_TCP, "tcp");
    good("");
    assert_int_equal(boot_arguments.dir, BOOT_DIRECTION_UNSAID);
    check_choice("conflict", &boot_arguments.conflict, BOOT_CONFLICT_RETRY, "retry");
    check_choice("conflict", &boot_arguments.conflict, BOOT_CONFLICT_EXIT, "exit");
    check_choice("dir", &boot_arguments.dir, BOOT_DIRECTION_BOTH, "both");
    check_choice("dir", &boot_arguments.dir, BOOT_DIRECTION_SEND, "send");
    check_choice("dir", &boot_arguments.dir, BOOT_DIRECTION_RECEIVE, "receive");
    bad("mode=IRQ", "malformed");
}

static void flag_takes_no_value(void **state)
{
    (void)state;
    good("dhcp");
    assert_true(boot_arguments.dhcp);
    bad("dhcp=0", "malformed");
    bad("dhcp=on", "malformed");
    good("linklocal");
    assert_true(boot_arguments.linklocal);
    bad("linklocal=1", "malformed");
}

static void text_is_taken_up_to_its_room(void **state)
{
    char word[160] = "features=";

    (void)state;
    good("features=-event_idx,+29");
    assert_string_equal(boot_arguments.features, "-event_idx,+29");
    good("features=a=b");
    assert_string_equal(boot_arguments.features, "a=b");
    memset(word + 9, 'x', sizeof boot_arguments.features - 1);
    good(word);
    assert_string_equal(boot_arguments.features, word + 9);
    word[9 + sizeof boot_arguments.features - 1] = 'x';
    bad(word, "malformed");
}

static void unknown_words_are_named(void **state)
{
    (void)state;
    bad("nonsense", "unknown");
    bad("nonsense=1", "unknown");
    bad("i=1.2.3.4", "unknown"); /* a beginning of a name */
    bad("ipx=1.2.3.4", "unknown");
    bad("IP=1.2.3.4", "unknown");
    bad("=", "unknown");
    bad("=1", "unknown");
}

static void long_words_are_cut_in_the_message_only(void **state)
{
    char line[400];

    (void)state;
    memset(line, 'y', sizeof line);
    strcpy(line + 191, " dhcp");
    assert_int_equal(parse(line), 1);
    assert_non_null(strstr(console, "is unknown"));
    assert_true(boot_arguments.dhcp);
    memset(line, 'y', sizeof line);
    strcpy(line + 192, " dhcp");
    assert_int_equal(parse(line), 1);
    assert_non_null(strstr(console, "'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...' is longer than 191"));
    assert_true(boot_arguments.dhcp);
    memset(line, 'y', sizeof line);
    line[sizeof line - 1] = '\0';
    assert_int_equal(parse(line), 1);
}

static void words_may_be_many(void **state)
{
    (void)state;
    good("  ip=10.0.0.2/16   gw=10.0.0.1 mode=irq  bufinit=8 bufmax=64 dhcp ");
    assert_int_equal(boot_arguments.ip[0].prefix, 16);
    assert_int_equal(boot_arguments.gw[0].address, 0x0a000001);
    assert_int_equal(boot_arguments.mode, BOOT_MODE_IRQ);
    assert_int_equal(boot_arguments.bufinit, 8);
    assert_true(boot_arguments.dhcp);
    assert_int_equal(parse("mode=poll nonsense ip=1.2.3 bufinit=4"), 2);
    assert_int_equal(boot_arguments.mode, BOOT_MODE_POLL); /* the others still count */
    assert_int_equal(boot_arguments.bufinit, 4);
    good("mode=poll mode=irq"); /* the last one holds */
    assert_int_equal(boot_arguments.mode, BOOT_MODE_IRQ);
}

static void list_of_valid_words_is_complete_and_printed_once(void **state)
{
    const char *list;

    (void)state;
    assert_int_equal(parse("nonsense ip=x"), 2);
    list = strstr(console, "valid boot arguments:");
    assert_non_null(list);
    assert_null(strstr(list + 1, "valid boot arguments:"));
    assert_non_null(strstr(list, " ip=A.B.C.D[/N][,...] "));
    assert_non_null(strstr(list, " dhcp "));
    assert_non_null(strstr(list, " mode=irq|poll|hybrid "));
    assert_non_null(strstr(list, " seconds=1..3600\n"));
}

static void bufinit_is_held_by_bufmax(void **state)
{
    (void)state;
    assert_int_equal(parse("bufinit=100 bufmax=10"), 1);
    assert_non_null(strstr(console, "bufinit=100 is more than bufmax=10"));
    assert_int_equal(boot_arguments.bufinit, 10);
    good("bufinit=10 bufmax=10");
    good("bufmax=10"); /* the default gives way without a word */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_nothing),
        cmocka_unit_test(services_are_read),
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(ipv6_address_is_read),
        cmocka_unit_test(peer_is_of_either_family),
        cmocka_unit_test(address_is_of_a_station_in_its_network),
        cmocka_unit_test(white_space_separates_words),
        cmocka_unit_test(image_path_is_skipped),
        cmocka_unit_test(unprintable_is_shown),
        cmocka_unit_test(cards_have_addresses_of_their_own),
        cmocka_unit_test(places_without_a_card_are_named),
        cmocka_unit_test(name_is_read),
        cmocka_unit_test(mac_address_is_read),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(group_is_read),
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(choices_are_read),
        cmocka_unit_test(flag_takes_no_value),
        cmocka_unit_test(text_is_taken_up_to_its_room),
        cmocka_unit_test(unknown_words_are_named),
        cmocka_unit_test(long_words_are_cut_in_the_message_only),
        cmocka_unit_test(words_may_be_many),
        cmocka_unit_test(list_of_valid_words_is_complete_and_printed_once),
        cmocka_unit_test(bufinit_is_held_by_bufmax),
    };

    return cmocka_run_group_tests(tests, keep_defaults, NULL);
}
