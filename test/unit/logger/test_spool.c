/* The spool: chunks are whole or not there, its owner is one, and what its limit takes away is counted. */
#include "spool_test.h"

static int setup(void **state)
{
    (void)state;
    spool_folder();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    spool_folder_remove();
    return 0;
}

/* As after kill -9: the descriptors go, and nothing else is done. */
static void spool_killed(struct rw_lg_spool *s)
{
    rw_file_close(s->held);
    s->held = NULL; /* the rest leaks into the test, as it would not into a process that is gone */
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct rw_lg_spool *s = spool_open();
    struct rw_lg_lane *l = spool_lane(s, 0);
    spool_put_one(s, l, 0, 3);
    spool_put_one(s, l, 3, 2);
    assert_int_equal(l->ready, 5);
    rw_lg_spool_close(s);
    s = spool_open();
    l = spool_lane(s, 0);
    assert_int_equal(l->ready, 5);
    struct rw_buf scratch, out;
    rw_buf_init(&scratch);
    rw_buf_init(&out);
    int64_t end;
    assert_int_equal(rw_lg_lane_read(l, 0, false, &scratch, &out, &end), RW_OK);
    assert_int_equal(end, 3);
    assert_int_equal(rw_lg_lane_read(l, 1, false, &scratch, &out, &end), RW_OK);
    assert_int_equal(end, 3);
    struct rw_batch b;
    assert_int_equal(rw_batch_check(out.p, out.n, &b), RW_OK);
    assert_int_equal(b.records_count, 2);
    assert_int_equal(rw_lg_lane_read(l, 1, true, &scratch, &out, &end), RW_OK);
    assert_int_equal(end, 2);
    rw_buf_deinit(&scratch);
    rw_buf_deinit(&out);
    rw_lg_spool_close(s);
}

static void has_one_owner(void **state)
{
    (void)state;
    struct rw_lg_spool *a = spool_open(), *b = spool_open(), *found;
    assert_string_not_equal(a->path, b->path);
    spool_put_one(b, spool_lane(b, 0), 0, 3);
    assert_int_equal(rw_lg_spool_adopt(rw_os_env(), &spool_options, 1, &found), RW_E_LOCKED);
    rw_lg_spool_close(b);
    assert_int_equal(rw_lg_spool_adopt(rw_os_env(), &spool_options, 1, &found), RW_OK);
    assert_int_equal(found->n_lanes, 1);
    assert_int_equal(found->lanes[0]->ready, 3);
    found->lanes[0]->at.acked = 3;
    assert_int_equal(rw_lg_lane_save(found->lanes[0], false), RW_OK);
    rw_lg_spool_close(found);
    assert_int_equal(rw_lg_spool_adopt(rw_os_env(), &spool_options, 1, &found), RW_E_NOT_FOUND);
    assert_int_equal(rw_lg_spool_adopt(rw_os_env(), &spool_options, 7, &found), RW_E_NOT_FOUND);
    rw_lg_spool_close(a);
}

