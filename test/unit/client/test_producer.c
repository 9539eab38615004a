/* Order and exactly-once through every kind of trouble: the fake broker checks sequences. */
#include "fake_broker.h"

#include <limits.h>
#include <stdio.h>
#include "base/mem.h"
#include "client/producer.h"
#include "wire/error.h"

struct seen {
    int64_t records, failed, next_offset[FAKE_PARTITIONS];
    int16_t kafka;
    bool out_of_order;
    char text[480]; /* of the last failure */
};

static struct fake_broker broker;
static struct seen seen;
static struct rw_cluster *cluster;
static struct rw_producer *producer; /* from start() to the end of the test */

static void delivered(void *arg, const struct rw_delivery *d)
{
    struct seen *s = arg;
    if (d->code != RW_OK) {
        s->failed += d->count;
        s->kafka = d->err->kafka;
        memcpy(s->text, d->err->text, sizeof(s->text));
        return;
    }
    s->out_of_order |= d->first_number < s->next_offset[d->partition];
    s->next_offset[d->partition] = d->first_number + d->count;
    s->records += d->count;
}

static int setup(void **state)
{
    (void)state;
    fake_broker_init(&broker);
    memset(&seen, 0, sizeof(seen));
    cluster = NULL;
    producer = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (producer)
        rw_producer_free(producer);
    if (cluster)
        rw_cluster_free(cluster);
    fake_broker_deinit(&broker);
    return 0;
}

static struct rw_producer_options options(void)
{
    struct rw_producer_options o;
    rw_producer_options_init(&o);
    o.delivered = delivered;
    o.arg = &seen;
    return o;
}

static void start(const struct rw_producer_options *o)
{
    cluster = fake_cluster(&broker);
    cluster->deadline_us = 600000000; /* what waits for ever fails */
    assert_int_equal(rw_producer_new(cluster, o, &producer), RW_OK);
}

/* What partition 0 holds. */
static void expect_values(const char *expected)
{
    char *values = fake_values(&broker, 0);
    assert_string_equal(values, expected);
    rw_free(values);
}

static void send_one(int32_t partition, const char *text)
{
    struct rw_client_err err;
    struct rw_record r = {.timestamp = -1, .value = {(const uint8_t *)text, strlen(text)}};
    assert_int_equal(rw_producer_send(producer, "t", partition, &r, NULL, 0, &err), RW_OK);
}

/* Sends 0..n-1 to partition 0 in batches of one record and checks the log. */
static void send_and_check(int n, int16_t acks, const char *expected)
{
    struct rw_client_err err = {0};
    struct rw_producer_options o = options();
    o.batch_bytes = 1;
    o.acks = acks;
    start(&o);
    for (int i = 0; i < n; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        send_one(0, text);
    }
    assert_int_equal(rw_producer_flush(producer, &err), RW_OK);
    assert_int_equal(rw_producer_acked(producer) + rw_producer_failed(producer), n);
    assert_false(seen.out_of_order);
    expect_values(expected);
}

static const char ten[] = "0 1 2 3 4 5 6 7 8 9 ";

static void all_is_well(void **state)
{
    (void)state;
    send_and_check(10, -1, ten);
    assert_int_equal(seen.records, 10);
    assert_int_equal(broker.requests[RW_API_INIT_PRODUCER_ID], 1);
}

static void without_acknowledgement(void **state)
{
    (void)state;
    send_and_check(10, 1, ten);
    assert_int_equal(broker.requests[RW_API_INIT_PRODUCER_ID], 0);
}

static void retriable_errors(void **state)
{
    (void)state;
    broker.fail_produce = 3;
    broker.fail_with = RW_KERR_NOT_LEADER_OR_FOLLOWER;
    send_and_check(10, -1, ten);
    assert_int_equal(seen.records, 10);
    assert_true(broker.requests[RW_API_METADATA] > 1);
}

static void lost_requests(void **state)
{
    (void)state;
    broker.drop_before = 4;
    send_and_check(10, -1, ten);
    assert_int_equal(seen.records, 10);
}

static void lost_answers(void **state)
{
    (void)state;
    broker.drop_after = 4;
    send_and_check(10, -1, ten);
    assert_int_equal(seen.records, 10);
}

