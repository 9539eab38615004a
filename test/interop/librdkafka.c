/*
 * Rollway against librdkafka, by its C API: admin, producers with every codec, idempotence, consumers by
 * assignment, offsets by time, DeleteRecords. Prints TAP.
 *
 *     cc -o librdkafka librdkafka.c $(pkg-config --cflags --libs rdkafka) && ./librdkafka HOST:PORT
 *
 * Each test makes its own topics, named after the time, so that the suite can be repeated against one broker.
 */
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 20000

static const char *broker;
static char prefix[64];
static int number;
static int failed;
static bool test_ok;

static void begin(void)
{
    test_ok = true;
}

static void check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void check(bool ok, const char *format, ...)
{
    if (ok)
        return;
    va_list ap;
    va_start(ap, format);
    printf("# ");
    vprintf(format, ap);
    printf("\n");
    va_end(ap);
    test_ok = false;
}

static void end(const char *name)
{
    printf("%s %d - %s\n", test_ok ? "ok" : "not ok", ++number, name);
    fflush(stdout);
    failed += !test_ok;
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char err[256];
    if (rd_kafka_conf_set(conf, key, value, err, sizeof err) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "%s=%s: %s\n", key, value, err);
        exit(2);
    }
}

/* What the delivery reports said. */
struct delivered {
    int64_t count;
    int64_t errors;
    int64_t last_offset;
    rd_kafka_resp_err_t error;
    bool ordered;
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    struct delivered *d = opaque;
    if (m->err) {
        d->errors++;
        d->error = m->err;
        return;
    }
    d->count++;
    if (m->offset != d->last_offset + 1)
        d->ordered = false;
    d->last_offset = m->offset;
}

/* pairs: key, value, ... NULL. */
static rd_kafka_t *client(rd_kafka_type_t type, struct delivered *d, const char *const *pairs)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", broker);
    if (type == RD_KAFKA_PRODUCER) {
        set(conf, "message.timeout.ms", "20000");
        set(conf, "linger.ms", "5");
        if (d) {
            *d = (struct delivered){.last_offset = -1, .ordered = true};
            rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
            rd_kafka_conf_set_opaque(conf, d);
        }
    } else {
        set(conf, "group.id", "not-used");
        set(conf, "enable.auto.commit", "false");
        set(conf, "enable.partition.eof", "true");
        set(conf, "check.crcs", "true");
    }
    for (; pairs && pairs[0]; pairs += 2)
        set(conf, pairs[0], pairs[1]);
    char err[256];
    rd_kafka_t *rk = rd_kafka_new(type, conf, err, sizeof err);
    if (!rk) {
        fprintf(stderr, "rd_kafka_new: %s\n", err);
        exit(2);
    }
    return rk;
}

static const char *topic_name(const char *suffix)
{
    static char name[4][128];
    static int next;
    char *p = name[next++ & 3];
    snprintf(p, sizeof name[0], "%s-%s", prefix, suffix);
    return p;
}

/* ---- admin ---- */

/* Runs one admin request and gives its result event; the caller destroys it. NULL: timed out. */
static rd_kafka_event_t *admin_wait(rd_kafka_queue_t *q)
{
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, TIMEOUT_MS);
    check(ev != NULL, "no answer within %d ms", TIMEOUT_MS);
    if (ev && rd_kafka_event_error(ev)) {
        check(false, "%s", rd_kafka_event_error_string(ev));
        rd_kafka_event_destroy(ev);
        return NULL;
    }
    return ev;
}

static rd_kafka_resp_err_t create_topic(rd_kafka_t *rk, const char *name, int partitions,
                                        const char *key, const char *value)
{
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(name, partitions, 1, NULL, 0);
    if (key)
        rd_kafka_NewTopic_set_config(t, key, value);
    rd_kafka_CreateTopics(rk, &t, 1, NULL, q);
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_event_t *ev = admin_wait(q);
    if (ev) {
        size_t n = 0;
        const rd_kafka_topic_result_t **r =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(ev), &n);
        check(n == 1, "%zu topic results", n);
        err = rd_kafka_topic_result_error(r[0]);
        rd_kafka_event_destroy(ev);
    }
    rd_kafka_NewTopic_destroy(t);
    rd_kafka_queue_destroy(q);
    return err;
}

