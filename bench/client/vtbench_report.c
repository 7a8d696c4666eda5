/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The output: the progress line on a terminal, the table, the JSON object. This file knows a figure
 * only by its kind, so a new one needs only a line in the table of kinds.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vtbench.h"

#define PROGRESS_INTERVAL_NS (100 * NS_PER_MS)

struct kind {
    const char *key;   /* in JSON, unit included */
    const char *label; /* in the table */
    const char *unit;
    int decimals;
    bool only_if_nonzero; /* omitted from the table while it is 0 */
};

static const struct kind kinds[FIG_KINDS] = {
    [FIG_MIN_US] = {"min_us", "round trip, min", "us", 1, false},
    [FIG_MEDIAN_US] = {"median_us", "round trip, median", "us", 1, false},
    [FIG_P99_US] = {"p99_us", "round trip, p99", "us", 1, false},
    [FIG_MAX_US] = {"max_us", "round trip, max", "us", 1, false},
    [FIG_MESSAGES] = {"messages", "messages", "", 0, false},
    [FIG_LOSSES] = {"losses", "losses", "", 0, false},
    [FIG_WARMUP_LOSSES] = {"warmup_losses", "losses in warm-up", "", 0, true},
    [FIG_LATE] = {"late", "answers too late", "", 0, true},
    [FIG_CORRUPT] = {"corrupt", "answers corrupt", "", 0, true},
    [FIG_MBIT] = {"mbit_per_s", "bandwidth", "Mbit/s", 1, false},
    [FIG_OFFERED_MBIT] = {"offered_mbit_per_s", "offered", "Mbit/s", 1, false},
    [FIG_PACKETS_PER_S] = {"packets_per_s", "datagrams per second", "1/s", 0, false},
    [FIG_PACKETS_SENT] = {"packets_sent", "datagrams sent", "", 0, false},
    [FIG_PACKETS_RECEIVED] = {"packets_received", "datagrams received", "", 0, false},
    [FIG_PACKETS_LOST] = {"packets_lost", "datagrams lost", "", 0, false},
    [FIG_LOSS_FRACTION] = {"loss_fraction", "fraction lost", "", 6, false},
    [FIG_WRONG_LENGTH] = {"packets_wrong", "datagrams wrong", "", 0, true},
    [FIG_BURSTS] = {"bursts", "bursts", "", 0, false},
    [FIG_STALLS] = {"stalls", "stalls", "", 0, true},
    [FIG_BYTES] = {"bytes", "bytes", "", 0, false},
    [FIG_SECONDS] = {"seconds", "measured for", "s", 3, false},
};

static const char *const key_prefix[] = {"", "in_", "out_", "sum_"};
static const char *const label_prefix[] = {"", "in: ", "out: ", "sum: "};

static struct {
    bool active, shown;
    const char *test;
    unsigned round, rounds;
    uint64_t last_ns;
} progress;

/* A figure over all rounds. */
struct summary {
    double median, min, max;
    size_t rounds;
};

void result_add(struct result *r, enum direction dir, enum figure_kind kind, double value)
{
    if (r->figures < sizeof(r->figure) / sizeof(r->figure[0]) && isfinite(value)) {
        r->figure[r->figures++] = (struct figure){kind, dir, value};
    }
}

static const struct figure *find(const struct result *r, enum direction dir, enum figure_kind kind)
{
    for (unsigned i = 0; i < r->figures; i++) {
        if (r->figure[i].kind == kind && r->figure[i].dir == dir) {
            return &r->figure[i];
        }
    }
    return NULL;
}

void result_add_sum(struct result *r)
{
    const struct figure *in = find(r, DIR_IN, FIG_MBIT), *out = find(r, DIR_OUT, FIG_MBIT);

    if (in && out) {
        result_add(r, DIR_SUM, FIG_MBIT, in->value + out->value);
    }
}

int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double median_of_sorted(const double *values, size_t count)
{
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

void progress_start(const struct options *o, const char *test, unsigned round)
{
    progress.active = !o->quiet && isatty(STDERR_FILENO);
    progress.test = test;
    progress.round = round;
    progress.rounds = o->rounds;
    progress.last_ns = 0;
    progress_show(0);
}

void progress_show(double fraction)
{
    uint64_t now;

    if (!progress.active) {
        return;
    }
    now = now_ns();
    if (progress.last_ns && now < progress.last_ns + PROGRESS_INTERVAL_NS) {
        return;
    }
    progress.last_ns = now;
    progress.shown = true;
    fprintf(stderr, "\r\033[K%-8s  round %u of %u  %3.0f %%", progress.test, progress.round,
            progress.rounds, (fraction < 1 ? fraction : 1) * 100);
    fflush(stderr);
}

void progress_clear(void)
{
    if (progress.shown) {
        fputs("\r\033[K", stderr);
    }
    progress.shown = false;
}

/* Rounds that ended in an error are not used: their figures are of a shorter time. */
static struct summary summarize(const struct result *rounds, unsigned count,
                                const struct figure *which)
{
    double *values = must_alloc(count, sizeof(*values));
    struct summary s = {0, 0, 0, 0};

    for (unsigned i = 0; i < count; i++) {
        const struct figure *f = find(&rounds[i], which->dir, which->kind);

        if (f && !rounds[i].error[0]) {
            values[s.rounds++] = f->value;
        }
    }
    if (s.rounds) {
        qsort(values, s.rounds, sizeof(*values), compare_doubles);
        s.median = median_of_sorted(values, s.rounds);
        s.min = values[0];
        s.max = values[s.rounds - 1];
    }
    free(values);
    return s;
}

/* A round without an error has all figures of its test, so it gives the list to sum up. */
static const struct result *model_round(const struct result *rounds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!rounds[i].error[0]) {
            return &rounds[i];
        }
    }
    return NULL;
}

