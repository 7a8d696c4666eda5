/* SPDX-License-Identifier: BSD-2-Clause */
/* The first line of an HTTP request (RFC 9112 §3), to a server that has one document, at the root. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>

struct http_judgement {
    const char *status; /* as the status line of the answer has it */
    bool head;          /* HEAD: the answer has no body */
};

/* line: without its end. cut: the rest of it did not fit. */
struct http_judgement http_judge(const char *line, bool cut);

#endif
