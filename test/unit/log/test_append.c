/* Appending: as a replica, with LogAppendTime, with refused input, on a failing and on a full disk. */
#include "log_test.h"

#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/assert.h"
#include "sim/disk.h"

static int replicate(struct log_test *t, struct rw_buf *bytes, struct rw_append_info *info)
{
    const struct rw_append_args args = {.now_ms = 1};
    return rw_log_append(t->log, bytes->p, bytes->n, &args, info);
}

static void batch_at(struct rw_buf *out, int64_t offset, int32_t epoch, int count)
{
    size_t from = out->n;
    log_test_batch(out, count, 1000, 20);
    rw_batch_set_base_offset(out->p + from, offset);
    rw_batch_set_leader_epoch(out->p + from, epoch);
}

static void replica_keeps_offsets_and_gaps(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_buf bytes;
    struct rw_append_info info;
    log_test_init(&t);
    rw_buf_init(&bytes);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    batch_at(&bytes, 100, 3, 5);
    batch_at(&bytes, 105, 3, 5);
    batch_at(&bytes, 120, 7, 5);
    assert_int_equal(replicate(&t, &bytes, &info), RW_OK);
    assert_int_equal(info.first_offset, 100);
    assert_int_equal(info.last_offset, 124);
    assert_int_equal(rw_log_end(t.log), 125);
    assert_int_equal(rw_log_latest_epoch(t.log), 7);
    int64_t records;
    assert_int_equal(log_test_read_all(&t, 0, &records), 125);
    assert_int_equal(records, 15);
    struct rw_log_range range;
    assert_int_equal(rw_log_read(t.log, 112, INT64_MAX, 1000, true, &range), RW_OK);
    assert_int_equal(range.first_offset, 120); /* the first there is, after a gap */
    rw_log_range_release(&range);
    /* The same again does not continue the log; half a batch is none; nothing of it stays. */
    assert_int_equal(replicate(&t, &bytes, &info), RW_E_INVAL);
    assert_non_null(info.why);
    rw_buf_clear(&bytes);
    batch_at(&bytes, 125, 7, 5);
    batch_at(&bytes, 130, 7, 5);
    bytes.n -= 3;
    assert_int_equal(replicate(&t, &bytes, &info), RW_E_CORRUPT);
    assert_int_equal(rw_log_end(t.log), 125);
    rw_buf_deinit(&bytes);
    log_test_deinit(&t);
}

static void bounds_of_a_read(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log_range range;
    log_test_init(&t);
    t.config.index_interval_bytes = 500;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    size_t one = 0;
    for (int i = 0; i < 50; i++) {
        log_test_append(&t, 10, 1000, 20);
        one = one ? one : (size_t)rw_log_bytes(t.log);
    }
    for (int64_t below = 0; below <= 500; below += 7)
        for (int64_t from = 0; from < below; from += 13) {
            assert_int_equal(rw_log_read(t.log, from, below, 1 << 20, true, &range), RW_OK);
            int64_t batches = below / 10 - from / 10;
            assert_int_equal(range.n, (size_t)(batches > 0 ? batches : 0) * one);
            rw_log_range_release(&range);
        }
    for (size_t max = 0; max < 5 * one; max += 97) {
        assert_int_equal(rw_log_read(t.log, 234, INT64_MAX, max, true, &range), RW_OK);
        assert_int_equal(range.n, max < one ? one : max / one * one);
        assert_int_equal(range.first_offset, 230);
        rw_log_range_release(&range);
        assert_int_equal(rw_log_read(t.log, 234, INT64_MAX, max, false, &range), RW_OK);
        assert_int_equal(range.n, max < one ? max : max / one * one);
        rw_log_range_release(&range);
    }
    log_test_deinit(&t);
}

