/* Recovery: damage at every byte of the unsynced end, holes in what was synced, missing pieces. */
#include "log_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "log/path.h"

static void flip(const struct log_test *t, const char *name, off_t at)
{
    char path[160];
    uint8_t byte;
    log_test_file(t, name, path, sizeof(path));
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* A flipped byte anywhere in the last batch, nothing of it synced: the batch goes, the rest stays. */
static void every_byte_of_the_last_batch(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 5, 1000, 10);
    uint64_t before = rw_log_bytes(t.log);
    log_test_append(&t, 5, 1000, 10);
    uint64_t after = rw_log_bytes(t.log);
    for (uint64_t at = before; at < after; at++) {
        /* The leader epoch is outside of the CRC, and any number can be right. The base offset is too, but
         * it must go on where the batch before ends. */
        bool outside = at >= before + 12 && at < before + 16;
        log_test_close(&t, false);
        flip(&t, "00000000000000000000.log", (off_t)at);
        assert_int_equal(log_test_open(&t, false, 0), RW_OK);
        if (!outside)
            assert_int_equal(rw_log_end(t.log), 5);
        assert_int_equal(rw_log_truncate(t.log, 5), RW_OK);
        assert_int_equal(log_test_append(&t, 5, 1000, 10), 5);
        assert_int_equal(rw_log_bytes(t.log), after);
    }
    log_test_deinit(&t);
}

/* Rot below the recovery point: kept, reported, and what is intact around it is readable. */
static void hole_in_what_was_synced(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct log_test t;
        log_test_init(&t);
        t.config.index_interval_bytes = kind == 2 ? 1 << 20 : 200;
        assert_int_equal(log_test_open(&t, false, 0), RW_OK);
        uint64_t at[41];
        for (int i = 0; i < 40; i++) {
            at[i] = rw_log_bytes(t.log);
            log_test_append(&t, 10, 1000 + i, 20);
        }
        log_test_close(&t, false);
        /* Batch 20 = offsets 200..209: its CRC, or its length, so that the chain breaks. */
        flip(&t, "00000000000000000000.log", (off_t)(at[20] + (kind == 0 ? 80 : 9)));
        assert_int_equal(log_test_open(&t, kind == 1, 400), RW_OK);
        assert_int_equal(rw_log_end(t.log), 400);
        int64_t records, next;
        struct rw_log_range range;
        assert_int_equal(rw_log_read(t.log, 199, 200, 100000, true, &range), RW_OK);
        assert_true(range.n > 0);
        rw_log_range_release(&range);
        assert_int_equal(log_test_read_all(&t, 210, &records), 400);
        assert_int_equal(records, 190);
        if (kind > 0)
            assert_int_equal(rw_log_read(t.log, 205, INT64_MAX, 1000, true, &range), RW_E_CORRUPT);
        assert_int_equal(rw_log_skip_damage(t.log, 205, &next), RW_OK);
        assert_int_equal(next, 210);
        struct rw_log_verify v = {0};
        assert_int_equal(rw_log_verify(t.log, &v), RW_OK);
        assert_int_equal(v.bad_batches, 1);
        assert_int_equal(v.first_bad_offset, 200);
        assert_int_equal(v.batches, 39);
        log_test_deinit(&t);
    }
}

/* Everything from the damage to the end of the file is unreadable, all of it synced: no offset is given
 * twice, and nothing is cut off. */
static void lost_end_of_what_was_synced(void **state)
{
    (void)state;
    struct log_test t;
    struct stat st;
    char path[160];
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 10, 1000, 20);
    uint64_t bytes = rw_log_bytes(t.log);
    log_test_append(&t, 10, 1000, 20);
    log_test_close(&t, false);
    log_test_file(&t, "00000000000000000000.log", path, sizeof(path));
    assert_int_equal(stat(path, &st), 0);
    off_t size = st.st_size;
    flip(&t, "00000000000000000000.log", (off_t)bytes + 9);
    assert_int_equal(log_test_open(&t, false, 20), RW_OK);
    assert_int_equal(rw_log_end(t.log), 20);
    assert_int_equal(log_test_append(&t, 10, 1000, 20), 20);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, size);
    int64_t records;
    assert_int_equal(log_test_read_all(&t, 20, &records), 30);
    assert_int_equal(records, 10);
    log_test_deinit(&t);
}