static void a_rejected_batch_is_reported_and_the_rest_goes_on(void **state)
{
    (void)state;
    broker.fail_produce = 1;
    broker.fail_with = RW_KERR_MESSAGE_TOO_LARGE;
    send_and_check(10, -1, "1 2 3 4 5 6 7 8 9 ");
    assert_int_equal(seen.failed, 1);
    assert_int_equal(seen.kafka, RW_KERR_MESSAGE_TOO_LARGE);
    assert_int_equal(broker.requests[RW_API_INIT_PRODUCER_ID], 2);
}

static void gives_up_in_time(void **state)
{
    (void)state;
    broker.fail_produce = 1000000;
    broker.fail_with = RW_KERR_NOT_ENOUGH_REPLICAS;
    send_and_check(3, -1, "");
    assert_int_equal(seen.failed, 3);
}

/* Several batches are under way when the first is refused: the others do not suffer. */
static void a_rejected_batch_spares_those_under_way(void **state)
{
    (void)state;
    broker.lazy = true;
    broker.fail_produce = 1;
    broker.fail_with = RW_KERR_MESSAGE_TOO_LARGE;
    send_and_check(10, -1, "1 2 3 4 5 6 7 8 9 ");
    assert_int_equal(seen.failed, 1);
    assert_int_equal(seen.kafka, RW_KERR_MESSAGE_TOO_LARGE);
}

static void answers_that_never_come(void **state)
{
    (void)state;
    broker.lazy = true;
    broker.mute_from = 2;
    broker.mute_to = 6;
    broker.mute_stores = true;
    send_and_check(10, -1, ten);
    assert_int_equal(seen.records, 10);
    assert_true(broker.now_us < 60000000);
}

static void a_broker_that_never_answers(void **state)
{
    (void)state;
    broker.mute_from = 1;
    broker.mute_to = INT_MAX;
    send_and_check(3, -1, "");
    assert_int_equal(seen.failed, 3);
    assert_true(broker.now_us < 200000000);
}

static void a_broker_that_moves(void **state)
{
    (void)state;
    broker.lazy = broker.moves = true;
    broker.fail_produce = 1;
    broker.fail_with = RW_KERR_NOT_LEADER_OR_FOLLOWER;
    broker.mute_from = 2;
    broker.mute_to = 5;
    send_and_check(10, -1, ten);
    assert_int_equal(seen.records, 10);
    assert_true(broker.now_us < 20000000); /* it did not wait for those answers */
}

/* The broker knows only the last of five batches whose answers were lost: that one tells. */
static void a_forgetful_broker(void **state)
{
    (void)state;
    broker.lazy = broker.forgetful = broker.mute_stores = true;
    broker.mute_from = 1;
    broker.mute_to = 5;
    send_and_check(10, -1, ten);
    assert_int_equal(seen.records, 10);
    assert_int_equal(broker.requests[RW_API_INIT_PRODUCER_ID], 1);
}

/* Nobody can tell: reported at once, not sent again under another identity. */
static void a_broker_that_forgot_all(void **state)
{
    (void)state;
    broker.lazy = broker.amnesia = broker.mute_stores = true;
    broker.mute_from = 1;
    broker.mute_to = 5;
    send_and_check(10, -1, ten);
    assert_int_equal(seen.failed, 5);
    assert_int_equal(seen.records, 5);
    assert_true(broker.now_us < 60000000);
}

/* One batch is given up while a younger one may be stored: that is found out before a new identity. */
static void an_unknown_batch_keeps_its_identity(void **state)
{
    (void)state;
    struct rw_client_err err;
    struct rw_producer_options o = options();
    o.batch_bytes = 1;
    o.delivery_timeout_us = 3000000;
    broker.mute_stores = true;
    broker.mute_from = 1;
    broker.mute_to = 2;
    start(&o);
    send_one(0, "old");
    broker.now_us += 2000000;
    send_one(0, "young");
    assert_int_equal(rw_producer_flush(producer, &err), RW_OK);
    assert_int_equal(seen.failed, 1);
    assert_int_equal(seen.records, 1);
    send_one(0, "new");
    assert_int_equal(rw_producer_flush(producer, &err), RW_OK);
    assert_int_equal(seen.records, 2);
    assert_int_equal(broker.requests[RW_API_INIT_PRODUCER_ID], 2);
    expect_values("old young new ");
}