/* The shortcut says what the long way says, or nothing. */
static void peeking(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log_range range;
    uint8_t room[1500];
    size_t at, n, found = 0;
    log_test_init(&t);
    t.config.index_interval_bytes = 500;
    t.config.segment_bytes = 4000;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    for (int i = 0; i < 50; i++)
        log_test_append(&t, 10, 1000, i == 25 ? 200 : 20);
    assert_true(rw_log_segments(t.log) > 2);
    for (int64_t from = 0; from < 500; from++) {
        assert_int_equal(rw_log_peek(t.log, from, room, sizeof(room), &at, &n), RW_OK);
        if (!n)
            continue;
        struct rw_batch b;
        assert_int_equal(rw_batch_check(room + at, n - at, &b), RW_OK);
        assert_int_equal(b.base_offset, from / 10 * 10);
        assert_int_equal(rw_log_read(t.log, from, INT64_MAX, 1000, true, &range), RW_OK);
        assert_int_equal(range.first_offset, b.base_offset);
        rw_log_range_release(&range);
        found++;
    }
    /* Not those of the batch that is larger than the room, nor those of the next one to which the index
     * leads over it: an entry names the last offset of a batch. */
    assert_int_equal(found, 481);
    assert_int_equal(rw_log_peek(t.log, 500, room, sizeof(room), &at, &n), RW_OK);
    assert_int_equal(n, 0);
    assert_int_equal(rw_log_peek(t.log, 501, room, sizeof(room), &at, &n), RW_E_RANGE);
    log_test_deinit(&t);
}

static void log_append_time_is_stamped(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_buf bytes;
    struct rw_append_info info;
    log_test_init(&t);
    rw_buf_init(&bytes);
    t.config.log_append_time = true;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_batch(&bytes, 3, 1000, 20);
    const struct rw_append_args args = {.as_leader = true, .now_ms = 777000};
    assert_int_equal(rw_log_append(t.log, bytes.p, bytes.n, &args, &info), RW_OK);
    assert_int_equal(info.log_append_time, 777000);
    struct rw_log_position at;
    assert_int_equal(rw_log_find_time(t.log, 700000, INT64_MAX, &at), RW_OK);
    assert_int_equal(at.offset, 0);
    assert_int_equal(at.timestamp, 777000);
    rw_buf_deinit(&bytes);
    log_test_deinit(&t);
}

/* A check from elsewhere counts, unless it was made by other rules than the log's. */
static void checked_elsewhere(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_buf bytes;
    struct rw_append_info info;
    struct rw_records scratch = {0};
    struct rw_append_check check;
    struct rw_append_args args = {.as_leader = true, .now_ms = 5000, .check = &check};
    log_test_init(&t);
    rw_buf_init(&bytes);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    struct rw_log_config config = t.config;
    for (int kind = 0; kind < 4; kind++) {
        config.log_append_time = kind == 1;
        rw_log_configure(t.log, &config);
        rw_buf_clear(&bytes);
        log_test_batch(&bytes, 3, 1000, 20);
        rw_log_rules(&config, &args, &check.rules);
        check.code = rw_batch_inspect(bytes.p, bytes.n, &check.rules, &scratch, &check.result);
        assert_int_equal(check.code, RW_OK);
        if (kind == 2) { /* refused there: refused here */
            check.code = RW_E_TIMESTAMP;
            check.result.bad_record = 2;
            check.result.why = "no";
        }
        if (kind == 3) /* fine there, by another limit */
            check.rules.batch_bytes_max++, bytes.p[80] ^= 1;
        int rc = rw_log_append(t.log, bytes.p, bytes.n, &args, &info);
        assert_int_equal(rc, kind == 2 ? RW_E_TIMESTAMP : kind == 3 ? RW_E_CORRUPT : RW_OK);
        assert_int_equal(info.bad_record, kind == 2 ? 2 : -1);
        assert_int_equal(info.log_append_time, kind == 1 ? 5000 : -1);
        assert_true((info.why != NULL) == (rc != RW_OK));
    }
    struct rw_log_verify v = {0};
    assert_int_equal(rw_log_verify(t.log, &v), RW_OK);
    assert_int_equal(v.batches, 2);
    assert_int_equal(v.bad_batches, 0);
    rw_records_deinit(&scratch);
    rw_buf_deinit(&bytes);
    log_test_deinit(&t);
}

