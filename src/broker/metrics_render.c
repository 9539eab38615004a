/*
 * The names of all metrics and the two text formats: Prometheus 0.0.4 and OpenMetrics 1.0.0. The
 * second wants a counter's HELP and TYPE without "_total" and "# EOF" at the end; otherwise they agree.
 *
 * Runs on a worker: nothing here may touch a shard.
 */
#include "broker/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "broker/metrics_private.h"
#include "wire/api.h"
#include "wire/error.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct row {
    const char *name; /* a counter's without "_total" */
    const char *labels;
    const char *help;
    enum kind kind;
};

#define KAFKA "rollway_server=\"kafka\""

static const struct row rows[RW_METRIC_COUNT] = {
    [RW_METRIC_CONNECTIONS] = {"rollway_rpc_active_connections", KAFKA, "Open connections.", GAUGE},
    [RW_METRIC_CONNECTIONS_TOTAL] = {"rollway_rpc_connections", KAFKA, "Connections accepted.",
                                     COUNTER},
    [RW_METRIC_CONNECTIONS_REJECTED] = {"rollway_rpc_connections_rejected", KAFKA,
                                        "Connections refused because of max.connections.per.ip.",
                                        COUNTER},
    [RW_METRIC_BAD_FRAMES] = {"rollway_rpc_bad_requests", KAFKA,
                              "Connections closed because of a request that is none.", COUNTER},
    [RW_METRIC_IDLE_CLOSED] = {"rollway_rpc_idle_closed", KAFKA,
                               "Connections closed because nothing happened for too long.",
                               COUNTER},
    [RW_METRIC_BYTES_IN] = {"rollway_rpc_received_bytes", KAFKA, "Bytes received.", COUNTER},
    [RW_METRIC_BYTES_OUT] = {"rollway_rpc_sent_bytes", KAFKA, "Bytes sent.", COUNTER},
    [RW_METRIC_REQUESTS_IN_FLIGHT] = {"rollway_kafka_requests_in_flight", NULL,
                                      "Requests received and not answered yet.", GAUGE},
    [RW_METRIC_REQUEST_MEMORY] = {"rollway_kafka_request_memory_bytes", NULL,
                                  "Memory that holds requests.", GAUGE},
    [RW_METRIC_MUTED_TOTAL] = {"rollway_kafka_memory_waits", NULL,
                               "Times a connection was left unread for lack of request memory.",
                               COUNTER},
    [RW_METRIC_COLD_READS] = {"rollway_storage_cold_reads", NULL,
                              "Ranges read from disk before they were sent to a consumer.",
                              COUNTER},
    [RW_METRIC_FLUSHES] = {"rollway_storage_flushes", NULL, "Group commits.", COUNTER},
    [RW_METRIC_FLUSH_ERRORS] = {"rollway_storage_flush_errors", NULL, "Group commits that failed.",
                                COUNTER},
    [RW_METRIC_PARTITIONS] = {"rollway_kafka_partitions", NULL,
                              "Replicas of partitions on this broker.", GAUGE},
    [RW_METRIC_PARTITIONS_OFFLINE] = {"rollway_kafka_partitions_offline", NULL,
                                      "Replicas on this broker whose log is offline.", GAUGE},
    [RW_METRIC_UNDER_REPLICATED] = {"rollway_kafka_under_replicated_replicas", NULL,
                                    "Partitions led here that have too few replicas in sync.",
                                    GAUGE},
    [RW_METRIC_RECORDS_IN] = {"rollway_kafka_records_produced", NULL,
                              "Records appended by producers.", COUNTER},
    [RW_METRIC_DISK_ALERT] = {"rollway_storage_disk_free_space_alert", NULL,
                              "0: enough free space, 1: low, 2: writes are refused.", GAUGE},
    [RW_METRIC_WAITS] = {"rollway_kafka_parked_requests", NULL,
                         "Requests that wait for data or replicas.", GAUGE},
};

struct text {
    struct rw_buf *out;
    bool openmetrics;
};

static void head(struct text *t, const char *name, const char *help, enum kind kind)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const char *suffix = kind == COUNTER && !t->openmetrics ? "_total" : "";
    rw_buf_printf(t->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix,
                  types[kind]);
}

static void escaped(struct rw_buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '\\' || *s == '"')
            rw_buf_add_u8(out, '\\');
        if (*s == '\n')
            rw_buf_add_str(out, "\\n");
        else
            rw_buf_add_u8(out, (uint8_t)*s);
    }
}

static void hist_lines(struct text *t, const char *name, const char *labels,
                       const struct rw_hist *h)
{
    const char *comma = *labels ? "," : "";
    uint64_t sum = 0;
    for (int i = 0; i < RW_HIST_BUCKETS; i++) {
        sum += h->bucket[i];
        if (i < RW_HIST_BUCKETS - 1)
            rw_buf_printf(t->out, "%s_bucket{%s%sle=\"%.6f\"} %" PRIu64 "\n", name, labels, comma,
                          (double)(UINT64_C(16) << i) / 1e6, sum);
        else
            rw_buf_printf(t->out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma,
                          sum);
    }
    const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
    rw_buf_printf(t->out, "%s_sum%s%s%s %.6f\n%s_count%s%s%s %" PRIu64 "\n", name, open, labels,
                  close, (double)h->sum_us / 1e6, name, open, labels, close, sum);
}

static bool hist_empty(const struct rw_hist *h)
{
    for (int i = 0; i < RW_HIST_BUCKETS; i++)
        if (h->bucket[i])
            return false;
    return true;
}

