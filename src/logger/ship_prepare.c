/*
 * The shipper: what is asked before a lane can be sent. Its topic (made by the broker where it does so), its partition, its producer
 * identity; and what becomes of a batch that was refused.
 */
#include <string.h>
#include "base/murmur2.h"
#include "logger/ship.h"
#include "wire/error.h"

bool rw_lg_ship_is_ready(struct rw_lg_ship *s, struct rw_lg_lane *l)
{
    const struct rw_lg_flight *f = l->flight;
    return !s->stale && !f->draining && !f->refused && l->at.partition >= 0 &&
           (s->plain || l->at.producer_id >= 0) && f->next >= rw_lg_ship_acked(l) &&
           rw_cluster_topic(s->cluster, l->topic);
}

/* A partition is kept as long as something of it is in doubt, and so through the life of an identity. */
static int32_t choose(const struct rw_lg_ship *s, const struct rw_lg_lane *l, int32_t n)
{
    uint32_t hash = rw_murmur2(rw_slice(s->o.service, strlen(s->o.service))) & INT32_MAX;
    if (s->o.target == RW_LG_BY_NUMBER)
        return s->o.partition;
    if (s->o.target == RW_LG_BY_THREAD)
        hash = (hash + (uint32_t)l->number) & INT32_MAX;
    return (int32_t)(hash % (uint32_t)n);
}

static int topic(struct rw_lg_ship *s, struct rw_lg_lane *l, struct rw_client_err *err)
{
    struct rw_topic *t;
    int rc = rw_cluster_get_topic(s->cluster, l->topic, true, &t, err);
    if (rc)
        return rc;
    if (l->at.partition < 0 || (s->plain && l->at.partition >= t->n_partitions))
        l->at.partition = choose(s, l, t->n_partitions);
    return l->at.partition < t->n_partitions
               ? RW_OK
               : rw_client_fail(err, RW_E_NOT_FOUND, "topic %s has no partition %d (it has %d)",
                                l->topic, l->at.partition, t->n_partitions);
}

static int refresh(struct rw_lg_ship *s, struct rw_client_err *err)
{
    struct rw_lg_lane *lanes[RW_LG_LANES];
    int rc = RW_OK;
    for (unsigned i = 0; i < s->n_spools && !rc; i++) {
        unsigned n = rw_lg_ship_lanes_of(s->spools[i], lanes);
        for (unsigned k = 0; k < n && !rc; k++) {
            const char *name = lanes[k]->topic;
            rc = rw_cluster_refresh(s->cluster, &name, 1, true, err);
        }
    }
    s->stale = rc != RW_OK;
    return rc;
}

static int ask_identity(struct rw_lg_ship *s, int64_t *ret_id, int16_t *ret_epoch,
                        struct rw_client_err *err)
{
    struct rw_init_producer_id_request request;
    void *response;
    rw_init_producer_id_request_init(&request);
    request.transactional_id = RW_STR_NULL;
    request.transaction_timeout_ms = INT32_MAX;
    rw_arena_reset(&s->arena);
    int rc = rw_cluster_call(s->cluster, RW_ANY_NODE, RW_API_INIT_PRODUCER_ID, INT16_MAX, &request,
                             false, &s->arena, &response, err);
    if (rc)
        return rc;
    const struct rw_init_producer_id_response *m = response;
    if (m->error_code)
        return rw_client_fail_kafka(err, m->error_code, NULL, 0, "asking for a producer id");
    *ret_id = m->producer_id;
    *ret_epoch = m->producer_epoch;
    return RW_OK;
}

/* Stored, durably, before anything is sent under it: what follows a kill must not be sent under another. */
static int identity(struct rw_lg_ship *s, struct rw_lg_lane *l, struct rw_client_err *err)
{
    int64_t id = RW_NO_PRODUCER_ID;
    int16_t epoch = RW_NO_PRODUCER_EPOCH;
    int rc = ask_identity(s, &id, &epoch, err);
    if (rc == RW_E_UNSUPPORTED) {
        s->plain = true;
        return RW_OK;
    }
    if (rc)
        return rc;
    pthread_mutex_lock(&l->spool->lock);
    l->at.producer_id = id;
    l->at.epoch = epoch;
    l->at.base = l->at.acked;
    rc = rw_lg_lane_save(l, true);
    l->flight->next = l->at.acked;
    l->flight->unsaved = 0;
    l->flight->doubtful = 0;
    if (rc)
        l->at.producer_id = RW_NO_PRODUCER_ID;
    pthread_mutex_unlock(&l->spool->lock);
    return rc ? rw_client_fail(err, rc, "storing the producer id: %s", rw_code_text(rc)) : RW_OK;
}

/* The oldest lines were dropped: the next sequence number does not follow any more. */
static void close_gap(struct rw_lg_lane *l)
{
    pthread_mutex_lock(&l->spool->lock);
    if (l->flight->next < l->at.acked) {
        l->flight->next = l->at.acked;
        l->at.producer_id = RW_NO_PRODUCER_ID;
    }
    pthread_mutex_unlock(&l->spool->lock);
}

/* A batch that was refused is taken apart; a record that was refused goes where such records go. */
static void refused(struct rw_lg_ship *s, struct rw_lg_lane *l)
{
    struct rw_lg_flight *f = l->flight;
    int16_t error = f->refused;
    int64_t first = rw_lg_ship_acked(l);
    f->refused = 0;
    if (f->refused_end <= first)
        return; /* dropped meanwhile */
    if (f->refused_end > first + 1) {
        pthread_mutex_lock(&l->spool->lock);
        l->at.split_until = f->refused_end;
        f->unsaved++;
        if (rw_lg_lane_save(l, false) == RW_OK)
            f->unsaved = 0;
        pthread_mutex_unlock(&l->spool->lock);
        f->next = first;
        return;
    }
    rw_lg_ship_bury(s, l, error);
    pthread_mutex_lock(&l->spool->lock);
    if (l->at.acked < f->refused_end)
        l->at.acked = f->refused_end;
    f->next = l->at.acked;
    l->at.producer_id = RW_NO_PRODUCER_ID; /* its sequence number will not come */
    pthread_mutex_unlock(&l->spool->lock);
    f->unsaved++;
}

int rw_lg_ship_prepare(struct rw_lg_ship *s, struct rw_lg_lane *l, struct rw_client_err *err)
{
    int rc = s->stale ? refresh(s, err) : RW_OK;
    if (!rc)
        rc = topic(s, l, err);
    if (rc)
        return rc;
    if (l->flight->refused)
        refused(s, l);
    close_gap(l);
    return s->plain || l->at.producer_id >= 0 ? RW_OK : identity(s, l, err);
}
