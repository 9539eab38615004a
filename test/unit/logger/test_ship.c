/* Shipping through every kind of trouble: the broker in memory checks sequence numbers as a real one does. */
#include "../client/fake_broker.h"
#include "spool_test.h"

#include "base/mem.h"
#include "logger/ship.h"
#include "wire/error.h"

static struct fake_broker broker;
static struct rw_env env; /* the broker's time, the machine's files */
static struct rw_lg_ship ship;
static struct rw_lg_spool *spool;
static struct rw_lg_lane *lane;
static int reports;

/* What the engine has in the library. */
void rw_lg_report(const char *words, const char *appender, int code);
void rw_lg_report(const char *words, const char *appender, int code)
{
    (void)words;
    (void)code;
    assert_string_equal(appender, "b");
    reports++;
}

static struct rw_lg_ship_options options(void)
{
    return (struct rw_lg_ship_options){.brokers = "fake:9092",
                                       .client_id = "test",
                                       .service = "app",
                                       .appender = "b",
                                       .target = RW_LG_BY_NUMBER,
                                       .acks = -1,
                                       .request_timeout_us = 1000000,
                                       .breaker_failures = 5};
}

static void start(void)
{
    struct rw_lg_ship_options o = options();
    spool = spool_open_with(&env);
    lane = spool_lane(spool, 0);
    assert_int_equal(rw_lg_ship_init(&ship, &env, &broker.dialer, &o), RW_OK);
    assert_int_equal(rw_lg_ship_add(&ship, spool), RW_OK);
}

static void end(void)
{
    rw_lg_ship_remove(&ship, spool);
    rw_lg_ship_deinit(&ship);
    rw_lg_spool_close(spool);
}

static int setup(void **state)
{
    (void)state;
    spool_folder();
    fake_broker_init(&broker);
    env = broker.env;
    env.vfs = rw_os_env()->vfs;
    env.sync = rw_os_env()->sync;
    reports = 0;
    start();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    end();
    fake_broker_deinit(&broker);
    spool_folder_remove();
    return 0;
}

/* Chunks of one record each, 0 .. n-1. */
static void put(int from, int n)
{
    for (int i = from; i < from + n; i++)
        spool_put_one(spool, lane, i, 1);
}

static bool step(void)
{
    int64_t us = rw_lg_ship_step(&ship);
    broker.now_us += us > 0 ? us : 0;
    return us >= 0;
}

/* Until nothing waits. */
static void run(void)
{
    int i = 0;
    while (step())
        assert_true(++i < 10000);
    assert_int_equal(lane->at.acked, lane->ready);
    assert_int_equal(ship.in_flight, 0);
}

static void expect(const char *wanted)
{
    char *values = fake_values(&broker, 0);
    assert_string_equal(values, wanted);
    rw_free(values);
}

static const char ten[] = "0 1 2 3 4 5 6 7 8 9 ";

static void all_is_well(void **state)
{
    (void)state;
    put(0, 10);
    run();
    expect(ten);
    assert_int_equal(broker.requests[RW_API_INIT_PRODUCER_ID], 1);
    assert_int_equal(ship.counts.shipped, 10);
    assert_int_equal(reports, 0);
}

static void several_are_under_way(void **state)
{
    (void)state;
    put(0, 10);
    assert_true(step());
    assert_int_equal(broker.requests[RW_API_PRODUCE], RW_LG_WINDOW);
    run();
    expect(ten);
}

static void errors_that_pass(void **state)
{
    (void)state;
    static const int16_t errors[] = {RW_KERR_NOT_LEADER_OR_FOLLOWER, RW_KERR_REQUEST_TIMED_OUT,
                                     RW_KERR_UNKNOWN_TOPIC_OR_PARTITION,
                                     RW_KERR_UNKNOWN_SERVER_ERROR,
                                     RW_KERR_TOPIC_AUTHORIZATION_FAILED};
    for (size_t i = 0; i < RW_COUNT(errors); i++) {
        put((int)i * 2, 2);
        broker.fail_produce = 3;
        broker.fail_with = errors[i];
        run();
    }
    expect(ten);
    assert_int_equal(ship.counts.twice, 0);
}