static void torn_middle_segment_ends_the_log(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    t.config.segment_bytes = 2000;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    for (int i = 0; i < 40; i++)
        log_test_append(&t, 5, 1000 + i, 20);
    assert_true(rw_log_segments(t.log) > 4);
    log_test_close(&t, false);
    flip(&t, "00000000000000000000.log", 300);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    assert_int_equal(rw_log_segments(t.log), 1);
    int64_t end = rw_log_end(t.log), records;
    assert_true(end < 20);
    assert_int_equal(log_test_read_all(&t, 0, &records), end);
    assert_int_equal(log_test_append(&t, 5, 2000, 20), end);
    log_test_deinit(&t);
}

static void leftovers_are_handled(void **state)
{
    (void)state;
    struct log_test t;
    struct stat st;
    char command[600], path[160];
    log_test_init(&t);
    t.config.segment_bytes = 2000;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    for (int i = 0; i < 40; i++)
        log_test_append(&t, 5, 1000 + i, 20);
    log_test_close(&t, true);
    snprintf(command, sizeof(command),
             "cd %s && cp 00000000000000000000.log x && touch 00000000000000000009.log.deleted "
             "00000000000000000011.index.deleted leader-epoch-checkpoint.tmp && "
             "mv x 00000000000000000000.log.swap && rm 00000000000000000000.log",
             t.dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(log_test_open(&t, true, 200), RW_OK);
    int64_t records;
    assert_int_equal(log_test_read_all(&t, 0, &records), 200);
    assert_int_equal(records, 200);
    static const char *const gone[] = {
        "00000000000000000009.log.deleted", "00000000000000000011.index.deleted",
        "leader-epoch-checkpoint.tmp", "00000000000000000000.log.swap"};
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        log_test_file(&t, gone[i], path, sizeof(path));
        assert_int_equal(stat(path, &st), -1);
    }
    log_test_deinit(&t);
}

/* A recovery point beyond the end, a start beyond the end. */
static void contradictory_checkpoints(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 5, 1000, 20);
    log_test_close(&t, false);
    assert_int_equal(log_test_open(&t, false, 1000), RW_OK);
    assert_int_equal(rw_log_end(t.log), 5);
    log_test_close(&t, false);
    const struct rw_log_open_args args = {.start_offset = 50};
    assert_int_equal(rw_log_open(&t.env, t.dir, &t.config, &args, &t.log), RW_OK);
    assert_int_equal(rw_log_start(t.log), 50);
    assert_int_equal(log_test_append(&t, 5, 1000, 20), 50);
    log_test_deinit(&t);
}

/* Whatever allocation is refused: an error or success, never a crash; afterwards all is there. */
static void every_allocation_fails(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    t.config.segment_bytes = 2000;
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    struct rw_append_info info;
    for (int i = 0; i < 30; i++)
        assert_int_equal(log_test_produce(&t, 4, 0, i * 5, 5, &info), RW_OK);
    struct rw_buf bytes;
    rw_buf_init(&bytes);
    log_test_batch(&bytes, 3, 1000, 100);
    rw_buf_reserve(&bytes, 1000);
    int64_t end = 150;
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        log_test_close(&t, n & 1);
        rw_mem_fail_at(n, 0);
        int rc = log_test_open(&t, n & 1, 0);
        uint64_t used = rw_mem_count();
        rw_mem_fail_at(0, 0);
        assert_true(rc == RW_OK || rc == RW_E_NOMEM);
        done = used < n;
        if (rc)
            assert_int_equal(log_test_open(&t, n & 1, 0), RW_OK);
        assert_int_equal(rw_log_end(t.log), end);
        assert_int_equal(log_test_produce(&t, 4, 0, 145, 5, &info), RW_OK);
        assert_true(info.duplicate);
    }
    const struct rw_append_args args = {.as_leader = true};
    for (uint64_t n = 1; n < 40; n++) {
        rw_batch_set_base_offset(bytes.p, 0); /* a producer's batch begins at 0 */
        rw_mem_fail_at(n, 1);
        int rc = rw_log_append(t.log, bytes.p, bytes.n, &args, &info);
        rw_mem_fail_at(0, 0);
        assert_true(rc == RW_OK || rc == RW_E_NOMEM);
        end += rc == RW_OK ? 3 : 0;
        assert_int_equal(rw_log_end(t.log), end);
        assert_int_equal(rw_log_state(t.log), RW_OK);
    }
    int64_t records;
    assert_int_equal(log_test_read_all(&t, 0, &records), end);
    rw_buf_deinit(&bytes);
    log_test_deinit(&t);
}

