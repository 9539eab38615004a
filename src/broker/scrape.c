/*
 * A scrape is one message that visits every shard in turn and adds up what it finds; then a worker
 * writes the text, which for many topics takes longer than a shard should be busy.
 */
#include "broker/scrape.h"

#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "broker/files.h"
#include "broker/memory.h"
#include "broker/service.h"

struct scrape {
    struct rw_msg msg;
    struct rw_job job;
    struct rw_shard *zero;
    int at; /* the shard that it is on */
    int code;
    bool openmetrics;
    enum rw_metrics_form form;
    struct rw_metrics *sum;
    struct rw_buf text;
    void (*done)(void *arg, const struct rw_buf *text);
    void *arg;
};

/* A file of /proc; empty where there is none. */
static void read_proc(const struct rw_env *env, const char *path, char *to, size_t size)
{
    struct rw_file *f;
    size_t n = 0;
    to[0] = 0;
    if (rw_vfs_open(env->vfs, path, RW_OPEN_READ, &f) != RW_OK)
        return;
    if (rw_file_read_at(f, 0, to, size - 1, &n) != RW_OK)
        n = 0;
    rw_file_close(f);
    to[n] = 0;
}

/* Second number of /proc/self/statm, in pages of 4 KiB; 0 where there is no such file. */
static uint64_t resident(const struct rw_env *env)
{
    char line[128];
    unsigned long long size, pages = 0;
    read_proc(env, "/proc/self/statm", line, sizeof(line));
    return sscanf(line, "%llu %llu", &size, &pages) == 2 ? pages * 4096 : 0;
}

/* utime and stime, fields 14 and 15 of /proc/self/stat, in ticks of 10 ms. The second field, a name in
 * parentheses, may contain anything. */
static double cpu_seconds(const struct rw_env *env)
{
    char line[1024];
    unsigned long long user = 0, kernel = 0;
    read_proc(env, "/proc/self/stat", line, sizeof(line));
    const char *p = strrchr(line, ')');
    if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
                     &kernel) != 2)
        return 0;
    return (double)(user + kernel) / 100;
}

/* 0, which is not shown: the system does not tell. */
static uint64_t open_files(const struct rw_env *env)
{
    uint64_t n = 0;
    return rw_open_files(env, &n) == RW_OK ? n : 0;
}

static void render(struct rw_job *job)
{
    struct scrape *s = RW_CONTAINER(job, struct scrape, job);
    const struct rw_broker *b = s->zero->broker;
    struct rw_space space = {0};
    if (b->data_dir && b->env->vfs->ops->space(b->env->vfs, b->data_dir, &space) != RW_OK)
        space = (struct rw_space){0}; /* shown as unknown */
    struct rw_metrics_host host = {
        .uptime_ms = (rw_mono_us(b->env->clock) - b->started_us) / 1000,
        .version = ROLLWAY_VERSION,
        .disk_total = space.total,
        .disk_free = space.available,
        .memory_resident = resident(b->env),
        .open_files = open_files(b->env),
        .cpu_seconds = cpu_seconds(b->env),
    };
    rw_metrics_render(&s->text, s->sum, &host, s->form, s->openmetrics);
}

static void finish(struct scrape *s, bool ok)
{
    s->done(s->arg, ok ? &s->text : NULL);
    rw_metrics_free(s->sum);
    rw_buf_deinit(&s->text);
    rw_free(s);
}

static void rendered(struct rw_job *job)
{
    struct scrape *s = RW_CONTAINER(job, struct scrape, job);
    finish(s, !s->text.failed);
}

static void back(struct rw_shard *zero, struct rw_msg *m)
{
    struct scrape *s = RW_CONTAINER(m, struct scrape, msg);
    if (s->code)
        finish(s, false);
    else
        rw_shard_submit(zero, RW_JOB_BACKGROUND, &s->job);
}

static void visit(struct rw_shard *shard, struct rw_msg *m)
{
    struct scrape *s = RW_CONTAINER(m, struct scrape, msg);
    const struct rw_broker *b = shard->broker;
    rw_metric_set(shard->metrics, RW_METRIC_REQUEST_MEMORY, (int64_t)rw_memory_used(shard->memory));
    rw_metric_set(shard->metrics, RW_METRIC_REQUEST_MEMORY_IDLE,
                  (int64_t)rw_memory_idle(shard->memory));
    rw_metric_set(shard->metrics, RW_METRIC_REQUEST_MEMORY_LIMIT,
                  (int64_t)rw_memory_limit(shard->memory));
    if (s->code == RW_OK)
        s->code = rw_metrics_merge(s->sum, shard->metrics);
    if (s->code == RW_OK && s->form != RW_METRICS_OWN && b->service->measure)
        s->code = b->service->measure(shard, s->sum);
    bool last = ++s->at == b->n_shards;
    if (last)
        s->msg.run = back;
    rw_shard_send(last ? s->zero : b->shards[s->at], &s->msg);
}

int rw_scrape_start(struct rw_shard *zero, enum rw_metrics_form form, bool openmetrics,
                    void (*done)(void *arg, const struct rw_buf *text), void *arg)
{
    struct scrape *s = rw_zalloc(sizeof(*s));
    if (!s)
        return RW_E_NOMEM;
    s->sum = rw_metrics_new();
    if (!s->sum) {
        rw_free(s);
        return RW_E_NOMEM;
    }
    s->zero = zero;
    s->openmetrics = openmetrics;
    s->form = form;
    s->done = done;
    s->arg = arg;
    s->job.work = render;
    s->job.done = rendered;
    s->msg.run = visit;
    rw_shard_send(zero, &s->msg);
    return RW_OK;
}
