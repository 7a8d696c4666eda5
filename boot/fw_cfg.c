/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/fw_cfg.h"

#include <string.h>

#include "arch/arch.h"

enum {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_MAX_FILE_PATH = 56,
    FILES_MAX = 0x4000, /* the number of possible selectors */
};

static void read_bytes(void *to, size_t size)
{
    uint8_t *bytes = to;

    while (size-- > 0) {
        *bytes++ = arch_fw_cfg_read8();
    }
}

static bool is_present(void)
{
    char signature[4];

    arch_fw_cfg_select(FW_CFG_SIGNATURE);
    read_bytes(signature, sizeof signature);
    return memcmp(signature, "QEMU", sizeof signature) == 0;
}

/* Numbers in the directory are big-endian. */
static uint32_t read_be(unsigned width)
{
    uint32_t value = 0;

    while (width-- > 0) {
        value = value << 8 | arch_fw_cfg_read8();
    }
    return value;
}

size_t fw_cfg_read_file(const char *name, void *to, size_t size)
{
    uint32_t files;

    if (!is_present()) {
        return 0;
    }
    arch_fw_cfg_select(FW_CFG_FILE_DIR);
    files = read_be(4);
    for (uint32_t i = 0; i < files && i < FILES_MAX; i++) {
        uint32_t length = read_be(4);
        uint16_t selector = (uint16_t)read_be(2);
        char path[FW_CFG_MAX_FILE_PATH];

        read_be(2); /* reserved */
        read_bytes(path, sizeof path);
        if (strncmp(path, name, sizeof path) == 0) {
            arch_fw_cfg_select(selector);
            read_bytes(to, size < length ? size : length);
            return length;
        }
    }
    return 0;
}

bool fw_cfg_is_nographic(void)
{
    if (!is_present()) {
        return false;
    }
    arch_fw_cfg_select(FW_CFG_NOGRAPHIC);
    return arch_fw_cfg_read8() != 0;
}

uint64_t fw_cfg_memory_size(void)
{
    uint64_t size = 0;

    if (is_present()) {
        arch_fw_cfg_select(FW_CFG_RAM_SIZE);
        for (unsigned i = 0; i < 8; i++) {
            size |= (uint64_t)arch_fw_cfg_read8() << 8 * i;
        }
    }
    return size;
}
