/* Records in order, from the middle of a batch, through cut answers, and positions outside the log. */
#include "fake_broker.h"

#include <stdio.h>
#include "client/consumer.h"
#include "client/producer.h"

static struct fake_broker broker;
static struct rw_cluster *cluster;
static struct rw_consumer *consumer;

/* Ten batches of five records in each partition. */
static int setup(void **state)
{
    struct rw_producer_options o;
    struct rw_producer *p;
    struct rw_client_err err;
    (void)state;
    fake_broker_init(&broker);
    cluster = fake_cluster(&broker);
    rw_producer_options_init(&o);
    assert_int_equal(rw_producer_new(cluster, &o, &p), RW_OK);
    for (int i = 0; i < 50; i++) {
        for (int k = 0; k < FAKE_PARTITIONS; k++) {
            char text[32];
            snprintf(text, sizeof(text), "%d/%d", k, i);
            struct rw_record r = {.timestamp = i, .value = {(const uint8_t *)text, strlen(text)}};
            assert_int_equal(rw_producer_send(p, "t", k, &r, NULL, 0, &err), RW_OK);
        }
        if (i % 5 == 4)
            assert_int_equal(rw_producer_flush(p, &err), RW_OK);
    }
    rw_producer_free(p);
    struct rw_consumer_options co;
    rw_consumer_options_init(&co);
    assert_int_equal(rw_consumer_new(cluster, &co, &consumer), RW_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rw_consumer_free(consumer);
    rw_cluster_free(cluster);
    fake_broker_deinit(&broker);
    return 0;
}

/* Reads until nothing comes; checks that each partition's records follow each other. */
static int read_all(int64_t next[FAKE_PARTITIONS])
{
    struct rw_consumed r;
    struct rw_client_err err;
    int n = 0, rc;
    while ((rc = rw_consumer_next(consumer, 100000, &r, &err)) == 1) {
        char text[32];
        int p = r.partition->partition;
        assert_int_equal(r.record.offset, next[p]++);
        snprintf(text, sizeof(text), "%d/%d", p, (int)r.record.offset);
        assert_int_equal(r.record.value.n, strlen(text));
        assert_memory_equal(r.record.value.p, text, strlen(text));
        assert_int_equal(r.partition->position, r.record.offset + 1);
        n++;
    }
    assert_int_equal(rc, 0);
    return n;
}

static void everything(void **state)
{
    (void)state;
    struct rw_client_err err;
    int64_t next[FAKE_PARTITIONS] = {0};
    for (int k = 0; k < FAKE_PARTITIONS; k++)
        assert_int_equal(rw_consumer_assign(consumer, "t", k, 0, &err), RW_OK);
    assert_int_equal(read_all(next), 150);
    assert_int_equal(rw_consumer_partition(consumer, 2)->high_watermark, 50);
}

static void from_the_middle_of_a_batch(void **state)
{
    (void)state;
    struct rw_client_err err;
    int64_t next[FAKE_PARTITIONS] = {0, 33, 0};
    assert_int_equal(rw_consumer_assign(consumer, "t", 1, 33, &err), RW_OK);
    assert_int_equal(read_all(next), 17);
}

static void cut_answers(void **state)
{
    (void)state;
    struct rw_client_err err;
    int64_t next[FAKE_PARTITIONS] = {0};
    broker.cut_fetch = 250;
    assert_int_equal(rw_consumer_assign(consumer, "t", 0, 0, &err), RW_OK);
    assert_int_equal(read_all(next), 50);
}

static void paused_partitions_are_silent(void **state)
{
    (void)state;
    struct rw_client_err err;
    struct rw_consumed r;
    assert_int_equal(rw_consumer_assign(consumer, "t", 0, 0, &err), RW_OK);
    assert_int_equal(rw_consumer_next(consumer, 100000, &r, &err), 1);
    assert_true(rw_consumer_has_buffered(consumer));
    rw_consumer_pause(consumer, 0);
    assert_int_equal(rw_consumer_next(consumer, 100000, &r, &err), 0);
}

static void outside_of_the_log(void **state)
{
    (void)state;
    struct rw_client_err err;
    struct rw_consumed r;
    assert_int_equal(rw_consumer_assign(consumer, "t", 0, 999, &err), RW_OK);
    assert_int_equal(rw_consumer_next(consumer, 100000, &r, &err), RW_E_RANGE);
    assert_non_null(strstr(err.text, "999"));
    assert_int_equal(rw_consumer_assign(consumer, "t", 9, 0, &err), RW_E_NOT_FOUND);
}

static void a_flipped_bit(void **state)
{
    (void)state;
    struct rw_client_err err;
    struct rw_consumed r;
    broker.log[0].p[70] ^= 1;
    assert_int_equal(rw_consumer_assign(consumer, "t", 0, 0, &err), RW_OK);
    assert_int_equal(rw_consumer_next(consumer, 100000, &r, &err), RW_E_CORRUPT);
}

/* One more connection is tried, then it is an error. */
static void fetches_without_an_answer(void **state)
{
    (void)state;
    struct rw_client_err err;
    struct rw_consumed r;
    int rc = 0;
    broker.mute_fetch = true;
    assert_int_equal(rw_consumer_assign(consumer, "t", 0, 0, &err), RW_OK);
    for (int i = 0; i < 1000 && rc == 0; i++)
        rc = rw_consumer_next(consumer, 100000, &r, &err);
    assert_int_equal(rc, RW_E_TIMEOUT);
    assert_int_equal(broker.requests[RW_API_FETCH], 2);
}

static void a_fetch_without_an_answer(void **state)
{
    (void)state;
    struct rw_client_err err;
    struct rw_consumed r;
    int rc = 0;
    broker.mute_fetch = true;
    assert_int_equal(rw_consumer_assign(consumer, "t", 0, 0, &err), RW_OK);
    assert_int_equal(rw_consumer_next(consumer, 100000, &r, &err), 0);
    broker.mute_fetch = false;
    for (int i = 0; i < 1000 && rc == 0; i++)
        rc = rw_consumer_next(consumer, 100000, &r, &err);
    assert_int_equal(rc, 1);
    assert_int_equal(r.record.offset, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything, setup, teardown),
        cmocka_unit_test_setup_teardown(from_the_middle_of_a_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(paused_partitions_are_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(outside_of_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flipped_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(fetches_without_an_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fetch_without_an_answer, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