static int partition_count(rd_kafka_t *rk, const char *name)
{
    const struct rd_kafka_metadata *md = NULL;
    int n = -1;
    if (rd_kafka_metadata(rk, 1, NULL, &md, TIMEOUT_MS))
        return -2;
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, name) == 0 && !md->topics[i].err)
            n = md->topics[i].partition_cnt;
    rd_kafka_metadata_destroy(md);
    return n;
}

static void test_topics(rd_kafka_t *rk)
{
    const char *name = topic_name("admin");
    begin();
    check(!create_topic(rk, name, 3, "retention.ms", "123456"), "create failed");
    check(partition_count(rk, name) == 3, "%d partitions", partition_count(rk, name));
    rd_kafka_resp_err_t err = create_topic(rk, name, 3, NULL, NULL);
    check(err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, "created twice: %s",
          rd_kafka_err2name(err));
    err = create_topic(rk, "no/such name", 1, NULL, NULL);
    check(err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, "bad name: %s", rd_kafka_err2name(err));
    err = create_topic(rk, topic_name("bad"), 1, "retention.ms", "often");
    check(err == RD_KAFKA_RESP_ERR_INVALID_CONFIG, "bad config: %s", rd_kafka_err2name(err));
    err = create_topic(rk, topic_name("bad"), 0, NULL, NULL);
    check(err == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, "no partitions: %s", rd_kafka_err2name(err));
    end("create topics, and refuse what is wrong with the right error");
}

static void test_create_partitions(rd_kafka_t *rk)
{
    const char *name = topic_name("admin");
    begin();
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    char err[256];
    rd_kafka_NewPartitions_t *np = rd_kafka_NewPartitions_new(name, 5, err, sizeof err);
    rd_kafka_CreatePartitions(rk, &np, 1, NULL, q);
    rd_kafka_event_t *ev = admin_wait(q);
    if (ev) {
        size_t n = 0;
        const rd_kafka_topic_result_t **r =
            rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(ev), &n);
        check(n == 1 && !rd_kafka_topic_result_error(r[0]), "create partitions failed");
        rd_kafka_event_destroy(ev);
    }
    check(partition_count(rk, name) == 5, "%d partitions", partition_count(rk, name));
    rd_kafka_NewPartitions_destroy(np);
    rd_kafka_queue_destroy(q);
    end("create partitions");
}

static void test_describe_configs(rd_kafka_t *rk)
{
    begin();
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_ConfigResource_t *res =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic_name("admin"));
    rd_kafka_DescribeConfigs(rk, &res, 1, NULL, q);
    rd_kafka_event_t *ev = admin_wait(q);
    bool seen = false;
    if (ev) {
        size_t n = 0, entries = 0;
        const rd_kafka_ConfigResource_t **r = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(ev), &n);
        check(n == 1 && !rd_kafka_ConfigResource_error(r[0]), "describe configs failed");
        const rd_kafka_ConfigEntry_t **e = rd_kafka_ConfigResource_configs(r[0], &entries);
        for (size_t i = 0; i < entries; i++) {
            if (strcmp(rd_kafka_ConfigEntry_name(e[i]), "retention.ms") != 0)
                continue;
            seen = true;
            const char *value = rd_kafka_ConfigEntry_value(e[i]);
            check(value && strcmp(value, "123456") == 0, "retention.ms is %s", value);
            check(rd_kafka_ConfigEntry_source(e[i]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG,
                  "its source is %s",
                  rd_kafka_ConfigSource_name(rd_kafka_ConfigEntry_source(e[i])));
        }
        check(entries > 20, "only %zu entries", entries);
        rd_kafka_event_destroy(ev);
    }
    check(seen, "no retention.ms");
    rd_kafka_ConfigResource_destroy(res);
    rd_kafka_queue_destroy(q);
    end("describe the configuration of a topic, with its sources");
}

static void test_cluster(rd_kafka_t *rk)
{
    begin();
    char *id = rd_kafka_clusterid(rk, TIMEOUT_MS);
    check(id && *id, "no cluster id");
    if (id)
        rd_kafka_mem_free(rk, id);
    check(rd_kafka_controllerid(rk, TIMEOUT_MS) >= 0, "no controller");
    end("cluster id and controller");
}

