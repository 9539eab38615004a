/*
 * One flipped bit anywhere in the files of a log whose records are all durable: every other record is
 * given at its own offset, the damaged one is never given as something else, and verification tells. An
 * index that is damaged or not complete changes neither what is found by time nor what retention deletes.
 *
 * A sample of the bits; RW_ROT_ALL=1 in the environment takes all of them.
 */
#include "base/code.h"
#include "log_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCHES   18
#define PER_BATCH 2
#define SEGMENTS  3
#define RECORDS   ((int64_t)BATCHES * PER_BATCH)
#define RETENTION 50

static const char *const bases[SEGMENTS] = {"00000000000000000000", "00000000000000000012",
                                            "00000000000000000024"};

/* Two batches each have the same. */
static int64_t time_of(int64_t batch)
{
    return 1000 * (batch / 2 + 1);
}

static int64_t timestamp_of(int64_t offset)
{
    return time_of(offset / PER_BATCH) + offset % PER_BATCH;
}

static int64_t first_at(int64_t timestamp)
{
    int64_t o = 0;
    while (timestamp_of(o) < timestamp)
        o++;
    return o;
}

static void fill(struct log_test *t)
{
    struct rw_buf batch;
    log_test_init_sim(t, 7, false);
    rw_buf_init(&batch);
    log_test_batch(&batch, PER_BATCH, 1000, 4);
    t->config.segment_bytes = BATCHES / SEGMENTS * (int64_t)batch.n;
    t->config.index_interval_bytes = 60;
    t->config.index_bytes_max = 4096;
    t->config.retention_ms = RETENTION;
    rw_buf_deinit(&batch);
    assert_int_equal(log_test_open(t, false, 0), RW_OK);
    for (int i = 0; i < BATCHES; i++)
        log_test_append(t, PER_BATCH, time_of(i), 4);
    assert_int_equal(rw_log_segments(t->log), SEGMENTS);
    log_test_close(t, true);
}

static struct rw_file *open_file(struct log_test *t, const char *name)
{
    char path[160];
    struct rw_file *f;
    log_test_file(t, name, path, sizeof(path));
    assert_int_equal(rw_vfs_open(t->env.vfs, path, RW_OPEN_WRITE, &f), RW_OK);
    return f;
}

static uint64_t size_of(const char *name)
{
    struct log_test t;
    uint64_t size;
    fill(&t);
    struct rw_file *f = open_file(&t, name);
    assert_int_equal(f->ops->size(f, &size), RW_OK);
    rw_file_close(f);
    log_test_deinit(&t);
    return size;
}

static void flip(struct log_test *t, const char *name, uint64_t bit)
{
    uint8_t byte;
    size_t n;
    struct rw_file *f = open_file(t, name);
    assert_int_equal(rw_file_read_at(f, bit / 8, &byte, 1, &n), RW_OK);
    byte ^= (uint8_t)(1u << bit % 8);
    assert_int_equal(rw_file_write_at(f, bit / 8, &byte, 1), RW_OK);
    rw_file_close(f);
}

enum mode { CLEAN, CRASHED, READING, MODES };

static void open_as(struct log_test *t, enum mode mode)
{
    const struct rw_log_open_args args = {.clean = mode != CRASHED,
                                          .read_only = mode == READING,
                                          .recovery_point = mode == READING ? 0 : RECORDS};
    assert_int_equal(rw_log_open(&t->env, t->dir, &t->config, &args, &t->log), RW_OK);
}

/* Reads as a client does that is given whole batches: 1: the record, 0: told of damage. Fails when another
 * record is given for it. */
static int read_one(struct rw_log *log, int64_t offset)
{
    struct rw_log_range range;
    struct rw_records records = {0};
    struct rw_record record;
    uint8_t bytes[1024];
    size_t n = 0;
    int found = 0;
    int rc = rw_log_read(log, offset, INT64_MAX, 1, true, &range);
    if (rc == RW_E_CORRUPT)
        return 0;
    assert_int_equal(rc, RW_OK);
    if (!range.n) /* the end was lost, and the log goes on behind a gap */
        return 0;
    assert_in_range(range.n, 1, sizeof(bytes));
    assert_int_equal(rw_file_read_at(range.file, range.at, bytes, range.n, &n), RW_OK);
    assert_int_equal(n, range.n);
    struct rw_batch batch;
    if (rw_batch_check(bytes, n, &batch) == RW_OK) {
        assert_int_equal(rw_records_open(&records, bytes, rw_batch_size(&batch)), RW_OK);
        while (rw_records_next(&records, &record) == 1)
            if (record.offset == offset) {
                assert_int_equal(record.timestamp, timestamp_of(offset));
                found = 1;
            }
        assert_int_equal(found, 1);
    }
    rw_records_deinit(&records);
    rw_log_range_release(&range);
    return found;
}