static void refused_input_leaves_nothing(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_buf bytes;
    struct rw_append_info info;
    const struct rw_append_args args = {.as_leader = true, .now_ms = 1000};
    log_test_init(&t);
    rw_buf_init(&bytes);
    t.config.batch_bytes_max = 500;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    assert_int_equal(rw_log_append(t.log, bytes.p, 0, &args, &info), RW_E_INVAL);
    log_test_batch(&bytes, 3, 1000, 20);
    bytes.p[80] ^= 1;
    assert_int_equal(rw_log_append(t.log, bytes.p, bytes.n, &args, &info), RW_E_CORRUPT);
    rw_buf_clear(&bytes);
    log_test_batch(&bytes, 3, 1000, 400);
    assert_int_equal(rw_log_append(t.log, bytes.p, bytes.n, &args, &info), RW_E_TOO_BIG);
    assert_int_equal(rw_log_bytes(t.log), 0);
    assert_int_equal(rw_log_end(t.log), 0);
    log_test_close(&t, true);
    const struct rw_log_open_args reading = {.read_only = true, .clean = true};
    assert_int_equal(rw_log_open(&t.env, t.dir, &t.config, &reading, &t.log), RW_OK);
    assert_int_equal(rw_log_append(t.log, bytes.p, bytes.n, &args, &info), RW_E_PERM);
    assert_int_equal(rw_log_truncate(t.log, 0), RW_E_PERM);
    rw_buf_deinit(&bytes);
    log_test_deinit(&t);
}

static void on_a_disk(struct log_test *t)
{
    log_test_init_sim(t, 7, false);
    assert_int_equal(log_test_open(t, false, 0), RW_OK);
    for (int i = 0; i < 5; i++)
        log_test_append(t, 2, 1000, 100);
    assert_int_equal(rw_log_flush(t->log, NULL), RW_OK);
}

static int try_append(struct log_test *t)
{
    struct rw_buf bytes;
    struct rw_append_info info;
    const struct rw_append_args args = {.as_leader = true, .now_ms = 1000};
    rw_buf_init(&bytes);
    log_test_batch(&bytes, 2, 1000, 100);
    int rc = rw_log_append(t->log, bytes.p, bytes.n, &args, &info);
    rw_buf_deinit(&bytes);
    return rc;
}

static void a_full_disk_keeps_the_log_online(void **state)
{
    (void)state;
    struct log_test t;
    on_a_disk(&t);
    const struct rw_sim_faults full = {.full_at = 1}, none = {0};
    rw_sim_disk_arm(t.disk, &full);
    assert_int_equal(try_append(&t), RW_E_FULL);
    rw_sim_disk_arm(t.disk, &none);
    assert_int_equal(rw_log_state(t.log), RW_OK);
    assert_int_equal(rw_log_end(t.log), 10);
    assert_int_equal(try_append(&t), RW_OK);
    int64_t records;
    assert_int_equal(log_test_read_all(&t, 0, &records), 12);
    assert_int_equal(records, 12);
    log_test_deinit(&t);
}

/* As many bytes as are used already: not one more. */
static void fill_up(struct rw_sim_disk *disk)
{
    struct rw_sim_disk_stats stats;
    rw_sim_disk_stats(disk, &stats);
    rw_sim_disk_set_capacity(disk, stats.used);
}

static void what_was_reserved_can_be_written_on_a_full_disk(void **state)
{
    (void)state;
    struct log_test t;
    on_a_disk(&t);
    fill_up(t.disk);
    assert_int_equal(rw_log_reserve(t.log, 8 << 20), RW_E_FULL);
    rw_sim_disk_set_capacity(t.disk, 0);
    assert_int_equal(rw_log_reserve(t.log, 8 << 20), RW_OK);
    assert_int_equal(rw_log_reserve(t.log, 8 << 20), RW_OK);
    fill_up(t.disk);
    for (int i = 0; i < 20000; i++) /* several MiB */
        assert_int_equal(try_append(&t), RW_OK);
    int64_t records;
    assert_int_equal(log_test_read_all(&t, 0, &records), 40010);
    log_test_deinit(&t);
}

/* A disk without room for a longer name. */
static int no_room_to_rename(struct rw_vfs *v, const char *from, const char *to)
{
    (void)v;
    (void)from;
    (void)to;
    return RW_E_FULL;
}

static void a_log_can_be_destroyed_on_a_full_disk(void **state)
{
    (void)state;
    struct log_test t;
    on_a_disk(&t);
    const struct rw_vfs_ops *real = t.env.vfs->ops;
    struct rw_vfs_ops full = *real;
    full.rename = no_room_to_rename;
    t.env.vfs->ops = &full;
    assert_int_equal(rw_log_destroy(t.log), RW_OK);
    t.log = NULL;
    t.env.vfs->ops = real;
    struct rw_stat st;
    assert_int_equal(real->stat(t.env.vfs, t.dir, &st), RW_E_NOT_FOUND);
    log_test_deinit(&t);
}

