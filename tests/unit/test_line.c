/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's line editor, on a terminal that the tests read; the commands; the statistics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "console/command.c"
#include "console/figures.c"
#include "console/line.c"

#define PROMPT "vtnet> "

static struct line line;
static struct {
    char row[80]; /* the last row, up to its trailing blanks */
    unsigned column;
    unsigned rows;
} terminal;

void arch_console_echo(char c)
{
    switch (c) {
    case '\n':
        memset(terminal.row, ' ', sizeof terminal.row);
        terminal.rows++;
        break;
    case '\r':
        terminal.column = 0;
        break;
    case '\b':
        assert_int_not_equal(terminal.column, 0);
        terminal.column--;
        break;
    default:
        assert_true(c >= ' ' && c <= '~');
        assert_true(terminal.column + 1 < sizeof terminal.row);
        terminal.row[terminal.column++] = c;
    }
}

/* Checks that the terminal shows the line. */
static void look(void)
{
    char expected[sizeof terminal.row + 1];

    snprintf(expected, sizeof expected, "%-*s", (int)sizeof terminal.row, "");
    memcpy(expected, PROMPT, strlen(PROMPT));
    memcpy(expected + strlen(PROMPT), line.text, line.length);
    assert_memory_equal(terminal.row, expected, sizeof terminal.row);
    assert_int_equal(terminal.column, strlen(PROMPT) + line.cursor);
    assert_int_equal(strlen(line.text), line.length);
    assert_true(line.cursor <= line.length && line.length <= LINE_MAX);
}

/* Types keys, of which only the last may cause an event. Returns that event. */
static enum line_event type(const char *keys)
{
    enum line_event event = LINE_GOES_ON;

    for (; *keys != '\0'; keys++) {
        assert_int_equal(event, LINE_GOES_ON);
        event = line_take(&line, (uint8_t)*keys);
        if (event == LINE_GOES_ON) {
            look();
        }
    }
    return event;
}

static void begin(void)
{
    line_begin(&line);
    line_show(&line);
    look();
}

static int start(void **state)
{
    (void)state;
    memset(&line, 0, sizeof line);
    memset(&terminal, 0, sizeof terminal);
    memset(terminal.row, ' ', sizeof terminal.row);
    begin();
    return 0;
}

static void assert_line(const char *keys, const char *expected)
{
    assert_int_equal(type(keys), LINE_READY);
    assert_string_equal(line.text, expected);
    begin();
}

#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT "\x1b[D"

static void test_keys_that_edit(void **state)
{
    (void)state;
    assert_line("help\r", "help");
    assert_line("hexlp" LEFT LEFT "\b\n", "help");
    assert_line("xhelpx\x7f\x01\x04\r", "help");
    assert_line("elp\x1b[Hh\x1b[F!\b\r", "help");
    assert_line("hlp" LEFT LEFT "e" RIGHT RIGHT RIGHT RIGHT "\r", "help");
    assert_line("abc\x1b[1~\x1b[3~\x1b[3~\x1b[4~d\x05"
                "e\x02\x02"
                "x\x06y\r",
                "cxdye");
    assert_line("all of this\x15"
                "help\r",
                "help");
    assert_line("\b\b" LEFT RIGHT "\x7f\x04\r", "");
}

static void test_ends_of_lines(void **state)
{
    (void)state;
    assert_line("a\r", "a");
    assert_int_equal(type("\n"), LINE_GOES_ON); /* the same line end */
    assert_line("b\n", "b");
    assert_line("\n", "");
    assert_line("c\r", "c");
    assert_line("\r", "");
    assert_int_equal(terminal.rows, 5);
}

static void test_lines_typed_before(void **state)
{
    char text[16];

    (void)state;
    assert_line(UP DOWN UP "\r", "");
    assert_line("one\r", "one");
    assert_line("two\r", "two");
    assert_line("two\r", "two"); /* only once */
    assert_line("x" UP UP "\r", "one");
    assert_line(UP UP UP UP UP DOWN "\x10\x0e!\r", "two!");
    assert_line(UP DOWN DOWN "new\r", "new");
    for (unsigned i = 0; i < 2 * LINE_HISTORY; i++) {
        snprintf(text, sizeof text, "line %u\r", i);
        assert_int_equal(type(text), LINE_READY);
        begin();
    }
    for (unsigned i = 0; i < LINE_HISTORY + 3; i++) {
        type(UP);
    }
    assert_int_equal(type("\r"), LINE_READY);
    snprintf(text, sizeof text, "line %u", LINE_HISTORY);
    assert_string_equal(line.text, text);
}

static void test_line_that_is_too_long(void **state)
{
    char text[LINE_MAX + 3] = {0};

    (void)state;
    memset(text, 'x', LINE_MAX);
    assert_int_equal(type(text), LINE_GOES_ON);
    assert_int_equal(type("\r"), LINE_READY);
    begin();
    text[LINE_MAX] = 'y';
    assert_int_equal(type(text), LINE_GOES_ON);
    assert_int_equal(type("\b\b\r"), LINE_TOO_LONG);
    begin();
    assert_int_equal(type(text), LINE_GOES_ON);
    assert_line("\x15"
                "help\r",
                "help");
}

static void test_what_no_key_sends(void **state)
{
    (void)state;
    assert_int_equal(type("he\x80lp\r"), LINE_UNREADABLE);
    begin();
    assert_int_equal(type("\xff\xfe\x1b\x1b\r"), LINE_UNREADABLE);
    begin();
    assert_int_equal(line_take(&line, 0), LINE_GOES_ON);
    look();
    assert_int_equal(type("\r"), LINE_UNREADABLE);
    begin();
    assert_line("\x80\x15"
                "help\r",
                "help");
    /* Keys that the editor does not support. */
    assert_line("a\x1b[1;5Cb\x1b[15~c\x1bOPd\x1b[200~e\x1b[Z\r", "abcde");
    assert_int_equal(type("abc\x03"), LINE_GIVEN_UP);
}

