/*
 * One connection to one broker.
 *
 * Invariants: sent[] is a ring in the order of sending; a response must carry the correlation id of its
 * oldest entry. in[in_at, in_n) is what was received and not yet handed out; a response handed out stays
 * where it is until the next receive.
 *
 * What is at the other end may be no broker at all: the first bytes tell an HTTP server or a TLS port
 * apart, and the error says so.
 */
#include "client/conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "wire/error.h"
#include "wire/frame.h"

#define IN_INITIAL 65536
#define RECV_MIN   65536 /* room for one recv() at least */

static int64_t now_us(const struct rw_conn *c)
{
    return rw_mono_us(c->env->clock);
}

void rw_conn_close(struct rw_conn *c)
{
    if (!c)
        return;
    rw_stream_close(c->stream);
    rw_writer_deinit(&c->out);
    rw_free(c->in);
    rw_free(c);
}

int16_t rw_conn_version(const struct rw_conn *c, int16_t api_key, int16_t cap)
{
    const struct rw_api *api = rw_api_find(api_key);
    if (!api || api_key < 0 || api_key >= RW_CONN_KEYS_MAX)
        return -1;
    int16_t max = c->versions[api_key].max, min = c->versions[api_key].min;
    if (max > api->max)
        max = api->max;
    if (max > cap)
        max = cap;
    if (min < api->min)
        min = api->min;
    return max < min ? -1 : max;
}

/* ---- sending ---- */

static int lost(struct rw_conn *c, int rc, const char *doing, struct rw_client_err *err)
{
    if (rc == RW_E_TIMEOUT)
        return rw_client_fail(err, rc, "%s: no answer from %s in time", doing, c->address);
    if (rc == RW_E_CLOSED)
        return rw_client_fail(err, rc, "%s: %s closed the connection", doing, c->address);
    return rw_client_fail(err, rc, "%s: %s: %s", doing, c->address, rw_code_text(rc));
}

static int send_version(struct rw_conn *c, const struct rw_api *api, int16_t version,
                        const void *request, void *tag, bool expect_reply, int64_t timeout_us,
                        struct rw_client_err *err)
{
    struct rw_request_header h = {.api_key = api->key,
                                  .api_version = version,
                                  .correlation_id = c->next_correlation_id,
                                  .client_id = rw_str(c->client_id)};
    if (c->sent_n == RW_CONN_PIPELINE_MAX)
        return rw_client_fail(err, RW_E_AGAIN, "too many requests under way to %s", c->address);
    rw_writer_clear(&c->out);
    rw_frame_begin(&c->out);
    rw_request_header_write(&c->out, api, &h);
    api->request_write(&c->out, version, request);
    int rc = rw_frame_end(&c->out);
    if (rc != RW_OK)
        return rw_client_fail(err, rc, "%s request: %s", api->name, rw_code_text(rc));
    rc = rw_stream_send(c->stream, c->out.buf.p, c->out.buf.n, timeout_us);
    if (rc != RW_OK)
        return lost(c, rc, api->name, err);
    c->bytes_out += c->out.buf.n;
    if (expect_reply)
        c->sent[(c->sent_head + c->sent_n++) % RW_CONN_PIPELINE_MAX] =
            (struct rw_conn_sent){api, c->next_correlation_id, version, tag, now_us(c)};
    c->next_correlation_id = c->next_correlation_id == INT32_MAX ? 0 : c->next_correlation_id + 1;
    return RW_OK;
}

int rw_conn_send(struct rw_conn *c, int16_t api_key, int16_t cap, const void *request, void *tag,
                 bool expect_reply, int64_t timeout_us, struct rw_client_err *err)
{
    const struct rw_api *api = rw_api_find(api_key);
    RW_ASSERT(api != NULL);
    int16_t version = rw_conn_version(c, api_key, cap);
    if (version < 0)
        return rw_client_fail(err, RW_E_UNSUPPORTED,
                              "%s has no version of %s that this program knows", c->address,
                              api->name);
    return send_version(c, api, version, request, tag, expect_reply, timeout_us, err);
}

/* ---- receiving ---- */

/* The size of the response at in_at with its prefix, 0 while the prefix is not complete. Negative code
 * when it makes no sense. */
static int frame_size(const struct rw_conn *c, size_t *ret_size)
{
    return rw_frame_check(c->in + c->in_at, c->in_n - c->in_at, RW_CONN_RESPONSE_MAX, ret_size);
}

bool rw_conn_has_reply(const struct rw_conn *c)
{
    size_t size;
    return c->in_n > c->in_at && frame_size(c, &size) != RW_E_SHORT;
}