/* A chunk of two lanes, of which the kill let one be written. */
static void an_unfinished_chunk_is_taken_away(void **state)
{
    (void)state;
    struct rw_lg_spool *s = spool_open();
    struct rw_lg_lane *a = spool_lane(s, 0), *b = spool_lane(s, 1);
    struct rw_lg_spooled chunk[2] = {spool_batch(a, 0, 3, 0), spool_batch(b, 0, 2, 0)};
    bool dropped;
    assert_int_equal(spool_put(s, chunk, 2, &dropped), RW_OK);
    uint64_t id = s->id, whole = s->intent.number;
    /* What writing the next does first: the intent, and the first lane. */
    struct rw_lg_intent in = s->intent;
    in.number++;
    in.lanes[0].before = 3;
    in.lanes[0].after = 7;
    in.lanes[1].before = 2;
    in.lanes[1].after = 4;
    assert_int_equal(rw_lg_slot_store(&s->slot, &in, sizeof(in), false), RW_OK);
    struct rw_lg_spooled part = spool_batch(a, 3, 4, 0);
    struct rw_append_args args = {.as_leader = true, .built = &part.header};
    struct rw_append_info info;
    assert_int_equal(rw_log_append(a->log, part.bytes.p, part.bytes.n, &args, &info), RW_OK);
    rw_buf_deinit(&part.bytes);
    spool_killed(s);
    struct rw_lg_spool *again = spool_open();
    assert_int_equal(again->id, id);
    assert_int_equal(spool_lane(again, 0)->ready, 3);
    assert_int_equal(spool_lane(again, 1)->ready, 2);
    assert_true(rw_lg_spool_has(rw_os_env(), &spool_options, id, whole));
    assert_false(rw_lg_spool_has(rw_os_env(), &spool_options, id, whole + 1));
    assert_false(rw_lg_spool_has(rw_os_env(), &spool_options, id + 1, whole));
    /* Later ones do not make it true. */
    spool_put_one(again, spool_lane(again, 0), 3, 1);
    assert_false(rw_lg_spool_has(rw_os_env(), &spool_options, id, whole + 1));
    assert_true(rw_lg_spool_has(rw_os_env(), &spool_options, id, whole + 2));
    rw_lg_spool_close(again);
    rw_lg_spool_close(s);
}

static void a_whole_chunk_stays(void **state)
{
    (void)state;
    struct rw_lg_spool *s = spool_open();
    spool_put_one(s, spool_lane(s, 0), 0, 3);
    uint64_t id = s->id, number = s->intent.number;
    spool_killed(s);
    struct rw_lg_spool *again = spool_open();
    assert_int_equal(spool_lane(again, 0)->ready, 3);
    assert_true(rw_lg_spool_has(rw_os_env(), &spool_options, id, number));
    assert_false(rw_lg_spool_has(rw_os_env(), &spool_options, id, number + 1));
    rw_lg_spool_close(again);
    rw_lg_spool_close(s);
}

/* Fills a spool of 1 MiB with chunks of 10 records of 1 KiB. Returns how many records there were. */
static uint64_t overfill(struct rw_lg_spool *s, int *ret_dropped_chunks)
{
    uint64_t n = 0;
    *ret_dropped_chunks = 0;
    for (int i = 0; i < 300; i++) {
        struct rw_lg_spooled b = spool_batch(spool_lane(s, i % 2), i * 10, 10, 1024);
        bool dropped;
        assert_int_equal(spool_put(s, &b, 1, &dropped), RW_OK);
        *ret_dropped_chunks += dropped;
        n += 10;
    }
    return n;
}

static uint64_t waiting(const struct rw_lg_spool *s)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < s->n_lanes; i++)
        n += (uint64_t)(s->lanes[i]->ready - s->lanes[i]->at.acked);
    return n;
}

static void drops_the_oldest(void **state)
{
    (void)state;
    int dropped;
    spool_options.bytes = 1024 * 1024;
    struct rw_lg_spool *s = spool_open();
    uint64_t n = overfill(s, &dropped);
    assert_int_equal(dropped, 0);
    assert_true(s->dropped > 0);
    assert_int_equal(waiting(s) + s->dropped, n);
    assert_true(rw_lg_spool_bytes(s) <= (uint64_t)spool_options.bytes);
    rw_lg_spool_close(s);
}

static void drops_the_newest(void **state)
{
    (void)state;
    int dropped;
    spool_options.bytes = 1024 * 1024;
    spool_options.overflow = RW_LG_SPOOL_DROP_NEWEST;
    struct rw_lg_spool *s = spool_open();
    uint64_t n = overfill(s, &dropped);
    assert_int_equal(s->dropped, (uint64_t)dropped * 10);
    assert_int_equal(waiting(s) + s->dropped, n);
    assert_int_equal(s->lanes[0]->at.acked, 0);
    rw_lg_spool_close(s);
}