static void test_delete_topic(rd_kafka_t *rk)
{
    const char *name = topic_name("admin");
    begin();
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *t[2] = {rd_kafka_DeleteTopic_new(name),
                                    rd_kafka_DeleteTopic_new(topic_name("never-was"))};
    rd_kafka_DeleteTopics(rk, t, 2, NULL, q);
    rd_kafka_event_t *ev = admin_wait(q);
    if (ev) {
        size_t n = 0;
        const rd_kafka_topic_result_t **r =
            rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(ev), &n);
        check(n == 2, "%zu results", n);
        for (size_t i = 0; i < n; i++) {
            bool mine = strcmp(rd_kafka_topic_result_name(r[i]), name) == 0;
            rd_kafka_resp_err_t want = mine ? 0 : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
            check(rd_kafka_topic_result_error(r[i]) == want, "%s: %s",
                  rd_kafka_topic_result_name(r[i]),
                  rd_kafka_err2name(rd_kafka_topic_result_error(r[i])));
        }
        rd_kafka_event_destroy(ev);
    }
    rd_kafka_DeleteTopic_destroy_array(t, 2);
    int left = 0;
    for (int i = 0; i < 50 && (left = partition_count(rk, name)) > 0; i++)
        usleep(100000);
    check(left <= 0, "still there with %d partitions", left);
    rd_kafka_queue_destroy(q);
    end("delete topics, one of them unknown");
}

/* ---- produce and consume ---- */

static size_t record_value(int i, char *p, size_t n)
{
    return (size_t)snprintf(p, n, "%08d the quick brown fox jumps over the lazy dog %d", i, i % 13);
}

/* Record i of a topic made by produce_records: key for two of three, a header for every second. */
static void produce_records(rd_kafka_t *rk, const char *topic, int count)
{
    for (int i = 0; i < count; i++) {
        char value[128], key[32];
        size_t value_size = record_value(i, value, sizeof value);
        int key_size = snprintf(key, sizeof key, "key-%d", i % 100);
        /* The macros of producev do not put their arguments in parentheses. */
        const void *key_or_null = i % 3 ? key : NULL;
        size_t key_or_null_size = i % 3 ? (size_t)key_size : 0;
        int64_t timestamp = 1700000000000 + i * 10;
        rd_kafka_headers_t *h = rd_kafka_headers_new(1);
        if (i % 2 == 0)
            rd_kafka_header_add(h, "n", 1, &key[4], key_size - 4);
        rd_kafka_resp_err_t err;
        do {
            err = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                    RD_KAFKA_V_KEY(key_or_null, key_or_null_size),
                                    RD_KAFKA_V_VALUE(value, value_size), RD_KAFKA_V_HEADERS(h),
                                    RD_KAFKA_V_TIMESTAMP(timestamp),
                                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
            if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
                rd_kafka_poll(rk, 100);
        } while (err == RD_KAFKA_RESP_ERR__QUEUE_FULL);
        check(!err, "produce: %s", rd_kafka_err2name(err));
        if (err)
            rd_kafka_headers_destroy(h);
    }
    check(!rd_kafka_flush(rk, TIMEOUT_MS), "flush timed out");
}

static void check_record(const rd_kafka_message_t *m, int i)
{
    char value[128], key[32];
    size_t value_size = record_value(i, value, sizeof value);
    size_t key_size = (size_t)snprintf(key, sizeof key, "key-%d", i % 100);
    check(m->offset == i, "offset %lld instead of %d", (long long)m->offset, i);
    check(m->len == value_size && memcmp(m->payload, value, value_size) == 0, "value of %d", i);
    if (i % 3)
        check(m->key && m->key_len == key_size && memcmp(m->key, key, key_size) == 0, "key of %d",
              i);
    else
        check(m->key == NULL, "key of %d is not null", i);
    rd_kafka_timestamp_type_t type;
    check(rd_kafka_message_timestamp(m, &type) == 1700000000000 + i * 10 &&
              type == RD_KAFKA_TIMESTAMP_CREATE_TIME,
          "timestamp of %d", i);
    rd_kafka_headers_t *h = NULL;
    rd_kafka_resp_err_t err = rd_kafka_message_headers(m, &h);
    check(i % 2 == 0 ? !err && rd_kafka_header_cnt(h) == 1 : err == RD_KAFKA_RESP_ERR__NOENT,
          "headers of %d", i);
}