/* The size makes no sense: who speaks there? */
static int not_kafka(struct rw_conn *c, struct rw_client_err *err)
{
    const uint8_t *p = c->in + c->in_at;
    if (memcmp(p, "HTTP", 4) == 0) {
        rw_client_fail(err, RW_E_CORRUPT, "%s is no broker: it answers as an HTTP server",
                       c->address);
        rw_client_hint(err, "use the port of the broker's Kafka listener, 9092 by default");
    } else if (p[0] == 0x15 && p[1] == 3) {
        rw_client_fail(err, RW_E_CORRUPT, "%s expects TLS", c->address);
        rw_client_hint(err, "use a listener without TLS: this client does not speak TLS yet");
    } else {
        rw_client_fail(err, RW_E_CORRUPT,
                       "%s is no broker: its answer begins with %02x%02x%02x%02x", c->address, p[0],
                       p[1], p[2], p[3]);
        rw_client_hint(err, "is another program listening on that port?");
    }
    return RW_E_CORRUPT;
}

/* Makes room for `size` bytes from in_at on, moving what is there to the front. */
static int make_room(struct rw_conn *c, size_t size)
{
    if (c->in_at > 0 && c->in_at + size > c->in_cap) {
        memmove(c->in, c->in + c->in_at, c->in_n - c->in_at);
        c->in_n -= c->in_at;
        c->in_at = 0;
    }
    if (c->in_at + size <= c->in_cap)
        return RW_OK;
    size_t cap = c->in_cap * 2 > size ? c->in_cap * 2 : size;
    uint8_t *p = rw_realloc(c->in, cap);
    if (!p)
        return RW_E_NOMEM;
    c->in = p;
    c->in_cap = cap;
    return RW_OK;
}

/* Receives until a whole response is there; its size with the prefix. */
static int receive_frame(struct rw_conn *c, int64_t timeout_us, size_t *ret_size)
{
    int64_t deadline = now_us(c) + timeout_us;
    for (;;) {
        size_t size = RW_FRAME_PREFIX, n;
        int rc = frame_size(c, &size);
        if (rc != RW_E_SHORT) {
            *ret_size = size;
            return rc;
        }
        size_t have = c->in_n - c->in_at;
        rc = make_room(c, size > have + RECV_MIN ? size : have + RECV_MIN);
        if (rc != RW_OK)
            return rc;
        int64_t left = deadline - now_us(c);
        rc = rw_stream_recv(c->stream, c->in + c->in_n, c->in_cap - c->in_n, left > 0 ? left : 0,
                            &n);
        if (rc != RW_OK)
            return rc;
        c->in_n += n;
        c->bytes_in += n;
    }
}

int rw_conn_receive(struct rw_conn *c, struct rw_arena *arena, int64_t timeout_us,
                    struct rw_conn_reply *ret_reply, struct rw_client_err *err)
{
    RW_ASSERT(c->sent_n > 0);
    const struct rw_conn_sent *sent = &c->sent[c->sent_head];
    size_t size = 0;
    int32_t id;
    if (c->in_at == c->in_n)
        c->in_at = c->in_n = 0;
    int rc = receive_frame(c, timeout_us, &size);
    if (rc == RW_E_CORRUPT || rc == RW_E_TOO_BIG)
        return not_kafka(c, err);
    if (rc != RW_OK)
        return lost(c, rc, sent->api->name, err);
    ret_reply->request = *sent;
    rw_reader_init(&ret_reply->body, c->in + c->in_at + RW_FRAME_PREFIX, size - RW_FRAME_PREFIX,
                   arena);
    c->in_at += size;
    rc = rw_response_header_read(&ret_reply->body, sent->api, sent->version, &id);
    if (rc == RW_OK && id != sent->correlation_id)
        rc = RW_E_CORRUPT;
    if (rc != RW_OK)
        return rw_client_fail(err, rc, "%s: the answer of %s does not belong to the request",
                              sent->api->name, c->address);
    c->sent_head = (c->sent_head + 1) % RW_CONN_PIPELINE_MAX;
    c->sent_n--;
    return RW_OK;
}

int rw_conn_decode(struct rw_conn *c, struct rw_conn_reply *reply, void **ret_response,
                   struct rw_client_err *err)
{
    const struct rw_api *api = reply->request.api;
    void *m = rw_arena_zalloc(reply->body.arena, api->response_size);
    if (!m)
        return rw_client_fail(err, RW_E_NOMEM, "out of memory");
    int rc = api->response_read(&reply->body, reply->request.version, m);
    if (rc != RW_OK)
        return rw_client_fail(err, rc, "%s: the answer of %s can not be read: %s", api->name,
                              c->address, rw_code_text(rc));
    *ret_response = m;
    return RW_OK;
}

