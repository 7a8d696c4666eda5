/* SPDX-License-Identifier: BSD-2-Clause */
/* What cmocka.c is to know of PowerPC Linux, where its own build system does not run. */
#define HAVE_INTTYPES_H 1
#define HAVE_MALLOC_H 1
#define HAVE_SETJMP_H 1
#define HAVE_SIGNAL_H 1
#define HAVE_STDINT_H 1
#define HAVE_STRINGS_H 1
#define HAVE_TIME_H 1

#define HAVE_CLOCK_GETTIME 1
#define HAVE_CLOCK_REALTIME 1
#define HAVE_SIGLONGJMP 1
#define HAVE_SNPRINTF 1
#define HAVE_STRSIGNAL 1
#define HAVE_STRUCT_TIMESPEC 1
#define HAVE_VSNPRINTF 1
#define HAVE_GCC_THREAD_LOCAL_STORAGE 1
