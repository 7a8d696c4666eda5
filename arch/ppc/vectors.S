/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The code that arch/ppc/interrupts.c copies to the exception vectors, and its targets. A vector
 * sets the link register to its own address + 16 and saves r3 and the old link register in SPRG0
 * and SPRG1.
 */
#define SPRG0 272
#define SPRG1 273
#define SRR0 26
#define SRR1 27
#define DSISR 18
#define DAR 19

/* Offsets in struct trap_frame */
#define FRAME_GPR 0
#define FRAME_VECTOR 128
#define FRAME_SRR0 132
#define FRAME_SRR1 136
#define FRAME_MSR 140
#define FRAME_DSISR 144
#define FRAME_DAR 148
#define FRAME_CR 152
#define FRAME_LR 156
#define FRAME_CTR 160
#define FRAME_XER 164

/*
 * An interrupt's stack frame: back chain and LR word, then the registers that a C function may
 * change.
 */
#define IRQ_FRAME 80

    .macro vector to
    mtspr SPRG0, 3
    mflr 3
    mtspr SPRG1, 3
    bla \to
    .endm

    .text
    .global vector_to_interrupt, vector_to_exception
vector_to_interrupt:
    vector interrupt_entry
vector_to_exception:
    vector exception_entry

/* Uses the interrupted program's stack: nothing below its stack pointer is in use. */
interrupt_entry:
    stwu 1, -IRQ_FRAME(1)
    stw 0, 8(1)
    mfspr 3, SPRG0
    stw 3, 12(1)
    stw 4, 16(1)
    stw 5, 20(1)
    stw 6, 24(1)
    stw 7, 28(1)
    stw 8, 32(1)
    stw 9, 36(1)
    stw 10, 40(1)
    stw 11, 44(1)
    stw 12, 48(1)
    mfcr 4
    mfspr 5, SPRG1
    mfctr 6
    mfxer 7
    mfspr 8, SRR0
    mfspr 9, SRR1
    stw 4, 52(1)
    stw 5, 56(1)
    stw 6, 60(1)
    stw 7, 64(1)
    stw 8, 68(1)
    stw 9, 72(1)
    mflr 3
    addi 3, 3, -16
    bl interrupt_handle
    lwz 4, 52(1)
    lwz 5, 56(1)
    lwz 6, 60(1)
    lwz 7, 64(1)
    lwz 8, 68(1)
    lwz 9, 72(1)
    mtcr 4
    mtlr 5
    mtctr 6
    mtxer 7
    mtspr SRR0, 8
    mtspr SRR1, 9
    lwz 0, 8(1)
    lwz 3, 12(1)
    lwz 4, 16(1)
    lwz 5, 20(1)
    lwz 6, 24(1)
    lwz 7, 28(1)
    lwz 8, 32(1)
    lwz 9, 36(1)
    lwz 10, 40(1)
    lwz 11, 44(1)
    lwz 12, 48(1)
    addi 1, 1, IRQ_FRAME
    rfi

/* Uses a separate stack, as r1 may be invalid. Returns if a missing page was added. */
exception_entry:
    lis 3, exception_frame@ha
    addi 3, 3, exception_frame@l
    .irp n, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
    stw \n, FRAME_GPR + 4 * \n(3)
    .endr
    stmw 17, FRAME_GPR + 4 * 17(3)
    mfspr 4, SPRG0
    stw 4, FRAME_GPR + 4 * 3(3)
    mflr 4
    addi 4, 4, -16
    stw 4, FRAME_VECTOR(3)
    mfspr 4, SRR0
    stw 4, FRAME_SRR0(3)
    mfspr 4, SRR1
    stw 4, FRAME_SRR1(3)
    mfmsr 4
    stw 4, FRAME_MSR(3)
    mfspr 4, DSISR
    stw 4, FRAME_DSISR(3)
    mfspr 4, DAR
    stw 4, FRAME_DAR(3)
    mfcr 4
    stw 4, FRAME_CR(3)
    mfspr 4, SPRG1
    stw 4, FRAME_LR(3)
    mfctr 4
    stw 4, FRAME_CTR(3)
    mfxer 4
    stw 4, FRAME_XER(3)
    lis 1, exception_stack_top@ha
    addi 1, 1, exception_stack_top@l
    li 0, 0
    stwu 0, -16(1)
    bl exception_handle
    lis 3, exception_frame@ha
    addi 3, 3, exception_frame@l
    lwz 4, FRAME_CR(3)
    mtcr 4
    lwz 4, FRAME_LR(3)
    mtlr 4
    lwz 4, FRAME_CTR(3)
    mtctr 4
    lwz 4, FRAME_XER(3)
    mtxer 4
    .irp n, 0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 3
    lwz \n, FRAME_GPR + 4 * \n(3)
    .endr
    rfi

    .section .bss
    .align 4
exception_frame:
    .skip 168
    .align 4
exception_stack:
    .skip 4096
exception_stack_top:

    .section .note.GNU-stack, "", @progbits
