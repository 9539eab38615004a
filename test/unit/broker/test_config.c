/* Configuration: table sanity, precedence, value forms, sources, listeners, topics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "broker/config.h"

static struct rw_config *make(enum rw_config_profile profile)
{
    struct rw_config *c;
    assert_int_equal(rw_config_new(profile, &c), RW_OK);
    return c;
}

static void finish(struct rw_config *c)
{
    struct rw_err err = {0};
    if (rw_config_finish(c, false, &err))
        fail_msg("%s", err.text);
}

static int load(struct rw_config *c, const char *text, struct rw_err *err)
{
    return rw_config_load_text(c, "file t.properties", rw_str(text), err);
}

/* Every row's default is canonical and passes its own check; synonyms exist; names are unique. */
static void test_table_agrees_with_itself(void **state)
{
    (void)state;
    size_t n;
    const struct rw_config_key *keys = rw_config_table(&n);
    struct rw_buf out;
    rw_buf_init(&out);
    for (size_t i = 0; i < n; i++) {
        const char *defaults[] = {keys[i].fallback, keys[i].dev};
        for (int d = 0; d < 2; d++) {
            struct rw_err err = {0};
            if (!defaults[d])
                continue;
            rw_buf_clear(&out);
            if (rw_config_canonical(&keys[i], rw_str(defaults[d]), &out, &err))
                fail_msg("%s: %s", keys[i].name, err.text);
            assert_string_equal(rw_buf_cstr(&out), defaults[d]);
        }
        for (size_t s = 0; s < RW_SYNONYMS_MAX && keys[i].synonyms[s].name; s++)
            assert_non_null(rw_config_find(RW_SCOPE_BROKER, rw_str(keys[i].synonyms[s].name)));
        assert_ptr_equal(rw_config_find(keys[i].scope, rw_str(keys[i].name)), &keys[i]);
        assert_true(strlen(keys[i].doc) > 10);
        if (keys[i].scope == RW_SCOPE_TOPIC)
            assert_non_null(keys[i].fallback);
    }
    rw_buf_deinit(&out);
}

/* A topic's default is what its broker synonyms give by default. */
static void test_topic_defaults_agree_with_synonyms(void **state)
{
    (void)state;
    size_t n;
    const struct rw_config_key *keys = rw_config_table(&n);
    struct rw_config *c = make(RW_PROFILE_SERVER);
    struct rw_buf buf;
    rw_buf_init(&buf);
    finish(c);
    for (size_t i = 0; i < n; i++) {
        if (keys[i].scope != RW_SCOPE_TOPIC)
            continue;
        enum rw_config_source source;
        assert_string_equal(rw_topic_config_value(c, &keys[i], NULL, 0, &buf, &source),
                            keys[i].fallback);
        assert_int_equal(source, RW_SOURCE_DEFAULT);
    }
    rw_buf_deinit(&buf);
    rw_config_free(c);
}

static const char *canonical(const char *key, const char *value, struct rw_buf *out)
{
    struct rw_err err;
    rw_buf_clear(out);
    const struct rw_config_key *k = rw_config_find(RW_SCOPE_TOPIC, rw_str(key));
    assert_non_null(k);
    return rw_config_canonical(k, rw_str(value), out, &err) ? NULL : rw_buf_cstr(out);
}

static void test_values(void **state)
{
    (void)state;
    struct rw_buf b;
    rw_buf_init(&b);
    assert_string_equal(canonical("retention.ms", "7d", &b), "604800000");
    assert_string_equal(canonical("retention.ms", " 90 ", &b), "90");
    assert_string_equal(canonical("retention.ms", "-1", &b), "-1");
    assert_null(canonical("retention.ms", "-2", &b));
    assert_null(canonical("retention.ms", "seven", &b));
    assert_null(canonical("retention.ms", "", &b));
    assert_null(canonical("retention.ms", "99999999999999999999", &b));
    assert_string_equal(canonical("segment.bytes", "1GiB", &b), "1073741824");
    assert_string_equal(canonical("segment.bytes", "1MB", &b), "1000000");
    assert_null(canonical("segment.bytes", "2GiB", &b)); /* one more than an int can hold */
    assert_null(canonical("segment.bytes", "10", &b));
    assert_string_equal(canonical("max.message.bytes", "256MiB", &b), "268435456");
    assert_null(canonical("max.message.bytes", "268435457", &b)); /* no batch is larger */
    assert_string_equal(canonical("cleanup.policy", "Compact, delete", &b), "compact,delete");
    assert_null(canonical("cleanup.policy", "shred", &b));
    assert_null(canonical("cleanup.policy", "", &b));
    assert_string_equal(canonical("preallocate", "TRUE", &b), "true");
    assert_null(canonical("preallocate", "yes", &b));
    assert_string_equal(canonical("message.timestamp.type", "logappendtime", &b), "LogAppendTime");
    assert_string_equal(canonical("min.cleanable.dirty.ratio", "0.25", &b), "0.25");
    assert_null(canonical("min.cleanable.dirty.ratio", "1.5", &b));
    assert_null(canonical("min.cleanable.dirty.ratio", "nan", &b));
    assert_null(canonical("compression.gzip.level", "0", &b));
    assert_null(canonical("remote.storage.enable", "true", &b));
    rw_buf_deinit(&b);
}

