/* Between metrics.c, which counts, and metrics_*.c, which write it down. */
#pragma once

#include "base/arena.h"
#include "broker/metrics.h"

enum { RW_METRICS_TOPIC_CHAINS = 256, RW_METRICS_TOPICS_MAX = 10000, RW_METRICS_ERRORS_MAX = 256 };

struct rw_error_count {
    int16_t api_key, error;
    uint64_t count;
};

struct rw_broker_row {
    int32_t id, port;
    const char *host;
};

struct rw_metrics {
    int64_t words[RW_METRIC_COUNT];
    struct rw_hist latency[RW_METRICS_APIS]; /* request received to answer handed to the kernel */
    struct rw_hist flush;
    struct rw_error_count errors[RW_METRICS_ERRORS_MAX];
    uint32_t n_errors;
    uint32_t n_topics;
    uint64_t errors_uncounted;
    struct rw_link topics[RW_METRICS_TOPIC_CHAINS];
    /* Only in a sum: */
    struct rw_arena names;
    struct rw_partition_row *rows;
    size_t n_rows, cap_rows;
    uint64_t rows_dropped;
    struct rw_broker_row *brokers;
    size_t n_brokers;
};

/* ---- text: what the renderers share (metrics_render.c) ---- */

enum rw_metric_kind { RW_COUNTER, RW_GAUGE, RW_HISTOGRAM };

struct rw_metrics_text {
    struct rw_buf *out;
    bool openmetrics;
};

/* HELP and TYPE. name: a counter's without "_total". */
void rw_metrics_head(struct rw_metrics_text *t, const char *name, const char *help,
                     enum rw_metric_kind kind);
/* A label's value. */
void rw_metrics_escaped(struct rw_buf *out, const char *s);
uint64_t rw_hist_count(const struct rw_hist *h);
/* metrics_partitions.c */
void rw_metrics_sort(struct rw_metrics *sum);
void rw_metrics_render_partitions(struct rw_metrics_text *t, const struct rw_metrics *sum);
/* metrics_kafka.c */
void rw_metrics_render_kafka(struct rw_metrics_text *t, const struct rw_metrics *sum);
