/* librollway through its public header: records, threads, processes, durability, damage. */
#include "lib_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static void keeps_everything_of_a_record(void **state)
{
    for (int codec = 0; codec <= ROLLWAY_COMPRESSION_ZSTD; codec++) {
        struct rollway_log *log =
            open_with(*state, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS,
                                                           .compression = codec});
        const struct rollway_header headers[] = {{"a", 1, "1", 1}, {"b", 1, NULL, 0}};
        const struct rollway_record in[] = {
            {.timestamp_ms = 7, .key = "k", .key_size = 1, .headers = headers, .headers_count = 2},
            {.timestamp_ms = 8, .key = "", .value = "", .value_size = 0},
        };
        int64_t first;
        assert_int_equal(rollway_log_append(log, in, 2, &first), ROLLWAY_OK);
        struct rollway_cursor *c;
        struct rollway_record r;
        assert_int_equal(rollway_cursor_new(log, first, &c), ROLLWAY_OK);
        assert_int_equal(rollway_cursor_next(c, &r), 1);
        assert_int_equal(r.timestamp_ms, 7);
        assert_null(r.value);
        assert_memory_equal(r.key, "k", 1);
        assert_int_equal(r.headers_count, 2);
        assert_memory_equal(r.headers[0].value, "1", 1);
        assert_null(r.headers[1].value);
        assert_int_equal(rollway_cursor_next(c, &r), 1);
        assert_non_null(r.value);
        assert_int_equal(r.value_size, 0);
        assert_non_null(r.key);
        assert_int_equal(rollway_cursor_next(c, &r), 0);
        rollway_cursor_free(c);
        assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    }
}

static void keeps_timestamps(void **state)
{
    struct rollway_log *log =
        open_with(*state, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS});
    static const int64_t in[] = {ROLLWAY_TIME_1970, ROLLWAY_TIME_NONE, 1, 0};
    static const int64_t want[] = {0, -1, 1};
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            rollway_log_append(log, &(struct rollway_record){.timestamp_ms = in[i]}, 1, NULL),
            ROLLWAY_OK);
    const struct rollway_record wrong = {.timestamp_ms = -2};
    assert_int_equal(rollway_log_append(log, &wrong, 1, NULL), ROLLWAY_E_INVAL);
    assert_non_null(strstr(rollway_log_error(log), "1970"));
    struct rollway_cursor *c;
    struct rollway_record r;
    assert_int_equal(rollway_cursor_new(log, 0, &c), ROLLWAY_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rollway_cursor_next(c, &r), 1);
        assert_int_equal(r.timestamp_ms, want[i]);
    }
    assert_int_equal(rollway_cursor_next(c, &r), 1);
    assert_true(r.timestamp_ms > INT64_C(1600000000000)); /* 0: now */
    rollway_cursor_free(c);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