/* A log of 15 records in two segments, closed, without those from 5 to 9. */
static void init_with_gap(struct log_test *t)
{
    char path[160];
    log_test_init(t);
    assert_int_equal(log_test_open(t, false, 0), RW_OK);
    log_test_append(t, 5, 1000, 10);
    uint64_t first = rw_log_bytes(t->log);
    log_test_append(t, 5, 1000, 10);
    assert_int_equal(rw_log_roll(t->log), RW_OK);
    log_test_append(t, 5, 1000, 10);
    log_test_close(t, false);
    log_test_file(t, "00000000000000000000.log", path, sizeof(path));
    assert_int_equal(truncate(path, (off_t)first), 0);
}

/* The tail of a segment is missing although the next one is there: what a crash left in a log that has
 * the mark, compaction in one that has not. */
static void gap_between_segments(void **state)
{
    (void)state;
    for (int marked = 0; marked < 2; marked++) {
        struct log_test t;
        char path[160];
        init_with_gap(&t);
        log_test_file(&t, ".rollway-contiguous", path, sizeof(path));
        if (!marked)
            assert_int_equal(unlink(path), 0);
        assert_int_equal(log_test_open(&t, false, 0), RW_OK);
        assert_int_equal(rw_log_end(t.log), marked ? 5 : 15);
        assert_int_equal(access(path, F_OK), marked ? 0 : -1);
        log_test_deinit(&t);
    }
}

/* The rest of a write that failed, behind the last batch of a segment: what follows stays. */
static void rubbish_before_the_next_segment(void **state)
{
    (void)state;
    struct log_test t;
    char path[160];
    int64_t records;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 5, 1000, 10);
    assert_int_equal(rw_log_roll(t.log), RW_OK);
    log_test_append(&t, 5, 1000, 10);
    log_test_close(&t, false);
    log_test_file(&t, "00000000000000000000.log", path, sizeof(path));
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "rubbish", 7), 7);
    close(fd);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(log_test_open(&t, false, again ? 10 : 0), RW_OK);
        assert_int_equal(rw_log_end(t.log), 10);
        assert_int_equal(log_test_read_all(&t, 0, &records), 10);
        assert_int_equal(records, 10);
        log_test_close(&t, false);
    }
    log_test_deinit(&t);
}

/* A replica takes over the gaps of its leader: the mark goes first. */
static void gap_from_a_leader(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_buf batch;
    struct rw_append_info info;
    char path[160];
    const struct rw_append_args args = {.now_ms = 1000};
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_file(&t, ".rollway-contiguous", path, sizeof(path));
    assert_int_equal(access(path, F_OK), 0);
    for (int64_t offset = 0; offset <= 20; offset += 20) {
        rw_buf_init(&batch);
        log_test_batch(&batch, 5, 1000, 10);
        rw_batch_set_base_offset(batch.p, offset);
        assert_int_equal(rw_log_append(t.log, batch.p, batch.n, &args, &info), RW_OK);
        rw_buf_deinit(&batch);
        assert_int_equal(access(path, F_OK), offset ? -1 : 0);
    }
    log_test_deinit(&t);
}

/* A gap that Kafka's log cleaner made, in a log whose mark says that there are none: what its checkpoint in
 * the data directory says counts more, and so does one that nobody can read. */
static void gap_from_kafkas_cleaner(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool cleaned;
    } with[] = {{"0\n2\nu 0 7\nt 0 15\n", true},
                {"0\n2\nu 0 7\nt 1 15\n", false},
                {"0\n1\nt-0 0 15\n", false},
                {"what is this?\n", true},
                {"", true}};
    for (size_t i = 0; i < RW_COUNT(with); i++) {
        struct log_test t;
        char path[160], mark[160];
        init_with_gap(&t);
        log_test_file(&t, ".rollway-contiguous", mark, sizeof(mark));
        snprintf(path, sizeof(path), "%s/cleaner-offset-checkpoint", t.root);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        assert_true(fputs(with[i].text, f) >= 0);
        assert_int_equal(fclose(f), 0);
        const struct rw_log_open_args reading = {.read_only = true, .clean = true};
        struct rw_log *log;
        assert_int_equal(rw_log_open(&t.env, t.dir, &t.config, &reading, &log), RW_OK);
        assert_int_equal(rw_log_is_contiguous(log), !with[i].cleaned);
        assert_int_equal(rw_log_close(log, false), RW_OK);
        assert_int_equal(access(mark, F_OK), 0);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(log_test_open(&t, false, 0), RW_OK);
            assert_int_equal(rw_log_end(t.log), with[i].cleaned ? 15 : 5);
            assert_int_equal(access(mark, F_OK), with[i].cleaned ? -1 : 0);
            log_test_close(&t, false);
        }
        assert_int_equal(unlink(path), 0);
        log_test_deinit(&t);
    }
}

