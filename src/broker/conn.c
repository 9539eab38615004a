/*
 * The life of a connection, and the shard's list of them.
 *
 * Invariants: a connection with sock == NULL is dead; it stays in memory until its requests are done
 * and its job has ended, then travels to shard 0, which counts connections, and is freed there. It
 * leaves at the end of a turn and not before, because whoever found it dead may still look at it.
 * `link` is in the shard's list from adopt to death, the least recently active first.
 */
#include "broker/conn.h"

#include <string.h>
#include "base/assert.h"
#include "base/mem.h"
#include "broker/metrics.h"

#define SWEEP_US 1000000

void rw_limits_init(struct rw_limits *l)
{
    *l = (struct rw_limits){.request_bytes_max = 104857600,
                            .memory_bytes = 256u << 20,
                            .arena_bytes_max = 64u << 20,
                            .in_flight_max = 256,
                            .in_flight_bytes_max = 16u << 20,
                            .output_bytes_max = 1u << 20,
                            .output_ranges_max = 64,
                            .idle_us = 600000 * INT64_C(1000),
                            .stall_us = 30000 * INT64_C(1000),
                            .linger_us = 10000 * INT64_C(1000),
                            .pressure_us = 10000 * INT64_C(1000),
                            .pressure_rate = 65536,
                            .listen_backlog = 512,
                            .socket_send_bytes = -1,
                            .socket_receive_bytes = -1,
                            .connections_room = INT32_MAX,
                            .connections_max = INT32_MAX,
                            .connections_per_ip_max = INT32_MAX};
}

/* ---- state of one ---- */

void rw_conn_dirty(struct rw_conn *c)
{
    if (rw_list_empty(&c->dirty))
        rw_list_push(&c->shard->conns->dirty, &c->dirty);
}

void rw_conn_touch(struct rw_conn *c)
{
    struct rw_link *all = &c->shard->conns->all;
    c->active_us = rw_shard_now_us(c->shard);
    if (all->prev == &c->link)
        return;
    rw_list_remove(&c->link);
    rw_list_push(all, &c->link);
}

void rw_conn_mute(struct rw_conn *c, enum rw_mute why, bool on)
{
    unsigned mute = on ? c->mute | (unsigned)why : c->mute & ~(unsigned)why;
    if (mute == c->mute)
        return;
    c->mute = mute;
    rw_conn_dirty(c); /* what the socket is watched for is settled at the turn's end */
}

static void tell_gone(struct rw_shard *zero, struct rw_msg *m)
{
    (void)zero;
    struct rw_conn *c = RW_CONTAINER(m, struct rw_conn, msg);
    c->gone(c);
}

static void check_stopped(struct rw_conns *conns)
{
    if (!conns->stopping || conns->count || !conns->stopped)
        return;
    void (*stopped)(struct rw_shard *) = conns->stopped;
    conns->stopped = NULL;
    stopped(conns->shard);
}

void rw_conn_release(struct rw_conn *c)
{
    if (c->sock || c->released || c->cold || !rw_list_empty(&c->calls))
        return;
    c->released = true;
    rw_list_remove(&c->dirty);
    rw_list_push(&c->shard->conns->dead, &c->dirty);
}

/* Shard 0 frees it on its own thread, as soon as it likes: nothing here may refer to it any more. */
static void bury(struct rw_conns *conns)
{
    struct rw_shard *s = conns->shard;
    struct rw_link *it;
    while ((it = rw_list_pop(&conns->dead))) {
        struct rw_conn *c = RW_CONTAINER(it, struct rw_conn, dirty);
        c->msg.run = tell_gone;
        rw_shard_send(s->broker->shards[0], &c->msg);
        conns->count--;
        rw_metric_add(s->metrics, RW_METRIC_CONNECTIONS, -1);
    }
    check_stopped(conns);
}

void rw_conn_abort(struct rw_conn *c, const char *why)
{
    if (!c->sock)
        return;
    if (why)
        rw_diag(c->shard->env->diag, RW_WARN, "conn", "closed", rw_kv_str("reason", why),
                rw_kv_str("peer", c->peer.text), rw_kv_str("client_id", c->client_id));
    rw_sock_close(c->sock);
    c->sock = NULL;
    rw_list_remove(&c->link);
    rw_list_remove(&c->dirty);
    rw_memory_leave(&c->waiter);
    rw_timer_stop(c->shard->loop, &c->throttle);
    c->latency_n = 0;
    rw_chunk_unref(c->in);
    c->in = NULL;
    if (!c->cold)
        rw_output_drop(c);
    rw_pipeline_cancel(c);
    rw_conn_release(c);
}

void rw_conn_finish(struct rw_conn *c)
{
    c->closing = true;
    rw_conn_dirty(c);
}

