/* SPDX-License-Identifier: BSD-2-Clause */
/* The status for a request's first line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/services/http_request.h"

static void expect(const char *line, bool cut, const char *status)
{
    struct http_judgement judgement = http_judge(line, cut);

    if (strncmp(judgement.status, status, strlen(status)) != 0) {
        fail_msg("'%s' got %s", line, judgement.status);
    }
    assert_int_equal(judgement.head, strncmp(line, "HEAD ", 5) == 0);
}

static void every_line_has_its_status(void **state)
{
    static const char *const lines[][2] = {
        {"GET / HTTP/1.0", "200"},
        {"HEAD / HTTP/1.1", "200"},
        {"GET /? HTTP/1.9", "200"},
        {"GET http://a/ HTTP/1.1", "200"},
        {"HEAD hTTp://a:80?b HTTP/1.1", "200"},
        {"GET http://a HTTP/1.1", "200"},
        {"GET http://a/b HTTP/1.1", "404"},
        {"GET http://a// HTTP/1.1", "404"},
        {"GET // HTTP/1.0", "404"},
        {"GET /x HTTP/1.0", "404"},
        {"GET ? HTTP/1.0", "404"},
        {"GET http:/a/ HTTP/1.0", "404"},
        {"GET https://a/ HTTP/1.0", "404"},
        {"POST / HTTP/1.0", "405"},
        {"HEADS / HTTP/1.0", "405"},
        {"OPTIONS * HTTP/1.1", "405"},
        {"GET http:// HTTP/1.0", "400"},
        {"GET http:///a HTTP/1.0", "400"},
        {"GET http://?a HTTP/1.0", "400"},
        {"GET / HTTP/2.0", "400"},
        {"GET / HTTP/1.", "400"},
        {"GET / HTTP/1.01", "400"},
        {"GET /", "400"},
        {"GET  HTTP/1.0", "400"},
        {"get / HTTP/1.0", "400"},
        {"GET", "400"},
        {" / HTTP/1.0", "400"},
        {"", "400"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        expect(lines[i][0], false, lines[i][1]);
    }
}

static void only_a_long_target_is_too_long(void **state)
{
    (void)state;
    expect("GET /aaaa", true, "414");
    expect("HEAD http://a", true, "414");
    expect("POST ", true, "414");
    expect("GET / HTTP/1.0", true, "400");
    expect("GET", true, "400");
    expect("aaaa", true, "400");
}

static void fields_list_items(void **state)
{
    static const struct {
        const char *line;
        bool html;
    } lines[] = {
        {"Accept: text/html", true},
        {"accept:text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
        {"ACCEPT: application/json,\ttext/HTML ;level=1;q=0.5", true},
        {"Accept: , ,text/html,", true},
        {"Accept: text/html;q=0.001", true},
        {"Accept: text/html;q=1", true},
        {"Accept: text/html;q=0", false},
        {"Accept: text/html; level=1 ; Q=0.000, */*", false},
        {"Accept: text/html;level=0,a;q=0", true},
        {"Accept: text/htmlx, xtext/html, text/html2", false},
        {"Accept: */*", false},
        {"Accept: text/*", false},
        {"Accept:", false},
        {"Accept", false},
        {"Accept : text/html", false},
        {"Accept-Encoding: text/html", false},
        {"X-Accept: text/html", false},
        {"", false},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (http_field_lists(lines[i].line, "accept", "text/html") != lines[i].html) {
            fail_msg("'%s'", lines[i].line);
        }
    }
    assert_true(http_field_lists("Accept-Encoding: gzip, deflate, br", "accept-encoding", "gzip"));
    assert_false(http_field_lists("Accept-Encoding: identity", "accept-encoding", "gzip"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_list_items),
        cmocka_unit_test(every_line_has_its_status),
        cmocka_unit_test(only_a_long_target_is_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
