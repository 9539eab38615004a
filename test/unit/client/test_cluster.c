/* Connections with requests under way, and brokers that leave. */
#include "fake_broker.h"

static int setup(void **state)
{
    static struct fake_broker broker;
    fake_broker_init(&broker);
    *state = &broker;
    return 0;
}

static int teardown(void **state)
{
    fake_broker_deinit(*state);
    return 0;
}

static struct rw_conn *busy_conn(struct rw_cluster *cluster, int32_t node)
{
    struct rw_fetch_request request;
    struct rw_client_err err;
    struct rw_conn *conn;
    rw_fetch_request_init(&request);
    assert_int_equal(rw_cluster_conn(cluster, node, &conn, &err), RW_OK);
    assert_int_equal(rw_conn_send(conn, RW_API_FETCH, 12, &request, NULL, true, 1000000, &err),
                     RW_OK);
    return conn;
}

static void lost(void *arg, struct rw_conn *conn)
{
    struct rw_conn **to = arg;
    *to = conn;
    conn->sent_n = 0;
}

/* The connection of a broker that left is told of and closed, and never used for something else. */
static void a_busy_broker_leaves(void **state)
{
    struct fake_broker *broker = *state;
    struct rw_cluster *cluster = fake_cluster(broker);
    struct rw_client_err err;
    struct rw_conn *first, *told = NULL;
    broker->twins = broker->mute_fetch = true;
    cluster->lost = lost;
    cluster->lost_arg = &told;
    assert_int_equal(rw_cluster_connect(cluster, &err), RW_OK);
    assert_int_equal(rw_cluster_conn(cluster, 1, &first, &err), RW_OK);
    struct rw_conn *second = busy_conn(cluster, 2);
    broker->twins = false;
    assert_int_equal(rw_cluster_refresh(cluster, NULL, 0, false, &err), RW_OK);
    assert_ptr_equal(told, second);
    assert_int_equal(cluster->n_nodes, 1);
    assert_ptr_equal(busy_conn(cluster, 1), first);
    assert_int_equal(rw_cluster_refresh(cluster, NULL, 0, false, &err), RW_OK);
    assert_int_equal(first->sent_n, 1);
    rw_cluster_free(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_busy_broker_leaves, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