static void table_of_test(const char *name, const struct result *rounds, unsigned count)
{
    const struct result *model = model_round(rounds, count);
    unsigned failed = 0;

    printf("\n%s\n", name);
    for (unsigned i = 0; i < count; i++) {
        failed += rounds[i].error[0] != '\0';
    }
    if (failed) {
        printf("    %u of %u rounds failed\n", failed, count);
    }
    for (unsigned i = 0; model && i < model->figures; i++) {
        const struct figure *f = &model->figure[i];
        const struct kind *k = &kinds[f->kind];
        struct summary s = summarize(rounds, count, f);
        char label[40];

        if (k->only_if_nonzero && s.max == 0) {
            continue;
        }
        snprintf(label, sizeof(label), "%s%s", label_prefix[f->dir], k->label);
        printf("    %-26s %14.*f", label, k->decimals, s.median);
        if (s.rounds > 1) {
            printf(" %-6s  (%.*f .. %.*f)", k->unit, k->decimals, s.min, k->decimals, s.max);
        } else if (k->unit[0]) {
            printf(" %s", k->unit);
        }
        putchar('\n');
    }
}

void report_table(const struct options *o, const struct test *const *tests, size_t count,
                  const struct result *results)
{
    printf("%s, %u-byte messages", o->address, o->size);
    if (o->rounds > 1) {
        printf(", %u rounds: median (lowest .. highest)", o->rounds);
    }
    putchar('\n');
    for (size_t i = 0; i < count; i++) {
        table_of_test(tests[i]->name, results + i * o->rounds, o->rounds);
    }
}

static void json_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c < 0x20 || c > 0x7e) {
            printf("\\u%04x", c);
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

static void json_key(const struct figure *f)
{
    printf("\"%s%s\": ", key_prefix[f->dir], kinds[f->kind].key);
}

static void json_round(const struct result *r)
{
    const char *separator = "";

    putchar('{');
    if (r->error[0]) {
        fputs("\"error\": ", stdout);
        json_string(r->error);
        separator = ", ";
    }
    for (unsigned i = 0; i < r->figures; i++) {
        fputs(separator, stdout);
        json_key(&r->figure[i]);
        printf("%.*f", kinds[r->figure[i].kind].decimals, r->figure[i].value);
        separator = ", ";
    }
    for (unsigned i = 0; r->has_quantiles && i < QUANTILES; i++) {
        printf("%s%.1f", i ? ", " : ", \"quantiles_us\": [", r->quantile_us[i]);
    }
    fputs(r->has_quantiles ? "]}" : "}", stdout);
}

static void json_summary(const struct result *rounds, unsigned count)
{
    const struct result *model = model_round(rounds, count);

    for (unsigned i = 0; model && i < model->figures; i++) {
        const struct figure *f = &model->figure[i];
        struct summary s = summarize(rounds, count, f);
        int decimals = kinds[f->kind].decimals;

        fputs(i ? ",\n        " : "\n        ", stdout);
        json_key(f);
        printf("{\"median\": %.*f, \"min\": %.*f, \"max\": %.*f}", decimals + 1, s.median, decimals,
               s.min, decimals, s.max);
    }
}

void report_json(const struct options *o, const struct test *const *tests, size_t count,
                 const struct result *results)
{
    fputs("{\n  \"address\": ", stdout);
    json_string(o->address);
    printf(",\n  \"size\": %u,\n  \"tests\": {", o->size);
    for (size_t i = 0; i < count; i++) {
        const struct result *rounds = results + i * o->rounds;

        printf("%s\n    \"%s\": {\n      \"rounds\": [", i ? "," : "", tests[i]->name);
        for (unsigned j = 0; j < o->rounds; j++) {
            fputs(j ? ",\n        " : "\n        ", stdout);
            json_round(&rounds[j]);
        }
        fputs("\n      ],\n      \"summary\": {", stdout);
        json_summary(rounds, o->rounds);
        fputs("\n      }\n    }", stdout);
    }
    fputs("\n  }\n}\n", stdout);
}
