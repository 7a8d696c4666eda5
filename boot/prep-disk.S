/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk image that a PReP machine's firmware can boot: the raw image IMAGE in a partition of type
 * 0x41 (PowerPC Reference Platform 1.1 §5 Boot Process). The numbers of the partition table and of
 * the load image are little-endian.
 */
#define SECTOR 512
#define TYPE_PREP_BOOT 0x41

    .macro le32 value
    .byte (\value) & 0xff, (\value) >> 8 & 0xff, (\value) >> 16 & 0xff, (\value) >> 24 & 0xff
    .endm

    .section .text
    .org 446
    .byte 0x80, 0, 2, 0 /* active; cylinder, head and sector are superseded by the LBA */
    .byte TYPE_PREP_BOOT, 0, 0, 0
    le32 1
    le32 (partition_end - partition) / SECTOR
    .org 510
    .byte 0x55, 0xaa

partition:
    .org 2 * SECTOR
    le32 image - partition /* offset of the entry point */
    le32 partition_end - partition
    .org 3 * SECTOR
image:
    .incbin IMAGE
    .balign SECTOR
partition_end:

    .section .note.GNU-stack, "", @progbits
