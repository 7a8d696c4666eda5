/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's firmware configuration device (QEMU's docs/specs/fw_cfg). On a machine without it no file
 * exists.
 */
#ifndef FW_CFG_H
#define FW_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads up to `size` bytes of a file, e.g. of "-fw_cfg name=opt/vtnet/append,string=...". Returns
 * the file's length in bytes, or 0 if it does not exist.
 */
size_t fw_cfg_read_file(const char *name, void *to, size_t size);

/* True if QEMU was started with -nographic, so that there is no visible screen. */
bool fw_cfg_is_nographic(void);

/* Bytes of RAM; 0: unknown. */
uint64_t fw_cfg_memory_size(void);

#endif
