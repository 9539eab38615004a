/* The HTTP server: paths, limits, keep-alive, Host; and the metrics as promtool wants them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "broker/http_private.h"
#include "rig.h"

/* ---- the parser, alone ---- */

static int parse_all(const char *text, size_t step, struct rw_http_parser *p)
{
    size_t n = strlen(text), at = 0;
    rw_http_parser_init(p);
    while (at < n) {
        size_t used, take = n - at < step ? n - at : step;
        enum rw_http_parse got = rw_http_parse(p, text + at, take, &used);
        at += used;
        if (got != RW_HTTP_MORE)
            return (int)got;
    }
    return RW_HTTP_MORE;
}

static void requests_in_pieces(void **state)
{
    (void)state;
    static const char text[] = "GET /metrics?detail=1 HTTP/1.1\r\nHost: localhost:9644\r\n"
                               "X-Other: 1\r\nACCEPT: text/plain\r\n\r\n";
    for (size_t step = 1; step <= sizeof(text); step++) {
        struct rw_http_parser p;
        assert_int_equal(parse_all(text, step, &p), RW_HTTP_COMPLETE);
        assert_string_equal(p.req.path, "/metrics");
        assert_string_equal(p.req.host, "localhost:9644");
        assert_string_equal(p.req.accept, "text/plain");
        assert_true(p.req.keep_alive);
        assert_true(p.req.known_method);
    }
}

static void refused(const char *text, int status)
{
    struct rw_http_parser p;
    assert_int_equal(parse_all(text, 7, &p), RW_HTTP_BAD);
    assert_int_equal(p.req.refuse, status);
    assert_false(p.req.keep_alive);
}

static void limits(void **state)
{
    (void)state;
    struct rw_buf b;
    rw_buf_init(&b);
    rw_buf_add_str(&b, "GET /");
    for (int i = 0; i < 600; i++)
        rw_buf_add_str(&b, "a");
    rw_buf_add_str(&b, " HTTP/1.1\r\n\r\n");
    refused(rw_buf_cstr(&b), 414);
    rw_buf_clear(&b);
    rw_buf_add_str(&b, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 1000; i++)
        rw_buf_add_str(&b, "X-Many: headers\r\n");
    refused(rw_buf_cstr(&b), 431);
    rw_buf_clear(&b);
    rw_buf_add_str(&b, "POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
    for (int i = 0; i < 70000; i++)
        rw_buf_add_str(&b, "x");
    refused(rw_buf_cstr(&b), 413);
    rw_buf_deinit(&b);
    refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
    refused("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
    refused("\x16\x03\x01 nothing of the kind\r\n\r\n", 400);
}

/* ---- the server ---- */

static void expect(const struct rig *r, const char *request, const char *status, const char *part)
{
    struct rw_buf answer;
    rw_buf_init(&answer);
    rig_http(r->http_port, request, &answer);
    const char *text = rw_buf_cstr(&answer);
    if (strncmp(text, status, strlen(status)) || (part && !strstr(text, part)))
        fail_msg("asked:\n%s\ngot:\n%s", request, text);
    rw_buf_deinit(&answer);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static void paths(void **state)
{
    (void)state;
    struct rig r;
    memset(&rig_service, 0, sizeof(rig_service));
    rig_start(&r, 2, NULL);
    expect(&r, GET("/livez"), "HTTP/1.1 200", "\r\n\r\nok\n");
    expect(&r, GET("/readyz"), "HTTP/1.1 200", "{\"status\":\"ready\"}");
    expect(&r, GET("/healthz"), "HTTP/1.1 200", "ok");
    expect(&r, GET("/metrics"), "HTTP/1.1 200", "rollway_rpc_active_connections");
    expect(&r, GET("/nothing"), "HTTP/1.1 404", NULL);
    expect(&r, "POST /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
           "HTTP/1.1 405", "Allow: GET, HEAD");
    expect(&r, "HEAD /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
           "HTTP/1.1 200", "Content-Length: 3");
    expect(&r, "GET /livez HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
           "HTTP/1.1 403", NULL);
    expect(&r, "garbage\r\n\r\n", "HTTP/1.1 400", NULL);
    expect(&r,
           "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
           "Accept: application/openmetrics-text;version=1.0.0\r\n\r\n",
           "HTTP/1.1 200", "# EOF\n");
    /* Two requests in one packet, the second of which ends the connection. */
    expect(&r, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" GET("/nothing"), "HTTP/1.1 200",
           "HTTP/1.1 404");
    rig_stop(&r);
}

static void not_ready_says_why(void **state)
{
    (void)state;
    struct rig r;
    memset(&rig_service, 0, sizeof(rig_service));
    rig_service.start_code = RW_E_NOMEM;
    rig_start(&r, 1, NULL);
    expect(&r, GET("/readyz"), "HTTP/1.1 503",
           "{\"status\":\"not ready\",\"reasons\":[\"the start failed, see the log\"]}");
    expect(&r, GET("/livez"), "HTTP/1.1 200", NULL);
    rig_stop(&r);
}

/* Stops while a scrape may be under way: nothing is left behind (the sanitizers look). */
static void stop_during_scrapes(void **state)
{
    (void)state;
    static const char get[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    memset(&rig_service, 0, sizeof(rig_service));
    for (int i = 0; i < 20; i++) {
        struct rig r;
        rig_start(&r, 2, NULL);
        int fd = rig_connect(r.http_port);
        rig_send(fd, get, sizeof(get) - 1);
        struct timespec wait = {0, i * 20000};
        nanosleep(&wait, NULL);
        rig_stop(&r);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_in_pieces),
        cmocka_unit_test(limits),
        cmocka_unit_test(paths),
        cmocka_unit_test(not_ready_says_why),
        cmocka_unit_test(stop_during_scrapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
