/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtbench measures a machine that serves echo, sink and source over UDP and TCP: our guest, a Linux
 * guest or vtserve. This file has the command line, the order of the tests and rounds, and the exit
 * status: 0 if every round of every test has figures, 1 if one has none, 2 for a wrong command
 * line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vtbench.h"

/* The largest payload of a UDP datagram over IPv4, and the size of a sequence number. */
#define SIZE_MIN_BYTES 4
#define SIZE_MAX_BYTES 65507

/* The pause between two tests, in which the peer empties its queues. */
#define PAUSE_US 100000

static const struct test all_tests[] = {
    {"udp-rtt", run_udp_rtt}, {"tcp-rtt", run_tcp_rtt},   {"udp-in", run_udp_in},
    {"udp-out", run_udp_out}, {"udp-both", run_udp_both}, {"udp-burst", run_udp_burst},
    {"tcp-in", run_tcp_in},   {"tcp-out", run_tcp_out},   {"tcp-both", run_tcp_both},
};

#define TESTS (sizeof(all_tests) / sizeof(all_tests[0]))

static const char help_text[] =
    "usage: vtbench [options] ADDRESS [TEST ...]\n"
    "\n"
    "Measures a machine that serves echo, sink and source over UDP and TCP.\n"
    "\n"
    "Tests (default: all, in this order; \"in\" is towards ADDRESS):\n"
    "  udp-rtt tcp-rtt             round trips, one message in flight\n"
    "  udp-in udp-out udp-both     UDP bandwidth, and what was lost\n"
    "  udp-burst                   echoed UDP messages, a burst of them in flight\n"
    "  tcp-in tcp-out tcp-both     TCP bandwidth, without the first half second\n"
    "\n"
    "Options:\n"
    "  --size BYTES         message size of round trips and UDP, 4 to 65507 (1024)\n"
    "  --count N            round trips; the first 5 % warm up and are not counted (2000)\n"
    "  --seconds S          measured part of a bandwidth test, 0.1 to 3600 (2)\n"
    "  --in-flight N        messages of a burst, 1 to 64 (32)\n"
    "  --rounds N           repeat the whole list of tests N times (1)\n"
    "  --timeout-ms MS      for one answer; then it is a loss (1000)\n"
    "  --echo-port PORT     (7)\n"
    "  --sink-port PORT     (9)\n"
    "  --source-port PORT   (19)\n"
    "  --json               one JSON object instead of the table\n"
    "  --quiet              no progress line\n"
    "  --help\n"
    "\n"
    "Exit status: 0 all measured, 1 a test failed, 2 bad usage.\n";

static void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void usage_error(const char *format, ...)
{
    va_list args;

    fputs("vtbench: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("; see vtbench --help\n", stderr);
    exit(2);
}

static unsigned parse_number(const char *option, const char *text, unsigned min, unsigned max)
{
    unsigned long value;
    char *end;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || *end || text[0] < '0' || text[0] > '9' || value < min || value > max) {
        usage_error("--%s takes a whole number from %u to %u, not \"%s\"", option, min, max, text);
    }
    return (unsigned)value;
}

static double parse_seconds(const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end || !(value >= 0.1 && value <= 3600)) {
        usage_error("--seconds takes a number from 0.1 to 3600, not \"%s\"", text);
    }
    return value;
}

