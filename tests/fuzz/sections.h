/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included before the stack's sources: puts their variables into sections that stack.c saves and
 * restores.
 */
#pragma clang section bss = "fuzz_bss" data = "fuzz_data"
