/*
 * What the broker counts. One table of names (metrics.c); each shard counts for itself in plain
 * memory, nothing is shared or atomic; a scrape asks every shard for a copy by message, adds them
 * up and writes the text on a worker.
 *
 * Names are rollway_*, shaped like Redpanda's redpanda_*, so that a dashboard is ported by its
 * prefix.
 */
#pragma once

#include "base/buf.h"
#include "base/code.h"
#include "base/list.h"
#include "wire/api.h"

/* Without labels; the order is that of the table in metrics.c. Gauges of several shards are added.
 */
enum rw_metric {
    RW_METRIC_CONNECTIONS,          /* gauge: open Kafka connections */
    RW_METRIC_CONNECTIONS_TOTAL,    /* accepted */
    RW_METRIC_CONNECTIONS_REJECTED, /* refused by max.connections.per.ip */
    RW_METRIC_BAD_FRAMES,           /* closed for an impossible size or an undecodable request */
    RW_METRIC_IDLE_CLOSED,          /* closed by connections.max.idle.ms */
    RW_METRIC_BYTES_IN,             /* received from Kafka clients */
    RW_METRIC_BYTES_OUT,            /* sent to them */
    RW_METRIC_REQUESTS_IN_FLIGHT,   /* gauge */
    RW_METRIC_REQUEST_MEMORY,       /* gauge: bytes held by frames */
    RW_METRIC_REQUEST_MEMORY_IDLE,  /* gauge: bytes kept for frames to come */
    RW_METRIC_REQUEST_MEMORY_LIMIT, /* gauge */
    RW_METRIC_MUTED_TOTAL,          /* times a connection was left unread for lack of memory */
    RW_METRIC_FETCH_READS,          /* the service's: times a fetch read in a log */
    RW_METRIC_COLD_READS,           /* ranges that had to be read from disk before sending */
    RW_METRIC_FLUSHES,              /* group commits done */
    RW_METRIC_FLUSH_ERRORS,
    RW_METRIC_PARTITIONS,         /* gauge, the service's: replicas on this broker */
    RW_METRIC_PARTITIONS_OFFLINE, /* gauge, the service's */
    RW_METRIC_UNDER_REPLICATED,   /* gauge, the service's */
    RW_METRIC_RECORDS_IN,         /* the service's: records appended by producers */
    RW_METRIC_DISK_ALERT,         /* gauge, the service's, on shard 0 only */
    RW_METRIC_WAITS,              /* gauge, the service's: parked requests (long polls) */
    RW_METRIC_COUNT
};

enum { RW_HIST_BUCKETS = 23, RW_METRICS_APIS = 96 };

/* Buckets of width 2^k microseconds: <= 16 us, <= 32 us ... <= 33.5 s, more. */
struct rw_hist {
    uint64_t bucket[RW_HIST_BUCKETS];
    uint64_t sum_us;
};

struct rw_topic_metrics {
    struct rw_link link; /* the hash chain */
    uint64_t produce_bytes, fetch_bytes, records;
    char name[]; /* the topic */
};

struct rw_metrics;

/* NULL: out of memory. */
struct rw_metrics *rw_metrics_new(void);
void rw_metrics_free(struct rw_metrics *m);

/* Hot: an addition to a plain word of the own shard. */
void rw_metric_add(struct rw_metrics *m, enum rw_metric which, int64_t n);
void rw_metric_set(struct rw_metrics *m, enum rw_metric which, int64_t v);
/* n requests of one API that took equally long, from the frame's arrival to the answer's departure. */
void rw_metric_requests(struct rw_metrics *m, int16_t api_key, int64_t latency_us, uint64_t n);
void rw_metric_flush(struct rw_metrics *m, int64_t latency_us);
/* A Kafka error code in an answer. Call it once per error that is sent, 0 is ignored. */
void rw_metric_error(struct rw_metrics *m, int16_t api_key, int16_t error);
/* All error codes of an answer. */
void rw_metric_errors(struct rw_metrics *m, const struct rw_api *api, int16_t version,
                      const void *response);

/* This shard's counters of one topic, made when they are not there; keep the pointer. NULL when
 * memory is refused or the limit on topics is reached: then the topic is not counted. The pointer
 * stays valid until the topic is forgotten. */
struct rw_topic_metrics *rw_metrics_topic(struct rw_metrics *m, const char *topic);
void rw_metrics_topic_forget(struct rw_metrics *m, const char *topic);

/* ---- scrape ---- */

/* Adds what `from` counts to `sum`. On the shard of `from`. RW_E_NOMEM: sum is incomplete. */
RW_MUST int rw_metrics_merge(struct rw_metrics *sum, const struct rw_metrics *from);

/* One partition, where they are asked for one by one. */
struct rw_partition_row {
    const char *topic;
    int32_t index, leader, preferred; /* broker ids */
    int32_t replicas, in_sync, in_sync_min;
    int64_t start, end, high_watermark; /* offsets */
    uint64_t bytes;
    bool offline;
};

/* The most that one scrape shows; more are counted as dropped. */
enum { RW_METRICS_PARTITIONS_MAX = 20000 };

/* Strings are copied. RW_E_NOMEM. */
RW_MUST int rw_metrics_partition(struct rw_metrics *sum, const struct rw_partition_row *row);
RW_MUST int rw_metrics_broker(struct rw_metrics *sum, int32_t id, const char *host, int32_t port);

/* What does not live in a shard. */
struct rw_metrics_host {
    int64_t uptime_ms;
    const char *version;
    uint64_t disk_total, disk_free; /* both 0: unknown, left out */
    uint64_t memory_resident;       /* 0: unknown, as the next two */
    uint64_t open_files;
    double cpu_seconds;
};

enum rw_metrics_form {
    RW_METRICS_OWN,
    RW_METRICS_OWN_PARTITIONS, /* and every partition */
    RW_METRICS_KAFKA           /* the names of kafka_exporter and of Apache Kafka's JMX exporter */
};

/* openmetrics: OpenMetrics 1.0.0, otherwise Prometheus text 0.0.4. Sorts the partitions of sum. */
void rw_metrics_render(struct rw_buf *out, struct rw_metrics *sum,
                       const struct rw_metrics_host *host, enum rw_metrics_form form,
                       bool openmetrics);
