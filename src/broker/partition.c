/*
 * One partition in service: appends, syncs, and who waits for them. The replica's state machine says
 * what producers and consumers may know; this file feeds it and does what it says.
 *
 * A sync error takes the log offline for good (a failed fsync is never retried): everybody who waits is
 * answered with an error, and so is everybody who comes later, until the broker is restarted.
 */
#include "broker/partitions_private.h"

#include "broker/metrics.h"
#include "wire/error.h"

static bool is_durable_policy(const struct rw_topic_config *c)
{
    return c->log.flush_messages == 1 || c->log.flush_ms == 0;
}

int16_t rw_partition_error(const struct rw_partition *p)
{
    if (p->state == RW_PARTITION_CLOSING)
        return RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (p->state == RW_PARTITION_OPENING)
        return RW_KERR_NOT_LEADER_OR_FOLLOWER; /* retriable: the client asks again soon */
    return p->part.role == RW_PART_LEADER ? RW_KERR_NONE : RW_KERR_KAFKA_STORAGE_ERROR;
}

bool rw_partition_is_acked(const struct rw_partition *p, int64_t offset)
{
    return rw_part_acked(&p->part) >= offset;
}

/* ---- waiting ---- */

void rw_partition_wait_open(struct rw_partition *p, struct rw_waiter *w)
{
    rw_list_push(&p->starters, &w->link);
}

void rw_partition_wait_acked(struct rw_partition *p, struct rw_waiter *w)
{
    /* Nearly always the largest offset so far; a duplicate of an older batch goes further in front. */
    struct rw_link *at = &p->acks;
    while (at->prev != &p->acks &&
           RW_CONTAINER(at->prev, struct rw_waiter, link)->offset > w->offset)
        at = at->prev;
    rw_list_insert_before(at, &w->link);
}

void rw_partition_wait_readable(struct rw_partition *p, struct rw_waiter *w)
{
    rw_list_push(&p->readers, &w->link);
}

/* Everybody on the list now, not who joins meanwhile. */
static void wake_list(struct rw_link *list)
{
    struct rw_link now;
    rw_list_init(&now);
    while (!rw_list_empty(list))
        rw_list_push(&now, rw_list_pop(list));
    struct rw_link *link;
    while ((link = rw_list_pop(&now))) {
        struct rw_waiter *w = RW_CONTAINER(link, struct rw_waiter, link);
        w->wake(w);
    }
}

static void wake_acked(struct rw_partition *p)
{
    int64_t acked = rw_part_acked(&p->part);
    while (!rw_list_empty(&p->acks)) {
        struct rw_waiter *w = RW_CONTAINER(p->acks.next, struct rw_waiter, link);
        if (w->offset > acked)
            return;
        rw_list_remove(&w->link);
        w->wake(w);
    }
}

void rw_partition_wake_all(struct rw_partition *p)
{
    wake_list(&p->starters);
    wake_list(&p->acks);
    wake_list(&p->readers);
}

void rw_partition_step(struct rw_partition *p, const struct rw_part_event *event)
{
    struct rw_part_out out;
    rw_part_step(&p->part, event, &out);
    if (out.flush_wanted)
        rw_flusher_request(&p->flusher);
    if (out.failed) {
        rw_metric_add(p->shard->metrics, RW_METRIC_PARTITIONS_OFFLINE, 1);
        rw_partition_wake_all(p);
        return;
    }
    if (out.acked_moved)
        wake_acked(p);
    if (out.readable_moved || out.start_moved)
        wake_list(&p->readers);
}

void rw_partition_failed(struct rw_partition *p, int code)
{
    if (p->part.role == RW_PART_OFFLINE)
        return;
    rw_diag(p->shard->env->diag, RW_ERROR, "partition", "log failed, partition is offline",
            rw_kv_str("topic", p->topic), rw_kv_int("partition", p->index),
            rw_kv_code("error", code));
    rw_partition_step(p, &(struct rw_part_event){.kind = RW_PART_FAILED});
}

/* ---- sync ---- */

