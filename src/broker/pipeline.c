/*
 * From a frame to a handler and from its answer to the output, in request order.
 *
 * Refusals, as Kafka does it: ApiVersions in an unknown version is answered in version 0 with
 * UNSUPPORTED_VERSION (KIP-511), so that the client can choose again; any other unknown API or version
 * closes the connection, and so does a body that does not decode. Each leaves a line in the log.
 *
 * A call lives from rw_pipeline_frame() until it was encoded, or until it is done on a dead
 * connection. It is never freed under a handler's feet: `done` only marks it.
 */
#include "broker/conn.h"

#include <string.h>
#include "base/assert.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "broker/metrics.h"
#include "wire/error.h"

#define API_VERSIONS   18
#define FREE_CALLS_MAX 256

static struct rw_call *call_of(struct rw_request *req)
{
    return RW_CONTAINER(req, struct rw_call, req);
}

/* ---- calls ---- */

static struct rw_call *call_take(struct rw_conns *conns)
{
    struct rw_call *call = conns->free_calls;
    if (call) {
        conns->free_calls = call->next_free;
        conns->n_free_calls--;
        struct rw_arena arena = call->req.arena;
        *call = (struct rw_call){.req.arena = arena};
        rw_list_init(&call->patient);
        return call;
    }
    call = rw_zalloc(sizeof(*call));
    if (call) {
        rw_arena_init(&call->req.arena, conns->limits->arena_bytes_max);
        rw_list_init(&call->patient);
    }
    return call;
}

static void call_free(struct rw_conn *c, struct rw_call *call)
{
    struct rw_conns *conns = c->shard->conns;
    for (struct rw_request_range *r = call->req.ranges; r; r = r->next)
        if (r->range.file) /* else the output has it */
            rw_log_range_release(&r->range);
    rw_list_remove(&call->req.link);
    c->in_flight--;
    c->in_flight_bytes -= call->frame_bytes;
    rw_metric_add(c->shard->metrics, RW_METRIC_REQUESTS_IN_FLIGHT, -1);
    rw_chunk_unref(call->chunk);
    rw_memory_charge(c->shard->memory, &call->charged, 0);
    if (call->over)
        rw_memory_over_ended(c->shard->memory);
    rw_list_remove(&call->patient);
    conns->hurried -= call->hurried;
    if (conns->n_free_calls == FREE_CALLS_MAX) {
        rw_arena_deinit(&call->req.arena);
        rw_free(call);
        return;
    }
    rw_arena_reset(&call->req.arena);
    call->next_free = conns->free_calls;
    conns->free_calls = call;
    conns->n_free_calls++;
}

void rw_calls_free(struct rw_conns *conns)
{
    while (conns->free_calls) {
        struct rw_call *call = conns->free_calls;
        conns->free_calls = call->next_free;
        rw_arena_deinit(&call->req.arena);
        rw_free(call);
    }
    conns->n_free_calls = 0;
}

/* ---- in ---- */

static bool refuse(struct rw_conn *c, const char *why, const struct rw_request_header *h)
{
    rw_metric_add(c->shard->metrics, RW_METRIC_BAD_FRAMES, 1);
    rw_diag(c->shard->env->diag, RW_WARN, "conn", why, rw_kv_str("peer", c->peer.text),
            rw_kv_str("client_id", c->client_id), rw_kv_int("api_key", h->api_key),
            rw_kv_int("api_version", h->api_version));
    rw_conn_abort(c, NULL);
    return false;
}

static void remember_client(struct rw_conn *c, struct rw_str id)
{
    size_t n = id.n > 0 ? (size_t)id.n : 0;
    if (n >= sizeof(c->client_id))
        n = sizeof(c->client_id) - 1;
    if (n && memcmp(c->client_id, id.p, n))
        memcpy(c->client_id, id.p, n);
    c->client_id[n] = 0;
}

static bool served(const struct rw_conns *conns, const struct rw_api *api, int16_t key)
{
    return api && key >= 0 && (size_t)key < RW_COUNT(conns->handlers) && conns->handlers[key];
}

/* Header and body. NULL: everything is decoded; otherwise why not. */
static const char *decode(struct rw_call *call, const uint8_t *frame, size_t n,
                          const struct rw_conns *conns)
{
    struct rw_request *req = &call->req;
    struct rw_reader r;
    rw_reader_init(&r, frame, n, &req->arena);
    int code = rw_request_header_read(&r, &req->header);
    req->api = rw_api_find(req->header.api_key);
    if (n < 8 || !served(conns, req->api, req->header.api_key))
        return n < 8 ? "closed: a request too short for its header" : "closed: unknown API";
    int16_t version = req->header.api_version;
    if (version < req->api->min || version > req->api->max) {
        if (req->header.api_key != API_VERSIONS)
            return "closed: unsupported API version";
        /* Its header may be of a form that we do not know; the correlation id is where it always is. */
        req->header.correlation_id = (int32_t)rw_load_be32(frame + 4);
        req->header.api_version = 0;
        call->error = RW_KERR_UNSUPPORTED_VERSION;
        return NULL;
    }
    if (code)
        return "closed: request header does not decode";
    req->in = rw_arena_alloc(&req->arena, req->api->request_size);
    req->out = rw_arena_alloc(&req->arena, req->api->response_size);
    if (!req->in || !req->out)
        return "closed: out of memory for a request";
    if (req->api->request_read(&r, version, req->in))
        return r.code == RW_E_NOMEM ? "closed: request too large to decode"
                                    : "closed: request does not decode";
    req->api->response_init(req->out);
    return NULL;
}

