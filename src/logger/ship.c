/* The shipper's round: what may be sent is sent, answers are taken. See ship.h; the rest is in ship_prepare.c and ship_answers.c. */
#include "logger/ship.h"

#include <stdio.h>
#include <string.h>
#include "base/bytes.h"
#include "base/mem.h"
#include "logger/engine.h"
#include "wire/error.h"

enum { PRODUCE_CAP = 12, CONNECT_MS = 5000 }; /* 13 addresses topics by id */
#define ANSWER_MEMORY   (16u << 20)
#define BACKOFF_MIN_US  100000
#define BACKOFF_MAX_US  30000000
#define BACKOFF_META_US 50000

static void broker_left(void *arg, struct rw_conn *c)
{
    rw_lg_ship_lost(arg, c);
}

int rw_lg_ship_init(struct rw_lg_ship *s, const struct rw_env *env, struct rw_dialer *dialer,
                    const struct rw_lg_ship_options *options)
{
    struct rw_cluster_options o;
    memset(s, 0, sizeof(*s));
    s->env = env;
    s->dialer = dialer;
    s->o = *options;
    s->plain = options->acks != -1;
    s->breaker = (struct rw_lg_breaker){.limit = (unsigned)options->breaker_failures,
                                        .base_us = BACKOFF_MIN_US,
                                        .cap_us = BACKOFF_MAX_US};
    rw_cluster_options_init(&o);
    o.brokers = s->o.brokers;
    o.client_id = s->o.client_id;
    o.request_timeout_us = options->request_timeout_us;
    o.connect_timeout_us = options->request_timeout_us < CONNECT_MS * 1000
                               ? options->request_timeout_us
                               : CONNECT_MS * 1000;
    o.backoff_us = BACKOFF_META_US;
    int rc = rw_cluster_new(env, dialer, &o, &s->cluster);
    if (rc)
        return rc;
    s->cluster->lost = broker_left;
    s->cluster->lost_arg = s;
    rw_arena_init(&s->arena, ANSWER_MEMORY);
    rw_buf_init(&s->batch);
    rw_buf_init(&s->scratch);
    return RW_OK;
}

void rw_lg_ship_deinit(struct rw_lg_ship *s)
{
    s->cluster->lost = NULL;
    rw_cluster_free(s->cluster);
    rw_arena_deinit(&s->arena);
    rw_buf_deinit(&s->batch);
    rw_buf_deinit(&s->scratch);
}

/* ---- spools ---- */

int rw_lg_ship_add(struct rw_lg_ship *s, struct rw_lg_spool *spool)
{
    if (s->n_spools == RW_LG_SPOOLS)
        return RW_E_LIMIT;
    s->spools[s->n_spools++] = spool;
    return RW_OK;
}

void rw_lg_ship_remove(struct rw_lg_ship *s, struct rw_lg_spool *spool)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_spools; i++)
        if (s->spools[i] != spool)
            s->spools[n++] = s->spools[i];
    s->n_spools = n;
    for (unsigned i = 0; i < spool->n_lanes; i++) {
        rw_free(spool->lanes[i]->flight);
        spool->lanes[i]->flight = NULL;
    }
}

unsigned rw_lg_ship_lanes_of(struct rw_lg_spool *spool, struct rw_lg_lane *lanes[RW_LG_LANES])
{
    pthread_mutex_lock(&spool->lock);
    unsigned n = spool->n_lanes;
    memcpy(lanes, spool->lanes, n * sizeof(*lanes));
    pthread_mutex_unlock(&spool->lock);
    return n;
}

int64_t rw_lg_ship_acked(const struct rw_lg_lane *l)
{
    pthread_mutex_lock(&l->spool->lock);
    int64_t acked = l->at.acked;
    pthread_mutex_unlock(&l->spool->lock);
    return acked;
}

static struct rw_lg_flight *flight_new(const struct rw_lg_lane *l)
{
    struct rw_lg_flight *f = rw_zalloc(sizeof(*f));
    if (!f)
        return NULL;
    f->next = rw_lg_ship_acked(l);
    /* What an earlier process may have sent. */
    f->doubtful = l->at.producer_id >= 0 ? RW_LG_WINDOW : 0;
    return f;
}

int rw_lg_ship_lanes(struct rw_lg_ship *s,
                     int (*each)(struct rw_lg_ship *s, struct rw_lg_lane *l,
                                 struct rw_client_err *err),
                     struct rw_client_err *err)
{
    struct rw_lg_lane *lanes[RW_LG_LANES];
    int rc = RW_OK;
    for (unsigned i = 0; i < s->n_spools && !rc; i++) {
        unsigned n = rw_lg_ship_lanes_of(s->spools[i], lanes);
        for (unsigned k = 0; k < n && !rc; k++) {
            if (!lanes[k]->flight)
                lanes[k]->flight = flight_new(lanes[k]);
            rc = lanes[k]->flight ? each(s, lanes[k], err)
                                  : rw_client_fail(err, RW_E_NOMEM, "out of memory");
        }
    }
    return rc;
}