static int no_room_to_sync(struct rw_file *f)
{
    (void)f;
    return RW_E_FULL;
}

/* File systems that give out blocks late say in the sync that there are none. The batch is in the log
 * then: who were told RW_E_FULL would append it again. */
static void a_sync_that_finds_no_space_is_a_failed_sync(void **state)
{
    (void)state;
    struct log_test t;
    on_a_disk(&t);
    const struct rw_vfs_ops *real = t.env.vfs->ops;
    struct rw_vfs_ops full = *real;
    full.sync_data = no_room_to_sync;
    assert_int_equal(try_append(&t), RW_OK);
    struct rw_log_range range;
    assert_int_equal(rw_log_read(t.log, rw_log_end(t.log) - 1, INT64_MAX, 1, true, &range), RW_OK);
    struct rw_file *active = range.file;
    active->ops = &full;
    assert_int_equal(rw_log_flush(t.log, NULL), RW_E_IO);
    active->ops = real;
    rw_log_range_release(&range);
    assert_int_equal(try_append(&t), RW_E_OFFLINE);
    assert_int_equal(rw_log_close(t.log, false), RW_E_OFFLINE);
    t.log = NULL;
    log_test_deinit(&t);
}

static void a_failed_write_or_sync_is_final(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct log_test t;
        on_a_disk(&t);
        const struct rw_sim_faults write = {.write_at = 1}, sync = {.sync_at = 1}, none = {0};
        rw_sim_disk_arm(t.disk, kind ? &sync : &write);
        assert_int_equal(try_append(&t), kind ? RW_OK : RW_E_IO);
        if (kind)
            assert_int_equal(rw_log_flush(t.log, NULL), RW_E_IO);
        rw_sim_disk_arm(t.disk, &none);
        assert_int_equal(rw_log_state(t.log), RW_E_IO);
        assert_int_equal(try_append(&t), RW_E_OFFLINE);
        assert_int_equal(rw_log_flush(t.log, NULL), RW_E_OFFLINE);
        assert_int_equal(rw_log_roll(t.log), RW_E_OFFLINE);
        assert_int_equal(rw_log_truncate(t.log, 0), RW_E_OFFLINE);
        assert_int_equal(rw_log_trim(t.log, 1), RW_E_OFFLINE);
        assert_int_equal(rw_log_retain(t.log, 0, 0, NULL), RW_E_OFFLINE);
        assert_int_equal(rw_log_durable(t.log), 10);
        int64_t records;
        log_test_read_all(&t, 0, &records); /* what is there can still be read */
        assert_true(records >= 10);
        assert_int_equal(rw_log_close(t.log, true), RW_E_OFFLINE);
        t.log = NULL;
        log_test_deinit(&t);
    }
}

static void *give_back(void *limit)
{
    usleep(200 * 1000);
    return (void *)(intptr_t)setrlimit(RLIMIT_NOFILE, limit);
}

/* A shortage of descriptors is no failed sync: the flush waits for it to pass, and deletions go on later. */
static void without_descriptors(void **state)
{
    (void)state;
    struct log_test t;
    struct rlimit all, none;
    pthread_t thread;
    void *given = NULL;
    int deleted = 0;
    log_test_init(&t);
    t.config.retention_bytes = 0;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 2, 1000, 100);
    assert_int_equal(rw_log_roll(t.log), RW_OK);
    log_test_append(&t, 2, 1000, 100);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    none = all;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(rw_log_roll(t.log), RW_E_LIMIT);
    assert_int_equal(rw_log_retain(t.log, 1000, 4, &deleted), RW_E_LIMIT);
    int64_t began = rw_mono_us(t.env.clock);
    assert_int_equal(rw_log_flush_now(t.log, NULL), RW_E_LIMIT);
    assert_true(rw_mono_us(t.env.clock) - began < 1000 * 1000);
    assert_int_equal(rw_log_state(t.log), RW_OK);
    assert_int_equal(pthread_create(&thread, NULL, give_back, &all), 0);
    assert_int_equal(rw_log_flush(t.log, NULL), RW_OK);
    assert_int_equal(pthread_join(thread, &given), 0);
    assert_null(given);
    assert_int_equal(rw_log_durable(t.log), 4);
    assert_int_equal(rw_log_roll(t.log), RW_OK);
    assert_int_equal(rw_log_retain(t.log, 1000, 4, &deleted), RW_OK);
    assert_int_equal(rw_log_start(t.log), 4);
    log_test_deinit(&t);
}