static void assign(rd_kafka_t *rk, const char *topic, int64_t offset)
{
    rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(l, topic, 0)->offset = offset;
    rd_kafka_resp_err_t err = rd_kafka_assign(rk, l);
    check(!err, "assign: %s", rd_kafka_err2name(err));
    rd_kafka_topic_partition_list_destroy(l);
}

/* Reads from `from` to the end of the partition and checks each record; gives the number read. */
static int consume_records(const char *topic, int from, const char *const *pairs)
{
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, NULL, pairs);
    rd_kafka_poll_set_consumer(rk);
    assign(rk, topic, from);
    int i = from;
    for (bool done = false; !done && test_ok;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, TIMEOUT_MS);
        check(m != NULL, "nothing came within %d ms, %d records read", TIMEOUT_MS, i - from);
        if (!m)
            break;
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            done = true;
        else if (m->err)
            check(false, "consume: %s", rd_kafka_message_errstr(m));
        else
            check_record(m, i++);
        rd_kafka_message_destroy(m);
    }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return i - from;
}

static void test_codec(rd_kafka_t *admin, const char *codec, bool idempotent)
{
    char suffix[64], name[96];
    snprintf(suffix, sizeof suffix, "%s%s", codec, idempotent ? "-idempotent" : "");
    const char *topic = topic_name(suffix);
    const int count = 20000;
    begin();
    check(!create_topic(admin, topic, 1, NULL, NULL), "create failed");
    struct delivered d;
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, &d,
                            (const char *[]){"compression.codec", codec, "enable.idempotence",
                                             idempotent ? "true" : "false", NULL});
    produce_records(rk, topic, count);
    check(d.count == count && !d.errors, "%lld delivered, %lld errors (%s)", (long long)d.count,
          (long long)d.errors, rd_kafka_err2name(d.error));
    check(d.ordered, "delivery reports: offsets are not consecutive");
    rd_kafka_destroy(rk);
    int n = consume_records(topic, 0, NULL);
    check(n == count, "%d records read", n);
    snprintf(name, sizeof name, "%s%s: produce and consume 20,000 records", codec,
             idempotent ? ", idempotent" : "");
    end(name);
}

static void test_offsets(void)
{
    const char *topic = topic_name("none");
    begin();
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, NULL, NULL);
    int64_t low = -1, high = -1;
    rd_kafka_resp_err_t err =
        rd_kafka_query_watermark_offsets(rk, topic, 0, &low, &high, TIMEOUT_MS);
    check(!err && low == 0 && high == 20000, "%s, %lld to %lld", rd_kafka_err2name(err),
          (long long)low, (long long)high);
    static const struct {
        int64_t at, want;
    } times[] = {{1700000000000, 0},
                 {1700000000001, 1},
                 {1700000050000, 5000},
                 {1700000199990, 19999},
                 {1700000200000, RD_KAFKA_OFFSET_END}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(l, topic, 0)->offset = times[i].at;
        err = rd_kafka_offsets_for_times(rk, l, TIMEOUT_MS);
        check(!err && l->elems[0].offset == times[i].want, "time %lld: %s, offset %lld",
              (long long)times[i].at, rd_kafka_err2name(err), (long long)l->elems[0].offset);
        rd_kafka_topic_partition_list_destroy(l);
    }
    rd_kafka_destroy(rk);
    int n = consume_records(topic, 12345, NULL);
    check(n == 20000 - 12345, "%d records from the middle", n);
    end("watermarks, offsets by time, consume from the middle");
}

static void test_small_fetches(void)
{
    begin();
    int n = consume_records(
        topic_name("lz4"), 0,
        (const char *[]){"fetch.message.max.bytes", "1000", "fetch.wait.max.ms", "5", NULL});
    check(n == 20000, "%d records", n);
    end("fetches smaller than a batch make progress");
}

