/*
 * What the HTTP server answers.
 *
 *   /livez    the event loop answers; says nothing about data or other brokers, so that a supervisor
 *             does not restart a broker that only waits for something
 *   /readyz   200 when clients may come, 503 and the reasons otherwise
 *   /healthz  the same as /readyz, in one word
 *   /metrics  Prometheus text, or OpenMetrics when asked for; with ?detail=partition every partition
 *   /metrics/kafka  the same under the names that dashboards for Apache Kafka know
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "broker/http_private.h"
#include "broker/scrape.h"

#define JSON  "application/json"
#define PLAIN "text/plain; charset=utf-8"
#define TEXT4 "text/plain; version=0.0.4; charset=utf-8"
#define OPENM "application/openmetrics-text; version=1.0.0; charset=utf-8"

static void answer_text(struct rw_http_conn *c, int status, const char *text)
{
    rw_http_answer(c, status, PLAIN, text, strlen(text));
}

static void livez(struct rw_http_conn *c)
{
    answer_text(c, 200, "ok\n");
}

/* {"status":"not ready","reasons":["...","..."]} from lines. */
static void reasons_json(struct rw_buf *out, const char *lines)
{
    struct rw_json j;
    rw_json_init(&j, out, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "status", "not ready");
    rw_json_array(&j, "reasons");
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        rw_json_str(&j, NULL, (struct rw_str){lines, (int32_t)n});
        lines += n + (lines[n] == '\n');
    }
    rw_json_end(&j);
    rw_json_end(&j);
    rw_buf_add_u8(out, '\n');
}

static void unready(struct rw_http_conn *c, struct rw_buf *lines)
{
    rw_buf_init(lines);
    c->http->args.unready(c->http->args.arg, lines);
}

static void readyz(struct rw_http_conn *c)
{
    static const char ready[] = "{\"status\":\"ready\"}\n";
    struct rw_buf lines, json;
    unready(c, &lines);
    rw_buf_init(&json);
    if (lines.n)
        reasons_json(&json, rw_buf_cstr(&lines));
    if (lines.n || lines.failed)
        rw_http_answer(c, 503, JSON, json.p, json.failed ? 0 : json.n);
    else
        rw_http_answer(c, 200, JSON, ready, sizeof(ready) - 1);
    rw_buf_deinit(&json);
    rw_buf_deinit(&lines);
}

static void healthz(struct rw_http_conn *c)
{
    struct rw_buf lines;
    unready(c, &lines);
    bool ok = !lines.n && !lines.failed;
    answer_text(c, ok ? 200 : 503, ok ? "ok\n" : "not ready, see /readyz\n");
    rw_buf_deinit(&lines);
}

static bool wants_openmetrics(const struct rw_http_conn *c)
{
    return strstr(c->parse.req.accept, "application/openmetrics-text") != NULL;
}

static void scraped(void *arg, const struct rw_buf *text)
{
    struct rw_http_conn *c = arg;
    c->scraping = false;
    if (!c->sock)
        rw_http_release(c);
    else if (text)
        rw_http_answer(c, 200, wants_openmetrics(c) ? OPENM : TEXT4, text->p, text->n);
    else
        answer_text(c, 503, "out of memory\n");
}

static void scrape(struct rw_http_conn *c, enum rw_metrics_form form)
{
    struct rw_shard *zero = c->http->args.broker->shards[0];
    c->scraping = true;
    if (rw_scrape_start(zero, form, wants_openmetrics(c), scraped, c) != RW_OK) {
        c->scraping = false;
        answer_text(c, 503, "out of memory\n");
    }
}

/* "a=1&detail=partition" */
static bool asks_for(const char *query, const char *what)
{
    size_t n = strlen(what);
    while (*query) {
        size_t length = strcspn(query, "&");
        if (length == n && memcmp(query, what, n) == 0)
            return true;
        query += length + (query[length] == '&');
    }
    return false;
}

static void metrics(struct rw_http_conn *c)
{
    bool all = asks_for(c->parse.req.query, "detail=partition");
    scrape(c, all ? RW_METRICS_OWN_PARTITIONS : RW_METRICS_OWN);
}

static void metrics_kafka(struct rw_http_conn *c)
{
    scrape(c, RW_METRICS_KAFKA);
}

static const struct {
    const char *path;
    void (*answer)(struct rw_http_conn *c);
} routes[] = {{"/metrics", metrics},
              {"/metrics/kafka", metrics_kafka},
              {"/livez", livez},
              {"/readyz", readyz},
              {"/healthz", healthz}};

/* "localhost", "127.0.0.1", "[::1]", each with or without a port. */
static bool loopback_host(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < RW_COUNT(names); i++) {
        size_t n = strlen(names[i]);
        if (strncasecmp(host, names[i], n) != 0)
            continue;
        if (host[n] == 0 || (host[n] == ':' && !host[n + 1 + strspn(host + n + 1, "0123456789")]))
            return true;
    }
    return false;
}

void rw_http_route(struct rw_http_conn *c)
{
    const struct rw_http_request *r = &c->parse.req;
    if (r->refuse) {
        answer_text(c, r->refuse, "the request is malformed or too large\n");
        return;
    }
    if (c->http->args.check_host && !loopback_host(r->host)) {
        answer_text(c, 403, "this broker answers to localhost only\n");
        return;
    }
    for (size_t i = 0; i < RW_COUNT(routes); i++) {
        if (strcmp(r->path, routes[i].path))
            continue;
        if (r->known_method)
            routes[i].answer(c);
        else
            answer_text(c, 405, "only GET and HEAD\n");
        return;
    }
    answer_text(c, 404,
                "not found; there are /metrics, /metrics/kafka, /livez, /readyz and /healthz\n");
}