static void read_only_follows_a_writer(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log *reader;
    log_test_init(&t);
    t.config.segment_bytes = 2000;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 2, 1000, 100);
    const struct rw_log_open_args args = {.read_only = true, .clean = true};
    assert_int_equal(rw_log_open(&t.env, t.dir, &t.config, &args, &reader), RW_OK);
    assert_int_equal(rw_log_end(reader), 2);
    for (int i = 0; i < 50; i++)
        log_test_append(&t, 2, 1001 + i, 100);
    assert_int_equal(rw_log_refresh(t.log, 0), RW_E_INVAL);
    assert_int_equal(rw_log_refresh(reader, 0), RW_OK);
    assert_int_equal(rw_log_end(reader), 102);
    assert_int_equal(rw_log_bytes(reader), rw_log_bytes(t.log));
    assert_int_equal(rw_log_segments(reader), rw_log_segments(t.log));
    assert_int_equal(rw_log_trim(t.log, 60), RW_OK);
    rw_log_unlink_deleted(t.log, INT64_MAX);
    assert_int_equal(rw_log_truncate(t.log, 98), RW_OK);
    assert_int_equal(rw_log_refresh(reader, 0), RW_OK);
    assert_true(rw_log_start(reader) > 40 && rw_log_start(reader) <= 60);
    assert_int_equal(rw_log_end(reader), 98);
    assert_int_equal(rw_log_close(reader, false), RW_OK);
    log_test_deinit(&t);
}

/* ---- several at once ---- */

#define TOGETHER_MAX 200

struct together {
    struct rw_buf bytes[TOGETHER_MAX];
    struct rw_append all[TOGETHER_MAX], *list[TOGETHER_MAX];
    size_t n;
};

static struct rw_append *join(struct together *g, int64_t pid, int32_t sequence, size_t value_size)
{
    struct rw_append *a = &g->all[g->n];
    struct rw_buf *b = &g->bytes[g->n];
    rw_buf_init(b);
    log_test_producer_batch(b, pid, 0, sequence, 3, value_size);
    *a = (struct rw_append){
        .bytes = b->p, .n = b->n, .args = {.as_leader = true, .now_ms = 1000, .leader_epoch = 4}};
    g->list[g->n++] = a;
    return a;
}

static void append_together(struct log_test *t, struct together *g)
{
    rw_log_append_all(t->log, g->list, g->n);
    for (size_t i = 0; i < g->n; i++)
        rw_buf_deinit(&g->bytes[i]);
    g->n = 0;
}

static void together_with_one_write(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_sim_disk_stats before, after;
    static struct together g;
    on_a_disk(&t);
    for (int i = 0; i < 64; i++)
        join(&g, i % 3 ? -1 : 7, i, 100);
    struct rw_append *bad = g.list[10];
    bad->bytes[80] ^= 1;
    rw_sim_disk_stats(t.disk, &before);
    append_together(&t, &g);
    rw_sim_disk_stats(t.disk, &after);
    assert_int_equal(after.changes - before.changes, 1);
    int64_t next = 10;
    for (int i = 0; i < 64; i++) {
        assert_int_equal(g.all[i].code, i == 10 ? RW_E_CORRUPT : RW_OK);
        assert_int_equal(g.all[i].info.first_offset, i == 10 ? -1 : next);
        next += i == 10 ? 0 : 3;
    }
    assert_non_null(bad->info.why);
    assert_int_equal(rw_log_end(t.log), next);
    int64_t records;
    assert_int_equal(log_test_read_all(&t, 0, &records), next);
    assert_int_equal(records, next);
    log_test_deinit(&t);
}