static const char *value(const struct rw_config *c, const char *name)
{
    enum rw_config_source source;
    return rw_config_value(c, rw_config_find(RW_SCOPE_BROKER, rw_str(name)), &source);
}

static const char *origin(const struct rw_config *c, const char *name)
{
    return rw_config_origin(c, rw_config_find(RW_SCOPE_BROKER, rw_str(name)));
}

static void test_precedence(void **state)
{
    (void)state;
    struct rw_config *c = make(RW_PROFILE_SERVER);
    struct rw_err err;
    char *env[] = {"KAFKA_NUM_PARTITIONS=3",  "ROLLWAY_NUM_PARTITIONS=4",
                   "KAFKA_NODE_ID=7",         "KAFKA_HEAP_OPTS=-Xmx1G",
                   "ROLLWAY_SHARDS=2",        "PATH=/bin",
                   "KAFKA_LOG_DIR=/tmp/data", NULL};
    assert_int_equal(
        load(c, "num.partitions=2\nnode.id=5\nmessage.max.bytes = 2MiB\nmin.insync.replicas: 1\n",
             &err),
        RW_OK);
    assert_int_equal(rw_config_load_env(c, env, &err), RW_OK);
    assert_int_equal(rw_config_set(c, "node.id=9", &err), RW_OK);
    finish(c);
    const struct rw_broker_config *b = rw_config_broker(c);
    assert_int_equal(b->num_partitions, 4);
    assert_int_equal(b->node_id, 9);
    assert_int_equal(b->shards, 2);
    assert_string_equal(b->log_dirs, "/tmp/data");
    assert_string_equal(value(c, "message.max.bytes"), "2097152");
    assert_string_equal(origin(c, "node.id"), "--set");
    assert_string_equal(origin(c, "num.partitions"), "environment ROLLWAY_NUM_PARTITIONS");
    assert_string_equal(origin(c, "message.max.bytes"), "file t.properties:3");
    assert_string_equal(origin(c, "log.roll.hours"), "default");
    assert_int_equal(rw_config_notices(c), 0);
    rw_config_free(c);
}

static void test_unknown_keys(void **state)
{
    (void)state;
    struct rw_config *c = make(RW_PROFILE_SERVER);
    struct rw_err err;
    assert_int_equal(load(c, "log.retention.hour=3\nzookeeper.connect=zk:2181\nxyzzy=1\n", &err),
                     RW_OK);
    assert_int_equal(rw_config_notices(c), 3);
    assert_non_null(strstr(rw_config_notice(c, 0), "t.properties:1"));
    assert_non_null(strstr(rw_config_notice(c, 0), "did you mean 'log.retention.hours'?"));
    assert_non_null(strstr(rw_config_notice(c, 1), "no effect"));
    assert_null(strstr(rw_config_notice(c, 2), "did you mean"));
    assert_int_equal(rw_config_finish(c, false, &err), RW_OK);
    assert_int_equal(rw_config_finish(c, true, &err), RW_E_INVAL);
    assert_non_null(strstr(err.text, "log.retention.hour"));
    rw_config_free(c);
}