static void check_in_flight(struct rw_conn *c)
{
    const struct rw_limits *l = c->shard->conns->limits;
    rw_conn_mute(c, RW_MUTE_IN_FLIGHT,
                 c->in_flight >= l->in_flight_max || c->in_flight_bytes >= l->in_flight_bytes_max);
}

bool rw_pipeline_frame(struct rw_conn *c, const uint8_t *frame, size_t n)
{
    struct rw_conns *conns = c->shard->conns;
    struct rw_call *call = call_take(conns);
    if (!call) {
        rw_conn_abort(c, "out of memory for a request");
        return false;
    }
    struct rw_request *req = &call->req;
    req->shard = c->shard;
    req->conn = c;
    req->arrived_us = rw_shard_now_us(c->shard);
    call->chunk = rw_chunk_ref(c->in);
    call->frame_bytes = n;
    rw_list_push(&c->calls, &req->link);
    c->in_flight++;
    c->in_flight_bytes += n;
    rw_metric_add(c->shard->metrics, RW_METRIC_REQUESTS_IN_FLIGHT, 1);

    const char *why = decode(call, frame, n, conns);
    remember_client(c, req->header.client_id);
    if (why) {
        struct rw_request_header h = req->header;
        call_free(c, call);
        return refuse(c, why, &h);
    }
    /* Again when it is parked and when it is done: in between its arena may belong to another shard. */
    rw_memory_charge(c->shard->memory, &call->charged, req->arena.used);
    if (call->error) {
        call->done = true;
    } else {
        c->dispatching = true;
        conns->handlers[req->header.api_key]->handle(req);
        c->dispatching = false;
        /* The call may be gone only through encode(), which does not run while dispatching. */
        call->parked = !call->done;
        if (call->parked && req->hurry)
            rw_list_push(&conns->patient, &call->patient);
    }
    call->over = rw_memory_is_over(c->shard->memory);
    if (!c->sock)
        return false;
    rw_pipeline_encode(c);
    check_in_flight(c);
    return c->sock != NULL;
}

/* ---- handlers' side ---- */

void rw_request_done(struct rw_request *req)
{
    struct rw_call *call = call_of(req);
    struct rw_conn *c = req->conn;
    RW_ASSERT(!call->done);
    call->done = true;
    rw_list_remove(&call->patient);
    rw_memory_charge(c->shard->memory, &call->charged, req->arena.used);
    if (c->sock) {
        /* Inside the handler, rw_pipeline_frame() encodes right after it. */
        if (!c->dispatching)
            rw_conn_dirty(c);
        return;
    }
    if (call->parked) {
        call_free(c, call);
        rw_conn_release(c);
    }
}

void rw_request_parks(struct rw_request *req)
{
    struct rw_call *call = call_of(req);
    rw_memory_charge(req->conn->shard->memory, &call->charged, req->arena.used);
}

void rw_request_drop_frame(struct rw_request *req)
{
    struct rw_call *call = call_of(req);
    struct rw_conn *c = req->conn;
    rw_chunk_unref(call->chunk);
    call->chunk = NULL;
    c->in_flight_bytes -= call->frame_bytes;
    call->frame_bytes = 0;
    req->in = NULL;
    req->header.client_id = (struct rw_str){.n = -1};
    if (c->sock)
        check_in_flight(c);
}

void *rw_request_add_range(struct rw_request *req, const struct rw_log_range *take_range, bool warm)
{
    struct rw_request_range *r = rw_arena_zalloc(&req->arena, sizeof(*r));
    struct rw_log_range range = *take_range;
    if (!r) {
        rw_log_range_release(&range);
        return NULL;
    }
    r->range = range;
    r->warm = warm;
    r->next = req->ranges;
    req->ranges = r;
    return r;
}

void rw_pipeline_cancel(struct rw_conn *c)
{
    /* One cancel may finish other requests too: begin anew after each. */
    struct rw_link *it = c->calls.next;
    while (it != &c->calls) {
        struct rw_call *call = call_of(RW_CONTAINER(it, struct rw_request, link));
        it = it->next;
        if (call->done) {
            call_free(c, call);
        } else if (call->parked && !call->canceled) {
            call->canceled = true;
            rw_list_remove(&call->patient);
            if (call->req.cancel)
                call->req.cancel(&call->req);
            it = c->calls.next;
        }
    }
}

