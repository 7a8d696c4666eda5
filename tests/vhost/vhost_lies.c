/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lies of the back end. A line of standard input tells it one:
 *
 *     NAME rx|tx COUNT SEED
 *
 * COUNT: that many used entries, headers or frames, the next ones; or as many milliseconds, for what lasts.
 * It prints "NAME told" when it begins, and "NAME over" after the last. A new line ends what was before.
 */
#include "tests/vhost/vhost_lies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/vhost/vhost_ring.h"

static struct {
    const struct lie *lie; /* NULL: no lie */
    struct queue *queue;
    unsigned left;
    bool told;
    uint64_t until; /* ms */
} now;

static uint64_t random_state;

uint32_t lies_random(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

void lies_noise(void *memory, size_t length)
{
    uint8_t *bytes = memory;

    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)lies_random(256);
    }
}

static uint64_t clock_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void say(const char *what)
{
    printf("%s %s\n", now.lie->name, what);
    fflush(stdout);
}

static void over(void)
{
    say("over");
    now.lie = NULL;
}

static bool lasts(const struct lie *lie)
{
    return lie->kind == STALL || lie->kind == MUTE || lie->kind == UNHEARD;
}

/* Begins a lasting lie. A queue that must not be notified forgets a recent notification. */
static void begin(void)
{
    uint64_t kicks;

    if (now.lie->kind == UNHEARD && now.queue->running) {
        now.queue->ring->want_kick(now.queue, false);
        (void)!read(now.queue->kick, &kicks, sizeof kicks);
    }
    say("told");
}

bool lies_read(void)
{
    char line[128];
    char name[32], queue[4];
    unsigned count, seed;
    ssize_t length = read(STDIN_FILENO, line, sizeof line - 1);

    if (length <= 0) {
        return false;
    }
    line[length] = '\0';
    if (sscanf(line, "%31s %3s %u %u", name, queue, &count, &seed) != 4) {
        fprintf(stderr, "vhost-user: what is '%s'?\n", line);
        exit(2);
    }
    for (unsigned i = 0; i < lies_count; i++) {
        if (strcmp(lies[i].name, name) == 0) {
            now.lie = &lies[i];
            now.queue = &connection.queue[strcmp(queue, "tx") == 0 ? TX : RX];
            now.left = count;
            now.told = false;
            now.until = clock_ms() + count;
            random_state = seed;
            if (lasts(now.lie)) {
                begin();
            }
            return true;
        }
    }
    fprintf(stderr, "vhost-user: there is no lie '%s'\n", name);
    exit(2);
}

static bool is_about(const struct queue *queue)
{
    return now.lie != NULL && now.queue == queue;
}

/* Counts a lie. */
static void count(void)
{
    if (!now.told) {
        say("told");
        now.told = true;
    }
    if (--now.left == 0) {
        over();
    }
}

void lies_header(const struct queue *queue, struct virtio_net_hdr *header)
{
    if (is_about(queue) && (now.lie->header != NULL || now.lie->share != 0)) {
        if (now.lie->header != NULL) {
            now.lie->header(header);
        }
        count();
    }
}

void lies_used(struct queue *queue)
{
    for (unsigned i = queue->pending_count; i-- > 0 && is_about(queue) && now.lie->used != NULL;) {
        now.lie->used(queue, i);
        count();
    }
}

void lies_shown(struct queue *queue)
{
    if (is_about(queue) && now.lie->shown != NULL) {
        now.lie->shown(queue);
        count();
    }
}

size_t lies_share(const struct queue *queue, size_t length)
{
    return is_about(queue) && now.lie->share != 0 && now.lie->share < length ? now.lie->share
                                                                             : length;
}

static bool is(const struct queue *queue, int kind)
{
    return is_about(queue) && (int)now.lie->kind == kind;
}

bool lies_stall(const struct queue *queue)
{
    return is(queue, STALL) || is(queue, UNHEARD);
}

bool lies_mute(const struct queue *queue)
{
    return is(queue, MUTE);
}

bool lies_loses(const struct queue *queue)
{
    bool loses = is(queue, LOSS);

    if (loses) {
        count();
    }
    return loses;
}

unsigned lies_away(void)
{
    unsigned ms = now.lie != NULL && now.lie->kind == AWAY ? now.left : 0;

    if (ms != 0) {
        say("told");
        over();
    }
    return ms;
}

bool lies_end(void)
{
    if (now.lie == NULL || !lasts(now.lie)) {
        return false;
    }
    if (clock_ms() >= now.until) {
        over();
        return false;
    }
    return true;
}
