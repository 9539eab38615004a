/* The log as a whole: open, append, read back, close, reopen, positions. */
#include "log_test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void appends_and_reads_back(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    assert_int_equal(rw_log_end(t.log), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(log_test_append(&t, 3, 1000 + i, 100), i * 3);
    assert_int_equal(rw_log_end(t.log), 300);
    int64_t records;
    assert_int_equal(log_test_read_all(&t, 0, &records), 300);
    assert_int_equal(records, 300);
    assert_int_equal(log_test_read_all(&t, 151, &records), 300);
    assert_int_equal(records, 149);
    log_test_deinit(&t);
}

static void reopens_clean_and_unclean(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    t.config.segment_bytes = 20000;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    for (int i = 0; i < 200; i++)
        log_test_append(&t, 2, 1000 + i, 300);
    size_t segments = rw_log_segments(t.log);
    assert_true(segments > 3);
    uint64_t bytes = rw_log_bytes(t.log);
    int64_t durable = -1;
    assert_int_equal(rw_log_flush(t.log, &durable), RW_OK);
    assert_int_equal(durable, 400);
    for (int round = 0; round < 4; round++) {
        bool clean = round & 1;
        log_test_close(&t, clean);
        assert_int_equal(log_test_open(&t, clean, clean ? 400 : 0), RW_OK);
        assert_int_equal(rw_log_end(t.log), 400);
        assert_int_equal(rw_log_bytes(t.log), bytes);
        assert_int_equal(rw_log_segments(t.log), segments);
        int64_t records;
        assert_int_equal(log_test_read_all(&t, 0, &records), 400);
        assert_int_equal(records, 400);
    }
    log_test_deinit(&t);
}

static void refuses_offsets_outside(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 5, 1000, 10);
    struct rw_log_range range;
    assert_int_equal(rw_log_read(t.log, 6, INT64_MAX, 100, true, &range), RW_E_RANGE);
    assert_int_equal(rw_log_read(t.log, 5, INT64_MAX, 100, true, &range), RW_OK);
    assert_int_equal(range.n, 0);
    assert_int_equal(rw_log_trim(t.log, 3), RW_OK);
    assert_int_equal(rw_log_read(t.log, 2, INT64_MAX, 100, true, &range), RW_E_RANGE);
    assert_int_equal(rw_log_trim(t.log, 6), RW_E_RANGE);
    log_test_deinit(&t);
}

static void torn_tail_is_cut(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    for (int i = 0; i < 10; i++)
        log_test_append(&t, 2, 1000 + i, 100);
    uint64_t bytes = rw_log_bytes(t.log);
    log_test_close(&t, false);
    char path[128];
    log_test_file(&t, "00000000000000000000.log", path, sizeof(path));
    for (int cut = 1; cut < 200; cut += 13) {
        assert_int_equal(truncate(path, (off_t)(bytes - (uint64_t)cut)), 0);
        assert_int_equal(log_test_open(&t, false, 0), RW_OK);
        int64_t end = rw_log_end(t.log), records;
        assert_int_equal(end, 18);
        assert_int_equal(log_test_read_all(&t, 0, &records), end);
        assert_int_equal(records, end);
        assert_int_equal(log_test_append(&t, 2, 2000, 100), end);
        assert_int_equal(rw_log_bytes(t.log), bytes);
        log_test_close(&t, false);
    }
    log_test_deinit(&t);
}

static void give_up_cache(struct log_test *t, const char *name)
{
    char path[256];
    struct rw_file *f;
    log_test_file(t, name, path, sizeof(path));
    assert_int_equal(rw_vfs_open(t->env.vfs, path, RW_OPEN_WRITE, &f), RW_OK);
    assert_int_equal(f->ops->sync_full(f), RW_OK);
    f->ops->advise(f, 0, 0, false);
    rw_file_close(f);
}

/* On a simulated disk: a real one may have read a page by the time that it says whether it was there. */
static void warm_is_what_the_page_cache_has(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init_sim(&t, 1, false);
    t.config.segment_bytes = 64 << 10;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 2, 1000, 100);
    assert_true(rw_log_is_warm(t.log, 0, 1000)); /* no index yet, but short */
    while (rw_log_segments(t.log) < 3)
        log_test_append(&t, 10, 1000, 100);
    for (int i = 0; i < 20; i++)
        log_test_append(&t, 10, 1000, 100);
    assert_true(rw_log_is_warm(t.log, 0, 1000)); /* another segment */
    assert_true(rw_log_is_warm(t.log, rw_log_end(t.log) - 1, 1000));
    log_test_close(&t, true);
    assert_int_equal(log_test_open(&t, true, 0), RW_OK);
    assert_true(rw_log_is_warm(t.log, 20, 1000));
    give_up_cache(&t, "00000000000000000000.log");
    assert_false(rw_log_is_warm(t.log, 20, 1000));
    log_test_read_all(&t, 0, NULL);
    assert_true(rw_log_is_warm(t.log, 20, 1000));
    give_up_cache(&t, "00000000000000000000.index");
    assert_false(rw_log_is_warm(t.log, 20, 1000));
    assert_true(rw_log_is_warm(t.log, rw_log_end(t.log) - 1, 1000)); /* another segment */
    log_test_deinit(&t);
}

static void destroy_removes_the_directory(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 2, 1000, 100);
    assert_int_equal(rw_log_destroy(t.log), RW_OK);
    t.log = NULL;
    struct stat st;
    assert_int_equal(stat(t.dir, &st), -1);
    assert_int_equal(rmdir(t.root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_and_reads_back),
        cmocka_unit_test(reopens_clean_and_unclean),
        cmocka_unit_test(refuses_offsets_outside),
        cmocka_unit_test(torn_tail_is_cut),
        cmocka_unit_test(warm_is_what_the_page_cache_has),
        cmocka_unit_test(destroy_removes_the_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