/* ---- events ---- */

static void on_ready(void *arg, unsigned events)
{
    struct rw_conn *c = arg;
    if (events & RW_NET_HANGUP) {
        rw_conn_abort(c, NULL);
        return;
    }
    if (events & RW_NET_WRITE) {
        c->blocked = false;
        rw_conn_dirty(c);
    }
    if (events & RW_NET_READ)
        rw_input_read(c);
}

static bool memory_again(struct rw_memory_waiter *w)
{
    struct rw_conn *c = RW_CONTAINER(w, struct rw_conn, waiter);
    rw_conn_mute(c, RW_MUTE_MEMORY, false);
    return rw_input_again(c);
}

static void throttle_over(struct rw_timer *t)
{
    rw_conn_mute(RW_CONTAINER(t, struct rw_conn, throttle), RW_MUTE_THROTTLE, false);
}

/* Encodes, sends, reads on; then settles what the socket is watched for. */
static void settle(struct rw_conn *c)
{
    rw_pipeline_encode(c);
    if (c->sock && !c->blocked)
        rw_output_send(c);
    if (c->sock) {
        rw_conn_mute(c, RW_MUTE_OUTPUT, rw_output_full(c));
        if (c->latency_n)
            rw_pipeline_latency(c, rw_mono_us(c->shard->env->clock));
        rw_input_pump(c);
    }
    if (!c->sock)
        return;
    bool over = c->closing || ((c->mute & RW_MUTE_END) && rw_list_empty(&c->calls));
    if (over && !rw_output_pending(c)) {
        rw_conn_abort(c, NULL);
        return;
    }
    rw_sock_want(c->sock, (c->mute || c->closing ? 0 : (unsigned)RW_NET_READ) |
                              (c->blocked ? (unsigned)RW_NET_WRITE : 0));
}

/* Who waits for something better to be answered, as a fetch waits for records, waits at the cost of
 * those who can not even ask: the answer is what there is. The first parked first, and no more than
 * makes room for a while. */
static size_t relief(const struct rw_conns *conns)
{
    return rw_memory_limit(conns->shard->memory) / 4;
}

static bool turn_end(struct rw_hook *h)
{
    struct rw_conns *conns = RW_CONTAINER(h, struct rw_conns, hook);
    bool any = rw_memory_wake(conns->shard->memory);
    struct rw_link *it;
    while ((it = rw_list_pop(&conns->dirty))) {
        settle(RW_CONTAINER(it, struct rw_conn, dirty));
        any = true;
    }
    /* Those that are done at once are dirty now: another round. */
    if (rw_memory_scarce(conns->shard->memory))
        any |= rw_calls_hurry(conns, relief(conns));
    bury(conns);
    return any;
}

/* ---- idle time ---- */

/* NULL: may stay. */
static const char *overdue(const struct rw_conn *c, const struct rw_limits *l, int64_t quiet_us)
{
    if ((c->mute & RW_MUTE_END) && quiet_us >= l->linger_us)
        return "the peer has gone before its answers were ready";
    if (rw_input_partial(c) && !c->mute && quiet_us >= l->stall_us)
        return "a request was begun and not finished";
    if (quiet_us >= l->idle_us && (rw_list_empty(&c->calls) || rw_output_pending(c)))
        return "idle for connections.max.idle.ms";
    return NULL;
}

/* Memory is short and others wait for it: who holds some and neither reads its answers nor sends its
 * request at a bearable rate has to go. */
static bool hogs(const struct rw_conn *c, const struct rw_limits *l, int64_t now)
{
    if (rw_output_pending(c) && !c->cold && now - c->active_us >= l->pressure_us)
        return true;
    if (!rw_input_partial(c) || !c->frame_from_us || c->mute)
        return false;
    int64_t since_us = now - c->frame_from_us;
    return since_us >= l->pressure_us &&
           (double)(c->n - c->at) / (double)since_us * 1e6 < (double)l->pressure_rate;
}

static void relieve(struct rw_conns *conns)
{
    struct rw_shard *s = conns->shard;
    int64_t now = rw_shard_now_us(s);
    /* Not everybody who was told has ended: its peer does not read, perhaps. */
    (void)rw_calls_hurry(conns, conns->hurried + relief(conns));
    RW_LIST_EACH_SAFE (it, next, &conns->all) {
        struct rw_conn *c = RW_CONTAINER(it, struct rw_conn, link);
        if (hogs(c, conns->limits, now))
            rw_conn_abort(c, "request memory is short and this peer holds some without progress");
    }
}