bool rw_lg_ship_is_done(const struct rw_lg_spool *spool)
{
    for (unsigned i = 0; i < spool->n_lanes; i++) {
        const struct rw_lg_lane *l = spool->lanes[i];
        if (l->at.acked < l->ready || (l->flight && (l->flight->n || l->flight->unsaved)))
            return false;
    }
    return true;
}

/* ---- how far ---- */

static int save(struct rw_lg_lane *l)
{
    pthread_mutex_lock(&l->spool->lock);
    int rc = rw_lg_lane_save(l, false);
    pthread_mutex_unlock(&l->spool->lock);
    if (!rc)
        l->flight->unsaved = 0;
    return rc;
}

static int save_lane(struct rw_lg_ship *s, struct rw_lg_lane *l, struct rw_client_err *err)
{
    (void)s;
    if (l->flight->unsaved && save(l))
        rw_client_fail(err, RW_E_IO, "the spool can not be written");
    return RW_OK;
}

void rw_lg_ship_save(struct rw_lg_ship *s)
{
    (void)rw_lg_ship_lanes(s, save_lane, NULL);
}

void rw_lg_ship_failed(struct rw_lg_ship *s, const struct rw_client_err *err)
{
    char words[600];
    atomic_fetch_add(&s->counts.failures, 1);
    if (!rw_lg_breaker_failed(&s->breaker, rw_mono_us(s->env->clock), rw_rand_u64(s->env->rand)) ||
        s->told)
        return;
    s->told = true;
    snprintf(words, sizeof(words), "lines wait in the spool, for the broker can not be reached: %s",
             err->text);
    rw_lg_report(words, s->o.appender, 0);
}

/* ---- sending ---- */

/* The identity, into a finished batch (byte offsets: see batch/batch.h). */
static void stamp(const struct rw_lg_ship *s, const struct rw_lg_lane *l, int64_t first,
                  struct rw_buf *b)
{
    rw_store_be64(b->p, 0);
    rw_store_be32(b->p + 12, (uint32_t)RW_NO_LEADER_EPOCH);
    if (!s->plain) {
        rw_store_be64(b->p + 43, (uint64_t)l->at.producer_id);
        rw_store_be16(b->p + 51, (uint16_t)l->at.epoch);
        rw_store_be32(b->p + 53, (uint32_t)((first - l->at.base) & INT32_MAX));
    }
    rw_store_be32(b->p + 17, rw_batch_crc(b->p, b->n));
}

static int connection(struct rw_lg_ship *s, const struct rw_lg_lane *l, struct rw_conn **ret_conn,
                      struct rw_client_err *err)
{
    const struct rw_topic *t = rw_cluster_topic(s->cluster, l->topic);
    int32_t partition = l->at.partition;
    int32_t leader =
        t && partition < t->n_partitions ? t->partitions[partition].leader : RW_ANY_NODE;
    if (leader >= 0)
        return rw_cluster_conn(s->cluster, leader, ret_conn, err);
    s->stale = true;
    return rw_client_fail(err, RW_E_AGAIN, "topic %s has no leader for partition %d", l->topic,
                          partition);
}

/* The bytes of s->batch. They are copied by the call. */
static int send(struct rw_lg_ship *s, struct rw_lg_lane *l, int64_t first, int64_t end,
                struct rw_conn *c, struct rw_client_err *err)
{
    struct rw_lg_flight *f = l->flight;
    struct rw_produce_request request;
    struct rw_produce_request_partition partition = {.index = l->at.partition,
                                                     .records = {.p = s->batch.p, .n = s->batch.n}};
    struct rw_produce_request_topic topic = {
        .name = rw_str(l->topic), .n_partition_data = 1, .partition_data = &partition};
    rw_produce_request_init(&request);
    request.acks = s->o.acks;
    request.timeout_ms = (int32_t)(s->o.request_timeout_us / 1000);
    request.n_topic_data = 1;
    request.topic_data = &topic;
    f->sent[f->n].first = first;
    f->sent[f->n].end = end;
    f->n++;
    s->in_flight++;
    f->conn = c;
    f->next = end;
    int rc = rw_conn_send(c, RW_API_PRODUCE, PRODUCE_CAP, &request, l, true,
                          rw_cluster_request_us(s->cluster), err);
    if (rc == RW_E_AGAIN) {
        f->n--;
        s->in_flight--;
        f->next = first;
    } else if (rc) {
        rw_lg_ship_lost(s, c);
        rw_cluster_drop(s->cluster, c);
    }
    return rc == RW_E_AGAIN ? RW_OK : rc;
}

