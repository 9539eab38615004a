/*
 * Partitions one by one: `/metrics?detail=partition`. They are collected into the sum of a scrape, never
 * kept by a shard.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "broker/metrics_private.h"

int rw_metrics_partition(struct rw_metrics *sum, const struct rw_partition_row *row)
{
    if (sum->n_rows == RW_METRICS_PARTITIONS_MAX) {
        sum->rows_dropped++;
        return RW_OK;
    }
    struct rw_partition_row *grown =
        rw_array_grow(sum->rows, sum->n_rows, &sum->cap_rows, sizeof(*grown));
    if (!grown)
        return RW_E_NOMEM;
    sum->rows = grown;
    const char *name = rw_arena_str(&sum->names, row->topic).p;
    if (!name)
        return RW_E_NOMEM;
    sum->rows[sum->n_rows] = *row;
    sum->rows[sum->n_rows++].topic = name;
    return RW_OK;
}

int rw_metrics_broker(struct rw_metrics *sum, int32_t id, const char *host, int32_t port)
{
    struct rw_broker_row *grown =
        rw_realloc_array(sum->brokers, sum->n_brokers + 1, sizeof(*grown));
    if (!grown)
        return RW_E_NOMEM;
    sum->brokers = grown;
    const char *name = rw_arena_str(&sum->names, host).p;
    if (!name)
        return RW_E_NOMEM;
    grown[sum->n_brokers++] = (struct rw_broker_row){id, port, name};
    return RW_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct rw_partition_row *x = a, *y = b;
    int d = strcmp(x->topic, y->topic);
    return d ? d : (x->index > y->index) - (x->index < y->index);
}

void rw_metrics_sort(struct rw_metrics *sum)
{
    if (sum->n_rows > 1)
        qsort(sum->rows, sum->n_rows, sizeof(*sum->rows), by_name);
}

static int64_t max_offset(const struct rw_partition_row *r)
{
    return r->high_watermark;
}

static int64_t end_offset(const struct rw_partition_row *r)
{
    return r->end;
}

static int64_t start_offset(const struct rw_partition_row *r)
{
    return r->start;
}

static int64_t size(const struct rw_partition_row *r)
{
    return (int64_t)r->bytes;
}

static int64_t leader(const struct rw_partition_row *r)
{
    return r->leader;
}

static const struct {
    const char *name, *help;
    int64_t (*value)(const struct rw_partition_row *r);
} gauges[] = {
    {"rollway_kafka_max_offset", "High watermark: what consumers can read lies below.", max_offset},
    {"rollway_kafka_log_end_offset", "Offset of the next record.", end_offset},
    {"rollway_kafka_log_start_offset", "Offset of the first record.", start_offset},
    {"rollway_kafka_log_size_bytes", "Size of the log.", size},
    {"rollway_cluster_partition_leader_id", "Broker that leads the partition.", leader},
};

void rw_metrics_render_partitions(struct rw_metrics_text *t, const struct rw_metrics *sum)
{
    for (size_t g = 0; g < sizeof(gauges) / sizeof(gauges[0]); g++) {
        rw_metrics_head(t, gauges[g].name, gauges[g].help, RW_GAUGE);
        for (size_t i = 0; i < sum->n_rows; i++) {
            const struct rw_partition_row *r = &sum->rows[i];
            rw_buf_printf(t->out, "%s{rollway_namespace=\"kafka\",rollway_topic=\"",
                          gauges[g].name);
            rw_metrics_escaped(t->out, r->topic);
            rw_buf_printf(t->out, "\",rollway_partition=\"%d\"} %" PRId64 "\n", r->index,
                          gauges[g].value(r));
        }
    }
}