static void second_writer_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct rollway_log *log = open_with(f, (struct rollway_log_options){0}), *other = NULL;
    put(log, "one");
    assert_int_equal(rollway_log_open(f->dir, NULL, &other), ROLLWAY_E_LOCKED);
    assert_non_null(strstr(rollway_log_error(NULL), "another process"));
    pid_t child = fork();
    if (child == 0) {
        struct rollway_log *mine = NULL;
        struct rollway_log_options o = {.size = sizeof(o), .read_only = 1};
        if (rollway_log_open(f->dir, NULL, &mine) != ROLLWAY_E_LOCKED)
            _exit(1);
        if (rollway_log_open(f->dir, &o, &mine) != ROLLWAY_OK || rollway_log_end_offset(mine) != 1)
            _exit(2);
        const struct rollway_record r = {.value = "x", .value_size = 1};
        _exit(rollway_log_append(mine, &r, 1, NULL) == ROLLWAY_E_PERM ? 0 : 3);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

/* A reader in another process follows a writer over rolls. */
static void follows_another_process(void **state)
{
    const struct fixture *f = *state;
    enum { RECORDS = 2000 };
    struct rollway_log *log = open_with(
        f, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS, .segment_bytes = 20000});
    put(log, "record 0");
    pid_t child = fork();
    if (child == 0) {
        struct rollway_log *mine = NULL;
        struct rollway_cursor *c;
        struct rollway_record r;
        struct rollway_log_options o = {.size = sizeof(o), .read_only = 1};
        if (rollway_log_open(f->dir, &o, &mine) || rollway_cursor_new(mine, 0, &c))
            _exit(1);
        for (int64_t next = 0; next < RECORDS;) {
            int rc = rollway_cursor_next(c, &r);
            if (rc < 0 || (rc == 1 && r.offset != next))
                _exit(2);
            next += rc;
            if (!rc && rollway_cursor_wait(c, 20000) != 1)
                _exit(3);
        }
        _exit(0);
    }
    for (int i = 1; i < RECORDS; i++)
        put(log, "another record of some length");
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

struct crowd {
    struct rollway_log *log;
    atomic_int running, failures;
    int per_thread;
};

/* cmocka's assertions end the process when they fail outside of the main thread: count instead. */
static void expect_in_thread(struct crowd *c, bool ok, int line, int64_t a, int64_t b)
{
    if (ok)
        return;
    fprintf(stderr, "line %d: %lld, %lld: %s\n", line, (long long)a, (long long)b,
            rollway_log_error(c->log));
    atomic_fetch_add(&c->failures, 1);
}
#define EXPECT(c, ok, a, b) expect_in_thread(c, ok, __LINE__, a, b)

static void *append_many(void *arg)
{
    struct crowd *c = arg;
    const struct rollway_record r = {.value = "from a thread", .value_size = 13};
    for (int i = 0; i < c->per_thread; i++) {
        int64_t offset = -1;
        int rc = rollway_log_append(c->log, &r, 1, &offset);
        EXPECT(c, rc == ROLLWAY_OK, rc, offset);
        int64_t durable = rollway_log_durable_offset(c->log);
        EXPECT(c, durable > offset, durable, offset);
    }
    atomic_fetch_sub(&c->running, 1);
    return NULL;
}

static void *read_along(void *arg)
{
    struct crowd *c = arg;
    struct rollway_cursor *cursor = NULL;
    struct rollway_record r;
    int64_t n = 0;
    int rc = rollway_cursor_new(c->log, 0, &cursor);
    EXPECT(c, rc == ROLLWAY_OK, rc, 0);
    while (cursor) {
        bool last = atomic_load(&c->running) == 0;
        while ((rc = rollway_cursor_next(cursor, &r)) == 1) {
            EXPECT(c, r.offset == n, r.offset, n);
            n++;
        }
        EXPECT(c, rc == 0, rc, n);
        if (last || rc < 0)
            break;
        rc = rollway_cursor_wait(cursor, 5);
        EXPECT(c, rc >= 0, rc, n);
    }
    rollway_cursor_free(cursor);
    EXPECT(c, n == rollway_log_end_offset(c->log), n, rollway_log_end_offset(c->log));
    return NULL;
}

static void many_threads_share_syncs(void **state)
{
    enum { THREADS = 8 };
    struct crowd c = {.per_thread = 100, .running = THREADS};
    pthread_t threads[THREADS], reader[2];
    c.log = open_with(*state, (struct rollway_log_options){.segment_bytes = 10000});
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&reader[i], NULL, read_along, &c), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, &c), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(reader[i], NULL);
    assert_int_equal(c.failures, 0);
    assert_int_equal(rollway_log_end_offset(c.log), THREADS * c.per_thread);
    assert_int_equal(rollway_log_durable_offset(c.log), THREADS * c.per_thread);
    assert_int_equal(rollway_log_close(c.log), ROLLWAY_OK);
}

static void gathers_in_memory_when_asked(void **state)
{
    struct rollway_log *log =
        open_with(*state, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_INTERVAL,
                                                       .flush_interval_ms = 60000,
                                                       .buffer_bytes = 4000});
    for (int i = 0; i < 10; i++)
        assert_int_equal(put(log, "small"), i);
    assert_int_equal(rollway_log_size(log), 0);
    assert_int_equal(rollway_log_end_offset(log), 10);
    assert_int_equal(count_from(log, 0), 10); /* a cursor of this handle sees them */
    for (int i = 10; i < 1000; i++)
        assert_int_equal(put(log, "small"), i);
    assert_true(rollway_log_size(log) > 0);
    assert_int_equal(rollway_log_flush(log), ROLLWAY_OK);
    assert_int_equal(rollway_log_durable_offset(log), 1000);
    put(log, "last");
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    log = open_with(*state, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_COUNT,
                                                         .flush_records = 10});
    assert_int_equal(count_from(log, 0), 1001);
    for (int i = 0; i < 10; i++)
        put(log, "counted");
    assert_int_equal(rollway_log_durable_offset(log), 1011);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

