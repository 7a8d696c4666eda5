/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot command line: its words, numbers, choices and texts. */
#include "boot_line.h"

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
        /* paths with blanks */
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
        /* a user's mistakes remain and are reported */
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

/* Byte order marks, foreign spaces and control characters are visible in the message. */
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
    assert_int_equal(parse("name=\x10"), 1); /* it would be a digit with bit 5 set */
    assert_non_null(strstr(console, "'name=\\x10' is malformed and ignored"));
    assert_memory_equal(&boot_arguments, &defaults, sizeof defaults);
    bad("name=[", "malformed");
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
    bad("i=1.2.3.4", "unknown"); /* a prefix of a name */
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
    assert_int_equal(boot_arguments.mode, BOOT_MODE_POLL); /* the other words take effect */
    assert_int_equal(boot_arguments.bufinit, 4);
    good("mode=poll mode=irq"); /* the last one counts */
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
    good("bufmax=10"); /* a default that is too large is reduced silently */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_nothing),
        cmocka_unit_test(services_are_read),
        cmocka_unit_test(white_space_separates_words),
        cmocka_unit_test(image_path_is_skipped),
        cmocka_unit_test(unprintable_is_shown),
        cmocka_unit_test(name_is_read),
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