static void test_bad_values_name_their_place(void **state)
{
    (void)state;
    struct rw_config *c = make(RW_PROFILE_SERVER);
    struct rw_err err;
    assert_int_equal(load(c, "# fine\n\nnum.partitions=many\n", &err), RW_E_INVAL);
    assert_non_null(strstr(err.text, "t.properties:3"));
    assert_non_null(strstr(err.text, "'many'"));
    assert_int_equal(load(c, "=x\n", &err), RW_E_INVAL);
    assert_int_equal(load(c, "\nbroker.rack=\\u12g4\n", &err), RW_E_INVAL);
    assert_non_null(strstr(err.text, "t.properties, line 2"));
    assert_int_equal(load(c, "node.id=1\nbroken\n", &err), RW_E_INVAL);
    assert_non_null(strstr(err.text, "t.properties:2: 'broken' without a value"));
    assert_int_equal(load(c, "broker.rack=\n", &err), RW_OK);
    assert_int_equal(rw_config_set(c, "nonsense", &err), RW_E_INVAL);
    char *env[] = {"KAFKA_NODE_ID=x", NULL};
    assert_int_equal(rw_config_load_env(c, env, &err), RW_E_INVAL);
    assert_non_null(strstr(err.text, "KAFKA_NODE_ID"));
    rw_config_free(c);
}

static void test_properties_syntax(void **state)
{
    (void)state;
    struct rw_config *c = make(RW_PROFILE_SERVER);
    struct rw_err err;
    const char *text = "! comment\r\n  broker.rack \t=  ra\\\r\n     ck\\u00e9\\:1  \r\n"
                       "listeners = A://h:1,\\\n            B://[::1]:2\n"
                       "listener.security.protocol.map:A:PLAINTEXT,B:PLAINTEXT\n"
                       "log.dir /data\nnum.partitions=5";
    if (load(c, text, &err))
        fail_msg("%s", err.text);
    finish(c);
    const struct rw_broker_config *b = rw_config_broker(c);
    assert_string_equal(b->rack, "rack\xc3\xa9:1");
    assert_string_equal(b->log_dirs, "/data");
    assert_int_equal(b->num_partitions, 5);
    assert_int_equal(b->n_listeners, 2);
    assert_string_equal(b->listeners[1].host, "::1");
    assert_int_equal(b->listeners[1].port, 2);
    rw_config_free(c);
}

static void expect_listener_error(const char *text, const char *words)
{
    struct rw_config *c = make(RW_PROFILE_SERVER);
    struct rw_err err = {0};
    assert_int_equal(load(c, text, &err), RW_OK);
    assert_int_not_equal(rw_config_finish(c, false, &err), RW_OK);
    if (!strstr(err.text, words))
        fail_msg("'%s' lacks '%s'", err.text, words);
    rw_config_free(c);
}

static void test_listeners(void **state)
{
    (void)state;
    struct rw_config *c = make(RW_PROFILE_DEV);
    struct rw_err err;
    assert_int_equal(rw_config_set(c, "advertised.listeners=PLAINTEXT://kafka.example:19092", &err),
                     RW_OK);
    finish(c);
    const struct rw_broker_config *b = rw_config_broker(c);
    assert_string_equal(b->listeners[0].host, "127.0.0.1");
    assert_int_equal(b->listeners[0].port, 9092);
    assert_string_equal(b->advertised[0].host, "kafka.example");
    assert_int_equal(b->advertised[0].port, 19092);
    rw_config_free(c);
    expect_listener_error("listeners=", "empty");
    expect_listener_error("listeners=PLAINTEXT:9092", "NAME://host:port");
    expect_listener_error("listeners=PLAINTEXT://h:99999", "NAME://host:port");
    expect_listener_error("listeners=X://h:1", "listener.security.protocol.map");
    expect_listener_error("listeners=PLAINTEXT://a:1,PLAINTEXT://b:2", "two listeners");
    expect_listener_error("listeners=SSL://a:1", "PLAINTEXT only");
    expect_listener_error("advertised.listeners=PLAINTEXT://0.0.0.0:9092", "can not connect");
    expect_listener_error("advertised.listeners=OTHER://h:9092", "not in listeners");
}

static void test_cross_rules(void **state)
{
    (void)state;
    expect_listener_error("log.dirs=/a,/b", "several directories");
    expect_listener_error("broker.id=-1", "node.id");
    expect_listener_error("rollway.disk.warn.percent=96", "rollway.disk");
}

