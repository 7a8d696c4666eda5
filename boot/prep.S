/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry on a PReP machine, from the processor's reset vector, a ROM or OpenBIOS. The entry point is
 * prep_entry, at any address in RAM, with address translation off or one to one. The image moves
 * itself to its link address and continues there with translation and interrupts off and the
 * exception vectors at 0.
 */
#define MSR_ME 0x1000
#define SRR0 26
#define SRR1 27
#define CACHE_LINE 32

    .section .reset, "ax"
    .global reset_vector
reset_vector:
    lis 3, prep_entry@h
    ori 3, 3, prep_entry@l
    mtctr 3
    bctr

    .section .text.entry, "ax"
    .global prep_entry
prep_entry:
    mfmsr 31
    bl 1f
1:  mflr 30
    addi 30, 30, prep_entry - 1b
    addi 3, 30, 2f - prep_entry
    mtspr SRR0, 3
    li 3, MSR_ME
    mtspr SRR1, 3
    rfi

    /* r30: current address of the image; r31: MSR at the entry */
2:  lis 4, image_start@h
    ori 4, 4, image_start@l
    lis 5, image_file_end@h
    ori 5, 5, image_file_end@l
    cmplw 30, 4
    beq 5f
    subf 6, 4, 5
    srwi 6, 6, 2
    mtctr 6
    addi 7, 30, -4
    addi 8, 4, -4
3:  lwzu 0, 4(7)
    stwu 0, 4(8)
    bdnz 3b
    /* Write the copy back to memory, and invalidate the instruction cache. */
    mr 7, 4
4:  dcbst 0, 7
    sync
    icbi 0, 7
    addi 7, 7, CACHE_LINE
    cmplw 7, 5
    blt 4b
    sync
    isync
5:  lis 3, linked@h
    ori 3, 3, linked@l
    mtctr 3
    bctr

    .text
linked:
    lis 4, image_end@h
    ori 4, 4, image_end@l
    subf 6, 5, 4
    srwi. 6, 6, 2
    beq 7f
    mtctr 6
    li 0, 0
    addi 5, 5, -4
6:  stwu 0, 4(5)
    bdnz 6b
7:  lis 1, boot_stack_top@ha
    addi 1, 1, boot_stack_top@l
    li 0, 0
    stwu 0, -16(1)
    mr 3, 30
    mr 4, 31
    bl prep_start
8:  b 8b

    .section .bss.stack, "aw", @nobits
    .align 4
boot_stack:
    .skip 32768
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
