/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats the JSON text of net/stats.h as console lines. */
#ifndef FIGURES_H
#define FIGURES_H

#include <stdbool.h>
#include <stddef.h>

struct figures {
    const char *at; /* the rest of the text */
    unsigned cards; /* so far */
    char title[16]; /* of the group, if none of its figures was printed yet */
};

void figures_begin(struct figures *figures, const char *json);

/*
 * Writes the next line: the name of a group, or several "name=number" that are not zero. size: at
 * least FIGURES_WIDTH, including the terminating zero. Returns false if there is none.
 */
enum { FIGURES_WIDTH = 79 };
bool figures_next(struct figures *figures, char *line, size_t size);

#endif
