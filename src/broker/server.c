/*
 * Start and stop, as a sequence of steps with a barrier after each: a message goes to every shard, each
 * answers to shard 0 when it has done its part, and the last answer begins the next step.
 *
 *   start: service started on every shard -> listeners open
 *   stop:  listeners closed, connections of every shard gone -> service stopped on every shard
 *          -> HTTP closed -> loops end
 *
 * Connections end everywhere before any partition does, because a request on one shard may wait for a
 * partition on another. Everything here runs on shard 0 but what its comment says.
 */
#include "broker/server.h"

#include <stdatomic.h>
#include "base/assert.h"
#include "base/mem.h"
#include "broker/http.h"
#include "broker/listener.h"

enum phase { CLOSED, OPENING, SERVING, FAILED, STOPPING };

struct rw_server {
    struct rw_broker broker;
    struct rw_server_args args;
    struct rw_limits limits;
    struct rw_acceptor *acceptor;
    uint16_t ports[RW_DOORS_MAX];
    struct rw_http *http;
    struct rw_msg start, stop, reload; /* from other threads to shard 0 */
    atomic_bool reload_sent;
    struct rw_timer pulse_timer;
    struct rw_msg pulse;
    int pulse_at; /* the shard that it visits */
    enum phase phase;
    int waiting; /* shards that have not answered in this step */
    int code;    /* of the start */
    struct rw_job open_job;
    struct rw_err open_err;
    bool stop_due;     /* asked to stop while it was starting */
    bool service_open; /* open() succeeded, so that close() is due */
    bool ended;        /* every step of the stop was taken */
};

static struct rw_server *server_of(struct rw_shard *s)
{
    return RW_CONTAINER(s->broker, struct rw_server, broker);
}

/* Sends every shard its `life` message; each will answer with step_done(). */
static void step(struct rw_server *srv, void (*run)(struct rw_shard *self, struct rw_msg *m))
{
    srv->waiting = srv->broker.n_shards;
    for (int i = 0; i < srv->broker.n_shards; i++) {
        srv->broker.shards[i]->life.run = run;
        rw_shard_send(srv->broker.shards[i], &srv->broker.shards[i]->life);
    }
}

/* On the answering shard. */
static void answer(struct rw_shard *s, void (*run)(struct rw_shard *zero, struct rw_msg *m))
{
    s->life.run = run;
    rw_shard_send(s->broker->shards[0], &s->life);
}

static bool last_answer(struct rw_server *srv)
{
    RW_ASSERT(srv->waiting > 0);
    return --srv->waiting == 0;
}

/* ---- pulse ---- */

static void pulse_visit(struct rw_shard *s, struct rw_msg *m)
{
    struct rw_server *srv = server_of(s);
    struct rw_broker *b = &srv->broker;
    if (++srv->pulse_at < b->n_shards) {
        rw_shard_send(b->shards[srv->pulse_at], m);
        return;
    }
    if (s->index != 0) {
        rw_shard_send(b->shards[0], m);
        return;
    }
    srv->args.pulse(srv->args.arg);
    rw_timer_start_in(s->loop, &srv->pulse_timer, srv->args.pulse_us);
}

/* One message through all shards: it does not come back when one of them is stuck. */
static void pulse_begin(struct rw_timer *t)
{
    struct rw_server *srv = RW_CONTAINER(t, struct rw_server, pulse_timer);
    srv->pulse_at = 0;
    srv->pulse.run = pulse_visit;
    rw_shard_send(srv->broker.shards[0], &srv->pulse);
}

/* ---- start ---- */

static void begin_stop(struct rw_server *srv);

/* The start is over, well or not. */
static void opened(struct rw_server *srv, int code, const struct rw_err *err)
{
    srv->phase = code ? FAILED : SERVING;
    if (srv->stop_due)
        begin_stop(srv);
    else
        srv->args.opened(srv->args.arg, code, err);
}

static void started(struct rw_shard *zero, struct rw_msg *m)
{
    (void)m;
    struct rw_server *srv = server_of(zero);
    if (!last_answer(srv))
        return;
    struct rw_err err = {0};
    int code = srv->code;
    if (code)
        rw_err_set(&err, code, "a shard could not start: %s", rw_code_text(code));
    else if (!srv->stop_due)
        code = rw_acceptor_open(srv->acceptor, &err);
    opened(srv, code, &err);
}

