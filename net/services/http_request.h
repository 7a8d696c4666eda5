/* SPDX-License-Identifier: BSD-2-Clause */
/* An HTTP request's first line (RFC 9112 §3), to a server that has one document, at the root, and what its
 * fields ask for (RFC 9110 §12.5). */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>

struct http_judgement {
    const char *status; /* as the status line of the answer has it */
    bool head;          /* HEAD: the answer has no body */
};

/* line: without its end. cut: the rest of it did not fit. */
struct http_judgement http_judge(const char *line, bool cut);

/* Whether a line is the field of this name, with a list that has the item, and not with a weight of 0. */
bool http_field_lists(const char *line, const char *name, const char *item);

#endif
