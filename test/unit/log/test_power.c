/* Errors followed by a power cut, on a simulated disk: each case here once lost or brought back something. */
#include "log_test.h"

#include <string.h>

#include "sim/disk.h"

#define ROUNDS 100 /* what a cut leaves is a matter of luck: as many tries */

static void on_a_disk(struct log_test *t, uint64_t seed)
{
    log_test_init_sim(t, seed, false);
    assert_int_equal(log_test_open(t, false, 0), RW_OK);
}

/* A batch that is nearly all zeros: where its first bytes lie in a file that something else made longer,
 * it looks whole. */
static int append_zeros(struct log_test *t)
{
    static const char zeros[3000];
    struct rw_builder b;
    struct rw_slice batch;
    struct rw_append_info info;
    const struct rw_append_args args = {.as_leader = true, .now_ms = 1000};
    const struct rw_record record = {.timestamp = 1000, .value = rw_slice(zeros, sizeof(zeros))};
    rw_builder_init(&b);
    assert_int_equal(rw_builder_add(&b, &record, NULL, 0), RW_OK);
    assert_int_equal(rw_builder_finish(&b, &batch), RW_OK);
    struct rw_buf bytes;
    rw_buf_init(&bytes);
    rw_buf_add(&bytes, batch.p, batch.n);
    int rc = rw_log_append(t->log, bytes.p, bytes.n, &args, &info);
    rw_buf_deinit(&bytes);
    rw_builder_deinit(&b);
    return rc;
}

static void refuse_one(struct log_test *t)
{
    const struct rw_sim_faults full = {.full_at = 1}, none = {0};
    rw_sim_disk_arm(t->disk, &full);
    assert_int_equal(append_zeros(t), RW_E_FULL);
    rw_sim_disk_arm(t->disk, &none);
}

/* The rest of a refused append does not come back in place of what was appended after it and lost. */
static void what_was_refused_stays_away(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20 * ROUNDS; seed++) {
        struct log_test t;
        on_a_disk(&t, seed);
        log_test_append(&t, 2, 1000, 100);
        assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
        refuse_one(&t);
        log_test_append(&t, 2, 1000, 1500);
        log_test_power_cut(&t, seed);
        assert_int_equal(log_test_open(&t, false, 2), RW_OK);
        assert_true(rw_log_end(t.log) == 2 || rw_log_end(t.log) == 4);
        log_test_deinit(&t);
    }
}

/* Nor does it lie behind the end of a segment that the recovery point has passed. */
static void a_roll_after_a_refused_append(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct log_test t;
        int64_t records = 0;
        on_a_disk(&t, seed);
        log_test_append(&t, 2, 1000, 100);
        assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
        refuse_one(&t);
        assert_int_equal(rw_log_roll(t.log), RW_OK);
        assert_int_equal(rw_log_durable(t.log), 2);
        log_test_append(&t, 2, 1000, 100);
        log_test_power_cut(&t, seed);
        assert_int_equal(log_test_open(&t, false, 2), RW_OK);
        log_test_append(&t, 2, 1000, 100);
        assert_int_equal(log_test_read_all(&t, 0, &records), rw_log_end(t.log));
        assert_int_equal(records, rw_log_end(t.log));
        log_test_deinit(&t);
    }
}