static void test_topic_resolution(void **state)
{
    (void)state;
    struct rw_config *c = make(RW_PROFILE_SERVER);
    struct rw_err err;
    struct rw_topic_config t;
    assert_int_equal(
        load(c, "log.retention.hours=2\nlog.roll.ms=5000\ncompression.type=zstd\n", &err), RW_OK);
    finish(c);
    assert_int_equal(rw_topic_config_resolve(c, NULL, 0, &t), RW_OK);
    assert_int_equal(t.log.retention_ms, 7200000);
    assert_int_equal(t.log.segment_ms, 5000);
    assert_int_equal(t.log.flush_messages, 1);
    assert_int_equal(t.compression, RW_COMPRESSION_ZSTD);
    assert_true(t.log.cleanup_delete);
    assert_false(t.log.cleanup_compact);
    struct rw_pair own[] = {
        {RW_STR_LIT("retention.ms"), RW_STR_LIT("1000")},
        {RW_STR_LIT("cleanup.policy"), RW_STR_LIT("compact,delete")},
        {RW_STR_LIT("message.timestamp.type"), RW_STR_LIT("LogAppendTime")},
    };
    assert_int_equal(rw_topic_config_resolve(c, own, 3, &t), RW_OK);
    assert_int_equal(t.log.retention_ms, 1000);
    assert_true(t.log.cleanup_delete && t.log.cleanup_compact && t.log.log_append_time);
    struct rw_buf buf;
    enum rw_config_source source;
    rw_buf_init(&buf);
    const struct rw_config_key *k = rw_config_find(RW_SCOPE_TOPIC, RW_STR_LIT("retention.ms"));
    assert_string_equal(rw_topic_config_value(c, k, own, 3, &buf, &source), "1000");
    assert_int_equal(source, RW_SOURCE_TOPIC);
    assert_string_equal(rw_topic_config_value(c, k, NULL, 0, &buf, &source), "7200000");
    assert_int_equal(source, RW_SOURCE_STATIC_BROKER);
    rw_buf_deinit(&buf);
    struct rw_pair jitter[] = {{RW_STR_LIT("segment.jitter.ms"), RW_STR_LIT("6000")}};
    assert_int_equal(rw_topic_config_check(c, jitter, 1, &err), RW_E_INVAL);
    assert_int_equal(rw_topic_config_check(c, own, 3, &err), RW_OK);
    rw_config_free(c);
}

static void test_print_hides_secrets(void **state)
{
    (void)state;
    struct rw_config *c = make(RW_PROFILE_SERVER);
    struct rw_err err;
    struct rw_buf out;
    rw_buf_init(&out);
    assert_int_equal(load(c, "ssl.key.password=hunter2\n", &err), RW_OK);
    finish(c);
    rw_config_print(c, &out);
    const char *text = rw_buf_cstr(&out);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "ssl.key.password=(hidden)  # file t.properties:1\n"));
    assert_non_null(strstr(text, "log.retention.hours=168  # default\n"));
    rw_buf_deinit(&out);
    rw_config_free(c);
}