static void connections_that_break(void **state)
{
    (void)state;
    put(0, 5);
    broker.drop_before = 3;
    run();
    put(5, 5);
    broker.drop_after = 3;
    run();
    expect(ten);
    assert_int_equal(ship.counts.twice, 0);
}

static void a_broker_that_does_not_answer(void **state)
{
    (void)state;
    put(0, 10);
    broker.mute_from = 2;
    broker.mute_to = 7;
    broker.mute_stores = true;
    run();
    expect(ten);
}

static void a_broker_that_remembers_one_batch(void **state)
{
    (void)state;
    put(0, 10);
    broker.mute_from = 1;
    broker.mute_to = 5;
    broker.mute_stores = true;
    broker.forgetful = true;
    run();
    expect(ten);
    assert_int_equal(ship.counts.twice, 0);
    assert_int_equal(ship.counts.shipped, 10);
}

/* It can not tell any more: nothing is lost, and what may be there twice is counted. */
static void a_broker_that_has_forgotten_all(void **state)
{
    (void)state;
    put(0, 3);
    run();
    put(3, 2);
    broker.mute_from = broker.requests[RW_API_PRODUCE] + 1;
    broker.mute_to = broker.mute_from + 1;
    broker.mute_stores = true;
    broker.amnesia = true;
    run();
    expect("0 1 2 3 4 3 4 ");
    assert_int_equal(ship.counts.twice, 2);
    assert_int_equal(reports, 1);
}

static void a_producer_that_is_not_known(void **state)
{
    (void)state;
    static const int16_t errors[] = {RW_KERR_UNKNOWN_PRODUCER_ID, RW_KERR_INVALID_PRODUCER_EPOCH,
                                     RW_KERR_OUT_OF_ORDER_SEQUENCE_NUMBER};
    for (size_t i = 0; i < RW_COUNT(errors); i++) {
        put((int)i * 2, 2);
        broker.fail_produce = 2;
        broker.fail_with = errors[i];
        run();
    }
    expect("0 1 2 3 4 5 ");
    assert_int_equal(broker.requests[RW_API_INIT_PRODUCER_ID], 4);
    assert_int_equal(ship.counts.twice, 0);
}

/* The process is killed at any point: after so many steps, with what is stored then. */
static void a_kill_at_any_point(void **state)
{
    (void)state;
    int at = 0;
    for (int round = 1; round <= 30; round++) {
        put(at, 7);
        at += 7;
        for (int i = 0; i < round; i++)
            (void)step();
        end();
        start();
        assert_int_equal(lane->ready, at);
    }
    run();
    char wanted[2000] = "";
    for (int i = 0; i < at; i++)
        sprintf(wanted + strlen(wanted), "%d ", i);
    expect(wanted);
    assert_int_equal(ship.counts.twice, 0);
}

static void a_broker_that_is_away(void **state)
{
    (void)state;
    put(0, 10);
    broker.refuse_connects = 20;
    for (int i = 0; i < 5; i++)
        (void)step();
    assert_int_equal(ship.breaker.state, RW_LG_OPEN);
    assert_int_equal(reports, 1);
    run();
    assert_int_equal(ship.breaker.state, RW_LG_CLOSED);
    assert_int_equal(reports, 2);
    expect(ten);
}

/* Half open, one batch goes, and the others only when it has come through. */
static void a_probe_is_one_batch(void **state)
{
    (void)state;
    put(0, 10);
    broker.refuse_connects = 5;
    for (int i = 0; i < 5; i++)
        (void)step();
    assert_int_equal(ship.breaker.state, RW_LG_OPEN);
    (void)step();
    assert_int_equal(broker.requests[RW_API_PRODUCE], 1);
    (void)step();
    assert_int_equal(broker.requests[RW_API_PRODUCE], 1 + RW_LG_WINDOW);
    run();
    expect(ten);
}

