/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <string.h>, and those that compilers call implicitly. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen

/*
 * Copies go a word at a time. Both architectures support unaligned words, so only the length
 * matters. may_alias lets these words alias any type.
 */
typedef uint32_t __attribute__((may_alias, aligned(1))) word_t;

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    for (; size >= sizeof(word_t); size -= sizeof(word_t)) {
        *(word_t *)t = *(const word_t *)f;
        t += sizeof(word_t);
        f += sizeof(word_t);
    }
    while (size-- > 0) {
        *t++ = *f++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if (t <= f || t >= f + size) {
        while (size-- > 0) {
            *t++ = *f++;
        }
    } else {
        while (size-- > 0) {
            t[size] = f[size];
        }
    }
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    unsigned char *t = to;
    uint32_t word = (unsigned char)byte * 0x01010101u;

    for (; size >= sizeof(word_t); size -= sizeof(word_t)) {
        *(word_t *)t = word;
        t += sizeof(word_t);
    }
    while (size-- > 0) {
        *t++ = (unsigned char)byte;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (; size > 0; size--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t length = 0;

    while (s[length] != '\0') {
        length++;
    }
    return length;
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (; size > 0; size--, a++, b++) {
        if (*a != *b || *a == '\0') {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

size_t strcspn(const char *s, const char *reject)
{
    size_t length;

    for (length = 0; s[length] != '\0'; length++) {
        for (const char *r = reject; *r != '\0'; r++) {
            if (s[length] == *r) {
                return length;
            }
        }
    }
    return length;
}

size_t strspn(const char *s, const char *accept)
{
    size_t length;

    for (length = 0; s[length] != '\0'; length++) {
        const char *a = accept;

        while (*a != '\0' && *a != s[length]) {
            a++;
        }
        if (*a == '\0') {
            break;
        }
    }
    return length;
}

int atoi(const char *s)
{
    int value = 0;

    while (*s >= '0' && *s <= '9') {
        value = value * 10 + (*s++ - '0');
    }
    return value;
}