static void hurry(struct rw_call *call)
{
    struct rw_conns *conns = call->req.conn->shard->conns;
    rw_list_remove(&call->patient);
    call->hurried = call->charged + (call->chunk ? call->chunk->cap : 0);
    conns->hurried += call->hurried;
    call->req.hurry(&call->req); /* frees nothing: a call that is done lives until it is encoded */
}

void rw_pipeline_hurry(struct rw_conn *c)
{
    RW_LIST_EACH (it, &c->calls) {
        struct rw_call *call = call_of(RW_CONTAINER(it, struct rw_request, link));
        if (!rw_list_empty(&call->patient))
            hurry(call);
    }
}

bool rw_calls_hurry(struct rw_conns *conns, size_t enough)
{
    bool any = false;
    while (conns->hurried < enough && !rw_list_empty(&conns->patient)) {
        hurry(RW_CONTAINER(conns->patient.next, struct rw_call, patient));
        any = true;
    }
    return any;
}

/* ---- out ---- */

static void write_body(struct rw_writer *w, const struct rw_call *call)
{
    const struct rw_request *req = &call->req;
    if (req->encoded.p) {
        uint8_t *p = rw_writer_put(w, req->encoded.n);
        if (p)
            memcpy(p, req->encoded.p, req->encoded.n);
        return;
    }
    if (!call->error) {
        req->api->response_write(w, req->header.api_version, req->out);
        return;
    }
    /* ApiVersionsResponse v0 with one row: the versions of ApiVersions that we do know. */
    rw_write_i16(w, call->error);
    rw_write_count(w, 1, false);
    rw_write_i16(w, API_VERSIONS);
    rw_write_i16(w, req->api->advertised_min);
    rw_write_i16(w, req->api->advertised_max);
}

/* Appends the frame of one answer. False: the output is as it was before. */
static bool encode_one(struct rw_output *o, const struct rw_call *call)
{
    struct rw_writer *w = &o->w;
    size_t start = w->buf.n, inserts = w->n_inserts, inserted = w->inserted;
    rw_write_i32(w, 0);
    rw_response_header_write(w, call->req.api, call->req.header.api_version,
                             call->req.header.correlation_id);
    write_body(w, call);
    size_t size = w->buf.n - start - 4 + (w->inserted - inserted);
    if (!rw_writer_failed(w) && size <= INT32_MAX && rw_output_keep_ranges(o, inserts)) {
        rw_store_be32(w->buf.p + start, (uint32_t)size);
        return true;
    }
    w->buf.n = start;
    w->n_inserts = inserts;
    w->inserted = inserted;
    return false;
}

void rw_pipeline_latency(struct rw_conn *c, int64_t now_us)
{
    if (c->latency_n)
        rw_metric_requests(c->shard->metrics, c->latency_api, now_us - c->latency_from_us,
                           c->latency_n);
    c->latency_n = 0;
}

/* Requests that arrived together are counted together: the clock is read once for all of them. */
static void count_latency(struct rw_conn *c, const struct rw_request *req)
{
    if (c->latency_n && (c->latency_api != req->api->key || c->latency_from_us != req->arrived_us))
        rw_pipeline_latency(c, rw_mono_us(c->shard->env->clock));
    c->latency_api = req->api->key;
    c->latency_from_us = req->arrived_us;
    c->latency_n++;
}

static void count_errors(const struct rw_conn *c, const struct rw_call *call)
{
    const struct rw_request *req = &call->req;
    struct rw_metrics *m = c->shard->metrics;
    if (call->error)
        rw_metric_error(m, req->api->key, call->error);
    else if (!req->encoded.p && !c->shard->conns->handlers[req->api->key]->counts_errors)
        rw_metric_errors(m, req->api, req->header.api_version, req->out);
}

static void throttled(struct rw_conn *c, int32_t ms)
{
    rw_conn_mute(c, RW_MUTE_THROTTLE, true);
    rw_timer_start_in(c->shard->loop, &c->throttle, (int64_t)ms * 1000);
}

void rw_pipeline_encode(struct rw_conn *c)
{
    while (!c->closing && !rw_list_empty(&c->calls) && !rw_output_full(c)) {
        struct rw_call *call = call_of(RW_CONTAINER(c->calls.next, struct rw_request, link));
        if (!call->done)
            break;
        if (call->req.close_after) {
            call_free(c, call);
            rw_conn_finish(c);
            break;
        }
        if (!call->req.no_response) {
            rw_output_prepare(c);
            if (!encode_one(&c->out, call)) {
                call_free(c, call);
                rw_conn_abort(c, "an answer could not be encoded");
                return;
            }
            count_errors(c, call);
        }
        count_latency(c, &call->req);
        if (call->req.throttle_ms > 0)
            throttled(c, call->req.throttle_ms);
        call_free(c, call);
        rw_conn_dirty(c);
    }
    rw_output_charge(c);
    check_in_flight(c);
    rw_conn_mute(c, RW_MUTE_OUTPUT, rw_output_full(c));
}
