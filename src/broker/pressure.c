/*
 * Disk pressure of a shard: measures the free space of the data disk in a job (a network file system
 * may hang), asks log/pressure.c what follows, and acts: retention at once, slower producers, and
 * refusing appends before the disk is full. Each shard measures for itself, so that nothing is shared.
 */
#include "broker/metrics.h"
#include "broker/partitions_private.h"

#define RETAIN_EVERY_US  (10 * 1000000ll) /* and ten times as often when it becomes urgent */
#define MEASURE_EVERY_US (200 * 1000ll)   /* when writes find no space, at most */

static void measure(struct rw_job *job)
{
    struct rw_disk_watch *w = RW_CONTAINER(job, struct rw_disk_watch, job);
    struct rw_vfs *vfs = w->shard->env->vfs;
    const char *root = rw_config_broker(w->shard->broker->config)->log_dirs;
    w->code = vfs->ops->space(vfs, root, &w->space);
}

static void tell(const struct rw_disk_watch *w, const struct rw_pressure_step *step)
{
    static const char *const words[] = {
        [RW_PRESSURE_NONE] = "disk space is sufficient again",
        [RW_PRESSURE_WARN] = "disk is filling up: old segments are deleted now",
        [RW_PRESSURE_THROTTLE] = "disk is nearly full: producers are slowed down",
        [RW_PRESSURE_REFUSE] = "disk is full: producers are refused until there is space again",
    };
    if (w->shard->index == 0) /* one line, not one per shard */
        rw_diag(w->shard->env->diag, step->level == RW_PRESSURE_NONE ? RW_INFO : RW_WARN, "disk",
                words[step->level], rw_kv_double("used_percent", step->used_percent),
                rw_kv_uint("free_bytes", w->space.available));
}

/* As dashboards for Redpanda know it: 0 ok, 1 low, 2 writes are refused. */
static int64_t alert(enum rw_pressure_level level)
{
    return level == RW_PRESSURE_NONE ? 0 : level == RW_PRESSURE_REFUSE ? 2 : 1;
}

static void measured(struct rw_job *job)
{
    struct rw_disk_watch *w = RW_CONTAINER(job, struct rw_disk_watch, job);
    struct rw_partitions *ps = w->shard->partitions;
    struct rw_pressure_step step;
    w->busy = false;
    if (ps->stopped) {
        rw_partitions_stop_end(ps);
        return;
    }
    if (w->code)
        w->space = (struct rw_space){0}; /* unknown counts as empty; writing will tell */
    rw_pressure_step(&w->pressure, &w->config, w->space.total, w->space.available, &step);
    w->refuse = step.refuse;
    w->throttle_ms = step.throttle_ms;
    if (step.changed)
        tell(w, &step);
    if (w->shard->index == 0) /* gauges of shards are added up */
        rw_metric_set(w->shard->metrics, RW_METRIC_DISK_ALERT, alert(step.level));
    int64_t now = rw_shard_now_us(w->shard);
    w->measured_us = now;
    if (!step.refuse)
        rw_partitions_open_rest(ps);
    int64_t pause = step.throttle_ms > 0 ? RETAIN_EVERY_US / 10 : RETAIN_EVERY_US;
    if (step.retain_now && now - w->retained_us > pause) {
        w->retained_us = now;
        rw_retention_now(ps);
    }
    rw_timer_start_in(w->shard->loop, &w->timer, (int64_t)step.next_step_ms * 1000);
}

static void due(struct rw_timer *t)
{
    struct rw_disk_watch *w = RW_CONTAINER(t, struct rw_disk_watch, timer);
    w->busy = true;
    w->job = (struct rw_job){.work = measure, .done = measured};
    rw_shard_submit(w->shard, RW_JOB_BACKGROUND, &w->job);
}

void rw_partitions_found_full(struct rw_shard *s)
{
    struct rw_disk_watch *w = &s->partitions->disk;
    if (w->busy || s->partitions->stopped)
        return;
    int64_t at = w->measured_us + MEASURE_EVERY_US, now = rw_shard_now_us(s);
    rw_timer_start_at(s->loop, &w->timer, at > now ? at : now);
}

void rw_disk_watch_configure(struct rw_disk_watch *w)
{
    const struct rw_broker_config *b = rw_config_broker(w->shard->config);
    rw_pressure_config_init(&w->config);
    w->config.warn_percent = b->disk_warn_percent;
    w->config.throttle_percent = b->disk_throttle_percent;
    w->config.refuse_percent = b->disk_refuse_percent;
    w->config.free_bytes_min = (uint64_t)b->disk_free_bytes_min;
    /* What is set for all brokers, for one and in its file is checked on its own
     * when it is set; together they may still be out of order. */
    if (rw_pressure_config_order(&w->config) && w->shard->index == 0)
        rw_diag(w->shard->env->diag, RW_WARN, "disk",
                "rollway.disk.*.percent of different sources decrease in the order warn, throttle, "
                "refuse: the former are lowered to the latter",
                rw_kv_int("warn_percent", w->config.warn_percent),
                rw_kv_int("throttle_percent", w->config.throttle_percent),
                rw_kv_int("refuse_percent", w->config.refuse_percent));
}

void rw_disk_watch_start(struct rw_disk_watch *w, struct rw_shard *s)
{
    w->shard = s;
    w->retained_us = rw_shard_now_us(s) - RETAIN_EVERY_US;
    rw_disk_watch_configure(w);
    w->timer.fire = due;
    rw_timer_start_in(s->loop, &w->timer, 0);
}