/* `damaged`: offset of the batch that was hit; -1: none. `tells`: verification must notice. */
static void check(struct log_test *t, enum mode mode, int64_t damaged, bool tells)
{
    open_as(t, mode);
    int64_t end = rw_log_end(t->log);
    assert_true(end >= RECORDS);
    for (int64_t o = 0; o < RECORDS; o++) {
        bool hit = damaged >= 0 && o >= damaged && o < damaged + PER_BATCH;
        int got = read_one(t->log, o);
        if (!hit && !got)
            fail_msg("offset %d is not readable", (int)o);
    }
    struct rw_log_verify v = {0};
    assert_int_equal(rw_log_verify(t->log, &v), RW_OK);
    uint64_t rest = 0;
    assert_int_equal(rw_log_rest(t->log, &rest), RW_OK);
    if (tells)
        assert_true(v.bad_batches > 0 || rest > 0);
    if (damaged < 0)
        assert_int_equal(v.bad_batches, 0);
    log_test_close(t, false);
}

static void retain_at(struct log_test *t, int64_t now_ms, int64_t start)
{
    rw_log_check_times(t->log, now_ms);
    assert_int_equal(rw_log_retain(t->log, now_ms, RECORDS, NULL), RW_OK);
    assert_int_equal(rw_log_start(t->log), start);
}

/* What is found by time, and when each segment is too old. */
static void check_times(struct log_test *t, enum mode mode)
{
    struct rw_log_position at;
    open_as(t, mode);
    for (int64_t o = 0; o < RECORDS; o++) {
        assert_int_equal(rw_log_find_time(t->log, timestamp_of(o), INT64_MAX, &at), RW_OK);
        assert_int_equal(at.offset, first_at(timestamp_of(o)));
    }
    assert_int_equal(rw_log_max_time(t->log, &at), RW_OK);
    assert_int_equal(at.timestamp, timestamp_of(RECORDS - 1));
    for (int s = 1; s <= SEGMENTS && mode != READING; s++) {
        int64_t end = s * RECORDS / SEGMENTS, newest = timestamp_of(end - 1);
        retain_at(t, newest + RETENTION, end - RECORDS / SEGMENTS);
        retain_at(t, newest + RETENTION + 1, end);
    }
    log_test_close(t, false);
}

static uint64_t stride(uint64_t some)
{
    return getenv("RW_ROT_ALL") ? 1 : some;
}

static void any_bit_of(const char *suffix, uint64_t some)
{
    const bool is_log = strcmp(suffix, ".log") == 0;
    for (int s = 0; s < SEGMENTS; s++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "%s%s", bases[s], suffix);
        const uint64_t size = size_of(name), batch = size * SEGMENTS / BATCHES;
        for (uint64_t bit = (uint64_t)s; bit < size * 8; bit += stride(some)) {
            int64_t hit = is_log ? 12 * s + PER_BATCH * (int64_t)(bit / 8 / batch) : -1;
            uint64_t at = is_log ? bit / 8 % batch : 0;
            bool epoch = at >= 12 && at < 16; /* outside of the CRC, and any number can be right */
            for (enum mode mode = CLEAN; mode < (is_log ? READING : MODES); mode++) {
                struct log_test t;
                fill(&t);
                flip(&t, name, bit);
                check(&t, mode, hit, is_log && !epoch);
                if (!is_log)
                    check_times(&t, mode);
                log_test_deinit(&t);
            }
        }
    }
}

static void any_bit_of_a_segment(void **state)
{
    (void)state;
    any_bit_of(".log", 41);
}

static void cut_file(struct log_test *t, const char *name, uint64_t size)
{
    struct rw_file *f = open_file(t, name);
    assert_int_equal(f->ops->truncate(f, size), RW_OK);
    rw_file_close(f);
}

/* Entries are missing at the end: nothing in the file itself tells. */
static void an_index_cut_between_entries(void **state)
{
    (void)state;
    static const struct {
        const char *suffix;
        uint64_t entry;
    } kinds[] = {{".index", 8}, {".timeindex", 12}};
    for (int k = 0; k < 2; k++) {
        for (int s = 0; s < SEGMENTS; s++) {
            char name[64];
            (void)snprintf(name, sizeof(name), "%s%s", bases[s], kinds[k].suffix);
            const uint64_t whole = size_of(name);
            assert_true(whole >= 3 * kinds[k].entry);
            for (uint64_t size = 0; size < whole; size += kinds[k].entry) {
                for (enum mode mode = CLEAN; mode < MODES; mode++) {
                    struct log_test t;
                    fill(&t);
                    cut_file(&t, name, size);
                    check(&t, mode, -1, false);
                    check_times(&t, mode);
                    log_test_deinit(&t);
                }
            }
        }
    }
}

static void any_bit_of_an_index(void **state)
{
    (void)state;
    any_bit_of(".index", 7);
    any_bit_of(".timeindex", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bit_of_a_segment),
        cmocka_unit_test(any_bit_of_an_index),
        cmocka_unit_test(an_index_cut_between_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
