/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime's printf and allocator, and the checksum. They have names of the C library, so they
 * are included here under other names and compared with the C library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/panic.h"

int vt_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vt_vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
int vt_snprintf(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int vt_vsnprintf(char *to, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
void *vt_malloc(size_t size);
void *vt_calloc(size_t count, size_t size);
void vt_free(void *memory);

#define printf vt_printf
#define vprintf vt_vprintf
#define snprintf vt_snprintf
#define vsnprintf vt_vsnprintf
#define malloc vt_malloc
#define calloc vt_calloc
#define free vt_free
#include "runtime/printf.c"

#include "runtime/memory.c"

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/lwip_port/checksum.c"
#undef printf
#undef vprintf
#undef snprintf
#undef vsnprintf
#undef malloc
#undef calloc
#undef free

static char console[256];
static size_t console_used;

void arch_console_putc(char c)
{
    assert_true(console_used + 1 < sizeof console);
    console[console_used++] = c;
    console[console_used] = '\0';
}

void panic(const char *format, ...)
{
    mock_assert(0, format, "panic", 0);
    abort();
}

/* Compares text and count with the C library's, also where the text does not fit. */
#define CHECK(...)                                                                                 \
    do {                                                                                           \
        char ours[200], theirs[200];                                                               \
        int count = snprintf(theirs, sizeof theirs, __VA_ARGS__);                                  \
                                                                                                   \
        assert_int_equal(vt_snprintf(ours, sizeof ours, __VA_ARGS__), count);                      \
        assert_string_equal(ours, theirs);                                                         \
        for (size_t size = 1; size < (size_t)count + 3; size++) {                                  \
            memset(ours, '#', sizeof ours);                                                        \
            snprintf(theirs, size, __VA_ARGS__);                                                   \
            assert_int_equal(vt_snprintf(ours, size, __VA_ARGS__), count);                         \
            assert_string_equal(ours, theirs);                                                     \
            assert_int_equal(ours[size], '#');                                                     \
        }                                                                                          \
    } while (0)

static void integers_are_printed_as_in_c(void **state)
{
    static const long long values[] = {0,         1,         -1,           9,         10,
                                       -10,       255,       65535,        INT32_MAX, INT32_MIN,
                                       INT64_MAX, INT64_MIN, 1234567890123};

    (void)state;
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        long long v = values[i];

        CHECK("%d %i %u %x %X", (int)v, (int)v, (unsigned)v, (unsigned)v, (unsigned)v);
        CHECK("%lld %lli %llu %llx %llX", v, v, (unsigned long long)v, (unsigned long long)v,
              (unsigned long long)v);
        CHECK("%ld %lu %lx", (long)v, (unsigned long)v, (unsigned long)v);
        CHECK("%zu %zx", (size_t)v, (size_t)v);
        CHECK("[%1d|%8d|%-8d|%08d|%.5d|%8.5d|%-8.5d|%.0d]", (int)v, (int)v, (int)v, (int)v, (int)v,
              (int)v, (int)v, (int)v);
        CHECK("[%08x|%-10x|%10.4X|%016llx|%.0x]", (unsigned)v, (unsigned)v, (unsigned)v,
              (unsigned long long)v, (unsigned)v);
        CHECK("[%*d|%-*d|%.*d|%*.*d]", 7, (int)v, 7, (int)v, 7, (int)v, 9, 4, (int)v);
        CHECK("[%*d|%0*d|%.*d]", -7, (int)v, 12, (int)v, -3, (int)v);
        CHECK("[%30lld|%030lld|%.25llu|%-30llx]", v, v, (unsigned long long)v,
              (unsigned long long)v);
    }
    CHECK("%hhu %hu %hhx %hd", (unsigned char)200, (unsigned short)60000, (unsigned char)0xab,
          (short)-5);
}

static void texts_are_printed_as_in_c(void **state)
{
    static const char unterminated[3] = {'a', 'b', 'c'};

    (void)state;
    CHECK("plain");
    CHECK("%s", "");
    CHECK("100%% of %s", "it");
    CHECK("[%s|%5s|%-5s|%2s]", "abc", "abc", "abc", "abc");
    CHECK("[%.2s|%5.2s|%-5.2s|%.0s|%.9s]", "abc", "abc", "abc", "abc", "abc");
    CHECK("[%*s|%-*s|%.*s]", 6, "abc", 6, "abc", 1, "abc");
    CHECK("[%.3s]", unterminated); /* printf stops at the precision, without looking for a
                                    * terminator */
    CHECK("[%c|%3c|%-3c]", 'x', 'y', 'z');
}

static void pointers_are_printed_in_full(void **state)
{
    char text[64], expected[64];

    (void)state;
    snprintf(expected, sizeof expected, "0x%0*lx|", (int)(2 * sizeof(void *)), 0x1234abcdul);
    vt_snprintf(text, sizeof text, "%p|", (void *)0x1234abcd);
    assert_string_equal(text, expected);
    snprintf(expected, sizeof expected, "0x%0*x", (int)(2 * sizeof(void *)), 0);
    vt_snprintf(text, sizeof text, "%p", (void *)NULL);
    assert_string_equal(text, expected);
}

static void missing_texts_and_odd_formats_are_survived(void **state)
{
    const char *volatile none = NULL;
    const char *volatile open_end = "ab%";
    char text[32];

    (void)state;
    assert_int_equal(vt_snprintf(text, sizeof text, "%s", none), 6);
    assert_string_equal(text, "(null)");
    assert_int_equal(vt_snprintf(text, sizeof text, open_end, 0), 2);
    assert_string_equal(text, "ab");
}

static void size_0_only_counts(void **state)
{
    char text[4] = "xyz";

    (void)state;
    assert_int_equal(vt_snprintf(text, 0, "%d", 12345), 5);
    assert_string_equal(text, "xyz");
    assert_int_equal(vt_snprintf(NULL, 0, "%s", "four"), 4);
}

static void console_gets_carriage_returns(void **state)
{
    (void)state;
    assert_int_equal(vt_printf("one %d\ntwo\n", 1), 10);
    assert_string_equal(console, "one 1\r\ntwo\r\n");
}

static uint8_t arena[1 << 20] __attribute__((aligned(4096)));

static int give_arena(void **state)
{
    (void)state;
    memory_init((uintptr_t)arena + 3, (uintptr_t)arena + sizeof arena);
    return 0;
}

static void blocks_are_aligned_and_do_not_overlap(void **state)
{
    uint8_t *block[100];
    size_t size[100];

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        size_t align = (size_t)1 << i % 10;

        size[i] = i * i % 977 + (i == 0);
        block[i] = memory_alloc(size[i], align);
        assert_non_null(block[i]);
        assert_int_equal((uintptr_t)block[i] % (align < 16 ? 16 : align), 0);
        assert_true(block[i] > arena && block[i] + size[i] <= arena + sizeof arena);
        memset(block[i], (int)i, size[i]);
    }
    for (unsigned i = 0; i < 100; i++) {
        for (size_t at = 0; at < size[i]; at++) {
            assert_int_equal(block[i][at], i);
        }
        memory_free(block[i]); /* panics if the header was overwritten */
    }
    assert_int_equal(memory_usage().used, 0);
}

