/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP's interface to the compiler and the runtime. */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* These headers do not exist here; lwIP has replacements. */
#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_LIMITS_H 1
#define INT_MAX __INT_MAX__
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H 1
#define X8_F "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "zu"

/* The compiler uses the same values as lwIP: 1234 and 4321. */
#define BYTE_ORDER __BYTE_ORDER__

#define LWIP_PLATFORM_DIAG(message)                                                                \
    do {                                                                                           \
        printf message;                                                                            \
    } while (0)
/* Abandons the handling of a packet, a connection or a timer: see net/lwip_port/guard.c. */
_Noreturn void port_assertion_failed(const char *message);
#define LWIP_PLATFORM_ASSERT(message) port_assertion_failed(message)

/* Ports and transaction numbers: see net/lwip_port/random.c. */
uint32_t lwip_port_random(void);
#define LWIP_RAND() lwip_port_random()

/* See net/lwip_port/checksum.c. */
uint16_t lwip_port_checksum(const void *data, int length);
#define LWIP_CHKSUM lwip_port_checksum

#endif
