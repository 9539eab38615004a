/*
 * Records that a broker refuses for good: to the topic <topic>.dlq with the reason in headers; when that does not take it either, into a log
 * of our own in the spool, dead/<topic>.dlq-0, that `rollway log` reads. They never hold up what comes behind them.
 */
#include <stdio.h>
#include <string.h>
#include "base/bytes.h"
#include "base/mem.h"
#include "batch/dead_letter.h"
#include "log/path.h"
#include "logger/engine.h"
#include "logger/ship.h"
#include "wire/error.h"

/* Of the spool, for dead letters that no topic takes: beside what is for lines. */
enum { DEAD_SHARE = 8 };
enum { PRODUCE_CAP = 12, HEADERS = 4 };

struct dead {
    char topic[RW_LG_TOPIC + 8];
    struct rw_builder builder;
    struct rw_buf bytes;
};

static struct rw_record_header header(const char *key, const char *value)
{
    return (struct rw_record_header){rw_str(key), rw_slice(value, strlen(value))};
}

/* The record at `acked` with the reason. */
static int make(struct rw_lg_ship *s, struct rw_lg_lane *l, int16_t error, struct dead *d)
{
    struct rw_records records = {0};
    struct rw_record r;
    struct rw_slice finished;
    int64_t end, first = rw_lg_ship_acked(l);
    char code[16], partition[16];
    snprintf(code, sizeof(code), "%d", error);
    snprintf(partition, sizeof(partition), "%d", l->at.partition);
    const struct rw_record_header headers[HEADERS] = {
        header(RW_DLQ_REASON, rw_kerr_name(error)), header(RW_DLQ_CODE, code),
        header(RW_DLQ_TOPIC, l->topic), header(RW_DLQ_PARTITION, partition)};
    int rc = rw_lg_lane_read(l, first, true, &s->scratch, &s->batch, &end);
    if (!rc)
        rc = rw_records_open(&records, s->batch.p, s->batch.n);
    if (!rc)
        rc = rw_records_next(&records, &r) == 1 ? RW_OK : RW_E_CORRUPT;
    if (!rc) {
        d->builder.codec = rw_batch_codec(&records.batch);
        r.offset = 0;
        rc = rw_builder_add(&d->builder, &r, headers, HEADERS);
    }
    if (!rc)
        rc = rw_builder_finish(&d->builder, &finished);
    if (!rc)
        rw_buf_add(&d->bytes, finished.p, finished.n);
    rw_records_deinit(&records);
    return rc ? rc : d->bytes.failed ? RW_E_NOMEM : RW_OK;
}

static int to_topic(struct rw_lg_ship *s, struct dead *d)
{
    struct rw_client_err err;
    struct rw_topic *t;
    struct rw_conn *c;
    void *response;
    struct rw_produce_request request;
    struct rw_produce_request_partition partition = {.records = {.p = d->bytes.p, .n = d->bytes.n}};
    struct rw_produce_request_topic topic = {
        .name = rw_str(d->topic), .n_partition_data = 1, .partition_data = &partition};
    int rc = rw_cluster_get_topic(s->cluster, d->topic, true, &t, &err);
    if (!rc)
        rc = rw_cluster_conn(s->cluster, t->partitions[0].leader, &c, &err);
    if (rc)
        return rc;
    rw_produce_request_init(&request);
    request.acks = -1;
    request.timeout_ms = (int32_t)(s->o.request_timeout_us / 1000);
    request.n_topic_data = 1;
    request.topic_data = &topic;
    rw_arena_reset(&s->arena);
    rc = rw_conn_call(c, RW_API_PRODUCE, PRODUCE_CAP, &request, &s->arena,
                      rw_cluster_request_us(s->cluster), &response, &err);
    if (rc) {
        rw_cluster_drop(s->cluster, c);
        return rc;
    }
    const struct rw_produce_response *m = response;
    bool fine = m->n_responses == 1 && m->responses[0].n_partition_responses == 1 &&
                m->responses[0].partition_responses[0].error_code == 0;
    return fine ? RW_OK : RW_E_BROKER;
}

static int to_file(struct rw_lg_ship *s, const struct rw_lg_lane *l, struct dead *d)
{
    struct rw_path home, dir;
    char name[sizeof(d->topic) + 8];
    struct rw_log_config config;
    struct rw_log_open_args args = {0};
    struct rw_append_args append = {
        .as_leader = true, .allow_zstd = true, .now_ms = rw_wall_ms(s->env->clock)};
    struct rw_append_info info;
    struct rw_log *log;
    rw_lg_lane_config(l, &config);
    config.retention_bytes = l->spool->o.bytes / DEAD_SHARE;
    if (config.segment_bytes > config.retention_bytes / 4)
        config.segment_bytes = config.retention_bytes / 4;
    snprintf(name, sizeof(name), "%s-0", d->topic);
    int rc = rw_path_join(&home, l->spool->path, "dead", NULL);
    if (!rc)
        rc = rw_path_join(&dir, home.s, name, NULL);
    if (rc)
        return rc;
    (void)s->env->vfs->ops->mkdir(s->env->vfs, home.s); /* what is wrong is told by the next */
    (void)s->env->vfs->ops->mkdir(s->env->vfs, dir.s);
    rc = rw_log_open(s->env, dir.s, &config, &args, &log);
    if (rc)
        return rc;
    int64_t start = rw_log_start(log);
    int deleted = 0;
    rc = rw_log_append(log, d->bytes.p, d->bytes.n, &append, &info);
    if (!rc)
        rc = rw_log_retain(log, 0, INT64_MAX, &deleted);
    rw_log_unlink_deleted(log, INT64_MAX);
    start = rw_log_start(log) - start;
    int closed = rw_log_close(log, true);
    if (start > 0) {
        atomic_fetch_add(&s->counts.lost, (uint64_t)start);
        rw_lg_report("the oldest dead letters had to go: nobody has fetched them", s->o.appender,
                     RW_E_FULL);
    }
    return rc ? rc : closed;
}

void rw_lg_ship_bury(struct rw_lg_ship *s, struct rw_lg_lane *l, int16_t error)
{
    struct dead d;
    rw_buf_init(&d.bytes);
    rw_builder_init(&d.builder);
    rw_builder_reset(&d.builder, 0);
    snprintf(d.topic, sizeof(d.topic), "%s" RW_DLQ_SUFFIX, l->topic);
    int rc = make(s, l, error, &d);
    if (!rc && to_topic(s, &d))
        rc = to_file(s, l, &d);
    atomic_fetch_add(rc ? &s->counts.lost : &s->counts.dead, 1);
    rw_lg_report(rc ? "the broker refuses a line, and it could not be kept"
                    : "the broker refuses a line: it is with the dead letters",
                 s->o.appender, rc);
    rw_builder_deinit(&d.builder);
    rw_buf_deinit(&d.bytes);
}
