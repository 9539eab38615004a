/* Rolling and retention: when a segment starts, which ones go, and that readers do not mind. */
#include "log_test.h"

#include <string.h>

static void rolls_by_size_time_and_index(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    t.config.segment_ms = 1000;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 1, 5000, 10);
    log_test_append(&t, 1, 6000, 10);
    assert_int_equal(rw_log_segments(t.log), 1);
    log_test_append(&t, 1, 6001, 10); /* message time counts, not the clock */
    assert_int_equal(rw_log_segments(t.log), 2);
    t.config.segment_ms = INT64_MAX;
    t.config.segment_bytes = 1000;
    rw_log_configure(t.log, &t.config);
    log_test_append(&t, 1, 6001, 800);
    assert_int_equal(rw_log_segments(t.log), 2);
    log_test_append(&t, 1, 6001, 200);
    assert_int_equal(rw_log_segments(t.log), 3);
    log_test_close(&t, false);
    t.config.segment_bytes = 1 << 20;
    t.config.index_bytes_max = 80; /* ten offsets, six times */
    t.config.index_interval_bytes = 0;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    assert_int_equal(rw_log_roll(t.log), RW_OK);
    size_t before = rw_log_segments(t.log);
    for (int i = 0; i < 60; i++)
        log_test_append(&t, 1, 7000 + i, 10);
    assert_true(rw_log_segments(t.log) > before + 5);
    int64_t records;
    assert_int_equal(log_test_read_all(&t, 0, &records), 65);
    assert_int_equal(records, 65);
    assert_int_equal(rw_log_roll(t.log), RW_OK);
    size_t segments = rw_log_segments(t.log);
    assert_int_equal(rw_log_roll(t.log), RW_OK); /* an empty one is not rolled */
    assert_int_equal(rw_log_segments(t.log), segments);
    log_test_deinit(&t);
}

static void time_retention_and_a_reader(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    t.config.segment_bytes = 1000;
    t.config.retention_ms = 100;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    for (int i = 0; i < 20; i++)
        log_test_append(&t, 5, 1000 + i * 10, 50);
    struct rw_log_range range;
    assert_int_equal(rw_log_read(t.log, 0, INT64_MAX, 500, true, &range), RW_OK);
    int deleted;
    assert_int_equal(rw_log_retain(t.log, 1100, 100, &deleted), RW_OK);
    assert_int_equal(deleted, 0);
    assert_int_equal(rw_log_retain(t.log, 1200, 20, &deleted), RW_OK); /* only below 20 */
    assert_true(deleted > 0 && rw_log_start(t.log) <= 20);
    assert_int_equal(rw_log_retain(t.log, 1200, 100, &deleted), RW_OK);
    assert_true(rw_log_start(t.log) > 20 && rw_log_start(t.log) < 100);
    rw_log_unlink_deleted(t.log, INT64_MAX);
    uint8_t bytes[500];
    size_t got;
    assert_int_equal(rw_file_read_at(range.file, range.at, bytes, 61, &got), RW_OK);
    assert_int_equal(got, 61);
    rw_log_range_release(&range);
    /* Entirely expired: the active segment is rolled, then goes; the offsets go on. */
    assert_int_equal(rw_log_retain(t.log, 100000, 100, &deleted), RW_OK);
    assert_int_equal(rw_log_start(t.log), 100);
    assert_int_equal(rw_log_segments(t.log), 1);
    assert_int_equal(rw_log_retain(t.log, 100000, 100, &deleted), RW_OK);
    assert_int_equal(deleted, 0);
    assert_int_equal(log_test_append(&t, 1, 100000, 10), 100);
    log_test_close(&t, true);
    assert_int_equal(log_test_open(&t, true, 101), RW_OK);
    assert_int_equal(rw_log_start(t.log), 100);
    assert_int_equal(rw_log_end(t.log), 101);
    log_test_deinit(&t);
}

static void compact_only_keeps_what_is_not_trimmed(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    t.config.segment_bytes = 1000;
    t.config.retention_ms = 0;
    t.config.cleanup_delete = false;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    for (int i = 0; i < 20; i++)
        log_test_append(&t, 5, 1000, 50);
    int deleted;
    assert_int_equal(rw_log_retain(t.log, 100000, 100, &deleted), RW_OK);
    assert_int_equal(deleted, 0);
    size_t segments = rw_log_segments(t.log);
    assert_int_equal(rw_log_trim(t.log, 50), RW_OK);
    assert_true(rw_log_segments(t.log) < segments);
    assert_int_equal(rw_log_start(t.log), 50);
    assert_int_equal(rw_log_reset(t.log, 500), RW_OK);
    assert_int_equal(rw_log_start(t.log), 500);
    assert_int_equal(log_test_append(&t, 5, 1000, 50), 500);
    log_test_deinit(&t);
}

static void newest_record_by_time(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log_position at;
    log_test_init(&t);
    t.config.segment_bytes = 1000;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    assert_int_equal(rw_log_max_time(t.log, &at), RW_OK);
    assert_int_equal(at.offset, -1);
    for (int i = 0; i < 20; i++)
        log_test_append(&t, 5, i == 7 ? 9000 : 1000 + i * 10, 50);
    assert_int_equal(rw_log_max_time(t.log, &at), RW_OK);
    assert_int_equal(at.offset, 39);
    assert_int_equal(at.timestamp, 9004);
    assert_int_equal(rw_log_find_time(t.log, 9003, 30, &at), RW_OK); /* not below 30 */
    assert_int_equal(at.offset, -1);
    log_test_close(&t, false);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    assert_int_equal(rw_log_max_time(t.log, &at), RW_OK);
    assert_int_equal(at.offset, 39);
    log_test_deinit(&t);
}