static void shrinks_at_both_ends(void **state)
{
    struct rollway_log *log =
        open_with(*state, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS,
                                                       .segment_bytes = 2000});
    struct rollway_record r[10];
    for (int i = 0; i < 10; i++)
        r[i] = (struct rollway_record){
            .timestamp_ms = 1000 + i, .value = "0123456789", .value_size = 10};
    for (int i = 0; i < 50; i++)
        assert_int_equal(rollway_log_append(log, r, 10, NULL), ROLLWAY_OK);
    /* Inside of a batch: what lies before the cut is kept. */
    assert_int_equal(rollway_log_truncate(log, 433), ROLLWAY_OK);
    assert_int_equal(rollway_log_end_offset(log), 433);
    assert_int_equal(count_from(log, 0), 433);
    assert_int_equal(rollway_log_append(log, r, 10, NULL), ROLLWAY_OK);
    assert_int_equal(rollway_log_truncate(log, 500), ROLLWAY_E_RANGE);
    assert_int_equal(rollway_log_trim(log, 123), ROLLWAY_OK);
    assert_int_equal(rollway_log_start_offset(log), 123);
    int64_t at;
    assert_int_equal(rollway_log_find_time(log, 1005, &at), ROLLWAY_OK);
    assert_int_equal(at, 125);
    assert_int_equal(rollway_log_find_time(log, 2000, &at), ROLLWAY_E_NOT_FOUND);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    log = open_with(*state, (struct rollway_log_options){.retention_bytes = 1});
    assert_int_equal(rollway_log_start_offset(log), 123);
    assert_int_equal(count_from(log, 123), 320);
    int deleted;
    assert_int_equal(rollway_log_retain(log, &deleted), ROLLWAY_OK);
    assert_true(deleted > 0);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

static void damage_is_named_and_stepped_over(void **state)
{
    const struct fixture *f = *state;
    struct rollway_log *log = open_with(f, (struct rollway_log_options){0});
    uint64_t at[3];
    for (int i = 0; i < 3; i++) {
        at[i] = rollway_log_size(log);
        put(log, "some text that will not be what it was");
    }
    char path[128];
    snprintf(path, sizeof(path), "%s/00000000000000000000.log", f->dir);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "X", 1, (off_t)at[1] + 75), 1);
    close(fd);
    struct rollway_cursor *c;
    struct rollway_record r;
    struct rollway_verify_result v;
    assert_int_equal(rollway_cursor_new(log, 0, &c), ROLLWAY_OK);
    assert_int_equal(rollway_cursor_next(c, &r), 1);
    assert_int_equal(rollway_cursor_next(c, &r), ROLLWAY_E_CORRUPT);
    assert_non_null(
        strstr(rollway_log_error(log), "offset 1 is damaged; intact records go on at offset 2"));
    assert_int_equal(rollway_cursor_seek(c, 2), ROLLWAY_OK);
    assert_int_equal(rollway_cursor_next(c, &r), 1);
    assert_int_equal(r.offset, 2);
    rollway_cursor_free(c);
    assert_int_equal(rollway_log_verify(log, &v), ROLLWAY_OK);
    assert_int_equal(v.bad_batches, 1);
    assert_int_equal(v.first_bad_offset, 1);
    assert_int_equal(v.records, 2);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

