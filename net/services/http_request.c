/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/http_request.h"

#include <stddef.h>
#include <string.h>

static const char bad[] = "400 Bad Request";

/* The length of a word in lower case, if a text begins with it in any case; else 0. */
static size_t begins_with(const char *text, const char *word)
{
    size_t at = 0;

    while (word[at] != '\0') {
        char c = text[at] >= 'A' && text[at] <= 'Z' ? (char)(text[at] | 0x20) : text[at];

        if (c != word[at]) {
            return 0;
        }
        at++;
    }
    return at;
}

/* The characters of "http://" and of the authority behind it, that a target begins with: the absolute
 * form (RFC 9112 §3.2.2). 0: it has another form. */
static size_t authority_end(const char *target)
{
    size_t at = begins_with(target, "http://");

    return at == 0 ? 0 : at + strcspn(target + at, "/? ");
}

/* Whether a target is the root, with a query or without. In the absolute form it may be left out. */
static bool is_root(const char *target)
{
    size_t absolute = authority_end(target);
    const char *path = target + absolute;

    if (*path == '/') {
        path++;
    } else if (absolute == 0) {
        return false;
    }
    return *path == ' ' || *path == '?';
}

static bool has_authority(const char *target)
{
    size_t end = authority_end(target);

    return end == 0 || target[end - 1] != '/';
}

/* " HTTP/1.0", and any other minor number. */
static bool is_version(const char *text)
{
    static const char version[] = " HTTP/1.";
    size_t length = sizeof version - 1;

    return strncmp(text, version, length) == 0 && text[length] >= '0' && text[length] <= '9' &&
           text[length + 1] == '\0';
}

struct http_judgement http_judge(const char *line, bool cut)
{
    struct http_judgement result = {.status = bad, .head = strncmp(line, "HEAD ", 5) == 0};
    size_t method = 0;
    const char *target;
    size_t length;

    while (line[method] >= 'A' && line[method] <= 'Z') {
        method++;
    }
    if (method == 0 || line[method] != ' ') {
        return result;
    }
    target = line + method + 1;
    length = strcspn(target, " ");
    if (cut) { /* RFC 9110 §15.5.15 */
        result.status = target[length] == '\0' ? "414 URI Too Long" : bad;
    } else if (length == 0 || !is_version(target + length) || !has_authority(target)) {
        result.status = bad;
    } else if (!result.head && strncmp(line, "GET ", 4) != 0) {
        result.status = "405 Method Not Allowed";
    } else {
        result.status = is_root(target) ? "200 OK" : "404 Not Found";
    }
    return result;
}

/* Whether the parameters of an item have a weight of 0: "q=0", "q=0.0" (RFC 9110 §12.4.2). */
static bool is_refused(const char *parameters)
{
    while (*parameters != '\0' && *parameters != ',') {
        size_t weight;

        parameters += strspn(parameters, "; \t");
        weight = begins_with(parameters, "q=");
        if (weight != 0) {
            parameters += weight;
            return strspn(parameters, "0.") == strcspn(parameters, ",; \t");
        }
        parameters += strcspn(parameters, ";,");
    }
    return false;
}

bool http_field_lists(const char *line, const char *name, const char *item)
{
    size_t length = begins_with(line, name);

    if (length == 0 || line[length] != ':') {
        return false;
    }
    do {
        line += length + 1; /* behind the colon, or a comma */
        line += strspn(line, " \t");
        length = begins_with(line, item);
        if (length != 0 && strcspn(line + length, ",; \t") == 0) {
            return !is_refused(line + length);
        }
        length = strcspn(line, ",");
    } while (line[length] != '\0');
    return false;
}
