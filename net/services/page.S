/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's page for browsers: the file PAGE. */
    .section .rodata.stats_page, "a"
    .global stats_page
    .global stats_page_size
    .balign 4
stats_page_size:
    .long stats_page_end - stats_page
stats_page:
    .incbin PAGE
stats_page_end:

    .section .note.GNU-stack, "", @progbits