/* Every allocation of a whole load may fail: an error, never a crash or a half-filled value. */
/* What was set while the broker runs wins over the file, and its own over that of all. */
static void test_overlay(void **state)
{
    (void)state;
    struct rw_config *c = make(RW_PROFILE_SERVER), *over;
    struct rw_err err = {0};
    assert_int_equal(load(c, "log.retention.hours=1\nmessage.max.bytes=5000\n", &err), RW_OK);
    finish(c);
    const struct rw_pair all[] = {{RW_STR_LIT("log.retention.ms"), RW_STR_LIT("7000")},
                                  {RW_STR_LIT("message.max.bytes"), RW_STR_LIT("6000")},
                                  {RW_STR_LIT("of.a.later.version"), RW_STR_LIT("1")},
                                  {RW_STR_LIT("num.partitions"), RW_STR_LIT("77")}};
    const struct rw_pair own[] = {{RW_STR_LIT("message.max.bytes"), RW_STR_LIT("8000")},
                                  {RW_STR_LIT("max.connections"), RW_STR_LIT("9")}};
    assert_int_equal(rw_config_overlay(c, all, 4, own, 2, &over), RW_OK);
    struct rw_topic_config t;
    assert_int_equal(rw_topic_config_resolve(over, NULL, 0, &t), RW_OK);
    assert_int_equal(t.log.retention_ms, 7000);
    assert_int_equal(t.log.batch_bytes_max, 8000);
    assert_int_equal(rw_config_broker(over)->connections_max, 9);
    assert_int_equal(rw_config_broker(over)->num_partitions, 1);
    assert_int_equal(rw_config_broker(over)->n_listeners, rw_config_broker(c)->n_listeners);
    static const struct {
        const char *key;
        enum rw_config_source source;
        const char *own, *all, *file;
    } wanted[] = {{"message.max.bytes", RW_SOURCE_DYNAMIC_BROKER, "8000", "6000", "5000"},
                  {"log.retention.ms", RW_SOURCE_DYNAMIC_DEFAULT_BROKER, NULL, "7000", NULL},
                  {"log.retention.hours", RW_SOURCE_STATIC_BROKER, NULL, NULL, "1"},
                  {"log.segment.bytes", RW_SOURCE_DEFAULT, NULL, NULL, NULL}};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        const struct rw_config_key *key = rw_config_find(RW_SCOPE_BROKER, rw_str(wanted[i].key));
        const char *texts[] = {wanted[i].own, wanted[i].all, wanted[i].file};
        enum rw_config_source source;
        assert_non_null(rw_config_value(over, key, &source));
        assert_int_equal(source, wanted[i].source);
        for (int k = 0; k < 3; k++) {
            const char *got =
                rw_config_layer(over, key, (enum rw_config_source)(RW_SOURCE_DYNAMIC_BROKER + k));
            assert_true(got && texts[k] ? !strcmp(got, texts[k]) : got == texts[k]);
        }
    }
    rw_config_free(over);
    assert_int_equal(rw_config_broker(c)->connections_max, INT32_MAX);
    const struct rw_pair wrong[] = {{RW_STR_LIT("rollway.disk.warn.percent"), RW_STR_LIT("99")}};
    assert_int_equal(rw_config_overlay_check(c, wrong, 1, &err), RW_E_INVAL);
    assert_int_equal(rw_config_overlay_check(c, all, 4, &err), RW_OK);
    rw_config_free(c);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 200; n++) {
        struct rw_err err;
        struct rw_config *c = NULL;
        struct rw_topic_config t;
        struct rw_pair own[] = {{RW_STR_LIT("retention.ms"), RW_STR_LIT("1000")}};
        rw_mem_fail_at(n, 0);
        int rc = rw_config_new(RW_PROFILE_SERVER, &c);
        if (!rc)
            rc = load(c, "node.id=3\nunknown.key=1\nzookeeper.connect=x\n", &err);
        if (!rc)
            rc = rw_config_finish(c, false, &err);
        if (!rc)
            rc = rw_topic_config_resolve(c, own, 1, &t);
        bool reached = rw_mem_count() >= n;
        rw_mem_fail_at(0, 0);
        if (!rc) {
            assert_int_equal(rw_config_broker(c)->node_id, 3);
            assert_int_equal(t.log.retention_ms, 1000);
        }
        rw_config_free(c);
        if (!reached)
            return;
    }
    fail_msg("more allocations than expected");
}

/* All mistakes of all sources, but none that only follows from another. */
static void test_mistakes_are_collected(void **state)
{
    (void)state;
    struct rw_err err = {0};
    struct rw_config *c = make(RW_PROFILE_SERVER);
    rw_config_collect(c);
    assert_int_equal(
        load(c, "rollway.disk.warn.percent=x\nrollway.disk.throttle.percent=70\n", &err), RW_OK);
    assert_int_equal(rw_config_set(c, "listeners=A://x", &err), RW_OK);
    assert_int_equal(rw_config_set(c, "advertised.listeners=A://h:1", &err), RW_OK);
    assert_int_equal(rw_config_finish(c, true, &err), RW_E_INVAL);
    assert_int_equal(rw_config_mistakes(c), 2);
    assert_non_null(strstr(rw_config_mistake(c, 0), "t.properties:1"));
    assert_string_equal(rw_config_mistake(c, 0), err.text);
    assert_non_null(strstr(rw_config_mistake(c, 1), "listeners: 'A://x'"));
    rw_config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_agrees_with_itself),
        cmocka_unit_test(test_mistakes_are_collected),
        cmocka_unit_test(test_topic_defaults_agree_with_synonyms),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_bad_values_name_their_place),
        cmocka_unit_test(test_properties_syntax),
        cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_cross_rules),
        cmocka_unit_test(test_topic_resolution),
        cmocka_unit_test(test_print_hides_secrets),
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
