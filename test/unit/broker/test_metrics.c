/* Counting, merging, limits, and the exact text of both formats where it matters to a parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "broker/metrics.h"
#include "wire/messages.h"

static const struct rw_metrics_host host = {.uptime_ms = 1500,
                                            .version = "1.2.3",
                                            .disk_total = 1000,
                                            .disk_free = 400,
                                            .memory_resident = 4096,
                                            .open_files = 12,
                                            .cpu_seconds = 1.25};

static void has(const struct rw_buf *text, const char *line)
{
    struct rw_buf copy = *text;
    if (!strstr(rw_buf_cstr(&copy), line))
        fail_msg("missing: %s\nin:\n%s", line, rw_buf_cstr(&copy));
}

static struct rw_metrics *sample(void)
{
    struct rw_metrics *m = rw_metrics_new();
    rw_metric_set(m, RW_METRIC_CONNECTIONS, 3);
    rw_metric_add(m, RW_METRIC_BYTES_IN, 700);
    rw_metric_requests(m, 0, 16, 1);       /* Produce: the first bucket, to its edge */
    rw_metric_requests(m, 0, 17, 2);       /* the second */
    rw_metric_requests(m, 1, 40000000, 1); /* Fetch: 40 s, beyond the last */
    rw_metric_error(m, 0, 0);              /* no error */
    rw_metric_error(m, 0, 3);
    rw_metric_error(m, 0, 3);
    struct rw_topic_metrics *t = rw_metrics_topic(m, "a\"b\\c\nd");
    t->produce_bytes = 5;
    t->fetch_bytes = 6;
    t->records = 7;
    return m;
}

/* Found at any depth, in the versions that have them, and where nothing says how many there are. */
static void errors_of_answers(void **state)
{
    (void)state;
    struct rw_metrics *m = rw_metrics_new();
    struct rw_buf b;
    rw_buf_init(&b);
    struct rw_metadata_response_partition partitions[2] = {{.error_code = 5}, {.error_code = 0}};
    struct rw_metadata_response_topic topics[2] = {
        {.error_code = 3, .partitions = NULL, .n_partitions = -1},
        {.error_code = 0, .partitions = partitions, .n_partitions = 2}};
    struct rw_metadata_response metadata = {.topics = topics, .n_topics = 2, .error_code = 41};
    rw_metric_errors(m, rw_api_find(RW_API_METADATA), 12,
                     &metadata); /* the last is of version 13 */
    struct rw_create_topics_response_topic made = {
        .error_code = 36, .topic_config_error_code = 29, .n_configs = -1};
    struct rw_create_topics_response create = {.topics = &made, .n_topics = 1};
    rw_metric_errors(m, rw_api_find(RW_API_CREATE_TOPICS), 7, &create);
    rw_metric_errors(m, rw_api_find(RW_API_CREATE_TOPICS), 4, &create); /* one from version 5 on */
    struct rw_init_producer_id_response id = {.error_code = 0};
    rw_metric_errors(m, rw_api_find(RW_API_INIT_PRODUCER_ID), 4, &id);
    rw_metrics_render(&b, m, &host, RW_METRICS_OWN, false);
#define ERRORS(request, error, n)                                                                  \
    "rollway_kafka_request_errors_total{rollway_request=\"" request "\",rollway_error=\"" error    \
    "\"} " n "\n"
    has(&b, ERRORS("metadata", "UNKNOWN_TOPIC_OR_PARTITION", "1")
                ERRORS("metadata", "LEADER_NOT_AVAILABLE", "1")
                    ERRORS("create_topics", "TOPIC_ALREADY_EXISTS", "2")
                        ERRORS("create_topics", "TOPIC_AUTHORIZATION_FAILED", "1"));
    assert_null(strstr(rw_buf_cstr(&b), "NOT_CONTROLLER"));
    assert_null(strstr(rw_buf_cstr(&b), "init_producer_id\",rollway_error"));
    rw_buf_deinit(&b);
    rw_metrics_free(m);
}