/* Messages from before record batch v2 are no batches, and nothing that a crash left: they stay. */
static void messages_of_old_formats_are_not_cut_off(void **state)
{
    (void)state;
    static const uint8_t v0[] = {0,    0,    0,    0,    0,    0,    0,    0, 0,
                                 0,    0,    0x0f, 0xd2, 0x0c, 0xbf, 0xf5, 0, 0,
                                 0xff, 0xff, 0xff, 0xff, 0,    0,    0,    1, 'v'};
    static const uint8_t v1[] = {0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 0,  0x17,
                                 0x09, 0xb6, 0x6c, 0xaa, 1,    0,    0, 0, 0, 0, 0,  0,
                                 0x03, 0xe8, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 'v'};
    for (int version = 0; version < 2; version++) {
        struct log_test t;
        struct stat st;
        char path[160];
        log_test_init(&t);
        assert_int_equal(mkdir(t.dir, 0700), 0);
        log_test_file(&t, "00000000000000000000.log", path, sizeof(path));
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        const uint8_t *message = version ? v1 : v0;
        size_t n = version ? sizeof(v1) : sizeof(v0);
        assert_int_equal(write(fd, message, n), n);
        close(fd);
        assert_int_equal(log_test_open(&t, false, 0), RW_E_UNSUPPORTED);
        assert_int_equal(log_test_open(&t, true, 0), RW_E_UNSUPPORTED);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, n);
        /* A damaged one is rubbish like any other. */
        flip(&t, "00000000000000000000.log", (off_t)n - 1);
        assert_int_equal(log_test_open(&t, false, 0), RW_OK);
        assert_int_equal(rw_log_cut_bytes(t.log), n);
        log_test_deinit(&t);
    }
}

/* Retention takes a segment away between the look at the directory and its opening. */
struct vanishing {
    struct rw_vfs vfs; /* first: what the log sees */
    struct rw_vfs *real;
    int left; /* so many opens find nothing */
};

static int open_vanishing(struct rw_vfs *vfs, const char *path, unsigned flags,
                          struct rw_file **ret_file)
{
    struct vanishing *v = (struct vanishing *)vfs;
    if (rw_name_ends(path, ".log") && v->left > 0) {
        v->left--;
        return RW_E_NOT_FOUND;
    }
    return rw_vfs_open(v->real, path, flags, ret_file);
}

static int list_real(struct rw_vfs *vfs, const char *path, int (*each)(void *arg, const char *name),
                     void *arg)
{
    struct vanishing *v = (struct vanishing *)vfs;
    return v->real->ops->list(v->real, path, each, arg);
}

static int stat_real(struct rw_vfs *vfs, const char *path, struct rw_stat *ret_stat)
{
    struct vanishing *v = (struct vanishing *)vfs;
    return v->real->ops->stat(v->real, path, ret_stat);
}

static void a_segment_that_vanishes_is_no_missing_log(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    log_test_append(&t, 5, 1000, 10);
    log_test_close(&t, true);
    const struct rw_log_open_args reading = {.read_only = true};
    struct rw_vfs_ops ops = *t.env.vfs->ops;
    ops.open = open_vanishing;
    ops.list = list_real;
    ops.stat = stat_real;
    struct vanishing v = {.vfs = {.ops = &ops}, .real = t.env.vfs, .left = 3};
    struct rw_env env = t.env;
    env.vfs = &v.vfs;
    assert_int_equal(rw_log_open(&env, t.dir, &t.config, &reading, &t.log), RW_OK);
    assert_int_equal(rw_log_end(t.log), 5);
    log_test_close(&t, false);
    v.left = INT32_MAX; /* what is never there is told */
    assert_int_equal(rw_log_open(&env, t.dir, &t.config, &reading, &t.log), RW_E_NOT_FOUND);
    log_test_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_of_the_last_batch),
        cmocka_unit_test(hole_in_what_was_synced),
        cmocka_unit_test(lost_end_of_what_was_synced),
        cmocka_unit_test(torn_middle_segment_ends_the_log),
        cmocka_unit_test(leftovers_are_handled),
        cmocka_unit_test(contradictory_checkpoints),
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(gap_between_segments),
        cmocka_unit_test(rubbish_before_the_next_segment),
        cmocka_unit_test(gap_from_a_leader),
        cmocka_unit_test(gap_from_kafkas_cleaner),
        cmocka_unit_test(messages_of_old_formats_are_not_cut_off),
        cmocka_unit_test(a_segment_that_vanishes_is_no_missing_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