static void bad_arguments_are_refused(void **state)
{
    const struct fixture *f = *state;
    struct rollway_log *log = NULL;
    struct rollway_log_options o = {.size = sizeof(o), .must_exist = 1};
    assert_int_equal(rollway_log_open(f->dir, &o, &log), ROLLWAY_E_NOT_FOUND);
    o = (struct rollway_log_options){.size = 1};
    assert_int_equal(rollway_log_open(f->dir, &o, &log), ROLLWAY_E_INVAL);
    o = (struct rollway_log_options){.size = sizeof(o), .buffer_bytes = 100};
    assert_int_equal(rollway_log_open(f->dir, &o, &log), ROLLWAY_E_INVAL);
    o = (struct rollway_log_options){.size = sizeof(o), .durability = 9};
    assert_int_equal(rollway_log_open(f->dir, &o, &log), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_open("", NULL, &log), ROLLWAY_E_INVAL);
    log = open_with(f, (struct rollway_log_options){.batch_bytes_max = 1000});
    char big[2000] = "";
    struct rollway_record r = {.value = big, .value_size = sizeof(big)};
    assert_int_equal(rollway_log_append(log, &r, 1, NULL), ROLLWAY_E_TOO_BIG);
    r = (struct rollway_record){.value_size = 5};
    assert_int_equal(rollway_log_append(log, &r, 1, NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_append(log, NULL, 0, NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_append_batch(log, big, 500, NULL), ROLLWAY_E_UNSUPPORTED);
    big[16] = 2; /* the magic of a batch, with nothing behind it */
    assert_int_equal(rollway_log_append_batch(log, big, 500, NULL), ROLLWAY_E_CORRUPT);
    assert_int_equal(rollway_log_end_offset(log), 0);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    assert_int_equal(rollway_log_close(NULL), ROLLWAY_OK);
}

/* NULL for a log, a cursor or the place of an answer is an error like others, and no crash. */
static void nothing_is_refused(void **state)
{
    struct rollway_log *log = open_with(*state, (struct rollway_log_options){0});
    struct rollway_record r = {.value = "x", .value_size = 1};
    struct rollway_verify_result v;
    struct rollway_cursor *c = NULL;
    int64_t offset;
    assert_int_equal(rollway_log_open("", NULL, NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_append(NULL, &r, 1, &offset), ROLLWAY_E_INVAL);
    assert_non_null(strstr(rollway_log_error(NULL), "NULL"));
    assert_int_equal(rollway_log_append(NULL, NULL, 0, NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_append_batch(NULL, &r, 1, &offset), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_flush(NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_start_offset(NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_end_offset(NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_durable_offset(NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_cut_bytes(NULL), 0);
    assert_int_equal(rollway_log_size(NULL), 0);
    assert_int_equal(rollway_log_find_time(NULL, 1, &offset), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_find_time(log, 1, NULL), ROLLWAY_E_INVAL);
    assert_non_null(strstr(rollway_log_error(log), "NULL"));
    assert_int_equal(rollway_log_truncate(NULL, 0), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_trim(NULL, 0), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_retain(NULL, NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_verify(NULL, &v), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_log_verify(log, NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_cursor_new(NULL, 0, &c), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_cursor_new(log, 0, NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_cursor_next(NULL, &r), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_cursor_new(log, 0, &c), ROLLWAY_OK);
    assert_int_equal(rollway_cursor_next(c, NULL), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_cursor_wait(NULL, 0), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_cursor_seek(NULL, 0), ROLLWAY_E_INVAL);
    assert_int_equal(rollway_cursor_offset(NULL), ROLLWAY_E_INVAL);
    rollway_cursor_free(c);
    rollway_cursor_free(NULL);
    assert_int_equal(rollway_log_end_offset(log), 0);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    assert_int_equal(rollway_log_close(NULL), ROLLWAY_OK);
}

/* A time entry that says less than its batch has is not believed: records before it would be passed over. */
static void a_damaged_time_entry_is_no_answer(void **state)
{
    const struct fixture *f = *state;
    char path[160], value[100] = {0};
    int64_t offset;
    struct rollway_log *log =
        open_with(f, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS});
    for (int i = 0; i < 200; i++) {
        const struct rollway_record r = {
            .timestamp_ms = 1000 + 10 * i, .value = value, .value_size = sizeof(value)};
        assert_int_equal(rollway_log_append(log, &r, 1, NULL), ROLLWAY_OK);
    }
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    snprintf(path, sizeof(path), "%s/00000000000000000000.timeindex", f->dir);
    FILE *file = fopen(path, "r+");
    unsigned char entry[12];
    assert_non_null(file);
    assert_int_equal(fread(entry, 1, sizeof(entry), file), sizeof(entry));
    int at = (entry[6] << 8 | entry[7]) - 150; /* 15 records earlier */
    assert_true(at > 1000);
    entry[6] = (unsigned char)(at >> 8);
    entry[7] = (unsigned char)at;
    rewind(file);
    assert_int_equal(fwrite(entry, 1, sizeof(entry), file), sizeof(entry));
    fclose(file);
    log = open_with(f, (struct rollway_log_options){.read_only = 1});
    assert_int_equal(rollway_log_find_time(log, at + 10, &offset), ROLLWAY_OK);
    assert_int_equal(1000 + 10 * offset, at + 10);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

static void waiting_is_for_what_is_not_read_yet(void **state)
{
    struct rollway_log *log = open_with(*state, (struct rollway_log_options){0});
    struct rollway_cursor *c;
    struct rollway_record r;
    put(log, "one");
    assert_int_equal(rollway_cursor_new(log, 0, &c), ROLLWAY_OK);
    assert_int_equal(rollway_cursor_wait(c, 0), 1);
    assert_int_equal(rollway_cursor_next(c, &r), 1);
    assert_int_equal(rollway_cursor_wait(c, 0), 0);
    put(log, "two");
    assert_int_equal(rollway_cursor_wait(c, 0), 1);
    rollway_cursor_free(c);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(keeps_timestamps),
        T(keeps_everything_of_a_record),
        T(second_writer_is_refused),
        T(follows_another_process),
        T(many_threads_share_syncs),
        T(gathers_in_memory_when_asked),
        T(shrinks_at_both_ends),
        T(damage_is_named_and_stepped_over),
        T(bad_arguments_are_refused),
        T(nothing_is_refused),
        T(a_damaged_time_entry_is_no_answer),
        T(waiting_is_for_what_is_not_read_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
