/* The shipper: what becomes of a batch that was sent. The rules are told in ship.h. */
#include <stdio.h>
#include <string.h>
#include "logger/engine.h"
#include "logger/ship.h"
#include "wire/error.h"

enum { WAIT_US = 5000, CONNS_MAX = 64 };

/* ---- the lane ---- */

static void pop(struct rw_lg_ship *s, struct rw_lg_flight *f)
{
    f->n--;
    s->in_flight--;
    memmove(f->sent, f->sent + 1, f->n * sizeof(f->sent[0]));
}

/* The broker has everything below `end`. What was dropped while it was on its way was not lost after all. */
static void stored(struct rw_lg_ship *s, struct rw_lg_lane *l, int64_t first, int64_t end)
{
    struct rw_lg_flight *f = l->flight;
    pthread_mutex_lock(&l->spool->lock);
    int64_t from = l->at.acked < first ? l->at.acked : first, acked = l->at.acked;
    if (acked > first)
        l->spool->dropped -= (uint64_t)((acked < end ? acked : end) - first);
    if (end > acked)
        l->at.acked = end;
    pthread_mutex_unlock(&l->spool->lock);
    atomic_fetch_add(&s->counts.shipped, (uint64_t)(end - from));
    f->unsaved++;
    f->doubtful -= f->doubtful > 0;
    if (rw_lg_breaker_succeeded(&s->breaker) && s->told) {
        s->told = false;
        rw_lg_report("the broker is reached again", s->o.appender, 0);
    }
}

/* The identity is of no more use: another one for what is not acknowledged. */
static void renew(struct rw_lg_ship *s, struct rw_lg_lane *l, int64_t doubted)
{
    pthread_mutex_lock(&l->spool->lock);
    int64_t acked = l->at.acked;
    l->at.producer_id = RW_NO_PRODUCER_ID;
    pthread_mutex_unlock(&l->spool->lock);
    if (doubted > acked) {
        atomic_fetch_add(&s->counts.twice, (uint64_t)(doubted - acked));
        rw_lg_report("the broker has forgotten this producer: some lines may be there twice",
                     s->o.appender, 0);
    }
    l->flight->doubtful = 0;
    l->flight->draining = true;
}

/* A batch in doubt, and the broker waits for another sequence number: those behind it will tell. */
static void out_of_order(struct rw_lg_ship *s, struct rw_lg_lane *l, int64_t end)
{
    struct rw_lg_flight *f = l->flight;
    if (f->doubtful == 0) {
        renew(s, l, 0);
        return;
    }
    f->doubtful--;
    pthread_mutex_lock(&l->spool->lock);
    bool last = end >= l->ready;
    pthread_mutex_unlock(&l->spool->lock);
    if (f->doubtful == 0 || last)
        renew(s, l, end);
}

/* No answer about this batch says anything about others of its kind: record by record. */
static bool is_refused(int16_t error)
{
    return error == RW_KERR_MESSAGE_TOO_LARGE || error == RW_KERR_RECORD_LIST_TOO_LARGE ||
           error == RW_KERR_INVALID_RECORD || error == RW_KERR_INVALID_TIMESTAMP ||
           error == RW_KERR_UNSUPPORTED_FOR_MESSAGE_FORMAT ||
           error == RW_KERR_UNSUPPORTED_COMPRESSION_TYPE;
}

static bool is_foreign(int16_t error)
{
    return error == RW_KERR_UNKNOWN_PRODUCER_ID || error == RW_KERR_INVALID_PRODUCER_EPOCH ||
           error == RW_KERR_INVALID_PRODUCER_ID_MAPPING || error == RW_KERR_PRODUCER_FENCED;
}

/* Another try, of this one and all behind it. */
static void again(struct rw_lg_ship *s, struct rw_lg_lane *l, int16_t error)
{
    struct rw_lg_flight *f = l->flight;
    struct rw_client_err err;
    char what[300];
    if (f->doubtful < f->n + 1)
        f->doubtful = f->n + 1;
    f->draining = true;
    s->stale = true;
    snprintf(what, sizeof(what), "writing to %s, partition %d", l->topic, l->at.partition);
    rw_client_fail_kafka(&err, error, NULL, 0, what);
    rw_lg_ship_failed(s, &err);
}