/* A rebuild of an index that is cut short leaves nothing that the next open takes for whole. */
static void a_rebuild_that_is_cut_short(void **state)
{
    (void)state;
    const int n = 600; /* more than are written at once */
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct log_test t;
        on_a_disk(&t, seed);
        t.config.index_interval_bytes = 0;
        t.config.index_bytes_max = 2000 * 12;
        (void)rw_log_close(t.log, false);
        assert_int_equal(log_test_open(&t, false, 0), RW_OK);
        for (int i = 0; i < n; i++)
            log_test_append(&t, 1, 1000 + i * 10, 10);
        assert_int_equal(rw_log_roll(t.log), RW_OK);
        log_test_append(&t, 1, 500, 10);
        assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
        log_test_power_cut(&t, seed);
        struct rw_vfs *vfs = rw_sim_disk_vfs(t.disk);
        assert_int_equal(vfs->ops->unlink(vfs, "/t-0/00000000000000000000.timeindex"), RW_OK);
        assert_int_equal(vfs->ops->sync_dir(vfs, "/t-0"), RW_OK);
        rw_sim_disk_arm(t.disk, &(struct rw_sim_faults){.cut_at = 1 + seed % 16});
        t.log = NULL;
        int rc = log_test_open(&t, false, n + 1);
        assert_int_equal(rc != RW_OK, rw_sim_disk_is_cut(t.disk));
        log_test_power_cut(&t, seed);
        assert_int_equal(log_test_open(&t, false, n + 1), RW_OK);
        struct rw_log_position pos;
        assert_int_equal(rw_log_find_time(t.log, 1000 + n * 10 - 15, INT64_MAX, &pos), RW_OK);
        assert_int_equal(pos.offset, n - 1);
        log_test_deinit(&t);
    }
}

/* After a failed sync the page cache shows what is not on the disk, to the next process as well. What that
 * one calls durable is there after a power cut. */
static void a_restart_after_a_failed_sync(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct log_test t;
        log_test_init_sim(&t, seed, seed % 2);
        assert_int_equal(log_test_open(&t, false, 0), RW_OK);
        log_test_append(&t, 2, 1000, 100);
        assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
        for (int i = 0; i < 5; i++)
            log_test_append(&t, 2, 1000, 300);
        rw_sim_disk_arm(t.disk, &(struct rw_sim_faults){.sync_at = 1});
        assert_int_equal(rw_log_flush(t.log, NULL), RW_E_IO);
        (void)rw_log_close(t.log, false);
        rw_sim_disk_revive(t.disk);
        assert_int_equal(log_test_open(&t, false, 2), RW_OK);
        int64_t durable = -1, records = 0;
        assert_int_equal(rw_log_flush(t.log, &durable), RW_OK);
        assert_true(durable >= 2 && durable == rw_log_end(t.log));
        log_test_power_cut(&t, seed);
        assert_int_equal(log_test_open(&t, false, durable), RW_OK);
        assert_int_equal(log_test_read_all(&t, 0, &records), durable);
        assert_int_equal(records, durable);
        log_test_deinit(&t);
    }
}

static int append_of_epoch(struct log_test *t, int32_t epoch)
{
    struct rw_buf bytes;
    struct rw_append_info info;
    const struct rw_append_args args = {.as_leader = true, .now_ms = 1000, .leader_epoch = epoch};
    rw_buf_init(&bytes);
    log_test_batch(&bytes, 2, 1000, 100);
    int rc = rw_log_append(t->log, bytes.p, bytes.n, &args, &info);
    rw_buf_deinit(&bytes);
    return rc;
}

/* Epochs whose checkpoint could not be written hold the recovery point back, until it can. */
static void epochs_that_could_not_be_written(void **state)
{
    (void)state;
    for (int clean = 0; clean < 2; clean++) {
        struct log_test t;
        on_a_disk(&t, 1);
        assert_int_equal(append_of_epoch(&t, 1), RW_OK);
        assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
        assert_int_equal(rw_log_recovery_point(t.log), 2);
        assert_int_equal(append_of_epoch(&t, 2), RW_OK);
        assert_int_equal(append_of_epoch(&t, 3), RW_OK);
        rw_sim_disk_set_capacity(t.disk, 1); /* nothing can be created any more */
        assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
        assert_int_equal(rw_log_durable(t.log), 6);
        int64_t point = rw_log_recovery_point(t.log);
        assert_int_equal(point, 2);
        if (clean) { /* nor is such a log closed cleanly */
            assert_int_equal(rw_log_close(t.log, true), RW_E_FULL);
            t.log = NULL;
        }
        log_test_power_cut(&t, 1);
        rw_sim_disk_set_capacity(t.disk, 0);
        assert_int_equal(log_test_open(&t, false, point), RW_OK);
        int32_t epoch;
        int64_t end;
        rw_log_epoch_end(t.log, 2, &epoch, &end);
        assert_int_equal(epoch, 2);
        assert_int_equal(end, 4);
        assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
        assert_int_equal(rw_log_recovery_point(t.log), 6);
        log_test_deinit(&t);
    }
}