static void text_format(void **state)
{
    (void)state;
    struct rw_metrics *m = sample();
    struct rw_buf b;
    rw_buf_init(&b);
    rw_metrics_render(&b, m, &host, RW_METRICS_OWN, false);
    has(&b, "# HELP rollway_application_uptime_seconds_total Time since the broker started.\n"
            "# TYPE rollway_application_uptime_seconds_total counter\n"
            "rollway_application_uptime_seconds_total 1.500\n");
    has(&b, "\nrollway_application_build{rollway_version=\"1.2.3\"} 1\n");
    has(&b, "\nrollway_rpc_active_connections{rollway_server=\"kafka\"} 3\n");
    has(&b, "\nrollway_rpc_received_bytes_total{rollway_server=\"kafka\"} 700\n");
    has(&b, "_bucket{rollway_request=\"produce\",le=\"0.000016\"} 1\n");
    has(&b, "_bucket{rollway_request=\"produce\",le=\"0.000032\"} 3\n");
    has(&b, "_bucket{rollway_request=\"produce\",le=\"+Inf\"} 3\n");
    has(&b, "_sum{rollway_request=\"produce\"} 0.000050\n");
    has(&b, "_bucket{rollway_request=\"consume\",le=\"33.554432\"} 0\n");
    has(&b, "_bucket{rollway_request=\"consume\",le=\"+Inf\"} 1\n");
    has(&b, "rollway_kafka_request_errors_total{rollway_request=\"produce\","
            "rollway_error=\"UNKNOWN_TOPIC_OR_PARTITION\"} 2\n");
    has(&b, "rollway_topic=\"a\\\"b\\\\c\\nd\",rollway_request=\"consume\"} 6\n");
    has(&b, "rollway_storage_disk_free_bytes 400\n");
    has(&b, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.25\n");
    has(&b, "\nprocess_open_fds 12\n");
    assert_null(strstr(rw_buf_cstr(&b), "# EOF"));
    rw_buf_deinit(&b);
    rw_metrics_free(m);
}

static void openmetrics(void **state)
{
    (void)state;
    struct rw_metrics *m = sample();
    struct rw_buf b;
    rw_buf_init(&b);
    rw_metrics_render(&b, m, &host, RW_METRICS_OWN, true);
    has(&b, "# TYPE rollway_rpc_received_bytes counter\n"
            "rollway_rpc_received_bytes_total{rollway_server=\"kafka\"} 700\n");
    assert_string_equal(rw_buf_cstr(&b) + b.n - 6, "# EOF\n");
    rw_buf_deinit(&b);
    rw_metrics_free(m);
}

static void shards_are_added_up(void **state)
{
    (void)state;
    struct rw_metrics *a = sample(), *b = sample(), *sum = rw_metrics_new();
    struct rw_buf text;
    rw_buf_init(&text);
    assert_int_equal(rw_metrics_merge(sum, a), RW_OK);
    assert_int_equal(rw_metrics_merge(sum, b), RW_OK);
    rw_metrics_render(&text, sum, &host, RW_METRICS_OWN, false);
    has(&text, "rollway_rpc_active_connections{rollway_server=\"kafka\"} 6\n");
    has(&text, "_count{rollway_request=\"produce\"} 6\n");
    has(&text, "rollway_error=\"UNKNOWN_TOPIC_OR_PARTITION\"} 4\n");
    has(&text, "rollway_request=\"produce\"} 10\n");
    rw_buf_deinit(&text);
    rw_metrics_free(a);
    rw_metrics_free(b);
    rw_metrics_free(sum);
}

static void topics_have_a_limit(void **state)
{
    (void)state;
    struct rw_metrics *m = rw_metrics_new();
    char name[32];
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "topic-%d", i);
        assert_non_null(rw_metrics_topic(m, name));
    }
    assert_null(rw_metrics_topic(m, "one-more"));
    assert_non_null(rw_metrics_topic(m, "topic-77"));
    rw_metrics_topic_forget(m, "topic-77");
    assert_non_null(rw_metrics_topic(m, "one-more"));
    rw_metrics_free(m);
}

static void add_partitions(struct rw_metrics *m)
{
    struct rw_partition_row row = {.topic = "t",
                                   .index = 10,
                                   .leader = 1,
                                   .preferred = 1,
                                   .replicas = 2,
                                   .in_sync = 1,
                                   .in_sync_min = 1,
                                   .start = 5,
                                   .end = 9,
                                   .high_watermark = 8,
                                   .bytes = 700};
    assert_int_equal(rw_metrics_partition(m, &row), RW_OK);
    row.index = 9;
    assert_int_equal(rw_metrics_partition(m, &row), RW_OK);
    row.topic = "a\"b";
    row.preferred = 2;
    assert_int_equal(rw_metrics_partition(m, &row), RW_OK);
    assert_int_equal(rw_metrics_broker(m, 1, "host", 9092), RW_OK);
}

