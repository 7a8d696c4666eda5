/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt entry points: each pushes its vector, and a zero where the processor pushes no error
 * code, so that the stack always holds a struct trap_frame (arch/i386/interrupts.c).
 */
    .altmacro
    .macro vector number
    .align 16
    .if (\number == 8) || (\number >= 10 && \number <= 14) || (\number == 17) || (\number == 21)
    nop /* the processor has pushed an error code */
    .else
    pushl $0
    .endif
    pushl $\number
    jmp trap_common
    .endm

    .text
    .global vector_stubs
    .align 16
vector_stubs:
    .set number, 0
    .rept 64 /* I386_VECTORS */
    vector %number
    .set number, number + 1
    .endr

trap_common:
    pushal
    cld
    movl %esp, %eax
    movl %esp, %ebx
    andl $-16, %esp
    subl $12, %esp
    pushl %eax
    call trap_handle
    movl %ebx, %esp
    popal
    addl $8, %esp
    iret

    .section .note.GNU-stack, "", @progbits
