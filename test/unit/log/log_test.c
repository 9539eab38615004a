/* Helpers of the storage engine's tests; see the header. */
#include "log_test.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "sim/disk.h"

static void init(struct log_test *t)
{
    memset(t, 0, sizeof(*t));
    t->env = *rw_os_env();
    rw_log_config_init(&t->config);
    t->config.timestamp_after_max_ms = INT64_MAX;
    t->config.retention_ms = -1;
    t->config.segment_ms = INT64_MAX;
}

void log_test_init(struct log_test *t)
{
    init(t);
    const char *tmp = getenv("TMPDIR");
    snprintf(t->root, sizeof(t->root), "%s/rw_log_XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    assert_non_null(mkdtemp(t->root));
    snprintf(t->dir, sizeof(t->dir), "%s/t-0", t->root);
}

void log_test_init_sim(struct log_test *t, uint64_t seed, bool keeps_cache)
{
    const struct rw_sim_disk_options options = {.keeps_cache = keeps_cache};
    init(t);
    t->disk = rw_sim_disk_new(seed, &options);
    assert_non_null(t->disk);
    t->env.vfs = rw_sim_disk_vfs(t->disk);
    strcpy(t->dir, "/t-0");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void log_test_deinit(struct log_test *t)
{
    log_test_close(t, false);
    if (t->disk)
        rw_sim_disk_free(t->disk);
    else
        nftw(t->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int log_test_open(struct log_test *t, bool clean, int64_t recovery_point)
{
    const struct rw_log_open_args args = {.clean = clean, .recovery_point = recovery_point};
    return rw_log_open(&t->env, t->dir, &t->config, &args, &t->log);
}

void log_test_close(struct log_test *t, bool clean)
{
    if (t->log)
        assert_int_equal(rw_log_close(t->log, clean), RW_OK);
    t->log = NULL;
}

void log_test_power_cut(struct log_test *t, uint64_t seed)
{
    (void)rw_log_close(t->log, false); /* what is armed may hit the close as well */
    t->log = NULL;
    rw_sim_disk_restart(t->disk, seed);
}

void log_test_file(const struct log_test *t, const char *name, char *ret_path, size_t size)
{
    snprintf(ret_path, size, "%s/%s", t->dir, name);
}

static void build(struct rw_builder *b, struct rw_buf *out, int count, int64_t ts,
                  size_t value_size)
{
    char value[64 << 10];
    assert_true(value_size < sizeof(value));
    rw_builder_reset(b, 0);
    for (int i = 0; i < count; i++) {
        memset(value, 'a' + i % 26, value_size);
        const struct rw_record record = {.offset = i,
                                         .timestamp = ts + i,
                                         .key = rw_slice("k", 1),
                                         .value = rw_slice(value, value_size)};
        assert_int_equal(rw_builder_add(b, &record, NULL, 0), RW_OK);
    }
    struct rw_slice batch;
    assert_int_equal(rw_builder_finish(b, &batch), RW_OK);
    rw_buf_add(out, batch.p, batch.n);
}

void log_test_batch(struct rw_buf *out, int count, int64_t ts, size_t value_size)
{
    struct rw_builder b;
    rw_builder_init(&b);
    build(&b, out, count, ts, value_size);
    rw_builder_deinit(&b);
}

int64_t log_test_append(struct log_test *t, int count, int64_t ts, size_t value_size)
{
    struct rw_buf bytes;
    rw_buf_init(&bytes);
    log_test_batch(&bytes, count, ts, value_size);
    const struct rw_append_args args = {.leader_epoch = 0, .as_leader = true, .now_ms = ts};
    struct rw_append_info info;
    assert_int_equal(rw_log_append(t->log, bytes.p, bytes.n, &args, &info), RW_OK);
    rw_buf_deinit(&bytes);
    return info.first_offset;
}

void log_test_producer_batch(struct rw_buf *out, int64_t pid, int16_t epoch, int32_t sequence,
                             int count, size_t value_size)
{
    struct rw_builder b;
    rw_builder_init(&b);
    if (pid >= 0) {
        b.producer_id = pid;
        b.producer_epoch = epoch;
        b.base_sequence = sequence;
    }
    build(&b, out, count, 1000, value_size);
    rw_builder_deinit(&b);
}

int log_test_produce(struct log_test *t, int64_t pid, int16_t epoch, int32_t sequence, int count,
                     struct rw_append_info *ret_info)
{
    struct rw_buf bytes;
    rw_buf_init(&bytes);
    log_test_producer_batch(&bytes, pid, epoch, sequence, count, 10);
    const struct rw_append_args args = {.leader_epoch = 0, .as_leader = true, .now_ms = 1000};
    int rc = rw_log_append(t->log, bytes.p, bytes.n, &args, ret_info);
    rw_buf_deinit(&bytes);
    return rc;
}

static int64_t count_range(const struct rw_log_range *range, int64_t offset, int64_t *records)
{
    uint8_t *p = malloc(range->n);
    size_t got = 0;
    assert_int_equal(rw_file_read_at(range->file, range->at, p, range->n, &got), RW_OK);
    assert_int_equal(got, range->n);
    struct rw_records r = {0};
    int64_t next = offset;
    for (size_t at = 0; at < range->n;) {
        struct rw_batch batch;
        assert_int_equal(rw_batch_check(p + at, range->n - at, &batch), RW_OK);
        assert_true(rw_batch_last_offset(&batch) >= next);
        assert_int_equal(rw_records_open(&r, p + at, rw_batch_size(&batch)), RW_OK);
        struct rw_record record;
        int rc;
        while ((rc = rw_records_next(&r, &record)) == 1) {
            if (record.offset < next)
                continue;
            next = record.offset + 1;
            (*records)++;
        }
        assert_int_equal(rc, 0);
        next = rw_batch_last_offset(&batch) + 1;
        at += rw_batch_size(&batch);
    }
    rw_records_deinit(&r);
    free(p);
    return next;
}

int64_t log_test_read_all(struct log_test *t, int64_t offset, int64_t *ret_records)
{
    int64_t records = 0;
    for (;;) {
        struct rw_log_range range;
        assert_int_equal(rw_log_read(t->log, offset, INT64_MAX, 10000, true, &range), RW_OK);
        if (!range.n)
            break;
        offset = count_range(&range, offset, &records);
        rw_log_range_release(&range);
    }
    if (ret_records)
        *ret_records = records;
    return offset;
}