static void every_size_fits_its_class(void **state)
{
    (void)state;
    for (size_t size = 1; size < 1u << 30; size += size / 64 + 1) {
        assert_true(class_of(size) < CLASSES);
        assert_true(block_size[class_of(size)] >= size);
        if (size > 64) { /* at most an eighth is wasted */
            assert_true(class_of(size) == 0 || block_size[class_of(size) - 1] < size);
            assert_true(block_size[class_of(size)] - size <= size / 8);
        }
    }
}

static void freed_blocks_are_used_again(void **state)
{
    size_t used_before = memory_usage().used;

    (void)state;
    for (unsigned i = 0; i < 10000; i++) { /* far more than fits in the arena */
        void *a = memory_alloc(1000, 16);
        void *b = memory_alloc(4096, 4096);

        assert_true(a != NULL && b != NULL);
        assert_int_equal((uintptr_t)b % 4096, 0);
        assert_int_equal(memory_usage().used - used_before,
                         block_size[class_of(1016)] + block_size[class_of(4112)]);
        memory_free(a);
        memory_free(b);
    }
    assert_int_equal(memory_usage().used, used_before);
    memory_free(NULL);
}

/* malloc() looks up the class of a small block: it must be the one that memory_alloc() takes. */
static void small_blocks_have_the_same_class(void **state)
{
    (void)state;
    for (size_t size = 0; size < SMALL + 100; size++) {
        uint8_t *block = memory_alloc(size, 16);
        uint8_t *again;

        assert_non_null(block);
        memory_free(block);
        again = vt_malloc(size); /* the block freed last, of that class only */
        assert_ptr_equal(again, block);
        assert_int_equal(memory_usage().used, block_size[class_of(size + MIN_ALIGN)]);
        vt_free(again);
    }
    assert_int_equal(memory_usage().used, 0);
}

static void exhausted_memory_is_null(void **state)
{
    static void *block[300];
    unsigned count = 0;

    (void)state;
    assert_null(memory_alloc(SIZE_MAX, 16));
    assert_null(memory_alloc((size_t)1 << 30, 16));
    assert_null(memory_alloc(sizeof arena, 16));
    assert_null(vt_calloc(SIZE_MAX / 2, 3)); /* the product exceeds SIZE_MAX */
    while ((block[count] = memory_alloc(8000, 16)) != NULL) {
        assert_true(++count < 300);
    }
    assert_true(count > 50);
    while (count > 0) {
        memory_free(block[--count]);
    }
    assert_non_null(block[0] = vt_malloc(8000));
    vt_free(block[0]);
    assert_true(memory_usage().peak <= memory_usage().total);
}