/* What a trim took away is not the answer, but the newest of what it left. */
static void newest_record_behind_a_trim(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log_position at;
    log_test_init(&t);
    t.config.segment_bytes = 4000;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    for (int i = 0; i < 20; i++)
        log_test_append(&t, 5, i == 2 ? 9000 : i == 5 ? 3000 : 1000 + i * 10, 50);
    assert_true(rw_log_segments(t.log) > 1);
    assert_int_equal(rw_log_max_time(t.log, &at), RW_OK);
    assert_int_equal(at.offset, 14);
    assert_int_equal(rw_log_trim(t.log, 15), RW_OK); /* its batch */
    assert_int_equal(rw_log_max_time(t.log, &at), RW_OK);
    assert_int_equal(at.offset, 29);
    assert_int_equal(at.timestamp, 3004);
    assert_int_equal(rw_log_trim(t.log, 29), RW_OK); /* all of it but the newest */
    assert_int_equal(rw_log_max_time(t.log, &at), RW_OK);
    assert_int_equal(at.offset, 29);
    assert_int_equal(rw_log_trim(t.log, 30), RW_OK); /* the others lie in another segment */
    assert_int_equal(rw_log_max_time(t.log, &at), RW_OK);
    assert_int_equal(at.offset, 99);
    assert_int_equal(rw_log_trim(t.log, 100), RW_OK);
    assert_int_equal(rw_log_max_time(t.log, &at), RW_OK);
    assert_int_equal(at.offset, -1);
    log_test_deinit(&t);
}

/* The newest record of a batch was trimmed, the others of it were not. */
static void newest_record_of_half_a_batch(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log_position at;
    struct rw_builder b;
    struct rw_slice batch;
    struct rw_append_info info;
    const struct rw_append_args args = {.as_leader = true, .now_ms = 1000};
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    rw_builder_init(&b);
    rw_builder_reset(&b, 0);
    for (int i = 0; i < 4; i++) {
        const struct rw_record r = {.offset = i, .timestamp = 900 - 100 * i};
        assert_int_equal(rw_builder_add(&b, &r, NULL, 0), RW_OK);
    }
    assert_int_equal(rw_builder_finish(&b, &batch), RW_OK);
    assert_int_equal(rw_log_append(t.log, b.finished->p, batch.n, &args, &info), RW_OK);
    for (int64_t start = 0; start < 4; start++) {
        assert_int_equal(rw_log_trim(t.log, start), RW_OK);
        assert_int_equal(rw_log_max_time(t.log, &at), RW_OK);
        assert_int_equal(at.offset, start);
        assert_int_equal(at.timestamp, 900 - 100 * start);
    }
    rw_builder_deinit(&b);
    log_test_deinit(&t);
}

/* Entries are missing, and so far from what is there that opening does not find out: a search trusts the
 * index, a deletion does not. */
static void no_deletion_on_the_word_of_an_index(void **state)
{
    (void)state;
    struct log_test t;
    char path[160];
    struct rw_file *f;
    int deleted;
    log_test_init(&t);
    t.config.retention_ms = 100;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    for (int i = 0; i < 90; i++)
        log_test_append(&t, 1, i == 0 ? 5000 : i == 45 ? 9000 : 1000, 10000);
    assert_int_equal(rw_log_roll(t.log), RW_OK);
    log_test_append(&t, 1, 20000, 10);
    log_test_close(&t, true);
    log_test_file(&t, "00000000000000000000.timeindex", path, sizeof(path));
    assert_int_equal(rw_vfs_open(t.env.vfs, path, RW_OPEN_WRITE, &f), RW_OK);
    assert_int_equal(f->ops->truncate(f, 12), RW_OK);
    rw_file_close(f);
    assert_int_equal(log_test_open(&t, true, 91), RW_OK);
    assert_int_equal(rw_log_retain(t.log, 5101, 91, &deleted), RW_OK);
    assert_int_equal(deleted, 0);
    rw_log_check_times(t.log, 5101);
    assert_int_equal(rw_log_retain(t.log, 5101, 91, &deleted), RW_OK);
    assert_int_equal(deleted, 0);
    assert_int_equal(rw_log_retain(t.log, 9100, 91, &deleted), RW_OK);
    assert_int_equal(deleted, 0);
    struct rw_log_position at;
    assert_int_equal(rw_log_find_time(t.log, 9000, INT64_MAX, &at), RW_OK);
    assert_int_equal(at.offset, 45);
    assert_int_equal(rw_log_retain(t.log, 9101, 91, &deleted), RW_OK);
    assert_int_equal(deleted, 1);
    log_test_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rolls_by_size_time_and_index),
        cmocka_unit_test(time_retention_and_a_reader),
        cmocka_unit_test(compact_only_keeps_what_is_not_trimmed),
        cmocka_unit_test(newest_record_by_time),
        cmocka_unit_test(newest_record_behind_a_trim),
        cmocka_unit_test(newest_record_of_half_a_batch),
        cmocka_unit_test(no_deletion_on_the_word_of_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