/* "CreateTopics" -> "create_topics"; Fetch is "consume", as dashboards expect. */
static void request_label(int16_t api_key, char *to, size_t size)
{
    const struct rw_api *api = rw_api_find(api_key);
    const char *name = api ? api->name : "unknown";
    size_t n = 0;
    if (!strcmp(name, "Fetch"))
        name = "consume";
    for (const char *p = name; *p && n + 2 < size; p++) {
        bool upper = *p >= 'A' && *p <= 'Z';
        if (upper && p != name)
            to[n++] = '_';
        to[n++] = (char)(upper ? *p - 'A' + 'a' : *p);
    }
    to[n] = 0;
}

static void render_words(struct text *t, const struct rw_metrics *m)
{
    for (int i = 0; i < RW_METRIC_COUNT; i++) {
        const struct row *r = &rows[i];
        head(t, r->name, r->help, r->kind);
        rw_buf_printf(t->out, "%s%s%s%s%s %" PRId64 "\n", r->name,
                      r->kind == COUNTER ? "_total" : "", r->labels ? "{" : "",
                      r->labels ? r->labels : "", r->labels ? "}" : "", m->words[i]);
    }
}

static void render_requests(struct text *t, const struct rw_metrics *m)
{
    const char *name = "rollway_kafka_request_latency_seconds";
    char api[64], labels[96];
    head(t, name, "From the arrival of a request to the departure of its answer.", HISTOGRAM);
    for (int16_t key = 0; key < RW_METRICS_APIS; key++) {
        if (hist_empty(&m->latency[key]))
            continue;
        request_label(key, api, sizeof(api));
        snprintf(labels, sizeof(labels), "rollway_request=\"%s\"", api);
        hist_lines(t, name, labels, &m->latency[key]);
    }
    head(t, "rollway_kafka_request_errors", "Error codes in answers.", COUNTER);
    for (uint32_t i = 0; i < m->n_errors; i++) {
        request_label(m->errors[i].api_key, api, sizeof(api));
        rw_buf_printf(t->out,
                      "rollway_kafka_request_errors_total{rollway_request=\"%s\","
                      "rollway_error=\"%s\"} %" PRIu64 "\n",
                      api, rw_kerr_name(m->errors[i].error), m->errors[i].count);
    }
    name = "rollway_storage_flush_latency_seconds";
    head(t, name, "Time that group commits took.", HISTOGRAM);
    hist_lines(t, name, "", &m->flush);
}

static void topic_line(struct text *t, const char *metric, const char *topic, const char *request,
                       uint64_t v)
{
    rw_buf_printf(t->out, "%s_total{rollway_namespace=\"kafka\",rollway_topic=\"", metric);
    escaped(t->out, topic);
    rw_buf_add_str(t->out, "\"");
    if (request)
        rw_buf_printf(t->out, ",rollway_request=\"%s\"", request);
    rw_buf_printf(t->out, "} %" PRIu64 "\n", v);
}

static void render_topics(struct text *t, const struct rw_metrics *m)
{
    const char *name = "rollway_kafka_request_bytes";
    head(t, name, "Bytes of record batches, by topic.", COUNTER);
    for (int i = 0; i < RW_METRICS_TOPIC_CHAINS; i++)
        RW_LIST_EACH (it, &m->topics[i]) {
            const struct rw_topic_metrics *topic = RW_CONTAINER(it, struct rw_topic_metrics, link);
            topic_line(t, name, topic->name, "produce", topic->produce_bytes);
            topic_line(t, name, topic->name, "consume", topic->fetch_bytes);
        }
    name = "rollway_kafka_topic_records";
    head(t, name, "Records appended by producers, by topic.", COUNTER);
    for (int i = 0; i < RW_METRICS_TOPIC_CHAINS; i++)
        RW_LIST_EACH (it, &m->topics[i]) {
            const struct rw_topic_metrics *topic = RW_CONTAINER(it, struct rw_topic_metrics, link);
            topic_line(t, name, topic->name, NULL, topic->records);
        }
}

static void gauge(struct text *t, const char *name, const char *help, uint64_t v)
{
    head(t, name, help, GAUGE);
    rw_buf_printf(t->out, "%s %" PRIu64 "\n", name, v);
}

static void render_host(struct text *t, const struct rw_metrics_host *host)
{
    head(t, "rollway_application_uptime_seconds", "Time since the broker started.", COUNTER);
    rw_buf_printf(t->out, "rollway_application_uptime_seconds_total %.3f\n",
                  (double)host->uptime_ms / 1e3);
    head(t, "rollway_application_build", "The version that runs; the value is always 1.", GAUGE);
    rw_buf_printf(t->out, "rollway_application_build{rollway_version=\"%s\"} 1\n", host->version);
    if (host->disk_total) {
        gauge(t, "rollway_storage_disk_total_bytes", "Size of the file system with the data.",
              host->disk_total);
        gauge(t, "rollway_storage_disk_free_bytes", "Free space on it.", host->disk_free);
    }
    if (host->memory_resident)
        gauge(t, "rollway_memory_resident_bytes", "Resident memory of the process.",
              host->memory_resident);
}

void rw_metrics_render(struct rw_buf *out, const struct rw_metrics *sum,
                       const struct rw_metrics_host *host, bool openmetrics)
{
    struct text t = {out, openmetrics};
    render_host(&t, host);
    render_words(&t, sum);
    render_requests(&t, sum);
    render_topics(&t, sum);
    head(&t, "rollway_metrics_dropped", "Counts that found no room in the table of errors.",
         COUNTER);
    rw_buf_printf(out, "rollway_metrics_dropped_total %" PRIu64 "\n", sum->errors_uncounted);
    if (openmetrics)
        rw_buf_add_str(out, "# EOF\n");
}
