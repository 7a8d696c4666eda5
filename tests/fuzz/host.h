/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces runtime/ and arch/: the arena, a console without output, fw_cfg. */
#ifndef FUZZ_HOST_H
#define FUZZ_HOST_H

#include <stddef.h>
#include <stdint.h>

extern uint64_t host_clock_ns;

/*
 * QEMU's configuration device: the content of its directory and of each file. size 0: there is
 * none.
 */
void host_fw_cfg(const uint8_t *directory, size_t directory_size, const uint8_t *file,
                 size_t file_size);

#endif