static void test_noise(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * 1664525 + 1013904223;
        if (line_take(&line, seed >> 24 & (seed & 0x80000 ? 0x7f : 0xff)) != LINE_GOES_ON) {
            begin();
        }
        look();
    }
}

static enum command_progress nothing(char *const words[], unsigned count)
{
    (void)words, (void)count;
    return COMMAND_DONE;
}

#define COMMAND(name_, least_, most_)                                                              \
    {                                                                                              \
        .name = name_, .usage = "USAGE", .least = least_, .most = most_, .start = nothing          \
    }
const struct command command_help = COMMAND("help", 0, 0), command_ping = COMMAND("ping", 1, 3),
                     command_stats = COMMAND("stats", 0, 0),
                     command_features = COMMAND("features", 0, 0),
                     command_link = COMMAND("link", 0, 0), command_mode = COMMAND("mode", 0, 2),
                     command_rx = COMMAND("rx", 0, 0), command_promisc = COMMAND("promisc", 1, 2),
                     command_reset = COMMAND("reset", 0, 1),
                     command_reboot = COMMAND("reboot", 0, 0),
                     command_poweroff = COMMAND("poweroff", 0, 0);

static const struct command *find(const char *text, unsigned *count)
{
    static char copy[LINE_MAX + 1];
    static char *words[COMMAND_WORDS];

    strcpy(copy, text);
    return command_find(copy, words, count);
}

static void test_words_of_a_line(void **state)
{
    unsigned count;

    (void)state;
    assert_null(find("", &count));
    assert_null(find("   ", &count));
    assert_ptr_equal(find("  help ", &count), &command_help);
    assert_int_equal(count, 1);
    assert_ptr_equal(find("ping  a b   c", &count), &command_ping);
    assert_int_equal(count, 4);
    assert_null(find("ping", &count));
    assert_null(find("ping a b c d", &count));
    assert_null(find("ping 1 2 3 4 5 6 7 8 9 10 11 12", &count));
    assert_null(find("pin", &count));
    assert_null(find("pingx a", &count));
    assert_null(find("help me", &count));
}

static void test_numbers_and_switches(void **state)
{
    unsigned number;
    bool on;

    (void)state;
    assert_true(command_number("0", 0, 5, &number) && number == 0);
    assert_true(command_number("65507", 0, 65507, &number) && number == 65507);
    assert_false(command_number("65508", 0, 65507, &number));
    assert_false(command_number("0", 1, 5, &number));
    assert_false(command_number("", 0, 5, &number));
    assert_false(command_number("-1", 0, 5, &number));
    assert_false(command_number("1x", 0, 5, &number));
    assert_false(command_number("4294967297", 0, 5, &number));
    assert_false(command_number("99999999999999999999", 0, 1000000, &number));
    /* Its digits are above the maximum, and its lowest 32 bits are 0. */
    assert_false(command_number("99888898888999898998898989989888", 0, 7, &number));
    assert_true(command_switch("on", &on) && on);
    assert_true(command_switch("off", &on) && !on);
    assert_false(command_switch("On", &on));
}

static void test_figures(void **state)
{
    static const char json[] =
        "{\"arch\":\"i386\",\"clock_ns\":12,\"lost\":0,\"loop\":{\"passes\":3,\"sleeps\":0},"
        "\"stack\":{\"x\":0},\"cards\":[{\"pci\":\"00:03.0\",\"link\":true,\"ip6\":[\"fe80::1\"],"
        "\"features_offered\":[\"csum\",\"41\"],\"counters\":{\"rx\":0,\"tx_packets\":1}},"
        "{\"pci\":\"00:04.0\",\"mtu\":1500}]}\n";
    static const char *const lines[] = {"  clock_ns=12",  "loop",   "  passes=3", "card 0",
                                        "  tx_packets=1", "card 1", "  mtu=1500"};
    char text[FIGURES_WIDTH + 1];
    struct figures figures;

    (void)state;
    figures_begin(&figures, json);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_true(figures_next(&figures, text, sizeof text));
        assert_string_equal(text, lines[i]);
    }
    assert_false(figures_next(&figures, text, sizeof text));
}

static void test_figures_of_many_lines(void **state)
{
    char json[4096] = "{\"counters\":{", text[FIGURES_WIDTH + 1];
    struct figures figures;
    unsigned seen = 0;

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        snprintf(json + strlen(json), sizeof json - strlen(json), "%s\"figure_%u\":%llu",
                 i == 0 ? "" : ",", i, ~0ull);
    }
    strcat(json, "}}\n");
    figures_begin(&figures, json);
    while (figures_next(&figures, text, sizeof text)) {
        assert_true(strlen(text) < FIGURES_WIDTH);
        for (const char *at = text; (at = strchr(at, '=')) != NULL; at++) {
            assert_memory_equal(at, "=18446744073709551615", 21);
            seen++;
        }
    }
    assert_int_equal(seen, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_keys_that_edit, start),
        cmocka_unit_test_setup(test_ends_of_lines, start),
        cmocka_unit_test_setup(test_lines_typed_before, start),
        cmocka_unit_test_setup(test_line_that_is_too_long, start),
        cmocka_unit_test_setup(test_what_no_key_sends, start),
        cmocka_unit_test_setup(test_noise, start),
        cmocka_unit_test(test_words_of_a_line),
        cmocka_unit_test(test_numbers_and_switches),
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_figures_of_many_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
