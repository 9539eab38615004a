/*
 * `/metrics/kafka`: the same counts under the names that dashboards for Apache Kafka ask for, those of
 * kafka_exporter and those that the JMX exporter's usual rules make of Kafka's beans. What has no meaning
 * here (ZooKeeper, request handler threads) is left out rather than made up.
 */
#include <inttypes.h>
#include <string.h>
#include "broker/metrics_private.h"
#include "wire/messages.h"

struct gauge {
    const char *name, *help;
    int64_t (*value)(const struct rw_partition_row *r);
};

static int64_t current_offset(const struct rw_partition_row *r)
{
    return r->high_watermark;
}

static int64_t oldest_offset(const struct rw_partition_row *r)
{
    return r->start;
}

static int64_t end_offset(const struct rw_partition_row *r)
{
    return r->end;
}

static int64_t in_sync(const struct rw_partition_row *r)
{
    return r->in_sync;
}

static int64_t leader(const struct rw_partition_row *r)
{
    return r->leader;
}

static int64_t leader_is_preferred(const struct rw_partition_row *r)
{
    return r->leader == r->preferred;
}

static int64_t replicas(const struct rw_partition_row *r)
{
    return r->replicas;
}

static int64_t under_replicated(const struct rw_partition_row *r)
{
    return r->in_sync < r->replicas;
}

static int64_t under_min_in_sync(const struct rw_partition_row *r)
{
    return r->in_sync < r->in_sync_min;
}

static int64_t at_min_in_sync(const struct rw_partition_row *r)
{
    return r->in_sync == r->in_sync_min;
}

static int64_t size(const struct rw_partition_row *r)
{
    return (int64_t)r->bytes;
}

static int64_t is_offline(const struct rw_partition_row *r)
{
    return r->offline;
}

static const struct gauge per_partition[] = {
    {"kafka_topic_partition_current_offset", "High watermark.", current_offset},
    {"kafka_topic_partition_oldest_offset", "Log start offset.", oldest_offset},
    {"kafka_topic_partition_in_sync_replica", "Replicas in sync.", in_sync},
    {"kafka_topic_partition_leader", "Id of the leader.", leader},
    {"kafka_topic_partition_leader_is_preferred", "1: the first replica leads.",
     leader_is_preferred},
    {"kafka_topic_partition_replicas", "Replicas.", replicas},
    {"kafka_topic_partition_under_replicated_partition", "1: not all replicas are in sync.",
     under_replicated},
    {"kafka_cluster_partition_underminisr", "1: fewer in sync than min.insync.replicas.",
     under_min_in_sync},
    {"kafka_cluster_partition_atminisr", "1: as many in sync as min.insync.replicas.",
     at_min_in_sync},
    {"kafka_log_log_size", "Bytes of the log.", size},
    {"kafka_log_log_logstartoffset", "Log start offset.", oldest_offset},
    {"kafka_log_log_logendoffset", "Log end offset.", end_offset},
};

static void render_partitions(struct rw_metrics_text *t, const struct rw_metrics *m)
{
    for (size_t g = 0; g < sizeof(per_partition) / sizeof(per_partition[0]); g++) {
        rw_metrics_head(t, per_partition[g].name, per_partition[g].help, RW_GAUGE);
        for (size_t i = 0; i < m->n_rows; i++) {
            rw_buf_printf(t->out, "%s{topic=\"", per_partition[g].name);
            rw_metrics_escaped(t->out, m->rows[i].topic);
            rw_buf_printf(t->out, "\",partition=\"%d\"} %" PRId64 "\n", m->rows[i].index,
                          per_partition[g].value(&m->rows[i]));
        }
    }
}

static void gauge(struct rw_metrics_text *t, const char *name, const char *help, int64_t v)
{
    rw_metrics_head(t, name, help, RW_GAUGE);
    rw_buf_printf(t->out, "%s %" PRId64 "\n", name, v);
}

static void counter(struct rw_metrics_text *t, const char *name, const char *help, uint64_t v)
{
    rw_metrics_head(t, name, help, RW_COUNTER);
    rw_buf_printf(t->out, "%s_total %" PRIu64 "\n", name, v);
}

/* The rows are sorted: those of a topic stand together. */
static void render_topic_sizes(struct rw_metrics_text *t, const struct rw_metrics *m)
{
    rw_metrics_head(t, "kafka_topic_partitions", "Partitions of the topic on this broker.",
                    RW_GAUGE);
    for (size_t i = 0; i < m->n_rows;) {
        size_t n = 1;
        while (i + n < m->n_rows && strcmp(m->rows[i + n].topic, m->rows[i].topic) == 0)
            n++;
        rw_buf_add_str(t->out, "kafka_topic_partitions{topic=\"");
        rw_metrics_escaped(t->out, m->rows[i].topic);
        rw_buf_printf(t->out, "\"} %zu\n", n);
        i += n;
    }
}

