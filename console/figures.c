/* SPDX-License-Identifier: BSD-2-Clause */
#include "console/figures.h"

#include <stdio.h>
#include <string.h>

/* A member of an object: its name, and the start of its value. */
struct member {
    const char *name;
    size_t name_length;
    const char *value;
};

void figures_begin(struct figures *figures, const char *json)
{
    *figures = (struct figures){.at = json};
}

/* Finds the next name. Strings in values have no colon after their quotes. */
static bool find_member(const char *at, struct member *member)
{
    for (;;) {
        at += strcspn(at, "\"");
        if (*at == '\0') {
            return false;
        }
        member->name = at + 1;
        member->name_length = strcspn(member->name, "\"");
        at = member->name + member->name_length;
        if (*at == '\0') {
            return false;
        }
        at++;
        if (*at == ':') {
            member->value = at + 1;
            return true;
        }
    }
}

static bool is_named(const struct member *member, const char *name)
{
    return strlen(name) == member->name_length && strncmp(member->name, name, strlen(name)) == 0;
}

/* True if a group begins: an object or, with "pci", the next card of the list. */
static bool begins_group(const struct member *member)
{
    return is_named(member, "pci") || (member->value[0] == '{' && !is_named(member, "counters"));
}

static void title(struct figures *figures, const struct member *member)
{
    if (is_named(member, "pci")) {
        snprintf(figures->title, sizeof figures->title, "card %u", figures->cards++);
    } else {
        snprintf(figures->title, sizeof figures->title, "%.*s", (int)member->name_length,
                 member->name);
    }
}

bool figures_next(struct figures *figures, char *line, size_t size)
{
    struct member member;
    size_t used = 0;

    while (find_member(figures->at, &member)) {
        size_t digits = strspn(member.value, "0123456789");

        if (begins_group(&member)) {
            if (used != 0) {
                return true;
            }
            title(figures, &member);
        } else if (member.value[0] >= '1' && member.value[0] <= '9') {
            if (figures->title[0] != '\0') {
                snprintf(line, size, "%s", figures->title);
                figures->title[0] = '\0';
                return true;
            }
            if (used + 2 + member.name_length + 1 + digits >= FIGURES_WIDTH && used != 0) {
                return true;
            }
            used +=
                (size_t)snprintf(line + used, size - used, "  %.*s=%.*s", (int)member.name_length,
                                 member.name, (int)digits, member.value);
        }
        figures->at = member.value;
    }
    return used != 0;
}
