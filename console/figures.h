/* SPDX-License-Identifier: BSD-2-Clause */
/* The figures of net/stats.h's JSON text, as lines of a console. */
#ifndef FIGURES_H
#define FIGURES_H

#include <stdbool.h>
#include <stddef.h>

struct figures {
    const char *at; /* the rest of the text */
    unsigned cards; /* so far */
    char title[16]; /* of the group, where it has had no figure yet */
};

void figures_begin(struct figures *figures, const char *json);

/*
 * Makes the next line: the name of a group, or some "name=number" of those that are not zero. `size`
 * bytes with the terminating zero, at least FIGURES_WIDTH. Returns whether there was one.
 */
enum { FIGURES_WIDTH = 79 };
bool figures_next(struct figures *figures, char *line, size_t size);

#endif
