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

struct row {
    const char *name; /* a counter's without "_total" */
    const char *labels;
    const char *help;
    enum rw_metric_kind kind;
};

#define KAFKA "rollway_server=\"kafka\""

static const struct row rows[RW_METRIC_COUNT] = {
    [RW_METRIC_CONNECTIONS] = {"rollway_rpc_active_connections", KAFKA, "Open connections.",
                               RW_GAUGE},
    [RW_METRIC_CONNECTIONS_TOTAL] = {"rollway_rpc_connections", KAFKA, "Connections accepted.",
                                     RW_COUNTER},
    [RW_METRIC_CONNECTIONS_REJECTED] = {"rollway_rpc_connections_rejected", KAFKA,
                                        "Connections refused because of max.connections.per.ip.",
                                        RW_COUNTER},
    [RW_METRIC_BAD_FRAMES] = {"rollway_rpc_bad_requests", KAFKA,
                              "Connections closed because of a request that is none.", RW_COUNTER},
    [RW_METRIC_IDLE_CLOSED] = {"rollway_rpc_idle_closed", KAFKA,
                               "Connections closed because nothing happened for too long.",
                               RW_COUNTER},
    [RW_METRIC_BYTES_IN] = {"rollway_rpc_received_bytes", KAFKA, "Bytes received.", RW_COUNTER},
    [RW_METRIC_BYTES_OUT] = {"rollway_rpc_sent_bytes", KAFKA, "Bytes sent.", RW_COUNTER},
    [RW_METRIC_REQUESTS_IN_FLIGHT] = {"rollway_kafka_requests_in_flight", NULL,
                                      "Requests received and not answered yet.", RW_GAUGE},
    [RW_METRIC_REQUEST_MEMORY] = {"rollway_kafka_request_memory_bytes", NULL,
                                  "Memory that holds requests.", RW_GAUGE},
    [RW_METRIC_REQUEST_MEMORY_IDLE] = {"rollway_kafka_request_memory_idle_bytes", NULL,
                                       "Memory kept for requests to come.", RW_GAUGE},
    [RW_METRIC_REQUEST_MEMORY_LIMIT] = {"rollway_kafka_request_memory_limit_bytes", NULL,
                                        "Most memory that requests may take.", RW_GAUGE},
    [RW_METRIC_MUTED_TOTAL] = {"rollway_kafka_memory_waits", NULL,
                               "Times a connection was left unread for lack of request memory.",
                               RW_COUNTER},
    [RW_METRIC_COLD_READS] = {"rollway_storage_cold_reads", NULL,
                              "Ranges read from disk before they were sent to a consumer.",
                              RW_COUNTER},
    [RW_METRIC_FLUSHES] = {"rollway_storage_flushes", NULL, "Group commits.", RW_COUNTER},
    [RW_METRIC_FLUSH_ERRORS] = {"rollway_storage_flush_errors", NULL, "Group commits that failed.",
                                RW_COUNTER},
    [RW_METRIC_PARTITIONS] = {"rollway_kafka_partitions", NULL,
                              "Replicas of partitions on this broker.", RW_GAUGE},
    [RW_METRIC_PARTITIONS_OFFLINE] = {"rollway_kafka_partitions_offline", NULL,
                                      "Replicas on this broker whose log is offline.", RW_GAUGE},
    [RW_METRIC_UNDER_REPLICATED] = {"rollway_kafka_under_replicated_replicas", NULL,
                                    "Partitions led here that have too few replicas in sync.",
                                    RW_GAUGE},
    [RW_METRIC_RECORDS_IN] = {"rollway_kafka_records_produced", NULL,
                              "Records appended by producers.", RW_COUNTER},
    [RW_METRIC_DISK_ALERT] = {"rollway_storage_disk_free_space_alert", NULL,
                              "0: enough free space, 1: low, 2: writes are refused.", RW_GAUGE},
    [RW_METRIC_FETCH_READS] = {"rollway_kafka_fetch_reads", NULL,
                               "Times that a fetch read in the log of a partition.", RW_COUNTER},
    [RW_METRIC_WAITS] = {"rollway_kafka_parked_requests", NULL,
                         "Requests that wait for data or replicas.", RW_GAUGE},
};

void rw_metrics_head(struct rw_metrics_text *t, const char *name, const char *help,
                     enum rw_metric_kind kind)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const char *suffix = kind == RW_COUNTER && !t->openmetrics ? "_total" : "";
    rw_buf_printf(t->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix,
                  types[kind]);
}

void rw_metrics_escaped(struct rw_buf *out, const char *s)
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