static void calloc_clears_what_was_used_before(void **state)
{
    uint8_t *block = vt_malloc(500);

    (void)state;
    memset(block, 0xff, 500);
    vt_free(block);
    block = vt_calloc(50, 10);
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(block[i], 0);
    }
    vt_free(block);
}

static void double_and_wild_frees_are_noticed(void **state)
{
    uint8_t *block = memory_alloc(100, 16);

    (void)state;
    memory_free(block);
    expect_assert_failure(memory_free(block));
    expect_assert_failure(memory_free(arena + 4096));
}

/* Must be the last test of memory, as it uses an arena of its own. */
static void sealed_memory_is_what_was_reserved(void **state)
{
    void *block[3];
    size_t touched, before;
    uint32_t refusals;

    memset(free_list, 0, sizeof free_list);
    give_arena(state);
    assert_true(memory_reserve(1000, 3));
    assert_false(memory_reserve(sizeof arena, 1));
    touched = memory_usage().touched;
    before = memory_usage().used;
    refusals = memory_usage().refused;
    assert_true(touched >= 3000 && touched < 4000);
    assert_false(memory_usage().sealed);
    memory_seal();
    assert_true(memory_usage().sealed);
    for (unsigned turn = 0; turn < 3; turn++) {
        assert_non_null(block[0] = vt_malloc(1000));
        assert_non_null(block[1] = vt_malloc(600)); /* a block of up to twice the size is used */
        assert_null(vt_malloc(400));                /* but not a larger one */
        assert_null(vt_malloc(2000));
        assert_non_null(block[2] = vt_malloc(1000));
        assert_null(vt_malloc(1000));
        memset(block[1], 1, 600);
        for (unsigned i = 0; i < 3; i++) {
            memory_free(block[i]);
        }
        assert_int_equal(memory_usage().used, before);
    }
    assert_int_equal(memory_usage().touched, touched);
    assert_int_equal(memory_usage().refused, refusals + 9);
    sealed = false;
}

static uint16_t simple_checksum(const uint8_t *data, int length)
{
    uint32_t sum = 0;

    for (int i = 0; i < length; i += 2) {
        uint8_t pair[2] = {data[i], i + 1 < length ? data[i + 1] : 0};
        uint16_t word;

        memcpy(&word, pair, 2);
        sum += word;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

static void checksum_is_that_of_rfc_1071(void **state)
{
    static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    static const uint8_t expected[] = {0xdd, 0xf2}; /* RFC 1071 §3 */
    static uint8_t data[65536];
    uint32_t noise = 1;
    uint16_t sum = lwip_port_checksum(example, sizeof example);

    (void)state;
    assert_memory_equal(&sum, expected, 2);
    for (unsigned fill = 0; fill < 3; fill++) {
        for (unsigned i = 0; i < sizeof data; i++) {
            noise = noise * 1664525 + 1013904223;
            data[i] = fill == 0 ? 0xff : fill == 1 ? 0 : (uint8_t)(noise >> 24);
        }
        for (int start = 0; start < 8; start++) {
            for (int length = 0; length < 100; length++) {
                assert_int_equal(lwip_port_checksum(data + start, length),
                                 simple_checksum(data + start, length));
            }
            assert_int_equal(lwip_port_checksum(data + start, 65528),
                             simple_checksum(data + start, 65528));
        }
        assert_int_equal(lwip_port_checksum(data, 65535), simple_checksum(data, 65535));
        assert_int_equal(lwip_port_checksum(data, 65536), simple_checksum(data, 65536));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_printed_as_in_c),
        cmocka_unit_test(texts_are_printed_as_in_c),
        cmocka_unit_test(pointers_are_printed_in_full),
        cmocka_unit_test(missing_texts_and_odd_formats_are_survived),
        cmocka_unit_test(size_0_only_counts),
        cmocka_unit_test(console_gets_carriage_returns),
        cmocka_unit_test(blocks_are_aligned_and_do_not_overlap),
        cmocka_unit_test(every_size_fits_its_class),
        cmocka_unit_test(freed_blocks_are_used_again),
        cmocka_unit_test(small_blocks_have_the_same_class),
        cmocka_unit_test(exhausted_memory_is_null),
        cmocka_unit_test(calloc_clears_what_was_used_before),
        cmocka_unit_test(double_and_wild_frees_are_noticed),
        cmocka_unit_test(sealed_memory_is_what_was_reserved),
        cmocka_unit_test(checksum_is_that_of_rfc_1071),
    };

    return cmocka_run_group_tests(tests, give_arena, NULL);
}