static void partitions(void **state)
{
    (void)state;
    struct rw_metrics *m = sample();
    struct rw_buf b;
    rw_buf_init(&b);
    add_partitions(m);
    rw_metrics_render(&b, m, &host, RW_METRICS_OWN, false);
    assert_null(strstr(rw_buf_cstr(&b), "rollway_partition="));
    rw_buf_clear(&b);
    rw_metrics_render(&b, m, &host, RW_METRICS_OWN_PARTITIONS, false);
    /* By topic, then by number. */
    has(&b, "# TYPE rollway_kafka_max_offset gauge\n"
            "rollway_kafka_max_offset{rollway_namespace=\"kafka\",rollway_topic=\"a\\\"b\","
            "rollway_partition=\"9\"} 8\n"
            "rollway_kafka_max_offset{rollway_namespace=\"kafka\",rollway_topic=\"t\","
            "rollway_partition=\"9\"} 8\n"
            "rollway_kafka_max_offset{rollway_namespace=\"kafka\",rollway_topic=\"t\","
            "rollway_partition=\"10\"} 8\n");
    has(&b, "rollway_kafka_log_start_offset{rollway_namespace=\"kafka\",rollway_topic=\"t\","
            "rollway_partition=\"10\"} 5\n");
    has(&b, "rollway_kafka_log_size_bytes{rollway_namespace=\"kafka\",rollway_topic=\"t\","
            "rollway_partition=\"10\"} 700\n");
    rw_buf_deinit(&b);
    rw_metrics_free(m);
}

static void names_of_kafka(void **state)
{
    (void)state;
    struct rw_metrics *m = sample();
    struct rw_buf b;
    rw_buf_init(&b);
    add_partitions(m);
    rw_metrics_render(&b, m, &host, RW_METRICS_KAFKA, true);
    has(&b, "\nkafka_brokers 1\n");
    has(&b, "\nkafka_broker_info{id=\"1\",address=\"host:9092\"} 1\n");
    has(&b,
        "\nkafka_topic_partitions{topic=\"a\\\"b\"} 1\nkafka_topic_partitions{topic=\"t\"} 2\n");
    has(&b, "\nkafka_topic_partition_current_offset{topic=\"t\",partition=\"10\"} 8\n");
    has(&b, "\nkafka_topic_partition_leader_is_preferred{topic=\"a\\\"b\",partition=\"9\"} 0\n");
    has(&b, "\nkafka_topic_partition_under_replicated_partition{topic=\"t\",partition=\"9\"} 1\n");
    has(&b, "\nkafka_server_brokertopicmetrics_messagesin_total 7\n");
    has(&b, "\nkafka_server_brokertopicmetrics_totalproducerequests_total 3\n");
    has(&b, "\nkafka_server_brokertopicmetrics_failedproducerequests_total 2\n");
    has(&b, "\nkafka_server_replicamanager_underreplicatedpartitions 3\n");
    assert_null(strstr(rw_buf_cstr(&b), "rollway_"));
    assert_string_equal(rw_buf_cstr(&b) + b.n - 6, "# EOF\n");
    rw_buf_deinit(&b);
    rw_metrics_free(m);
}

static void partitions_have_a_limit(void **state)
{
    (void)state;
    struct rw_metrics *m = rw_metrics_new();
    struct rw_partition_row row = {.topic = "t"};
    struct rw_buf b;
    rw_buf_init(&b);
    for (row.index = 0; row.index < RW_METRICS_PARTITIONS_MAX + 3; row.index++)
        assert_int_equal(rw_metrics_partition(m, &row), RW_OK);
    rw_metrics_render(&b, m, &host, RW_METRICS_OWN_PARTITIONS, false);
    has(&b, "\nrollway_metrics_dropped_total 3\n");
    rw_buf_deinit(&b);
    rw_metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_answers),   cmocka_unit_test(text_format),
        cmocka_unit_test(openmetrics),         cmocka_unit_test(shards_are_added_up),
        cmocka_unit_test(topics_have_a_limit), cmocka_unit_test(partitions),
        cmocka_unit_test(names_of_kafka),      cmocka_unit_test(partitions_have_a_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