static void start_failed(struct rw_shard *zero, struct rw_msg *m)
{
    server_of(zero)->code = RW_E_NOMEM; /* all that a shard's start may fail with */
    started(zero, m);
}

/* On each shard. */
static void start_shard(struct rw_shard *s, struct rw_msg *m)
{
    (void)m;
    answer(s, s->broker->service->start(s) == RW_OK ? started : start_failed);
}

/* On a worker. */
static void open_data(struct rw_job *job)
{
    struct rw_server *srv = RW_CONTAINER(job, struct rw_server, open_job);
    srv->code = srv->broker.service->open(&srv->broker, &srv->open_err);
}

static void data_open(struct rw_job *job)
{
    struct rw_server *srv = RW_CONTAINER(job, struct rw_server, open_job);
    if (srv->code) {
        opened(srv, srv->code, &srv->open_err);
        return;
    }
    srv->service_open = true;
    step(srv, start_shard);
}

static void open_begin(struct rw_shard *zero, struct rw_msg *m)
{
    (void)m;
    struct rw_server *srv = server_of(zero);
    srv->pulse_timer.fire = pulse_begin;
    if (srv->args.pulse && srv->args.pulse_us > 0)
        pulse_begin(&srv->pulse_timer);
    if (srv->phase != CLOSED)
        return; /* stopped before it began */
    srv->phase = OPENING;
    srv->open_job.work = open_data;
    srv->open_job.done = data_open;
    rw_shard_submit(zero, RW_JOB_BACKGROUND, &srv->open_job);
}

void rw_server_open(struct rw_server *s)
{
    s->start.run = open_begin;
    rw_shard_send(s->broker.shards[0], &s->start);
}

/* ---- stop ---- */

/* On each shard; the last thing its loop does. */
static void end_loop(struct rw_shard *s, struct rw_msg *m)
{
    (void)m;
    struct rw_server *srv = server_of(s);
    if (s->index == 0) {
        rw_timer_stop(s->loop, &srv->pulse_timer);
        srv->ended = true;
        srv->args.stopped(srv->args.arg);
    }
    rw_loop_stop(s->loop);
}

static void http_closed(void *arg)
{
    step(arg, end_loop); /* nobody answers any more */
}

static void close_http(struct rw_server *srv)
{
    if (srv->http)
        rw_http_close(srv->http, http_closed, srv);
    else
        http_closed(srv);
}

static void service_stopped(struct rw_shard *zero, struct rw_msg *m)
{
    (void)m;
    struct rw_server *srv = server_of(zero);
    if (last_answer(srv))
        close_http(srv);
}

/* On each shard. */
static void tell_service_stopped(struct rw_shard *s)
{
    answer(s, service_stopped);
}

static void stop_service(struct rw_shard *s, struct rw_msg *m)
{
    (void)m;
    s->broker->service->stop(s, tell_service_stopped);
}

static void conns_stopped(struct rw_shard *zero, struct rw_msg *m)
{
    (void)m;
    struct rw_server *srv = server_of(zero);
    if (!last_answer(srv))
        return;
    if (srv->service_open)
        step(srv, stop_service);
    else
        close_http(srv);
}

/* On each shard. */
static void tell_conns_stopped(struct rw_shard *s)
{
    answer(s, conns_stopped);
}

static void stop_conns(struct rw_shard *s, struct rw_msg *m)
{
    (void)m;
    rw_conns_stop(s, server_of(s)->args.stop_grace_us, tell_conns_stopped);
}

static void begin_stop(struct rw_server *srv)
{
    srv->phase = STOPPING;
    rw_acceptor_close(srv->acceptor);
    step(srv, stop_conns);
}

static void stop(struct rw_shard *zero, struct rw_msg *m)
{
    (void)m;
    struct rw_server *srv = server_of(zero);
    if (srv->phase == OPENING)
        srv->stop_due = true; /* the data can not be closed while it is being opened */
    else
        begin_stop(srv);
}

void rw_server_stop(struct rw_server *s)
{
    s->stop.run = stop;
    rw_shard_send(s->broker.shards[0], &s->stop);
}

static void reload(struct rw_shard *zero, struct rw_msg *m)
{
    (void)m;
    struct rw_server *srv = server_of(zero);
    atomic_store(&srv->reload_sent, false);
    if (srv->phase == SERVING && srv->broker.service->reload)
        srv->broker.service->reload(zero);
}