static void answer(struct rw_lg_ship *s, struct rw_lg_lane *l, int16_t error)
{
    struct rw_lg_flight *f = l->flight;
    int64_t first = f->sent[0].first, end = f->sent[0].end;
    bool ignored = f->draining; /* one before it comes again, and so does this one */
    pop(s, f);
    if (ignored)
        ;
    else if (error == 0 || error == RW_KERR_DUPLICATE_SEQUENCE_NUMBER)
        stored(s, l, first, end);
    else if (error == RW_KERR_OUT_OF_ORDER_SEQUENCE_NUMBER && !s->plain)
        out_of_order(s, l, end);
    else if (is_foreign(error) && !s->plain)
        renew(s, l, f->doubtful ? end : 0);
    else if (is_refused(error)) {
        f->refused = error;
        f->refused_end = end;
        f->draining = true;
    } else
        again(s, l, error);
    if (f->draining && f->n == 0) {
        f->draining = false;
        f->next = rw_lg_ship_acked(l);
    }
}

/* ---- connections ---- */

static void take_back(struct rw_lg_ship *s, struct rw_lg_lane *l)
{
    struct rw_lg_flight *f = l->flight;
    if (f->doubtful < f->n)
        f->doubtful = f->n;
    s->in_flight -= f->n;
    f->n = 0;
    f->conn = NULL;
    f->draining = false;
    f->next = rw_lg_ship_acked(l);
}

void rw_lg_ship_lost(struct rw_lg_ship *s, struct rw_conn *c)
{
    struct rw_lg_lane *lanes[RW_LG_LANES];
    for (; c->sent_n > 0; c->sent_n--)
        c->sent_head = (c->sent_head + 1) % RW_CONN_PIPELINE_MAX;
    for (unsigned i = 0; i < s->n_spools; i++) {
        unsigned n = rw_lg_ship_lanes_of(s->spools[i], lanes);
        for (unsigned k = 0; k < n; k++)
            if (lanes[k]->flight && lanes[k]->flight->conn == c)
                take_back(s, lanes[k]);
    }
    s->stale = true;
}

static void broken(struct rw_lg_ship *s, struct rw_conn *c, const struct rw_client_err *err)
{
    rw_lg_ship_lost(s, c);
    rw_cluster_drop(s->cluster, c);
    rw_lg_ship_failed(s, err);
}

static unsigned busy(struct rw_lg_ship *s, struct rw_conn *conns[CONNS_MAX])
{
    unsigned n = 0;
    for (int i = 0; i < s->cluster->n_nodes && n < CONNS_MAX; i++)
        if (s->cluster->nodes[i].conn && s->cluster->nodes[i].conn->sent_n > 0)
            conns[n++] = s->cluster->nodes[i].conn;
    return n;
}

static int16_t error_of(const struct rw_produce_response *m, const struct rw_lg_lane *l)
{
    for (int32_t i = 0; i < m->n_responses; i++)
        for (int32_t k = 0; k < m->responses[i].n_partition_responses; k++)
            if (rw_str_is(m->responses[i].name, l->topic) &&
                m->responses[i].partition_responses[k].index == l->at.partition)
                return m->responses[i].partition_responses[k].error_code;
    return RW_KERR_UNKNOWN_SERVER_ERROR;
}

static void receive(struct rw_lg_ship *s, struct rw_conn *c)
{
    struct rw_conn_reply reply;
    struct rw_client_err err;
    void *response;
    rw_arena_reset(&s->arena);
    int rc = rw_conn_receive(c, &s->arena, rw_cluster_request_us(s->cluster), &reply, &err);
    if (!rc)
        rc = rw_conn_decode(c, &reply, &response, &err);
    if (rc)
        broken(s, c, &err);
    else
        answer(s, reply.request.tag, error_of(response, reply.request.tag));
}

static void check_overdue(struct rw_lg_ship *s, struct rw_conn *const *conns, unsigned n)
{
    struct rw_client_err err;
    int64_t now = rw_mono_us(s->env->clock);
    for (unsigned i = 0; i < n; i++)
        if (now - conns[i]->sent[conns[i]->sent_head].sent_us > s->o.request_timeout_us) {
            rw_client_fail(&err, RW_E_TIMEOUT, "%s has not answered", conns[i]->address);
            broken(s, conns[i], &err);
        }
}

void rw_lg_ship_receive(struct rw_lg_ship *s)
{
    struct rw_conn *conns[CONNS_MAX];
    struct rw_stream *streams[CONNS_MAX];
    unsigned n = busy(s, conns);
    size_t i = 0;
    bool here = false;
    for (unsigned k = 0; k < n; k++) {
        streams[k] = conns[k]->stream;
        if (rw_conn_has_reply(conns[k]) && !here) {
            here = true;
            i = k;
        }
    }
    int rc = here ? RW_OK : rw_dial_wait(s->dialer, streams, n, WAIT_US, &i);
    if (rc == RW_OK)
        receive(s, conns[i]);
    else
        check_overdue(s, conns, n);
}