/* A producer's batches among those of one call: the next, the same again, one left out. */
static void together_a_producer_is_judged_as_alone(void **state)
{
    (void)state;
    struct log_test t;
    static struct together g;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    static const struct {
        int64_t pid;
        int32_t sequence;
        int code;
        bool duplicate;
        int64_t first;
    } want[] = {
        {5, 0, RW_OK, false, 0},  {5, 3, RW_OK, false, 3},         {6, 0, RW_OK, false, 6},
        {5, 3, RW_OK, true, 3},   {5, 9, RW_E_SEQUENCE, false, 0}, {5, 6, RW_OK, false, 9},
        {6, 3, RW_OK, false, 12}, {6, 0, RW_OK, true, 6},          {5, 9, RW_OK, false, 15}};
    for (size_t i = 0; i < RW_COUNT(want); i++)
        join(&g, want[i].pid, want[i].sequence, 10);
    append_together(&t, &g);
    for (size_t i = 0; i < RW_COUNT(want); i++) {
        assert_int_equal(g.all[i].code, want[i].code);
        assert_int_equal(g.all[i].info.duplicate, want[i].duplicate);
        if (!want[i].code)
            assert_int_equal(g.all[i].info.first_offset, want[i].first);
    }
    assert_int_equal(rw_log_end(t.log), 18);
    log_test_deinit(&t);
}

/* Segments and indexes are as full as if each had come alone. */
static void together_they_roll_as_alone(void **state)
{
    (void)state;
    static struct together g;
    for (int kind = 0; kind < 4; kind++) {
        size_t segments[2];
        for (int alone = 0; alone < 2; alone++) {
            struct log_test t;
            log_test_init(&t);
            t.config.index_interval_bytes = 0;
            t.config.segment_bytes = kind & 1 ? 2000 : 1 << 20;
            t.config.index_bytes_max = kind & 2 ? 240 : 10 << 20;
            assert_int_equal(log_test_open(&t, false, 0), RW_OK);
            for (int i = 0; i < TOGETHER_MAX; i++) {
                join(&g, -1, -1, 10);
                if (alone)
                    append_together(&t, &g);
            }
            append_together(&t, &g);
            segments[alone] = rw_log_segments(t.log);
            int64_t records;
            assert_int_equal(log_test_read_all(&t, 0, &records), 3 * TOGETHER_MAX);
            struct rw_log_verify v = {0};
            assert_int_equal(rw_log_verify(t.log, &v), RW_OK);
            assert_int_equal(v.batches, TOGETHER_MAX);
            assert_int_equal(v.bad_batches + v.bad_index_entries, 0);
            log_test_deinit(&t);
        }
        assert_int_equal(segments[0], segments[1]);
        assert_true((segments[0] > 1) == (kind != 0));
    }
}

/* On a full disk: a beginning of the list, and nothing behind it. */
static void together_on_a_full_disk(void **state)
{
    (void)state;
    struct log_test t;
    static struct together g;
    on_a_disk(&t);
    for (int i = 0; i < 150; i++)
        join(&g, 7, 3 * i, 100);
    const struct rw_sim_faults full = {.full_at = 2}, none = {0};
    rw_sim_disk_arm(t.disk, &full);
    append_together(&t, &g);
    rw_sim_disk_arm(t.disk, &none);
    for (int i = 0; i < 150; i++)
        assert_int_equal(g.all[i].code, i < 64 ? RW_OK : RW_E_FULL);
    assert_int_equal(rw_log_end(t.log), 10 + 64 * 3);
    for (int i = 64; i < 150; i++)
        join(&g, 7, 3 * i, 100);
    append_together(&t, &g);
    for (int i = 0; i < 150 - 64; i++)
        assert_int_equal(g.all[i].code, RW_OK);
    int64_t records;
    assert_int_equal(log_test_read_all(&t, 0, &records), 10 + 450);
    assert_int_equal(records, 10 + 450);
    log_test_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replica_keeps_offsets_and_gaps),
        cmocka_unit_test(bounds_of_a_read),
        cmocka_unit_test(peeking),
        cmocka_unit_test(log_append_time_is_stamped),
        cmocka_unit_test(checked_elsewhere),
        cmocka_unit_test(refused_input_leaves_nothing),
        cmocka_unit_test(a_full_disk_keeps_the_log_online),
        cmocka_unit_test(what_was_reserved_can_be_written_on_a_full_disk),
        cmocka_unit_test(a_log_can_be_destroyed_on_a_full_disk),
        cmocka_unit_test(a_sync_that_finds_no_space_is_a_failed_sync),
        cmocka_unit_test(a_failed_write_or_sync_is_final),
        cmocka_unit_test(without_descriptors),
        cmocka_unit_test(read_only_follows_a_writer),
        cmocka_unit_test(together_with_one_write),
        cmocka_unit_test(together_a_producer_is_judged_as_alone),
        cmocka_unit_test(together_they_roll_as_alone),
        cmocka_unit_test(together_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
