/* SPDX-License-Identifier: BSD-2-Clause */
/* `stats` */
#include <stdio.h>
#include <stdlib.h>

#include "console/command.h"
#include "console/figures.h"
#include "net/stats.h"

static char *json; /* as it was when the command began */
static struct figures figures;

static void stop(void)
{
    free(json);
    json = NULL;
}

static enum command_progress step(void)
{
    char text[FIGURES_WIDTH + 1];

    if (!figures_next(&figures, text, sizeof text)) {
        stop();
        return COMMAND_DONE;
    }
    printf("%s\n", text);
    return COMMAND_GOES_ON;
}

static enum command_progress start(char *const words[], unsigned count)
{
    size_t room = stats_json_room();

    (void)words, (void)count;
    json = malloc(room);
    if (json == NULL || stats_json(json, room) == 0) {
        printf("no memory for this command\n");
        stop();
        return COMMAND_DONE;
    }
    figures_begin(&figures, json);
    return COMMAND_GOES_ON;
}

const struct command command_stats = {
    .name = "stats",
    .usage = "",
    .help = "all counters that are not zero",
    .start = start,
    .step = step,
    .stop = stop,
};