static void parse_options(int argc, char **argv, struct options *o)
{
    /* The ports come first: an index into this table is also one into `ports`. */
    static const struct option names[] = {
        {"echo-port", required_argument, NULL, 'p'},
        {"sink-port", required_argument, NULL, 'p'},
        {"source-port", required_argument, NULL, 'p'},
        {"size", required_argument, NULL, 's'},
        {"count", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 't'},
        {"in-flight", required_argument, NULL, 'b'},
        {"rounds", required_argument, NULL, 'r'},
        {"timeout-ms", required_argument, NULL, 'w'},
        {"json", no_argument, NULL, 'j'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    unsigned *const ports[] = {&o->echo_port, &o->sink_port, &o->source_port};
    int c, at;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":", names, &at)) != -1) {
        switch (c) {
        case 's':
            o->size = parse_number("size", optarg, SIZE_MIN_BYTES, SIZE_MAX_BYTES);
            break;
        case 'c':
            o->count = parse_number("count", optarg, 1, 10000000);
            break;
        case 't':
            o->seconds = parse_seconds(optarg);
            break;
        case 'b':
            o->in_flight = parse_number("in-flight", optarg, 1, IN_FLIGHT_MAX);
            break;
        case 'r':
            o->rounds = parse_number("rounds", optarg, 1, 10000);
            break;
        case 'w':
            o->timeout_ms = parse_number("timeout-ms", optarg, 1, 60000);
            break;
        case 'p':
            *ports[at] = parse_number(names[at].name, optarg, 1, 65535);
            break;
        case 'j':
            o->json = true;
            break;
        case 'q':
            o->quiet = true;
            break;
        case 'h':
            fputs(help_text, stdout);
            exit(0);
        case ':':
            usage_error("%s needs a value", argv[optind - 1]);
        default:
            usage_error("unknown option %s", argv[optind - 1]);
        }
    }
}

static const struct test *find_test(const char *name)
{
    for (size_t i = 0; i < TESTS; i++) {
        if (strcmp(all_tests[i].name, name) == 0) {
            return &all_tests[i];
        }
    }
    usage_error("there is no test \"%s\"", name);
}

/* Fills `chosen` with the named tests, or with all. Returns their number. */
static size_t choose_tests(char **names, const struct test **chosen)
{
    size_t count = 0;

    for (; *names; names++) {
        const struct test *t = find_test(*names);

        for (size_t i = 0; i < count; i++) {
            if (chosen[i] == t) {
                usage_error("test %s is named twice; --rounds repeats tests", t->name);
            }
        }
        chosen[count++] = t;
    }
    if (count) {
        return count;
    }
    for (size_t i = 0; i < TESTS; i++) {
        chosen[i] = &all_tests[i];
    }
    return TESTS;
}

/* Rounds are interleaved, so that a time in which the host is slow affects all tests. */
static bool run_all(const struct options *o, const struct test *const *tests, size_t count,
                    struct result *results)
{
    bool good = true;

    for (unsigned round = 0; round < o->rounds; round++) {
        for (size_t i = 0; i < count; i++) {
            struct result *r = &results[i * o->rounds + round];

            if (round || i) {
                usleep(PAUSE_US);
            }
            progress_start(o, tests[i]->name, round + 1);
            tests[i]->run(o, r);
            if (r->error[0]) {
                good = false;
                progress_clear();
                fprintf(stderr, "vtbench: %s: %s\n", tests[i]->name, r->error);
            }
        }
    }
    progress_clear();
    return good;
}

int main(int argc, char **argv)
{
    struct options o = {.size = 1024,
                        .count = 2000,
                        .seconds = 2,
                        .in_flight = 32,
                        .rounds = 1,
                        .timeout_ms = 1000,
                        .echo_port = 7,
                        .sink_port = 9,
                        .source_port = 19};
    const struct test *tests[TESTS];
    struct result *results;
    const char *why;
    size_t count;
    bool good;

    parse_options(argc, argv, &o);
    if (optind == argc) {
        usage_error("the ADDRESS is missing");
    }
    o.address = argv[optind];
    count = choose_tests(argv + optind + 1, tests);
    if (!net_resolve(&o, &why)) {
        fprintf(stderr, "vtbench: %s: %s; check the address\n", o.address, why);
        return 1;
    }

    results = must_alloc(count * o.rounds, sizeof(*results));
    good = run_all(&o, tests, count, results);
    (o.json ? report_json : report_table)(&o, tests, count, results);
    free(results);
    net_release();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("vtbench: cannot write the report; check that the disk is not full\n", stderr);
        return 1;
    }
    return good ? 0 : 1;
}