static void hist_lines(struct rw_metrics_text *t, const char *name, const char *labels,
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

uint64_t rw_hist_count(const struct rw_hist *h)
{
    uint64_t n = 0;
    for (int i = 0; i < RW_HIST_BUCKETS; i++)
        n += h->bucket[i];
    return n;
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

static void render_words(struct rw_metrics_text *t, const struct rw_metrics *m)
{
    for (int i = 0; i < RW_METRIC_COUNT; i++) {
        const struct row *r = &rows[i];
        rw_metrics_head(t, r->name, r->help, r->kind);
        rw_buf_printf(t->out, "%s%s%s%s%s %" PRId64 "\n", r->name,
                      r->kind == RW_COUNTER ? "_total" : "", r->labels ? "{" : "",
                      r->labels ? r->labels : "", r->labels ? "}" : "", m->words[i]);
    }
}

static void render_requests(struct rw_metrics_text *t, const struct rw_metrics *m)
{
    const char *name = "rollway_kafka_request_latency_seconds";
    char api[64], labels[96];
    rw_metrics_head(t, name, "From the arrival of a request to the departure of its answer.",
                    RW_HISTOGRAM);
    for (int16_t key = 0; key < RW_METRICS_APIS; key++) {
        if (rw_hist_count(&m->latency[key]) == 0)
            continue;
        request_label(key, api, sizeof(api));
        snprintf(labels, sizeof(labels), "rollway_request=\"%s\"", api);
        hist_lines(t, name, labels, &m->latency[key]);
    }
    rw_metrics_head(t, "rollway_kafka_request_errors", "Error codes in answers.", RW_COUNTER);
    for (uint32_t i = 0; i < m->n_errors; i++) {
        request_label(m->errors[i].api_key, api, sizeof(api));
        rw_buf_printf(t->out,
                      "rollway_kafka_request_errors_total{rollway_request=\"%s\","
                      "rollway_error=\"%s\"} %" PRIu64 "\n",
                      api, rw_kerr_name(m->errors[i].error), m->errors[i].count);
    }
    name = "rollway_storage_flush_latency_seconds";
    rw_metrics_head(t, name, "Time that group commits took.", RW_HISTOGRAM);
    hist_lines(t, name, "", &m->flush);
}

static void topic_line(struct rw_metrics_text *t, const char *metric, const char *topic,
                       const char *request, uint64_t v)
{
    rw_buf_printf(t->out, "%s_total{rollway_namespace=\"kafka\",rollway_topic=\"", metric);
    rw_metrics_escaped(t->out, topic);
    rw_buf_add_str(t->out, "\"");
    if (request)
        rw_buf_printf(t->out, ",rollway_request=\"%s\"", request);
    rw_buf_printf(t->out, "} %" PRIu64 "\n", v);
}

static void render_topics(struct rw_metrics_text *t, const struct rw_metrics *m)
{
    const char *name = "rollway_kafka_request_bytes";
    rw_metrics_head(t, name, "Bytes of record batches, by topic.", RW_COUNTER);
    for (int i = 0; i < RW_METRICS_TOPIC_CHAINS; i++)
        RW_LIST_EACH (it, &m->topics[i]) {
            const struct rw_topic_metrics *topic = RW_CONTAINER(it, struct rw_topic_metrics, link);
            topic_line(t, name, topic->name, "produce", topic->produce_bytes);
            topic_line(t, name, topic->name, "consume", topic->fetch_bytes);
        }
    name = "rollway_kafka_topic_records";
    rw_metrics_head(t, name, "Records appended by producers, by topic.", RW_COUNTER);
    for (int i = 0; i < RW_METRICS_TOPIC_CHAINS; i++)
        RW_LIST_EACH (it, &m->topics[i]) {
            const struct rw_topic_metrics *topic = RW_CONTAINER(it, struct rw_topic_metrics, link);
            topic_line(t, name, topic->name, NULL, topic->records);
        }
}

static void gauge(struct rw_metrics_text *t, const char *name, const char *help, uint64_t v)
{
    rw_metrics_head(t, name, help, RW_GAUGE);
    rw_buf_printf(t->out, "%s %" PRIu64 "\n", name, v);
}

static void render_host(struct rw_metrics_text *t, const struct rw_metrics_host *host)
{
    rw_metrics_head(t, "rollway_application_uptime_seconds", "Time since the broker started.",
                    RW_COUNTER);
    rw_buf_printf(t->out, "rollway_application_uptime_seconds_total %.3f\n",
                  (double)host->uptime_ms / 1e3);
    rw_metrics_head(t, "rollway_application_build", "The version that runs; the value is always 1.",
                    RW_GAUGE);
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

/* As every exporter names them. */
static void render_process(struct rw_metrics_text *t, const struct rw_metrics_host *host)
{
    if (host->memory_resident)
        gauge(t, "process_resident_memory_bytes", "Resident memory.", host->memory_resident);
    if (host->open_files)
        gauge(t, "process_open_fds", "Open file descriptors.", host->open_files);
    if (host->cpu_seconds > 0) {
        rw_metrics_head(t, "process_cpu_seconds", "Processor time taken.", RW_COUNTER);
        rw_buf_printf(t->out, "process_cpu_seconds_total %.2f\n", host->cpu_seconds);
    }
}

static void render_own(struct rw_metrics_text *t, const struct rw_metrics *sum,
                       const struct rw_metrics_host *host, bool partitions)
{
    render_host(t, host);
    render_words(t, sum);
    render_requests(t, sum);
    render_topics(t, sum);
    if (partitions)
        rw_metrics_render_partitions(t, sum);
    rw_metrics_head(t, "rollway_metrics_dropped",
                    "Counts that found no room in the table of errors, and partitions beyond those "
                    "that are shown.",
                    RW_COUNTER);
    rw_buf_printf(t->out, "rollway_metrics_dropped_total %" PRIu64 "\n",
                  sum->errors_uncounted + sum->rows_dropped);
}

void rw_metrics_render(struct rw_buf *out, struct rw_metrics *sum,
                       const struct rw_metrics_host *host, enum rw_metrics_form form,
                       bool openmetrics)
{
    struct rw_metrics_text t = {out, openmetrics};
    rw_metrics_sort(sum);
    if (form == RW_METRICS_KAFKA)
        rw_metrics_render_kafka(&t, sum);
    else
        render_own(&t, sum, host, form == RW_METRICS_OWN_PARTITIONS);
    render_process(&t, host);
    if (openmetrics)
        rw_buf_add_str(out, "# EOF\n");
}
