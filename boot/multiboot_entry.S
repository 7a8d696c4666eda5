/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry from a Multiboot 1 loader (Multiboot Specification 0.6.96 §3.2): 32-bit protected mode,
 * flat segments, paging and interrupts off. EAX contains the magic number, EBX the address of the
 * information structure.
 */
#define MULTIBOOT_HEADER_MAGIC 0x1badb002
#define MULTIBOOT_HEADER_FLAGS 0x00000002 /* request memory information */

    .section .multiboot, "a"
    .align 4
    .long MULTIBOOT_HEADER_MAGIC
    .long MULTIBOOT_HEADER_FLAGS
    .long -(MULTIBOOT_HEADER_MAGIC + MULTIBOOT_HEADER_FLAGS)

    .section .text.entry, "ax"
    .global multiboot_entry
multiboot_entry:
    cli
    cld
    movl $boot_stack_top, %esp
    /*
     * Loads our own descriptor table, since the loader's may be in memory that will be overwritten.
     */
    lgdt gdt_pointer
    ljmp $0x08, $1f
1:  movl $0x10, %ecx
    movl %ecx, %ds
    movl %ecx, %es
    movl %ecx, %fs
    movl %ecx, %gs
    movl %ecx, %ss
    xorl %ebp, %ebp
    /* The System V ABI requires a 16-byte aligned stack at a call. */
    subl $8, %esp
    pushl %ebx
    pushl %eax
    call multiboot_start
2:  cli
    hlt
    jmp 2b

    /* Writable, because the processor marks the running task in it. */
    .data
    .align 8
    .global gdt
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* 0x08: code, ring 0, 4 GiB */
    .quad 0x00cf93000000ffff /* 0x10: data, ring 0, 4 GiB */
    .quad 0 /* 0x18, 0x20: tasks of the program and of the double fault (exceptions.c) */
    .quad 0
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt

    .section .bss.stack, "aw", @nobits
    .align 16
boot_stack:
    .skip 32768
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