/* A batch of three of which the broker refuses the first record: the others arrive. */
static void a_refused_record_is_buried(void **state)
{
    (void)state;
    spool_put_one(spool, lane, 0, 3);
    broker.fail_produce = 1;
    broker.fail_with = RW_KERR_MESSAGE_TOO_LARGE;
    assert_true(step());
    assert_int_equal(broker.fail_produce, 0);
    put(3, 2);
    broker.fail_produce = 1;
    broker.fail_with = RW_KERR_INVALID_RECORD;
    run();
    expect("1 2 3 4 ");
    assert_int_equal(ship.counts.dead, 1);
    assert_int_equal(ship.counts.lost, 0);
    assert_int_equal(access(strcat(strcpy((char[700]){0}, spool->path), "/dead/t.dlq-0"), F_OK), 0);
}

/* What nobody fetches does not fill the disk: the oldest go, and are counted. */
static void dead_letters_are_bounded(void **state)
{
    (void)state;
    enum { LETTERS = 150, SIZE = 4000 };
    end();
    spool_options.bytes = 1024 * 1024;
    start();
    for (int i = 0; i < LETTERS; i++) {
        bool dropped;
        struct rw_lg_spooled b = spool_batch(lane, i, 1, SIZE);
        assert_int_equal(spool_put(spool, &b, 1, &dropped), RW_OK);
        broker.fail_produce = 1;
        broker.fail_with = RW_KERR_INVALID_RECORD;
        run();
    }
    assert_int_equal(ship.counts.dead, LETTERS);
    assert_in_range(ship.counts.lost, LETTERS / 2, LETTERS - 10);
    char line[1200];
    snprintf(line, sizeof(line), "test $(cat %s/dead/t.dlq-0/*.log | wc -c) -lt %d", spool->path,
             1024 * 1024 / 8 + 40000);
    assert_int_equal(system(line), 0);
}

static void dropped_while_under_way(void **state)
{
    (void)state;
    end();
    spool_options.bytes = 1024 * 1024;
    start();
    bool dropped;
    broker.mute_from = 1;
    broker.mute_to = 3;
    uint64_t n = 0;
    for (int i = 0; i < 200; i++) {
        struct rw_lg_spooled b = spool_batch(lane, i * 10, 10, 1024);
        assert_int_equal(spool_put(spool, &b, 1, &dropped), RW_OK);
        n += 10;
        if (i % 20 == 0)
            (void)step();
    }
    assert_true(spool->dropped > 0);
    run();
    assert_int_equal(broker.end[0] + (int64_t)spool->dropped, n);
    assert_int_equal(ship.counts.shipped + spool->dropped, n);
}

static void without_identities(void **state)
{
    (void)state;
    ship.plain = true;
    ship.o.acks = 1;
    put(0, 10);
    run();
    expect(ten);
    assert_int_equal(broker.requests[RW_API_INIT_PRODUCER_ID], 0);
}

static void damage_is_left_out(void **state)
{
    (void)state;
    put(0, 10);
    char path[RW_LG_SPOOL_PATH + 100];
    snprintf(path, sizeof(path), "%s/00000000000000000000.log", rw_log_dir(lane->log));
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    /* Inside of the fourth batch. */
    long size = (long)(rw_log_bytes(lane->log) / 10);
    fseek(f, size * 3 + size - 2, SEEK_SET);
    fputc('X', f);
    fclose(f);
    run();
    expect("0 1 2 4 5 6 7 8 9 ");
    assert_int_equal(ship.counts.lost, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(all_is_well),
                                       T(several_are_under_way),
                                       T(errors_that_pass),
                                       T(connections_that_break),
                                       T(a_broker_that_does_not_answer),
                                       T(a_broker_that_remembers_one_batch),
                                       T(a_broker_that_has_forgotten_all),
                                       T(a_producer_that_is_not_known),
                                       T(a_kill_at_any_point),
                                       T(a_broker_that_is_away),
                                       T(a_probe_is_one_batch),
                                       T(a_refused_record_is_buried),
                                       T(dead_letters_are_bounded),
                                       T(dropped_while_under_way),
                                       T(without_identities),
                                       T(damage_is_left_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
