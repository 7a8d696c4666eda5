/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a loader's command line, before anybody reads what it says. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a command line or of a file with arguments, at the most. */
enum { COMMAND_LINE_MAX = 64 << 10 };

/*
 * Returns a command line if it ends, with a 0, within `room` bytes and COMMAND_LINE_MAX. Otherwise
 * says on the console that it is ignored, and returns an empty one.
 */
const char *command_line_check(const char *line, size_t room);

/*
 * Moves a command line to the beginning of the memory from `start` on: the loader may have put it into
 * memory that is about to be used. Moves *start behind it. Returns where it is now.
 */
const char *command_line_move(const char *line, uintptr_t *start);

/*
 * Reads the boot arguments: of the loader's line, and of the file opt/vtnet/append that QEMU's
 * configuration device may have.
 */
void command_line_parse(const char *line);

#endif
