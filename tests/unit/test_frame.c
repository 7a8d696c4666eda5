/* SPDX-License-Identifier: BSD-2-Clause */
/* Which received frames are long enough for lwIP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <limits.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/lwip_port/frame.c"

/* In a block of its own, so that reading a byte behind it is detected. */
static bool has_header(uint16_t type, bool tagged, size_t length)
{
    uint8_t *frame = malloc(length);
    uint8_t bytes[18] = {[12] = (uint8_t)(type >> 8), [13] = (uint8_t)type};
    bool has;

    if (tagged) {
        memcpy(bytes + 16, bytes + 12, 2);
        bytes[12] = 0x81;
        bytes[13] = 0;
    }
    memset(frame, 0, length);
    memcpy(frame, bytes, length < sizeof bytes ? length : sizeof bytes);
    has = frame_has_header(frame, (uint32_t)length);
    free(frame);
    return has;
}

/* The shortest accepted frame of each kind. */
static void a_header_is_all_there_or_the_frame_is_none(void **state)
{
    static const struct {
        uint16_t type;
        uint8_t header;
    } kinds[] = {{0x0800, 20}, {0x86dd, 40}, {0x0806, 28}, {0x1234, 0}};

    (void)state;
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (size_t length = 1; length < 70; length++) {
            assert_int_equal(has_header(kinds[i].type, false, length),
                             length >= 14u + kinds[i].header);
            assert_int_equal(has_header(kinds[i].type, true, length),
                             length >= 18u + kinds[i].header);
        }
    }
}

static void a_group_and_zeros_are_no_station(void **state)
{
    static const struct {
        uint8_t mac[6];
        bool station;
    } macs[] = {
        {{0}, false},
        {{0, 0, 0, 0, 0, 1}, true},
        {{0x52, 0x54, 0, 0x12, 0x34, 0x56}, true},
        {{1, 0, 0x5e, 0, 0, 1}, false},
        {{0x33, 0x33, 0, 0, 0, 1}, false},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, false},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof macs / sizeof macs[0]; i++) {
        assert_int_equal(frame_is_station(macs[i].mac), macs[i].station);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_all_there_or_the_frame_is_none),
        cmocka_unit_test(a_group_and_zeros_are_no_station),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