static void blocks_until_something_was_shipped(void **state)
{
    (void)state;
    bool dropped;
    int rc = RW_OK, i = 0;
    spool_options.bytes = 1024 * 1024;
    spool_options.overflow = RW_LG_SPOOL_BLOCK;
    struct rw_lg_spool *s = spool_open();
    struct rw_lg_lane *l = spool_lane(s, 0);
    for (; !rc && i < 300; i++) {
        struct rw_lg_spooled b = spool_batch(l, 0, 10, 1024);
        rc = spool_put(s, &b, 1, &dropped);
        assert_false(dropped);
    }
    assert_int_equal(rc, RW_E_FULL);
    assert_int_equal(l->ready, (i - 1) * 10);
    assert_int_equal(s->dropped, 0);
    l->at.acked = l->ready;
    spool_put_one(s, l, 0, 1);
    rw_lg_spool_close(s);
}

static void a_chunk_larger_than_the_spool(void **state)
{
    (void)state;
    bool dropped;
    spool_options.bytes = 1024 * 1024;
    struct rw_lg_spool *s = spool_open();
    struct rw_lg_spooled b = spool_batch(spool_lane(s, 0), 0, 20, 60000);
    assert_int_equal(spool_put(s, &b, 1, &dropped), RW_OK);
    assert_true(dropped);
    assert_int_equal(s->dropped, 20);
    rw_lg_spool_close(s);
}

/* The machine was started again: what is in doubt gets another identity, and the last chunk stays as it is. */
static void a_restart_of_the_machine(void **state)
{
    (void)state;
    struct rw_lg_spool *s = spool_open();
    struct rw_lg_lane *l = spool_lane(s, 0);
    spool_put_one(s, l, 0, 5);
    l->at.producer_id = 7;
    l->at.acked = 2;
    assert_int_equal(rw_lg_lane_save(l, true), RW_OK);
    rw_lg_spool_close(s);
    s = spool_open();
    assert_int_equal(spool_lane(s, 0)->at.producer_id, 7);
    l = spool_lane(s, 0);
    l->at.boot[0] ^= 1;
    assert_int_equal(rw_lg_lane_save(l, true), RW_OK);
    rw_lg_spool_close(s);
    s = spool_open();
    assert_int_equal(spool_lane(s, 0)->at.producer_id, RW_NO_PRODUCER_ID);
    assert_int_equal(spool_lane(s, 0)->at.acked, 2);
    assert_int_equal(spool_lane(s, 0)->ready, 5);
    rw_lg_spool_close(s);
}

/* Either of the two places may be torn: the other one counts. */
static void a_torn_slot(void **state)
{
    (void)state;
    struct rw_lg_slot slot;
    const struct rw_env *env = rw_os_env();
    char path[600];
    bool found;
    int v = 0;
    snprintf(path, sizeof(path), "%s/slot", spool_options.dir);
    assert_int_equal(rw_lg_slot_open(&slot, env, path, &v, sizeof(v), &found), RW_OK);
    assert_false(found);
    for (v = 1; v <= 5; v++)
        assert_int_equal(rw_lg_slot_store(&slot, &v, sizeof(v), false), RW_OK);
    assert_int_equal(rw_file_write_at(slot.file, 5 % 2 * RW_LG_SLOT + 20, "torn", 4), RW_OK);
    rw_lg_slot_close(&slot);
    assert_int_equal(rw_lg_slot_open(&slot, env, path, &v, sizeof(v), &found), RW_OK);
    assert_true(found);
    assert_int_equal(v, 4);
    v = 6;
    assert_int_equal(rw_lg_slot_store(&slot, &v, sizeof(v), true), RW_OK);
    rw_lg_slot_close(&slot);
    assert_int_equal(rw_lg_slot_read(env, path, &v, sizeof(v)), RW_OK);
    assert_int_equal(v, 6);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(what_was_written_is_read),
                                       T(has_one_owner),
                                       T(an_unfinished_chunk_is_taken_away),
                                       T(a_whole_chunk_stays),
                                       T(drops_the_oldest),
                                       T(drops_the_newest),
                                       T(blocks_until_something_was_shipped),
                                       T(a_chunk_larger_than_the_spool),
                                       T(a_restart_of_the_machine),
                                       T(a_torn_slot)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
