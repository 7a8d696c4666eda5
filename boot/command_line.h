/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetches the command line text, before it is parsed. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <stddef.h>
#include <stdint.h>

/* Limit of a command line and of a file with arguments, bytes. */
enum { COMMAND_LINE_MAX = 64 << 10 };

/*
 * Returns the command line if it is terminated by a 0 within `room` bytes and COMMAND_LINE_MAX.
 * Otherwise prints that it is ignored and returns an empty one.
 */
const char *command_line_check(const char *line, size_t room);

/*
 * Moves a command line to *start, as the loader may have put it into memory that will be allocated.
 * Advances *start behind it and returns its new address.
 */
const char *command_line_move(const char *line, uintptr_t *start);

/*
 * Parses the boot arguments from the loader's command line and from the file opt/vtnet/append of
 * QEMU's configuration device.
 */
void command_line_parse(const char *line);

#endif