static void flushed(struct rw_flusher *f, int code, int64_t durable)
{
    struct rw_partition *p = RW_CONTAINER(f, struct rw_partition, flusher);
    if (p->state == RW_PARTITION_CLOSING) {
        rw_partition_retire_next(p);
        return;
    }
    if (code)
        rw_partition_failed(p, code);
    else
        rw_partition_step(p, &(struct rw_part_event){.kind = RW_PART_FLUSHED, .durable = durable});
}

static void flush_due(struct rw_timer *t)
{
    struct rw_partition *p = RW_CONTAINER(t, struct rw_partition, flush_timer);
    if (p->part.role != RW_PART_LEADER)
        return;
    p->synced_to = p->part.end;
    rw_flusher_request(&p->flusher);
}

/* flush.messages > 1 and flush.ms: nobody waits for these syncs. */
static void lazy_flush(struct rw_partition *p)
{
    const struct rw_log_config *c = &p->config.log;
    if (p->part.durable_policy)
        return;
    if (p->part.end - p->synced_to >= c->flush_messages) {
        p->synced_to = p->part.end;
        rw_flusher_request(&p->flusher);
    } else if (c->flush_ms < INT64_MAX / 1000 && !p->flush_timer.armed) {
        rw_timer_start_in(p->shard->loop, &p->flush_timer, c->flush_ms * 1000);
    }
}

/* ---- service ---- */

void rw_partition_opened(struct rw_partition *p, int code)
{
    if (code) {
        p->part.role = RW_PART_LEADER; /* so that failing it is a step like any other */
        rw_partition_failed(p, code);
        return;
    }
    rw_log_configure(p->log, &p->config.log); /* changed while it was being opened */
    rw_flusher_init(&p->flusher, p->shard, p->log, flushed);
    p->flush_timer.fire = flush_due;
    p->synced_to = rw_log_durable(p->log);
    rw_partition_step(
        p, &(struct rw_part_event){.kind = RW_PART_LEAD, .leader_epoch = p->leader_epoch});
    rw_partition_step(p, &(struct rw_part_event){.kind = RW_PART_OPENED,
                                                 .start = rw_log_start(p->log),
                                                 .end = rw_log_end(p->log),
                                                 .durable = rw_log_durable(p->log),
                                                 .checkpoint = p->hw_checkpoint,
                                                 .durable_policy = is_durable_policy(&p->config)});
    wake_list(&p->starters);
}

void rw_partition_configure(struct rw_partition *p, const struct rw_topic_config *config)
{
    p->config = *config;
    if (!p->log || p->part.role != RW_PART_LEADER)
        return;
    rw_log_configure(p->log, &config->log);
    rw_partition_step(p, &(struct rw_part_event){.kind = RW_PART_POLICY,
                                                 .durable_policy = is_durable_policy(config)});
}

void rw_partition_epoch_end(const struct rw_partition *p, int32_t epoch, int32_t *ret_epoch,
                            int64_t *ret_end)
{
    int32_t latest = rw_log_latest_epoch(p->log);
    if (epoch > latest && epoch <= p->part.leader_epoch) {
        /* Between the last that wrote and the current one: leaders that wrote nothing. */
        *ret_epoch = epoch == p->part.leader_epoch || latest < 0 ? epoch : latest;
        *ret_end = p->part.end;
        return;
    }
    rw_log_epoch_end(p->log, epoch, ret_epoch, ret_end);
}

void rw_partition_appended(struct rw_partition *p)
{
    if (p->part.role != RW_PART_LEADER || p->part.end == rw_log_end(p->log))
        return;
    rw_partition_step(p,
                      &(struct rw_part_event){.kind = RW_PART_APPENDED, .end = rw_log_end(p->log)});
    lazy_flush(p);
}

int rw_partition_trim(struct rw_partition *p, int64_t offset)
{
    int rc = rw_log_trim(p->log, offset);
    if (rc && rw_log_state(p->log))
        rw_partition_failed(p, rc);
    else
        rw_partition_step(
            p, &(struct rw_part_event){.kind = RW_PART_TRIMMED, .start = rw_log_start(p->log)});
    return rc;
}
