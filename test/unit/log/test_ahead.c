/* Zeros ahead of the end: when there are any, and that nobody ever takes them for more than zeros. */
#include "log_test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/disk.h"

static uint64_t file_size(const struct log_test *t, const char *name)
{
    char path[160];
    struct stat st;
    log_test_file(t, name, path, sizeof(path));
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

#define FIRST "00000000000000000000.log"

static void append_synced(struct log_test *t, int n)
{
    for (int i = 0; i < n; i++) {
        log_test_append(t, 1, 1000, 100);
        assert_int_equal(rw_log_flush(t->log, NULL), RW_OK);
    }
}

static void only_after_small_syncs(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    for (int i = 0; i < 50; i++)
        log_test_append(&t, 1, 1000, 100);
    assert_int_equal(file_size(&t, FIRST), rw_log_bytes(t.log));
    append_synced(&t, 4);
    assert_int_equal(file_size(&t, FIRST), rw_log_bytes(t.log));
    append_synced(&t, 1);
    uint64_t ahead = file_size(&t, FIRST);
    assert_int_equal(ahead - rw_log_bytes(t.log), 16 << 10);
    append_synced(&t, 20);
    assert_int_equal(file_size(&t, FIRST), ahead);
    /* A large append overwrites what it needs of them, and gets none of its own. */
    log_test_append(&t, 1, 1000, 60000);
    assert_int_equal(file_size(&t, FIRST), rw_log_bytes(t.log));
    assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
    append_synced(&t, 4);
    assert_int_equal(file_size(&t, FIRST), rw_log_bytes(t.log));
    /* Never more than there is data. */
    append_synced(&t, 1);
    assert_true(file_size(&t, FIRST) <= 2 * rw_log_bytes(t.log));
    assert_true(file_size(&t, FIRST) > rw_log_bytes(t.log) + (16 << 10));
    log_test_deinit(&t);
}

/* Who stops to sync stops to get zeros. */
static void not_when_nobody_syncs_any_more(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    append_synced(&t, 10);
    for (int i = 0; i < 200; i++)
        log_test_append(&t, 1, 1000, 8000);
    assert_int_equal(file_size(&t, FIRST), rw_log_bytes(t.log));
    t.config.zeros_ahead_bytes = 0;
    log_test_close(&t, true);
    assert_int_equal(log_test_open(&t, true, 0), RW_OK);
    append_synced(&t, 10);
    assert_int_equal(file_size(&t, FIRST), rw_log_bytes(t.log));
    log_test_deinit(&t);
}

static void cut_by_close_roll_and_truncation(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    append_synced(&t, 10);
    uint64_t bytes = rw_log_bytes(t.log);
    assert_true(file_size(&t, FIRST) > bytes);
    assert_int_equal(rw_log_roll(t.log), RW_OK);
    assert_int_equal(file_size(&t, FIRST), bytes);
    append_synced(&t, 3);
    char second[] = "00000000000000000010.log";
    assert_true(file_size(&t, second) > rw_log_bytes(t.log) - bytes);
    assert_int_equal(rw_log_truncate(t.log, 12), RW_OK);
    assert_int_equal(file_size(&t, second), rw_log_bytes(t.log) - bytes);
    append_synced(&t, 3);
    assert_true(file_size(&t, second) > rw_log_bytes(t.log) - bytes);
    uint64_t all = rw_log_bytes(t.log);
    log_test_close(&t, true);
    assert_int_equal(file_size(&t, second), all - bytes);
    assert_int_equal(log_test_open(&t, true, 15), RW_OK);
    assert_int_equal(rw_log_end(t.log), 15);
    assert_int_equal(log_test_read_all(&t, 0, NULL), 15);
    log_test_deinit(&t);
}

/* The process dies: the zeros stay behind, in whatever state the last batch was. */
static void recovery_ends_before_them(void **state)
{
    (void)state;
    for (int torn = 0; torn < 2; torn++) {
        struct log_test t;
        char path[160];
        log_test_init(&t);
        assert_int_equal(log_test_open(&t, false, 0), RW_OK);
        append_synced(&t, 10);
        uint64_t before = rw_log_bytes(t.log);
        log_test_append(&t, 1, 1000, 100);
        uint64_t after = rw_log_bytes(t.log), ahead = file_size(&t, FIRST);
        log_test_close(&t, false);
        assert_true(ahead > after);
        log_test_file(&t, FIRST, path, sizeof(path));
        if (torn) { /* the second half of the last batch was never written over its zeros */
            assert_int_equal(truncate(path, (off_t)(before + after) / 2), 0);
            assert_int_equal(truncate(path, (off_t)ahead), 0);
        }
        assert_int_equal(log_test_open(&t, false, 10), RW_OK);
        assert_int_equal(rw_log_end(t.log), torn ? 10 : 11);
        assert_int_equal(file_size(&t, FIRST), torn ? before : after);
        assert_int_equal(log_test_read_all(&t, 0, NULL), torn ? 10 : 11);
        /* The mark says that it was closed cleanly, the file does not. */
        append_synced(&t, 10);
        int64_t end = rw_log_end(t.log);
        log_test_close(&t, false);
        assert_int_equal(log_test_open(&t, true, end), RW_OK);
        assert_int_equal(rw_log_end(t.log), end);
        assert_int_equal(file_size(&t, FIRST), rw_log_bytes(t.log));
        log_test_deinit(&t);
    }
}

static void readers_beside_the_writer(void **state)
{
    (void)state;
    struct log_test t, reader;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    append_synced(&t, 10);
    reader = t;
    const struct rw_log_open_args args = {.read_only = true, .clean = true};
    assert_int_equal(rw_log_open(&t.env, t.dir, &t.config, &args, &reader.log), RW_OK);
    assert_int_equal(rw_log_end(reader.log), 10);
    assert_int_equal(rw_log_bytes(reader.log), rw_log_bytes(t.log));
    struct rw_log_verify v = {0};
    uint64_t rest = 1;
    assert_int_equal(rw_log_verify(reader.log, &v), RW_OK);
    assert_int_equal(v.bad_batches + v.bad_index_entries, 0);
    assert_int_equal(v.records, 10);
    assert_int_equal(rw_log_rest(reader.log, &rest), RW_OK);
    assert_int_equal(rest, 0);
    for (int i = 0; i < 300; i++) {
        append_synced(&t, 1 + i % 2);
        assert_int_equal(rw_log_refresh(reader.log, 0), RW_OK);
        assert_int_equal(rw_log_end(reader.log), rw_log_end(t.log));
    }
    /* Cut, and written ahead again at once: the file is longer than what the reader knew. */
    int64_t end = rw_log_end(t.log);
    assert_int_equal(rw_log_truncate(t.log, end - 30), RW_OK);
    append_synced(&t, 5);
    assert_true(file_size(&t, FIRST) > rw_log_bytes(reader.log));
    assert_int_equal(rw_log_refresh(reader.log, 0), RW_OK);
    assert_int_equal(rw_log_end(reader.log), end - 25);
    assert_int_equal(log_test_read_all(&reader, 0, NULL), end - 25);
    assert_int_equal(rw_log_close(reader.log, false), RW_OK);
    log_test_deinit(&t);
}

/* Room for the batch but not for zeros: the batch is what counts. */
static void a_full_disk_takes_the_batch(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init_sim(&t, 7, false);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    append_synced(&t, 4);
    const struct rw_sim_faults full = {.full_at = 1}, none = {0};
    rw_sim_disk_arm(t.disk, &full);
    log_test_append(&t, 1, 1000, 100);
    rw_sim_disk_arm(t.disk, &none);
    assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
    assert_int_equal(log_test_read_all(&t, 0, NULL), 5);
    append_synced(&t, 5);
    log_test_close(&t, false);
    assert_int_equal(log_test_open(&t, false, 10), RW_OK);
    assert_int_equal(rw_log_end(t.log), 10);
    log_test_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_after_small_syncs),
        cmocka_unit_test(not_when_nobody_syncs_any_more),
        cmocka_unit_test(cut_by_close_roll_and_truncation),
        cmocka_unit_test(recovery_ends_before_them),
        cmocka_unit_test(readers_beside_the_writer),
        cmocka_unit_test(a_full_disk_takes_the_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