static int damaged(struct rw_lg_ship *s, struct rw_lg_lane *l, int64_t from, int64_t to)
{
    pthread_mutex_lock(&l->spool->lock);
    if (to > l->ready)
        to = l->ready;
    if (to > l->at.acked)
        l->at.acked = to;
    l->at.producer_id = RW_NO_PRODUCER_ID; /* these sequence numbers will not come */
    pthread_mutex_unlock(&l->spool->lock);
    l->flight->next = to;
    atomic_fetch_add(&s->counts.lost, (uint64_t)(to - from));
    rw_lg_report("a part of the spool is damaged and was left out", s->o.appender, RW_E_CORRUPT);
    return RW_OK;
}

static int64_t ready_of(const struct rw_lg_lane *l)
{
    pthread_mutex_lock(&l->spool->lock);
    int64_t ready = l->ready;
    pthread_mutex_unlock(&l->spool->lock);
    return ready;
}

static int send_next(struct rw_lg_ship *s, struct rw_lg_lane *l, struct rw_client_err *err)
{
    struct rw_lg_flight *f = l->flight;
    struct rw_conn *c;
    int64_t first = f->next, end = first;
    if (f->unsaved + f->n >= RW_LG_WINDOW && save(l))
        return rw_client_fail(err, RW_E_IO, "the spool can not be written");
    int rc = rw_lg_lane_read(l, first, first < l->at.split_until, &s->scratch, &s->batch, &end);
    if (rc == RW_E_RANGE)
        return RW_OK;       /* just dropped: seen at the next round */
    if (rc == RW_E_CORRUPT) /* those before it first */
        return f->n > 0 ? RW_OK : damaged(s, l, first, end);
    if (rc)
        return rw_client_fail(err, rc, "reading the spool: %s", rw_code_text(rc));
    rc = connection(s, l, &c, err);
    if (rc)
        return rc;
    /* When the leader has moved, what the old one has is answered first. */
    if ((f->n > 0 && c != f->conn) || c->sent_n >= RW_CONN_PIPELINE_MAX)
        return RW_OK;
    stamp(s, l, first, &s->batch);
    return send(s, l, first, end, c, err);
}

static int fill(struct rw_lg_ship *s, struct rw_lg_lane *l, struct rw_client_err *err)
{
    struct rw_lg_flight *f = l->flight;
    bool careful = s->plain || f->doubtful || s->breaker.state != RW_LG_CLOSED;
    unsigned window = careful ? 1 : RW_LG_WINDOW;
    int64_t ready = ready_of(l);
    int rc = RW_OK;
    while (!rc && rw_lg_ship_is_ready(s, l) && f->n < window && f->next < ready &&
           !(s->breaker.state != RW_LG_CLOSED && s->in_flight > 0)) {
        int64_t before = f->next;
        rc = send_next(s, l, err);
        if (f->next == before)
            break;
    }
    return rc;
}

/* ---- the round ---- */

static int wants(struct rw_lg_ship *s, struct rw_lg_lane *l, struct rw_client_err *err)
{
    (void)s;
    (void)err;
    pthread_mutex_lock(&l->spool->lock);
    bool some = l->at.acked < l->ready;
    pthread_mutex_unlock(&l->spool->lock);
    return some;
}

static int asks(struct rw_lg_ship *s, struct rw_lg_lane *l, struct rw_client_err *err)
{
    return wants(s, l, err) && !rw_lg_ship_is_ready(s, l) && !l->flight->draining;
}

static int prepare(struct rw_lg_ship *s, struct rw_lg_lane *l, struct rw_client_err *err)
{
    return wants(s, l, err) ? rw_lg_ship_prepare(s, l, err) : RW_OK;
}

int64_t rw_lg_ship_step(struct rw_lg_ship *s)
{
    struct rw_client_err err = {0};
    int rc = RW_OK;
    if (s->in_flight == 0 && !rw_lg_ship_lanes(s, wants, &err)) {
        rw_lg_ship_save(s);
        return -1;
    }
    int64_t now = rw_mono_us(s->env->clock);
    bool may = rw_lg_breaker_may(&s->breaker, now);
    if (!may && s->in_flight == 0)
        return s->breaker.retry_us - now;
    /* Questions are asked only while nothing is under way: they would wait behind it. */
    bool ask = may && (s->stale || rw_lg_ship_lanes(s, asks, &err));
    if (ask && s->in_flight == 0)
        rc = rw_lg_ship_lanes(s, prepare, &err);
    if (!rc && may && (!ask || s->in_flight == 0))
        rc = rw_lg_ship_lanes(s, fill, &err);
    if (rc)
        rw_lg_ship_failed(s, &err);
    if (s->in_flight > 0)
        rw_lg_ship_receive(s);
    return 0;
}