/* An index that can not be read for a moment does not get its last entry twice. */
static void a_read_error_at_a_roll(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 6; n++) {
        struct log_test t;
        struct rw_log_verify v = {0};
        on_a_disk(&t, n);
        for (int i = 0; i < 5; i++)
            log_test_append(&t, 1, 1000 + i, 100);
        log_test_close(&t, true);
        assert_int_equal(log_test_open(&t, true, 5), RW_OK);
        rw_sim_disk_arm(t.disk, &(struct rw_sim_faults){.read_at = n});
        assert_int_equal(rw_log_roll(t.log), RW_OK);
        rw_sim_disk_arm(t.disk, &(struct rw_sim_faults){0});
        assert_int_equal(rw_log_verify(t.log, &v), RW_OK);
        assert_int_equal(v.bad_index_entries, 0);
        log_test_deinit(&t);
    }
}

/* No free byte at an append, a roll, a clean close and an open: nothing is lost, and with space again the
 * log goes on as it is. */
static void a_disk_without_one_free_byte(void **state)
{
    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        struct log_test t;
        struct rw_sim_disk_stats stats;
        struct rw_log_verify v = {0};
        int64_t records;
        int rc = RW_OK;
        on_a_disk(&t, 1);
        for (int i = 0; i < 5; i++)
            log_test_append(&t, 2, 1000 + i, 100);
        assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
        rw_sim_disk_stats(t.disk, &stats);
        rw_sim_disk_set_capacity(t.disk, stats.used);
        for (int i = 0; i < 50 && !rc; i++) /* what is left of the last block */
            rc = append_of_epoch(&t, 0);
        assert_int_equal(rc, RW_E_FULL);
        int64_t end = rw_log_end(t.log);
        assert_int_equal(rw_log_roll(t.log), RW_E_FULL);
        assert_int_equal(rw_log_state(t.log), RW_OK);
        assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
        assert_int_equal(rw_log_durable(t.log), end);
        assert_int_equal(rw_log_close(t.log, !killed), killed ? RW_OK : RW_E_FULL);
        t.log = NULL;
        assert_int_equal(log_test_open(&t, false, end), RW_OK);
        assert_int_equal(log_test_read_all(&t, 0, &records), end);
        assert_int_equal(records, end);
        assert_int_equal(append_zeros(&t), RW_E_FULL);
        rw_sim_disk_set_capacity(t.disk, 0);
        assert_int_equal(append_zeros(&t), RW_OK);
        assert_int_equal(rw_log_roll(t.log), RW_OK);
        assert_int_equal(append_zeros(&t), RW_OK);
        log_test_close(&t, true);
        assert_int_equal(log_test_open(&t, true, end + 2), RW_OK);
        assert_int_equal(log_test_read_all(&t, 0, &records), end + 2);
        assert_int_equal(rw_log_verify(t.log, &v), RW_OK);
        assert_int_equal(v.bad_batches + v.bad_index_entries, 0);
        log_test_deinit(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_refused_stays_away),
        cmocka_unit_test(a_roll_after_a_refused_append),
        cmocka_unit_test(a_rebuild_that_is_cut_short),
        cmocka_unit_test(a_restart_after_a_failed_sync),
        cmocka_unit_test(epochs_that_could_not_be_written),
        cmocka_unit_test(a_read_error_at_a_roll),
        cmocka_unit_test(a_disk_without_one_free_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
