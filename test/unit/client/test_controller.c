/* Calls to the controller when that is another by now. */
#include "fake_broker.h"

#include "wire/error.h"

static bool moved(const void *response)
{
    const struct rw_delete_topics_response *m = response;
    return m->responses[0].error_code == RW_KERR_NOT_CONTROLLER;
}

/* Deletes "t"; the error that comes back, and how often it was asked and learnt anew. */
static int16_t delete_topic(int refusals, int *ret_asked, int *ret_learnt)
{
    struct fake_broker broker;
    struct rw_client_err err = {0};
    struct rw_delete_topics_request request;
    struct rw_arena arena;
    void *response;
    struct rw_str name = RW_STR_LIT("t");
    fake_broker_init(&broker);
    broker.not_controller = refusals;
    struct rw_cluster *cluster = fake_cluster(&broker);
    rw_arena_init(&arena, 1 << 20);
    rw_delete_topics_request_init(&request);
    request.topic_names = &name;
    request.n_topic_names = 1;
    assert_int_equal(rw_cluster_connect(cluster, &err), RW_OK);
    int before = broker.requests[RW_API_METADATA];
    assert_int_equal(rw_cluster_call_controller(cluster, RW_API_DELETE_TOPICS, 5, &request, &arena,
                                                moved, &response, &err),
                     RW_OK);
    const struct rw_delete_topics_response *m = response;
    int16_t error = m->responses[0].error_code;
    *ret_asked = broker.requests[RW_API_DELETE_TOPICS];
    *ret_learnt = broker.requests[RW_API_METADATA] - before;
    rw_arena_deinit(&arena);
    rw_cluster_free(cluster);
    fake_broker_deinit(&broker);
    return error;
}

static void asks_the_new_one(void **state)
{
    (void)state;
    int asked, learnt;
    assert_int_equal(delete_topic(0, &asked, &learnt), 0);
    assert_int_equal(asked, 1);
    assert_int_equal(learnt, 0);
    assert_int_equal(delete_topic(2, &asked, &learnt), 0);
    assert_int_equal(asked, 3);
    assert_int_equal(learnt, 2);
}

static void gives_up(void **state)
{
    (void)state;
    int asked, learnt;
    assert_int_equal(delete_topic(1000, &asked, &learnt), RW_KERR_NOT_CONTROLLER);
    assert_in_range(asked, 2, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_the_new_one),
        cmocka_unit_test(gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
