/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of vtbench share: the options, the result of one round of one test, and the few
 * functions each file offers to the others.
 *
 *     vtbench.c         command line, order of the rounds, exit status
 *     vtbench_net.c     clock, address, sockets, bounded waits, wording of network errors
 *     vtbench_rtt.c     udp-rtt, tcp-rtt
 *     vtbench_udp*.c    udp-in, udp-out, udp-both
 *     vtbench_burst.c   udp-burst
 *     vtbench_tcp.c     tcp-in, tcp-out, tcp-both
 *     vtbench_report.c  progress line, table, JSON
 *
 * "In" is host to guest and "out" guest to host, as the measured machine sees it.
 */
#ifndef VTBENCH_H
#define VTBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

#define IN_FLIGHT_MAX 64

struct options {
    const char *address;
    unsigned size;      /* bytes of a message (round trips and UDP) */
    unsigned count;     /* round trips, warm-up included */
    double seconds;     /* measured part of a bandwidth test */
    unsigned in_flight; /* messages of a burst, at most IN_FLIGHT_MAX */
    unsigned rounds;
    unsigned timeout_ms; /* the longest wait for an answer */
    unsigned echo_port;
    unsigned sink_port;
    unsigned source_port;
    bool json;
    bool quiet;
};

enum figure_kind {
    FIG_MIN_US,
    FIG_MEDIAN_US,
    FIG_P99_US,
    FIG_MAX_US,
    FIG_MESSAGES,
    FIG_LOSSES,
    FIG_WARMUP_LOSSES,
    FIG_LATE,
    FIG_CORRUPT,
    FIG_MBIT,
    FIG_OFFERED_MBIT,
    FIG_PACKETS_PER_S,
    FIG_PACKETS_SENT,
    FIG_PACKETS_RECEIVED,
    FIG_PACKETS_LOST,
    FIG_LOSS_FRACTION,
    FIG_WRONG_LENGTH,
    FIG_BURSTS,
    FIG_STALLS,
    FIG_BYTES,
    FIG_SECONDS,
    FIG_KINDS
};

/* A test of both directions has a figure of this kind for each direction and for the sum. */
enum direction { DIR_ONLY, DIR_IN, DIR_OUT, DIR_SUM };

struct figure {
    enum figure_kind kind;
    enum direction dir;
    double value;
};

/* Quantiles from the shortest to the longest, in steps of one percent. */
#define QUANTILES 101

/*
 * One round of one test. After an error it has the figures up to then, which are not used in
 * medians.
 */
struct result {
    char error[320];
    unsigned figures;
    struct figure figure[24];
    bool has_quantiles; /* of the round trips; printed only as JSON */
    double quantile_us[QUANTILES];
};

struct test {
    const char *name;
    void (*run)(const struct options *o, struct result *r);
};

/* The peer's service that a socket connects to; errors name it. */
struct service {
    const char *name;
    int type; /* SOCK_DGRAM or SOCK_STREAM */
    unsigned port;
};

/* vtbench_net.c */
uint64_t now_ns(void);
uint32_t get_be32(const unsigned char *p);
uint64_t get_be64(const unsigned char *p);
void put_be32(unsigned char *p, uint32_t value);
void *must_alloc(size_t count, size_t size);

/* Resolves o->address for all later connections. Returns false with the reason in `why`. */
bool net_resolve(const struct options *o, const char **why);
void net_release(void);

/* Returns a connected blocking socket, or -1 with r->error set. The caller closes it. */
int net_connect(const struct options *o, const struct service *s, struct result *r);

/*
 * Waits for one of `events` until `until_ns`. Returns the events of poll(), or 0 if the time is
 * over.
 */
short net_wait(int fd, short events, uint64_t until_ns);

/* Sets r->error, unless it is set, from an errno value or a text, and adds what to do next. */
void net_fail(const struct options *o, const struct service *s, int error, struct result *r);
void net_fail_text(const struct options *o, const struct service *s, struct result *r,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* vtbench_rtt.c, vtbench_udp.c, vtbench_burst.c, vtbench_tcp.c */
void run_udp_rtt(const struct options *o, struct result *r);
void run_tcp_rtt(const struct options *o, struct result *r);
void run_udp_in(const struct options *o, struct result *r);
void run_udp_out(const struct options *o, struct result *r);
void run_udp_both(const struct options *o, struct result *r);
void run_udp_burst(const struct options *o, struct result *r);
void run_tcp_in(const struct options *o, struct result *r);
void run_tcp_out(const struct options *o, struct result *r);
void run_tcp_both(const struct options *o, struct result *r);

/* vtbench_report.c */
void result_add(struct result *r, enum direction dir, enum figure_kind kind, double value);
void result_add_sum(struct result *r); /* of the two directions' bandwidths */
int compare_doubles(const void *a, const void *b);
double median_of_sorted(const double *values, size_t count);

void progress_start(const struct options *o, const char *test, unsigned round);
void progress_show(double fraction);
void progress_clear(void);

/* `results` holds o->rounds results of the first test, then those of the second, and so on. */
void report_table(const struct options *o, const struct test *const *tests, size_t count,
                  const struct result *results);
void report_json(const struct options *o, const struct test *const *tests, size_t count,
                 const struct result *results);

#endif
