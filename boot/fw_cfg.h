/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's firmware configuration device (QEMU's docs/specs/fw_cfg). On a machine without it there
 * are no files.
 */
#ifndef FW_CFG_H
#define FW_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads a file, such as "-fw_cfg name=opt/vtnet/append,string=..." makes, up to size bytes of it.
 * Returns the file's length in bytes; 0 where there is no such file.
 */
size_t fw_cfg_read_file(const char *name, void *to, size_t size);

/* Whether QEMU was started with -nographic, so that nobody can see a screen. */
bool fw_cfg_is_nographic(void);

/* Bytes of RAM; 0: not known. */
uint64_t fw_cfg_memory_size(void);

#endif