static void test_delete_records(rd_kafka_t *rk)
{
    const char *topic = topic_name("gzip");
    begin();
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(l, topic, 0)->offset = 15000;
    rd_kafka_DeleteRecords_t *dr = rd_kafka_DeleteRecords_new(l);
    rd_kafka_DeleteRecords(rk, &dr, 1, NULL, q);
    rd_kafka_event_t *ev = admin_wait(q);
    if (ev) {
        const rd_kafka_topic_partition_list_t *r =
            rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(ev));
        check(r->cnt == 1 && !r->elems[0].err && r->elems[0].offset == 15000, "%s, low %lld",
              rd_kafka_err2name(r->elems[0].err), (long long)r->elems[0].offset);
        rd_kafka_event_destroy(ev);
    }
    int64_t low = -1, high = -1;
    rd_kafka_resp_err_t err =
        rd_kafka_query_watermark_offsets(rk, topic, 0, &low, &high, TIMEOUT_MS);
    check(!err && low == 15000 && high == 20000, "%lld to %lld", (long long)low, (long long)high);
    int n = consume_records(topic, 15000, NULL);
    check(n == 5000, "%d records left", n);
    rd_kafka_DeleteRecords_destroy(dr);
    rd_kafka_topic_partition_list_destroy(l);
    rd_kafka_queue_destroy(q);
    end("DeleteRecords moves the log start");
}

static void test_out_of_range(void)
{
    begin();
    rd_kafka_t *rk =
        client(RD_KAFKA_CONSUMER, NULL, (const char *[]){"auto.offset.reset", "error", NULL});
    rd_kafka_poll_set_consumer(rk);
    assign(rk, topic_name("gzip"), 10); /* below the log start since DeleteRecords */
    rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, TIMEOUT_MS);
    check(m && m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, "got %s",
          m ? rd_kafka_err2name(m->err) : "nothing");
    if (m)
        rd_kafka_message_destroy(m);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    end("reading below the log start is out of range");
}

static void test_too_large(rd_kafka_t *admin)
{
    const char *topic = topic_name("limit");
    begin();
    check(!create_topic(admin, topic, 1, "max.message.bytes", "10000"), "create failed");
    struct delivered d;
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, &d, NULL);
    static char value[20000];
    memset(value, 'x', sizeof value);
    for (int size = 9000; size <= 20000; size += 11000) {
        rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_VALUE(value, (size_t)size),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        rd_kafka_flush(rk, TIMEOUT_MS);
    }
    check(d.count == 1 && d.errors == 1, "%lld delivered, %lld refused", (long long)d.count,
          (long long)d.errors);
    check(d.error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "%s", rd_kafka_err2name(d.error));
    rd_kafka_destroy(rk);
    end("a topic's max.message.bytes is enforced");
}

static void test_two_idempotent_producers(rd_kafka_t *admin)
{
    const char *topic = topic_name("two");
    begin();
    check(!create_topic(admin, topic, 1, NULL, NULL), "create failed");
    for (int i = 0; i < 2; i++) {
        struct delivered d;
        rd_kafka_t *rk =
            client(RD_KAFKA_PRODUCER, &d, (const char *[]){"enable.idempotence", "true", NULL});
        produce_records(rk, topic, 500);
        check(d.count == 500 && !d.errors, "producer %d: %lld delivered (%s)", i,
              (long long)d.count, rd_kafka_err2name(d.error));
        rd_kafka_destroy(rk);
    }
    int64_t low = -1, high = -1;
    rd_kafka_query_watermark_offsets(admin, topic, 0, &low, &high, TIMEOUT_MS);
    check(high == 1000, "%lld records", (long long)high);
    end("producer ids differ: two idempotent producers, one partition");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s HOST:PORT\n", argv[0]);
        return 2;
    }
    broker = argv[1];
    snprintf(prefix, sizeof prefix, "it-librdkafka-%ld-%d", (long)time(NULL), (int)getpid());
    rd_kafka_t *admin = client(RD_KAFKA_PRODUCER, NULL, NULL);
    test_cluster(admin);
    test_topics(admin);
    test_create_partitions(admin);
    test_describe_configs(admin);
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
        test_codec(admin, codecs[i], false);
    test_codec(admin, "lz4", true);
    test_offsets();
    test_small_fetches();
    test_delete_records(admin);
    test_out_of_range();
    test_too_large(admin);
    test_two_idempotent_producers(admin);
    test_delete_topic(admin);
    rd_kafka_destroy(admin);
    printf("1..%d\n", number);
    return failed ? 1 : 0;
}
