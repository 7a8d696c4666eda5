/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ROM for QEMU's PReP machines ("-bios"), which QEMU maps at 0xfff00000. It starts the raw image
 * that "-kernel" puts at 0x01000000.
 */
#define KERNEL 0x01000000
#define ELF_MAGIC 0x7f454c46 /* an ELF file, instead of the raw image */
#define UART 0x800003f8
#define UART_LINE_STATUS 5
#define UART_STATUS_EMPTY 0x20

    .section .text
    .org 0x100
    .global _start
_start:
    lis 3, KERNEL@h
    lwz 4, 0(3)
    cmpwi 4, 0
    beq no_image
    lis 5, ELF_MAGIC@h
    ori 5, 5, ELF_MAGIC@l
    cmpw 4, 5
    beq elf_image
    mtctr 3
    bctr

no_image:
    bl say
    .string "vtnet: no image at 0x01000000: start QEMU with -kernel, too\r\n"
    .align 2
elf_image:
    bl say
    .string "vtnet: -kernel names an ELF file: this ROM takes the .bin beside it\r\n"
    .align 2

/* Prints the string that follows the call, then loops forever. */
say:
    lis 3, UART@h
    ori 3, 3, UART@l
    mflr 4
2:  lbz 5, 0(4)
    cmpwi 5, 0
3:  beq 3b
4:  lbz 6, UART_LINE_STATUS(3)
    andi. 6, 6, UART_STATUS_EMPTY
    beq 4b
    stb 5, 0(3)
    sync
    addi 4, 4, 1
    b 2b

    .section .note.GNU-stack, "", @progbits