int rw_conn_call(struct rw_conn *c, int16_t api_key, int16_t cap, const void *request,
                 struct rw_arena *arena, int64_t timeout_us, void **ret_response,
                 struct rw_client_err *err)
{
    struct rw_conn_reply reply;
    int64_t deadline = now_us(c) + timeout_us;
    RW_ASSERT(c->sent_n == 0);
    int rc = rw_conn_send(c, api_key, cap, request, NULL, true, timeout_us, err);
    if (rc == RW_OK)
        rc = rw_conn_receive(c, arena, deadline - now_us(c), &reply, err);
    if (rc == RW_OK)
        rc = rw_conn_decode(c, &reply, ret_response, err);
    return rc;
}

/* ---- opening ---- */

static int call_api_versions(struct rw_conn *c, int16_t version, struct rw_arena *arena,
                             int64_t timeout_us, struct rw_api_versions_response *ret,
                             struct rw_client_err *err)
{
    struct rw_api_versions_request request;
    struct rw_conn_reply reply;
    rw_api_versions_request_init(&request);
    request.client_software_name = RW_STR_LIT("rollway");
    request.client_software_version = RW_STR_LIT(ROLLWAY_VERSION);
    int rc = send_version(c, rw_api_find(RW_API_API_VERSIONS), version, &request, NULL, true,
                          timeout_us, err);
    if (rc == RW_OK)
        rc = rw_conn_receive(c, arena, timeout_us, &reply, err);
    if (rc != RW_OK)
        return rc;
    /* A broker that does not know our version answers with error 35 in version 0 (KIP-511). */
    struct rw_reader again = reply.body;
    int16_t error = reply.body.end - reply.body.at >= 2 ? (int16_t)rw_load_be16(reply.body.at) : 0;
    int16_t spoken = error == RW_KERR_UNSUPPORTED_VERSION ? 0 : version;
    rc = rw_api_versions_response_read(&again, spoken, ret);
    if (rc != RW_OK)
        return rw_client_fail(err, rc, "%s is no broker: its answer to ApiVersions makes no sense",
                              c->address);
    return RW_OK;
}

static int negotiate(struct rw_conn *c, int64_t timeout_us, struct rw_client_err *err)
{
    struct rw_arena arena;
    struct rw_api_versions_response response;
    int64_t deadline = now_us(c) + timeout_us;
    rw_arena_init(&arena, 4u << 20);
    int rc = call_api_versions(c, 4, &arena, timeout_us, &response, err);
    if (rc == RW_OK && response.error_code == RW_KERR_UNSUPPORTED_VERSION)
        rc = call_api_versions(c, 0, &arena, deadline - now_us(c), &response, err);
    if (rc == RW_OK && response.error_code != 0)
        rc = rw_client_fail_kafka(err, response.error_code, NULL, 0, "ApiVersions");
    for (int32_t i = 0; rc == RW_OK && i < response.n_api_keys; i++) {
        const struct rw_api_versions_response_api_key *k = &response.api_keys[i];
        if (k->api_key >= 0 && k->api_key < RW_CONN_KEYS_MAX) {
            c->versions[k->api_key].min = k->min_version;
            c->versions[k->api_key].max = k->max_version;
        }
    }
    if (rc == RW_E_CLOSED) {
        rw_client_fail(err, rc, "%s closed the connection at the first request", c->address);
        rw_client_hint(err, "is it a Kafka listener, and one without TLS?");
    } else if (rc == RW_E_TIMEOUT) {
        rw_client_fail(err, rc, "%s accepts connections but does not answer", c->address);
        rw_client_hint(err, "is it a Kafka listener? a broker that hangs shows the same picture");
    }
    rw_arena_deinit(&arena);
    return rc;
}

int rw_conn_open(const struct rw_env *env, struct rw_dialer *dialer, const char *host,
                 uint16_t port, const char *client_id, int64_t timeout_us,
                 struct rw_conn **ret_conn, struct rw_client_err *err)
{
    struct rw_err why = {0, ""};
    struct rw_conn *c = rw_zalloc(sizeof(*c));
    int64_t deadline = rw_mono_us(env->clock) + timeout_us;
    if (!c)
        return rw_client_fail(err, RW_E_NOMEM, "out of memory");
    c->env = env;
    c->client_id = client_id;
    rw_writer_init(&c->out);
    snprintf(c->address, sizeof(c->address), strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    for (int i = 0; i < RW_CONN_KEYS_MAX; i++)
        c->versions[i].max = -1;
    c->in = rw_alloc(IN_INITIAL);
    c->in_cap = c->in ? IN_INITIAL : 0;
    int rc = c->in ? RW_OK : rw_client_fail(err, RW_E_NOMEM, "out of memory");
    if (rc == RW_OK) {
        rc = rw_dial(dialer, host, port, timeout_us, &c->stream, &why);
        if (rc != RW_OK)
            rw_client_fail(err, rc, "%s", why.text);
    }
    if (rc == RW_OK)
        rc = negotiate(c, deadline - now_us(c), err);
    if (rc != RW_OK) {
        rw_conn_close(c);
        return rc;
    }
    *ret_conn = c;
    return RW_OK;
}