void rw_server_reload(struct rw_server *s)
{
    if (atomic_exchange(&s->reload_sent, true))
        return;
    s->reload.run = reload;
    rw_shard_send(s->broker.shards[0], &s->reload);
}

/* ---- ready? ---- */

static void unready(void *arg, struct rw_buf *reasons)
{
    struct rw_server *srv = arg;
    switch (srv->phase) {
    case CLOSED:
    case OPENING:
        rw_buf_add_str(reasons, "recovering logs and metadata\n");
        break;
    case FAILED:
        rw_buf_add_str(reasons, "the start failed, see the log\n");
        break;
    case STOPPING:
        rw_buf_add_str(reasons, "stopping\n");
        break;
    case SERVING:
        if (srv->broker.service->unready)
            srv->broker.service->unready(srv->broker.shards[0], reasons);
        break;
    }
}

/* ---- made and unmade ---- */

static int bind_all(struct rw_server *s, struct rw_err *ret_err)
{
    for (int i = 0; i < s->args.n_listeners; i++) {
        const struct rw_server_address *a = &s->args.listeners[i];
        int code = rw_acceptor_bind(s->acceptor, a->host, a->port, ret_err);
        if (code)
            return code;
        s->ports[i] = rw_acceptor_port(s->acceptor, i);
    }
    s->args.listeners = NULL; /* the caller's, and not needed any more */
    if (!s->args.http.host)
        return RW_OK;
    struct rw_http_args args = {
        .broker = &s->broker, .check_host = s->args.http_check_host, .unready = unready, .arg = s};
    s->http = rw_http_new(&args);
    if (!s->http)
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    int code = rw_http_bind(s->http, s->args.http.host, s->args.http.port, ret_err);
    if (code)
        return code;
    code = rw_http_open(s->http); /* the loop does not run yet, so this is its thread */
    return code ? rw_err_set(ret_err, code, "cannot listen for HTTP: %s", rw_code_text(code))
                : RW_OK;
}

static int make_shards(struct rw_server *s)
{
    s->broker.shards = rw_zalloc((size_t)s->args.n_loops * sizeof(s->broker.shards[0]));
    if (!s->broker.shards)
        return RW_E_NOMEM;
    for (int i = 0; i < s->args.n_loops; i++) {
        int code = rw_shard_new(&s->broker, i, s->args.loops[i], &s->limits, &s->broker.shards[i]);
        if (code)
            return code;
    }
    s->acceptor = rw_acceptor_new(&s->broker, &s->limits);
    s->broker.acceptor = s->acceptor;
    return s->acceptor ? RW_OK : RW_E_NOMEM;
}

int rw_server_new(const struct rw_server_args *args, struct rw_server **ret_server,
                  struct rw_err *ret_err)
{
    RW_ASSERT(args->n_loops > 0);
    struct rw_server *s = rw_zalloc(sizeof(*s));
    if (!s)
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    s->args = *args;
    s->limits = args->limits;
    s->broker = (struct rw_broker){.env = args->env,
                                   .net = args->net,
                                   .jobs = args->jobs,
                                   .config = args->config,
                                   .service = args->service,
                                   .n_shards = args->n_loops,
                                   .data_dir = args->data_dir,
                                   .ports = s->ports,
                                   .started_us = rw_mono_us(args->env->clock)};
    int code = make_shards(s);
    if (code)
        rw_err_set(ret_err, code, "out of memory");
    else
        code = bind_all(s, ret_err);
    if (code) {
        rw_server_free(s);
        return code;
    }
    *ret_server = s;
    return RW_OK;
}

void rw_server_free(struct rw_server *s)
{
    if (!s)
        return;
    if (s->service_open)
        s->broker.service->close(&s->broker, s->ended);
    rw_http_free(s->http);
    rw_acceptor_free(s->acceptor);
    for (int i = 0; s->broker.shards && i < s->broker.n_shards; i++)
        rw_shard_free(s->broker.shards[i]);
    rw_free(s->broker.shards);
    rw_free(s);
}

uint16_t rw_server_port(const struct rw_server *s, int listener)
{
    return rw_acceptor_port(s->acceptor, listener);
}

uint16_t rw_server_http_port(const struct rw_server *s)
{
    return s->http ? rw_http_port(s->http) : 0;
}
