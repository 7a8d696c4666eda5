/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt entry points. Each pushes its vector, and a zero if the processor pushes no error code,
 * so that the stack always has the layout of struct i386_trap_frame (arch/i386/internal.h).
 * Exceptions are reported on a separate stack, since the current one may be exhausted.
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
    .if \number < 32
    jmp exception_common
    .else
    jmp trap_common
    .endif
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

/* Does not return. */
exception_common:
    pushal
    cld
    movl %esp, %eax
    movl $exception_stack_top, %esp
    subl $12, %esp
    pushl %eax
    call exception_report

/*
 * Task of the double fault. The state that could not be pushed is in the program's task-state
 * segment.
 */
    .global double_fault_entry
double_fault_entry:
    cld
    call double_fault_report

    .section .bss
    .align 16
exception_stack:
    .skip 4096
    .global exception_stack_top
exception_stack_top:

    .section .note.GNU-stack, "", @progbits
