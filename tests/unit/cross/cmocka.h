/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of cmocka that these tests use, for processors for which there is no libcmocka package:
 * the tests run under qemu-user there. A failed assertion ends its test, as cmocka's does.
 */
#ifndef CMOCKA_H
#define CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
    int (*setup)(void **state);
    int (*teardown)(void **state);
};

#define cmocka_unit_test(f)                                                                        \
    {                                                                                              \
#f, f, NULL, NULL                                                                          \
    }
#define cmocka_unit_test_setup(f, setup)                                                           \
    {                                                                                              \
#f, f, setup, NULL                                                                         \
    }
#define cmocka_unit_test_setup_teardown(f, setup, teardown)                                        \
    {                                                                                              \
#f, f, setup, teardown                                                                     \
    }

/* One of each for the whole program, though several sources of it include this. */
__attribute__((weak)) jmp_buf cross_failed;
__attribute__((weak)) jmp_buf cross_asserted;
__attribute__((weak)) int cross_expects_assertion;

#define fail_msg(...)                                                                              \
    do {                                                                                           \
        printf("%s:%d: ", __FILE__, __LINE__);                                                     \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
        longjmp(cross_failed, 1);                                                                  \
    } while (0)

#define cross_require(condition, text)                                                             \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_msg("%s", text);                                                                  \
        }                                                                                          \
    } while (0)

#define cross_compare(a, operator, b)                                                              \
    do {                                                                                           \
        unsigned long long cross_a = (unsigned long long)(uintmax_t)(a);                           \
        unsigned long long cross_b = (unsigned long long)(uintmax_t)(b);                           \
                                                                                                   \
        if (!(cross_a operator cross_b)) {                                                         \
            fail_msg("%s " #operator" %s: 0x%llx, 0x%llx", #a, #b, cross_a, cross_b);              \
        }                                                                                          \
    } while (0)

#define assert_true(c) cross_require(c, #c)
#define assert_false(c) cross_require(!(c), "not " #c)
#define assert_null(p) cross_require((p) == NULL, #p " is NULL")
#define assert_non_null(p) cross_require((p) != NULL, #p " is not NULL")
#define assert_ptr_equal(a, b) cross_require((const void *)(a) == (const void *)(b), #a " is " #b)
#define assert_ptr_not_equal(a, b)                                                                 \
    cross_require((const void *)(a) != (const void *)(b), #a " is not " #b)
#define assert_int_equal(a, b) cross_compare(a, ==, b)
#define assert_int_not_equal(a, b) cross_compare(a, !=, b)
#define assert_in_range(a, low, high)                                                              \
    do {                                                                                           \
        cross_compare(a, >=, low);                                                                 \
        cross_compare(a, <=, high);                                                                \
    } while (0)
#define assert_memory_equal(a, b, n) cross_require(memcmp(a, b, n) == 0, #a " holds " #b)
#define assert_memory_not_equal(a, b, n) cross_require(memcmp(a, b, n) != 0, #a " differs from " #b)
#define assert_string_equal(a, b)                                                                  \
    do {                                                                                           \
        if (strcmp(a, b) != 0) {                                                                   \
            fail_msg("%s is \"%s\", not \"%s\"", #a, a, b);                                        \
        }                                                                                          \
    } while (0)

/* For code under test that asserts on its own, and a test that it does. */
#define mock_assert(result, expression, file, line)                                                \
    do {                                                                                           \
        if (!(result)) {                                                                           \
            if (cross_expects_assertion) {                                                         \
                longjmp(cross_asserted, 1);                                                        \
            }                                                                                      \
            fail_msg("%s", expression);                                                            \
        }                                                                                          \
    } while (0)
#define expect_assert_failure(call)                                                                \
    do {                                                                                           \
        cross_expects_assertion = 1;                                                               \
        if (setjmp(cross_asserted) == 0) {                                                         \
            call;                                                                                  \
            fail_msg("%s does not assert", #call);                                                 \
        }                                                                                          \
        cross_expects_assertion = 0;                                                               \
    } while (0)

static inline int cross_run_tests(const struct CMUnitTest *tests, size_t count,
                                  int (*setup)(void **state), int (*teardown)(void **state))
{
    volatile int failures = 0;
    void *group = NULL;

    if (setup != NULL && setup(&group) != 0) {
        printf("the group's setup failed\n");
        return 1;
    }
    for (volatile size_t i = 0; i < count; i++) {
        const struct CMUnitTest *test = &tests[i];
        void *state = group;

        if (setjmp(cross_failed) != 0) {
            printf("[  FAILED  ] %s\n", tests[i].name);
            failures++;
            continue;
        }
        if (test->setup != NULL && test->setup(&state) != 0) {
            fail_msg("its setup failed");
        }
        test->test(&state);
        if (test->teardown != NULL && test->teardown(&state) != 0) {
            fail_msg("its teardown failed");
        }
    }
    if (teardown != NULL && teardown(&group) != 0) {
        failures++;
    }
    printf("[==========] %zu test(s) run, %d failed.\n", count, failures);
    return failures;
}

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    cross_run_tests(tests, sizeof(tests) / sizeof(tests)[0], setup, teardown)

#endif