/* The topic is made anew with one partition while a batch for the third waits. */
static void a_partition_that_is_gone(void **state)
{
    (void)state;
    struct rw_client_err err;
    struct rw_producer_options o = options();
    start(&o);
    send_one(2, "x");
    broker.n_partitions = 1;
    broker.fail_produce = INT_MAX;
    broker.fail_with = RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
    assert_int_equal(rw_producer_flush(producer, &err), RW_OK);
    assert_int_equal(seen.failed, 1);
    assert_int_equal(broker.requests[RW_API_PRODUCE], 1);
}

/* A reason is told once, however many batches it is the reason for. */
static void reasons_do_not_nest(void **state)
{
    (void)state;
    broker.lazy = true;
    broker.fail_produce = INT_MAX;
    broker.fail_with = RW_KERR_NOT_ENOUGH_REPLICAS;
    send_and_check(5, -1, "");
    assert_int_equal(seen.failed, 5);
    const char *first = strstr(seen.text, "not acknowledged in time");
    assert_non_null(first);
    assert_null(strstr(first + 1, "not acknowledged in time"));
    assert_non_null(strstr(seen.text, "NOT_ENOUGH_REPLICAS"));
}

static void partitions_by_key(void **state)
{
    (void)state;
    struct rw_client_err err;
    struct rw_producer_options o = options();
    start(&o);
    for (int i = 0; i < 30; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key%d", i % 6);
        struct rw_record r = {.timestamp = -1,
                              .key = {(const uint8_t *)key, strlen(key)},
                              .value = {(const uint8_t *)"", 0}};
        assert_int_equal(rw_producer_send(producer, "t", RW_PARTITION_AUTO, &r, NULL, 0, &err),
                         RW_OK);
    }
    struct rw_record r = {.timestamp = -1};
    assert_int_equal(rw_producer_send(producer, "t", 9, &r, NULL, 0, &err), RW_E_NOT_FOUND);
    assert_int_equal(rw_producer_send(producer, "nope", 0, &r, NULL, 0, &err), RW_E_NOT_FOUND);
    assert_int_equal(rw_producer_flush(producer, &err), RW_OK);
    assert_int_equal(broker.end[0] + broker.end[1] + broker.end[2], 30);
}

/* Linger: nothing leaves before its time, everything when it has come. */
static void lingers(void **state)
{
    (void)state;
    struct rw_client_err err;
    struct rw_producer_options o = options();
    struct rw_record r = {.timestamp = -1, .value = {(const uint8_t *)"x", 1}};
    o.linger_us = 100000;
    start(&o);
    assert_int_equal(rw_producer_due_us(producer), -1);
    assert_int_equal(rw_producer_send(producer, "t", RW_PARTITION_AUTO, &r, NULL, 0, &err), RW_OK);
    assert_int_equal(rw_producer_poll(producer, 0, &err), RW_OK);
    assert_int_equal(broker.requests[RW_API_PRODUCE], 0);
    assert_true(rw_producer_due_us(producer) > 90000);
    broker.now_us += 100000;
    assert_int_equal(rw_producer_poll(producer, 0, &err), RW_OK);
    assert_int_equal(broker.requests[RW_API_PRODUCE], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_well, setup, teardown),
        cmocka_unit_test_setup_teardown(without_acknowledgement, setup, teardown),
        cmocka_unit_test_setup_teardown(retriable_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(lost_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(lost_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rejected_batch_is_reported_and_the_rest_goes_on, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(gives_up_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rejected_batch_spares_those_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_that_never_come, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broker_that_never_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broker_that_moves, setup, teardown),
        cmocka_unit_test_setup_teardown(a_forgetful_broker, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broker_that_forgot_all, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_batch_keeps_its_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(a_partition_that_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(reasons_do_not_nest, setup, teardown),
        cmocka_unit_test_setup_teardown(partitions_by_key, setup, teardown),
        cmocka_unit_test_setup_teardown(lingers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
