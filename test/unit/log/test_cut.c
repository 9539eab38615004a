/* Truncating inside of a batch, on a simulated disk that fails at every place it can. */
#include "log_test.h"

#include <string.h>

#include "sim/disk.h"

#define PLACES 80 /* more operations than a truncation has */

static void on_a_disk(struct log_test *t, uint64_t seed)
{
    log_test_init_sim(t, seed, false);
    assert_int_equal(log_test_open(t, false, 0), RW_OK);
}

/* Offsets 0 to 2, 3 to 12, 13 to 14, all durable. */
static void fill(struct log_test *t)
{
    log_test_append(t, 3, 1000, 10);
    log_test_append(t, 10, 2000, 10);
    log_test_append(t, 2, 3000, 10);
    assert_int_equal(rw_log_flush(t->log, NULL), RW_OK);
}

static void expect_records(struct log_test *t, int64_t end)
{
    int64_t records = 0;
    assert_int_equal(log_test_read_all(t, rw_log_start(t->log), &records), end);
    assert_int_equal(records, end - rw_log_start(t->log));
}

/* Whatever happens, and wherever: what was durable below the cut is there, and nothing is there twice. */
static void nothing_below_the_cut_is_lost(void **state)
{
    (void)state;
    int done = 0, undone = 0;
    for (int full = 0; full < 2; full++) {
        for (uint64_t place = 1; place <= PLACES; place++) {
            struct log_test t;
            on_a_disk(&t, place);
            fill(&t);
            struct rw_sim_faults faults = {0};
            if (full)
                faults.full_at = place;
            else
                faults.cut_at = place;
            rw_sim_disk_arm(t.disk, &faults);
            int rc = rw_log_truncate_records(t.log, 8);
            rw_sim_disk_arm(t.disk, &(struct rw_sim_faults){0});
            if (!rc && full)
                expect_records(&t, 8);
            log_test_power_cut(&t, place);
            for (int again = 0; again < 2; again++) {
                assert_int_equal(log_test_open(&t, false, 3), RW_OK);
                int64_t end = rw_log_end(t.log);
                /* Removing goes from the end, batch by batch or segment by segment. */
                assert_true(end == 8 || end == 13 || end == 15);
                assert_true(rc || end == 8);
                expect_records(&t, end);
                done += end == 8;
                undone += end != 8;
                log_test_close(&t, false);
            }
            log_test_deinit(&t);
        }
    }
    assert_true(done > 0 && undone > 0);
}

/* Interrupted, and then the log went on: what was kept aside does not come back. */
static void what_was_kept_is_used_once(void **state)
{
    (void)state;
    struct log_test t;
    on_a_disk(&t, 1);
    fill(&t);
    assert_int_equal(rw_log_truncate_records(t.log, 8), RW_OK);
    assert_int_equal(rw_log_truncate_records(t.log, 3), RW_OK);
    expect_records(&t, 3);
    log_test_close(&t, false);
    assert_int_equal(log_test_open(&t, false, 3), RW_OK);
    expect_records(&t, 3);
    log_test_deinit(&t);
}

static void the_start_inside_of_the_batch_stays(void **state)
{
    (void)state;
    struct log_test t;
    on_a_disk(&t, 1);
    fill(&t);
    assert_int_equal(rw_log_trim(t.log, 5), RW_OK);
    assert_int_equal(rw_log_truncate_records(t.log, 8), RW_OK);
    assert_int_equal(rw_log_start(t.log), 5);
    assert_int_equal(rw_log_end(t.log), 8);
    log_test_deinit(&t);
}

/* The rest of a transaction's batch is still the producer's, and its next batch follows. */
static void a_producers_batch_stays_one(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_append_info info;
    struct rw_log_range range;
    on_a_disk(&t, 1);
    assert_int_equal(log_test_produce(&t, 77, 2, 0, 4, &info), RW_OK);
    assert_int_equal(rw_log_truncate_records(t.log, 3), RW_OK);
    assert_int_equal(rw_log_read(t.log, 0, INT64_MAX, 0, true, &range), RW_OK);
    uint8_t p[512];
    size_t n;
    struct rw_batch batch;
    assert_int_equal(rw_file_read_at(range.file, range.at, p, range.n, &n), RW_OK);
    rw_log_range_release(&range);
    assert_int_equal(rw_batch_check(p, n, &batch), RW_OK);
    assert_int_equal(batch.producer_id, 77);
    assert_int_equal(batch.producer_epoch, 2);
    assert_int_equal(batch.base_sequence, 0);
    assert_int_equal(batch.records_count, 3);
    assert_int_equal(log_test_produce(&t, 77, 2, 4, 1, &info), RW_E_SEQUENCE);
    assert_int_equal(log_test_produce(&t, 77, 2, 3, 1, &info), RW_OK);
    log_test_deinit(&t);
}

static int no_descriptor(struct rw_vfs *v, const char *path, unsigned flags, struct rw_file **ret)
{
    (void)v;
    (void)path;
    (void)flags;
    (void)ret;
    return RW_E_LIMIT;
}

/* The segments behind the cut are gone, the one with the cut can not be opened: nothing may be appended
 * behind the gap. */
static void a_cut_that_stops_half_way_is_final(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_buf more;
    struct rw_append_info info;
    const struct rw_append_args args = {.as_leader = true};
    on_a_disk(&t, 1);
    fill(&t);
    assert_int_equal(rw_log_roll(t.log), RW_OK);
    log_test_append(&t, 5, 4000, 10);
    assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
    const struct rw_vfs_ops *real = t.env.vfs->ops;
    struct rw_vfs_ops exhausted = *real;
    exhausted.open = no_descriptor;
    t.env.vfs->ops = &exhausted;
    assert_int_equal(rw_log_truncate(t.log, 3), RW_E_LIMIT);
    t.env.vfs->ops = real;
    rw_buf_init(&more);
    log_test_batch(&more, 1, 5000, 10);
    assert_int_equal(rw_log_append(t.log, more.p, more.n, &args, &info), RW_E_OFFLINE);
    rw_buf_deinit(&more);
    assert_int_equal(rw_log_close(t.log, false), RW_E_OFFLINE);
    t.log = NULL;
    assert_int_equal(log_test_open(&t, false, 3), RW_OK);
    expect_records(&t, 15);
    assert_int_equal(rw_log_truncate(t.log, 3), RW_OK);
    expect_records(&t, 3);
    log_test_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_below_the_cut_is_lost),
        cmocka_unit_test(what_was_kept_is_used_once),
        cmocka_unit_test(the_start_inside_of_the_batch_stays),
        cmocka_unit_test(a_producers_batch_stays_one),
        cmocka_unit_test(a_cut_that_stops_half_way_is_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