static void render_brokers(struct rw_metrics_text *t, const struct rw_metrics *m)
{
    gauge(t, "kafka_brokers", "Brokers of the cluster.", (int64_t)m->n_brokers);
    rw_metrics_head(t, "kafka_broker_info", "Brokers and their addresses; the value is always 1.",
                    RW_GAUGE);
    for (size_t i = 0; i < m->n_brokers; i++) {
        rw_buf_printf(t->out, "kafka_broker_info{id=\"%d\",address=\"", m->brokers[i].id);
        rw_metrics_escaped(t->out, m->brokers[i].host);
        rw_buf_printf(t->out, ":%d\"} 1\n", m->brokers[i].port);
    }
}

static uint64_t records(const struct rw_topic_metrics *t)
{
    return t->records;
}

static uint64_t bytes_in(const struct rw_topic_metrics *t)
{
    return t->produce_bytes;
}

static uint64_t bytes_out(const struct rw_topic_metrics *t)
{
    return t->fetch_bytes;
}

/* With a line for all topics, as the JMX exporter has it. */
static void render_topics(struct rw_metrics_text *t, const struct rw_metrics *m, const char *name,
                          const char *help, uint64_t (*value)(const struct rw_topic_metrics *t))
{
    uint64_t all = 0;
    rw_metrics_head(t, name, help, RW_COUNTER);
    for (int i = 0; i < RW_METRICS_TOPIC_CHAINS; i++)
        RW_LIST_EACH (it, &m->topics[i]) {
            const struct rw_topic_metrics *topic = RW_CONTAINER(it, struct rw_topic_metrics, link);
            all += value(topic);
            rw_buf_printf(t->out, "%s_total{topic=\"", name);
            rw_metrics_escaped(t->out, topic->name);
            rw_buf_printf(t->out, "\"} %" PRIu64 "\n", value(topic));
        }
    rw_buf_printf(t->out, "%s_total %" PRIu64 "\n", name, all);
}

static uint64_t errors_of(const struct rw_metrics *m, int16_t api_key)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < m->n_errors; i++)
        n += m->errors[i].api_key == api_key ? m->errors[i].count : 0;
    return n;
}

static int64_t sum_of(const struct rw_metrics *m,
                      int64_t (*value)(const struct rw_partition_row *r))
{
    int64_t n = 0;
    for (size_t i = 0; i < m->n_rows; i++)
        n += value(&m->rows[i]);
    return n;
}

static void render_beans(struct rw_metrics_text *t, const struct rw_metrics *m)
{
#define TOPICS "kafka_server_brokertopicmetrics_"
    render_topics(t, m, TOPICS "messagesin", "Records appended by producers.", records);
    render_topics(t, m, TOPICS "bytesin", "Bytes of record batches from producers.", bytes_in);
    render_topics(t, m, TOPICS "bytesout", "Bytes of record batches to consumers.", bytes_out);
    counter(t, TOPICS "totalproducerequests", "Produce requests.",
            rw_hist_count(&m->latency[RW_API_PRODUCE]));
    counter(t, TOPICS "totalfetchrequests", "Fetch requests.",
            rw_hist_count(&m->latency[RW_API_FETCH]));
    counter(t, TOPICS "failedproducerequests", "Errors in answers to Produce.",
            errors_of(m, RW_API_PRODUCE));
    counter(t, TOPICS "failedfetchrequests", "Errors in answers to Fetch.",
            errors_of(m, RW_API_FETCH));
#undef TOPICS
    gauge(t, "kafka_server_replicamanager_partitioncount", "Replicas on this broker.",
          m->words[RW_METRIC_PARTITIONS]);
    gauge(t, "kafka_server_replicamanager_leadercount", "Partitions led by this broker.",
          (int64_t)m->n_rows);
    gauge(t, "kafka_server_replicamanager_underreplicatedpartitions",
          "Partitions led here that have too few replicas in sync.", sum_of(m, under_replicated));
    gauge(t, "kafka_server_replicamanager_underminisrpartitioncount",
          "Partitions led here below min.insync.replicas.", sum_of(m, under_min_in_sync));
    gauge(t, "kafka_controller_kafkacontroller_activecontrollercount",
          "1: this broker is the controller.", m->n_brokers > 0);
    gauge(t, "kafka_controller_kafkacontroller_offlinepartitionscount",
          "Partitions that nobody can serve.", sum_of(m, is_offline));
    gauge(t, "kafka_server_socket_server_metrics_connection_count", "Open connections.",
          m->words[RW_METRIC_CONNECTIONS]);
}

void rw_metrics_render_kafka(struct rw_metrics_text *t, const struct rw_metrics *m)
{
    render_brokers(t, m);
    render_topic_sizes(t, m);
    render_partitions(t, m);
    render_beans(t, m);
}