static void sweep(struct rw_timer *t)
{
    struct rw_conns *conns = RW_CONTAINER(t, struct rw_conns, sweep);
    struct rw_shard *s = conns->shard;
    int64_t now = rw_shard_now_us(s);
    if (rw_memory_scarce(s->memory))
        relieve(conns);
    rw_memory_trim(s->memory);
    rw_metric_set(s->metrics, RW_METRIC_REQUEST_MEMORY, (int64_t)rw_memory_used(s->memory));
    rw_timer_start_in(s->loop, t, SWEEP_US);
    RW_LIST_EACH_SAFE (it, next, &conns->all) {
        struct rw_conn *c = RW_CONTAINER(it, struct rw_conn, link);
        int64_t quiet_us = now - c->active_us;
        if (quiet_us < SWEEP_US && !conns->stopping)
            break; /* all that follow were active later */
        if (conns->stopping && now >= conns->stop_at_us) {
            rw_conn_abort(c, "the broker stops and the request was not done in time");
            continue;
        }
        const char *why = overdue(c, conns->limits, quiet_us);
        if (!why)
            continue;
        rw_metric_add(s->metrics, RW_METRIC_IDLE_CLOSED, 1);
        rw_diag(s->env->diag, RW_DEBUG, "conn", "closed", rw_kv_str("reason", why),
                rw_kv_str("peer", c->peer.text), rw_kv_str("client_id", c->client_id));
        rw_conn_abort(c, NULL);
    }
}

/* ---- all of a shard ---- */

int rw_conns_new(struct rw_shard *s, const struct rw_limits *limits)
{
    struct rw_conns *conns = rw_zalloc(sizeof(*conns));
    if (!conns)
        return RW_E_NOMEM;
    const struct rw_service *service = s->broker->service;
    for (size_t i = 0; i < service->n_handlers; i++) {
        int16_t key = service->handlers[i].api_key;
        RW_ASSERT(key >= 0 && (size_t)key < RW_COUNT(conns->handlers));
        conns->handlers[key] = &service->handlers[i];
    }
    conns->shard = s;
    conns->limits = limits;
    rw_list_init(&conns->all);
    rw_list_init(&conns->dirty);
    rw_list_init(&conns->dead);
    rw_list_init(&conns->patient);
    conns->hook.run = turn_end;
    conns->sweep.fire = sweep;
    s->conns = conns;
    rw_loop_hook_add(s->loop, &conns->hook);
    rw_timer_start_in(s->loop, &conns->sweep, SWEEP_US);
    return RW_OK;
}

void rw_conns_free(struct rw_shard *s)
{
    struct rw_conns *conns = s->conns;
    if (!conns)
        return;
    RW_ASSERT(conns->count == 0);
    rw_timer_stop(s->loop, &conns->sweep);
    rw_loop_hook_remove(s->loop, &conns->hook);
    rw_calls_free(conns);
    while (conns->n_spare)
        rw_output_deinit(&conns->spare[--conns->n_spare]);
    rw_free(conns);
    s->conns = NULL;
}

void rw_conns_adopt(struct rw_shard *s, struct rw_conn *c)
{
    struct rw_conns *conns = s->conns;
    c->shard = s;
    c->peer = c->sock->peer;
    c->read_hint = RW_CHUNK_MIN;
    c->waiter.retry = memory_again;
    c->throttle.fire = throttle_over;
    rw_list_init(&c->dirty);
    rw_list_init(&c->calls);
    rw_list_init(&c->waiter.link);
    rw_writer_init(&c->out.w);
    rw_list_init(&c->link);
    rw_list_push(&conns->all, &c->link);
    c->active_us = rw_shard_now_us(s);
    conns->count++;
    rw_metric_add(s->metrics, RW_METRIC_CONNECTIONS, 1);
    rw_metric_add(s->metrics, RW_METRIC_CONNECTIONS_TOTAL, 1);
    if (conns->stopping || rw_sock_attach(c->sock, s->loop, on_ready, c) != RW_OK)
        rw_conn_abort(c, conns->stopping ? NULL : "no memory or descriptors to watch it");
    else
        rw_conn_dirty(c);
}

void rw_conns_stop(struct rw_shard *s, int64_t grace_us, void (*stopped)(struct rw_shard *s))
{
    struct rw_conns *conns = s->conns;
    conns->stopping = true;
    conns->stopped = stopped;
    conns->stop_at_us = rw_shard_now_us(s) + grace_us;
    RW_LIST_EACH (it, &conns->all) {
        struct rw_conn *c = RW_CONTAINER(it, struct rw_conn, link);
        rw_conn_mute(c, RW_MUTE_END, true); /* ends as soon as what is in flight was answered */
        rw_pipeline_hurry(c);
        rw_conn_dirty(c);
    }
    rw_timer_start_in(s->loop, &conns->sweep, grace_us < SWEEP_US ? grace_us : SWEEP_US);
    check_stopped(conns);
}
