/* SPDX-License-Identifier: BSD-2-Clause */
/* Included before the sources of the stack: puts their variables where stack.c can keep and restore them. */
#pragma clang section bss = "fuzz_bss" data = "fuzz_data"
