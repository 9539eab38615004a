/* Negotiation, and what is said about things that are no broker. */
#include "fake_broker.h"

static struct fake_broker broker;

static int setup(void **state)
{
    (void)state;
    fake_broker_init(&broker);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_broker_deinit(&broker);
    return 0;
}

static int open_conn(struct rw_conn **ret, struct rw_client_err *err)
{
    return rw_conn_open(&broker.env, &broker.dialer, "fake", 9092, "test", 1000000, ret, err);
}

static void negotiates(void **state)
{
    (void)state;
    struct rw_conn *c;
    struct rw_client_err err;
    assert_int_equal(open_conn(&c, &err), RW_OK);
    assert_int_equal(rw_conn_version(c, RW_API_PRODUCE, 12), 12);
    assert_int_equal(rw_conn_version(c, RW_API_PRODUCE, 1), -1);
    assert_int_equal(rw_conn_version(c, RW_API_JOIN_GROUP, INT16_MAX), -1);
    assert_int_equal(broker.requests[RW_API_API_VERSIONS], 1);
    rw_conn_close(c);
}

static void falls_back_to_version_0(void **state)
{
    (void)state;
    struct rw_conn *c;
    struct rw_client_err err;
    broker.api_versions_max = 0;
    assert_int_equal(open_conn(&c, &err), RW_OK);
    assert_int_equal(broker.requests[RW_API_API_VERSIONS], 2);
    assert_int_equal(rw_conn_version(c, RW_API_METADATA, 12), 12);
    rw_conn_close(c);
}

static void no_broker(const char *raw, int code, const char *words)
{
    struct rw_conn *c;
    struct rw_client_err err;
    broker.raw_answer = raw;
    assert_int_equal(open_conn(&c, &err), code);
    assert_non_null(strstr(err.text, words));
    assert_true(err.hint[0] != 0);
}

static void tells_what_is_no_broker(void **state)
{
    (void)state;
    no_broker("HTTP/1.1 400 Bad Request\r\n\r\n", RW_E_CORRUPT, "answers as an HTTP server");
    no_broker("\x15\x03\x03\x01\x02\x02\x32", RW_E_CORRUPT, "expects TLS");
    no_broker("SSH-2.0-OpenSSH_9.2p1\r\n", RW_E_CORRUPT, "is no broker");
    no_broker("", RW_E_CLOSED, "closed the connection at the first request");
}

static void refused(void **state)
{
    (void)state;
    struct rw_cluster *cluster = fake_cluster(&broker);
    struct rw_client_err err;
    broker.refuse_connects = 1;
    assert_int_equal(rw_cluster_connect(cluster, &err), RW_E_REFUSED);
    assert_string_equal(err.text, "fake:9092: Connection refused");
    assert_non_null(strstr(err.hint, "rollway dev"));
    assert_int_equal(rw_cluster_connect(cluster, &err), RW_OK);
    rw_cluster_free(cluster);
}

static void unknown_topic(void **state)
{
    (void)state;
    struct rw_cluster *cluster = fake_cluster(&broker);
    struct rw_topic *t;
    struct rw_client_err err;
    assert_int_equal(rw_cluster_get_topic(cluster, "t", false, &t, &err), RW_OK);
    assert_int_equal(t->n_partitions, FAKE_PARTITIONS);
    assert_int_equal(rw_cluster_get_topic(cluster, "nope", false, &t, &err), RW_E_NOT_FOUND);
    assert_string_equal(err.text, "there is no topic \"nope\"");
    rw_cluster_free(cluster);
}

static void bad_addresses(void **state)
{
    (void)state;
    static const char *const bad[] = {"", ":9092", "h:0", "h:x", "h:70000", "[::1", "a:1,,b:2"};
    for (size_t i = 0; i < RW_COUNT(bad); i++) {
        struct rw_cluster_options o;
        struct rw_cluster *c;
        struct rw_client_err err;
        broker.refuse_connects = 1;
        rw_cluster_options_init(&o);
        o.brokers = bad[i];
        assert_int_equal(rw_cluster_new(&broker.env, &broker.dialer, &o, &c), RW_OK);
        assert_int_equal(rw_cluster_connect(c, &err), RW_E_INVAL);
        rw_cluster_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(negotiates, setup, teardown),
        cmocka_unit_test_setup_teardown(falls_back_to_version_0, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_what_is_no_broker, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_topic, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_addresses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
