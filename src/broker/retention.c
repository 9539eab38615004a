/*
 * Retention of a shard's partitions, every log.retention.check.interval.ms: which segments go is
 * decided on the shard (log/ does it, it only renames); unlinking the files is a job, and so is to read
 * what the next round has to know.
 */
#include "broker/partitions_private.h"

static void unlink_work(struct rw_job *job)
{
    struct rw_partition *p = RW_CONTAINER(job, struct rw_partition, job);
    rw_log_check_times(p->log, rw_wall_ms(p->shard->env->clock));
    rw_log_unlink_deleted(p->log, p->hurry ? INT64_MAX : rw_wall_ms(p->shard->env->clock));
}

static void unlink_done(struct rw_job *job)
{
    struct rw_partition *p = RW_CONTAINER(job, struct rw_partition, job);
    p->busy = false;
    if (p->state == RW_PARTITION_CLOSING)
        rw_partition_retire_next(p);
}

static void retain(struct rw_partition *p)
{
    int deleted = 0;
    if (p->part.role != RW_PART_LEADER || p->busy)
        return;
    int rc = rw_log_retain(p->log, rw_shard_wall_ms(p->shard), p->part.high_watermark, &deleted);
    if (rc && rw_log_state(p->log)) {
        rw_partition_failed(p, rc);
        return;
    }
    if (rc)
        rw_diag(p->shard->env->diag, RW_WARN, "retention", "could not delete old segments",
                rw_kv_str("dir", p->dir), rw_kv_code("error", rc));
    rw_partition_step(
        p, &(struct rw_part_event){.kind = RW_PART_TRIMMED, .start = rw_log_start(p->log)});
    if (deleted > 0)
        rw_diag(p->shard->env->diag, RW_INFO, "retention", "deleted old segments",
                rw_kv_str("dir", p->dir), rw_kv_int("segments", deleted),
                rw_kv_int("start", p->part.start));
    p->busy = true;
    /* On a disk that is nearly full file.delete.delay.ms is a luxury. */
    p->hurry = p->shard->partitions->disk.throttle_ms > 0;
    p->job = (struct rw_job){.work = unlink_work, .done = unlink_done};
    rw_shard_submit(p->shard, RW_JOB_BACKGROUND, &p->job);
}

void rw_retention_now(struct rw_partitions *ps)
{
    struct rw_partition *p;
    size_t at = 0;
    while ((p = rw_partitions_next(ps->shard, &at)))
        retain(p);
}

static void retention_due(struct rw_timer *t)
{
    struct rw_partitions *ps = RW_CONTAINER(t, struct rw_partitions, retention);
    rw_retention_now(ps);
    rw_retention_start(ps);
}

void rw_retention_start(struct rw_partitions *ps)
{
    int64_t ms = rw_config_broker(ps->shard->broker->config)->retention_check_ms;
    if (ms > INT64_MAX / 2000)
        return;
    ps->retention.fire = retention_due;
    rw_timer_start_in(ps->shard->loop, &ps->retention, ms * 1000);
}
