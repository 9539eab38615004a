/*
 * Group commit. While a sync runs on a worker, requests only set a flag; when its end arrives the next
 * one is submitted before the waiters of the first are told, so that the disk is never idle while
 * there is something to write.
 *
 * An error ends it: the log is offline and no sync is tried again (a second fsync would succeed
 * without having written what the first one lost). Where there was no descriptor or memory to begin the
 * sync with, nothing has failed and the log is online: it is begun again in a while, until the broker
 * stops. No worker is held meanwhile: there are few, and other logs may have what they need.
 */
#include "broker/flusher.h"

#include "base/assert.h"
#include "broker/conn.h"
#include "broker/metrics.h"

#define AGAIN_US   (100 * 1000)
#define TELL_EVERY 100

static void sync_work(struct rw_job *job)
{
    struct rw_flusher *f = RW_CONTAINER(job, struct rw_flusher, job);
    f->code = rw_log_flush_now(f->log, &f->durable);
    f->ended_us = rw_mono_us(f->shard->env->clock);
}

static void begin(struct rw_flusher *f)
{
    f->wanted = false;
    f->running = true;
    f->began_us = rw_mono_us(f->shard->env->clock);
    rw_shard_submit(f->shard, RW_JOB_SYNC, &f->job);
}

static bool may_go_on(const struct rw_flusher *f)
{
    return !f->canceled && !rw_log_state(f->log) && !f->shard->conns->stopping;
}

static void ended(struct rw_flusher *f)
{
    int code = f->code;
    int64_t durable = f->durable;
    f->running = false;
    f->tries = 0;
    rw_metric_flush(f->shard->metrics, f->ended_us - f->began_us);
    if (code) {
        rw_metric_add(f->shard->metrics, RW_METRIC_FLUSH_ERRORS, 1);
        rw_flusher_cancel(f);
        f->failed = true;
    } else if (f->wanted) {
        rw_list_remove(&f->link);
        begin(f);
    }
    f->flushed(f, code, durable);
}

static void again(struct rw_timer *t)
{
    struct rw_flusher *f = RW_CONTAINER(t, struct rw_flusher, again);
    if (may_go_on(f))
        begin(f);
    else
        ended(f);
}

static void sync_done(struct rw_job *job)
{
    struct rw_flusher *f = RW_CONTAINER(job, struct rw_flusher, job);
    if (!f->code || !may_go_on(f)) {
        ended(f);
        return;
    }
    if (f->tries++ % TELL_EVERY == 0)
        rw_diag(f->shard->env->diag, RW_WARN, "flush",
                "no open files or memory left to begin a sync: once more in a while",
                rw_kv_str("dir", rw_log_dir(f->log)), rw_kv_code("error", f->code));
    rw_timer_start_in(f->shard->loop, &f->again, AGAIN_US);
}

void rw_flusher_init(struct rw_flusher *f, struct rw_shard *s, struct rw_log *log,
                     void (*flushed)(struct rw_flusher *f, int code, int64_t durable))
{
    *f = (struct rw_flusher){.shard = s, .log = log, .flushed = flushed};
    f->job.work = sync_work;
    f->job.done = sync_done;
    f->again.fire = again;
    rw_list_init(&f->link);
}

void rw_flusher_request(struct rw_flusher *f)
{
    RW_ASSERT(!f->failed);
    if (f->wanted)
        return;
    f->wanted = true;
    if (!f->running)
        rw_list_push(&f->shard->flushes_due, &f->link);
}

bool rw_flusher_idle(const struct rw_flusher *f)
{
    return !f->running && !f->wanted;
}

void rw_flusher_cancel(struct rw_flusher *f)
{
    f->wanted = false;
    f->canceled = true;
    rw_list_remove(&f->link);
}

bool rw_flushers_begin_due(struct rw_hook *h)
{
    struct rw_shard *s = RW_CONTAINER(h, struct rw_shard, flush_hook);
    struct rw_link *it;
    bool any = false;
    while ((it = rw_list_pop(&s->flushes_due))) {
        begin(RW_CONTAINER(it, struct rw_flusher, link));
        any = true;
    }
    return any;
}
