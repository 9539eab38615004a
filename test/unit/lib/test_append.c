/* What an append promises: that it can be kept and read again, with a buffer, a codec, a full disk. */
#include "lib_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1 << 20)

static int append_value(struct rollway_log *log, const void *p, size_t n)
{
    const struct rollway_record r = {.value = p, .value_size = n};
    return rollway_log_append(log, &r, 1, NULL);
}

/* Headers count: a record that fits into no batch is refused, and takes none with it. */
static void headers_too_large_are_refused_alone(void **state)
{
    struct rollway_log *log =
        open_with(*state, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS,
                                                       .buffer_bytes = 65536});
    char *big = calloc(1, 2 * MIB);
    const struct rollway_header h = {
        .key = "k", .key_size = 1, .value = big, .value_size = 2 * MIB};
    const struct rollway_record r = {
        .value = "v", .value_size = 1, .headers = &h, .headers_count = 1};
    for (int i = 0; i < 10; i++)
        put(log, "good");
    assert_int_equal(rollway_log_append(log, &r, 1, NULL), ROLLWAY_E_TOO_BIG);
    for (int i = 0; i < 10; i++)
        put(log, "good too");
    free(big);
    assert_int_equal(rollway_log_flush(log), ROLLWAY_OK);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    log = open_with(*state, (struct rollway_log_options){0});
    assert_int_equal(count_from(log, 0), 20);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

/* What a codec makes larger is written without it: what was promised fits in any case. */
static void what_does_not_compress_is_kept(void **state)
{
    static char noise[65515];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)((x = x * 1664525u + 1013904223u) >> 24);
    int64_t n = 0;
    for (int codec = 0; codec <= ROLLWAY_COMPRESSION_ZSTD; codec++) {
        struct rollway_log *log =
            open_with(*state, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS,
                                                           .compression = codec,
                                                           .batch_bytes_max = MIB,
                                                           .buffer_bytes = MIB});
        for (int i = 0; i < 40; i++, n++)
            assert_int_equal(append_value(log, noise, sizeof(noise)), ROLLWAY_OK);
        assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    }
    struct rollway_log *log = open_with(*state, (struct rollway_log_options){0});
    assert_int_equal(count_from(log, 0), n);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

static void what_could_not_be_read_is_refused(void **state)
{
    struct rollway_log *log = NULL;
    const struct rollway_log_options o = {.size = sizeof(o), .batch_bytes_max = 257 * MIB};
    const struct fixture *f = *state;
    assert_int_equal(rollway_log_open(f->dir, &o, &log), ROLLWAY_E_INVAL);
    log = open_with(f, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS,
                                                    .compression = ROLLWAY_COMPRESSION_ZSTD});
    put(log, "first");
    char *zeros = calloc(257, MIB);
    assert_non_null(zeros);
    assert_int_equal(append_value(log, zeros, (size_t)257 * MIB), ROLLWAY_E_TOO_BIG);
    free(zeros);
    put(log, "last");
    assert_int_equal(count_from(log, 0), 2);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

static void *append_soon(void *log)
{
    usleep(50000);
    (void)append_value(log, "x", 1);
    return NULL;
}

static void a_buffered_record_wakes_who_waits(void **state)
{
    struct rollway_log *log =
        open_with(*state, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS,
                                                       .buffer_bytes = 65536});
    struct rollway_cursor *c;
    pthread_t thread;
    assert_int_equal(rollway_cursor_new(log, 0, &c), ROLLWAY_OK);
    assert_int_equal(pthread_create(&thread, NULL, append_soon, log), 0);
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    assert_int_equal(rollway_cursor_wait(c, 30000), 1);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true(to.tv_sec - from.tv_sec < 20);
    pthread_join(thread, NULL);
    rollway_cursor_free(c);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

/* In a process of its own, whose files may not grow for a while. 0, or the line that failed. */
#define MUST(condition)                                                                            \
    if (!(condition))                                                                              \
    return __LINE__
static int retry_on_a_full_disk(const struct fixture *f)
{
    struct rollway_log *log = NULL;
    const struct rollway_log_options o = {.size = sizeof(o),
                                          .durability = ROLLWAY_DURABLE_COUNT,
                                          .flush_records = 5,
                                          .buffer_bytes = 65536};
    const struct rlimit none = {10, RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    MUST(rollway_log_open(f->dir, &o, &log) == ROLLWAY_OK);
    MUST(setrlimit(RLIMIT_FSIZE, &none) == 0);
    for (int i = 0; i < 4; i++)
        MUST(append_value(log, "kept", 4) == ROLLWAY_OK);
    for (int i = 0; i < 3; i++)
        MUST(append_value(log, "tried", 5) == ROLLWAY_E_FULL);
    MUST(rollway_log_end_offset(log) == 4);
    MUST(setrlimit(RLIMIT_FSIZE, &all) == 0);
    MUST(append_value(log, "tried", 5) == ROLLWAY_OK);
    MUST(rollway_log_durable_offset(log) == 5);
    MUST(rollway_log_close(log) == ROLLWAY_OK);
    return 0;
}

static void full_means_that_nothing_was_appended(void **state)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(retry_on_a_full_disk(*state) ? 1 : 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct rollway_log *log = open_with(*state, (struct rollway_log_options){0});
    assert_int_equal(count_from(log, 0), 5);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

static int files_in(const char *dir)
{
    char command[160], text[32] = "";
    snprintf(command, sizeof(command), "ls %s | grep -c deleted", dir);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    assert_non_null(fgets(text, sizeof(text), p));
    pclose(p);
    return atoi(text);
}

static void trim_truncate_and_retain_free_the_space(void **state)
{
    const struct fixture *f = *state;
    struct rollway_log *log = open_with(
        f, (struct rollway_log_options){
               .durability = ROLLWAY_DURABLE_OS, .segment_bytes = 2000, .retention_ms = 60000});
    struct rollway_record old = {.timestamp_ms = 1000, .value = "long ago", .value_size = 8};
    for (int i = 0; i < 200; i++)
        assert_int_equal(rollway_log_append(log, &old, 1, NULL), ROLLWAY_OK);
    assert_int_equal(rollway_log_trim(log, 100), ROLLWAY_OK);
    assert_int_equal(files_in(f->dir), 0);
    assert_int_equal(rollway_log_truncate(log, 150), ROLLWAY_OK);
    assert_int_equal(files_in(f->dir), 0);
    /* Even the newest record is too old: all goes, and the offsets go on. */
    int deleted = 0;
    assert_int_equal(rollway_log_retain(log, &deleted), ROLLWAY_OK);
    assert_true(deleted > 1);
    assert_int_equal(rollway_log_start_offset(log), 150);
    assert_int_equal(put(log, "next"), 150);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

struct race {
    struct rollway_log *log;
    atomic_bool over;
};

static uint32_t next_random(uint32_t *x)
{
    return (*x = *x * 1664525u + 1013904223u) >> 8;
}

/* Records of very different sizes, so that after a cut others lie where a reader looks. */
static void *append_and_truncate(void *arg)
{
    static const char value[9000];
    struct race *r = arg;
    uint32_t x = 1;
    for (int i = 0; i < 2000; i++) {
        (void)append_value(r->log, value, next_random(&x) % (i % 10 ? 200 : sizeof(value)));
        int64_t end = rollway_log_end_offset(r->log);
        if (i % 10 == 0 && end > 60)
            (void)rollway_log_truncate(r->log, end - next_random(&x) % 60);
    }
    atomic_store(&r->over, true);
    return NULL;
}

/* A truncation beside a reader is no damage. */
static void a_cursor_beside_truncations_sees_no_damage(void **state)
{
    struct race r = {.over = false};
    pthread_t thread;
    struct rollway_cursor *c;
    struct rollway_record record;
    uint32_t x = 7;
    int bad = 0;
    r.log = open_with(*state, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS,
                                                           .index_interval_bytes = 512,
                                                           .segment_bytes = 200000});
    assert_int_equal(pthread_create(&thread, NULL, append_and_truncate, &r), 0);
    while (!atomic_load(&r.over)) {
        int64_t end = rollway_log_end_offset(r.log), at = next_random(&x) % (end + 1);
        if (rollway_cursor_new(r.log, at, &c))
            continue;
        int rc;
        while ((rc = rollway_cursor_next(c, &record)) == 1) {
            bad += record.offset != at;
            at = record.offset + 1;
        }
        bad += rc != 0 && rc != ROLLWAY_E_RANGE;
        rollway_cursor_free(c);
    }
    pthread_join(thread, NULL);
    assert_int_equal(bad, 0);
    assert_int_equal(rollway_log_close(r.log), ROLLWAY_OK);
}

/* What was trimmed must not come back with a power cut: its checkpoint is made durable, and not replaced
 * again by every roll. */
static void the_start_is_written_when_it_moves(void **state)
{
    const struct fixture *f = *state;
    char path[160];
    struct stat before, after;
    struct rollway_log *log = open_with(f, (struct rollway_log_options){.segment_bytes = 1024});
    for (int i = 0; i < 20; i++)
        put(log, "what is trimmed");
    assert_int_equal(rollway_log_trim(log, 7), ROLLWAY_OK);
    snprintf(path, sizeof(path), "%s/log-start-offset-checkpoint", f->dir);
    assert_int_equal(stat(path, &before), 0);
    for (int i = 0; i < 100; i++)
        put(log, "some of these begin a segment");
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

/* The i-th of a row that has the usual records and every other kind in it. */
static struct rollway_record of_any_kind(int i, const char *bytes)
{
    static const struct rollway_header header = {.key = "h", .key_size = 1};
    struct rollway_record r = {.timestamp_ms = 1700000000000 + i, .value = bytes};
    r.value_size = i % 11 == 10 ? 5000 : (size_t)(i % 140);
    if (i % 5 == 1)
        r.key = bytes, r.key_size = (size_t)(i % 70);
    if (i % 7 == 3)
        r.value = NULL, r.value_size = 0;
    if (i % 13 == 4)
        r.headers = &header, r.headers_count = 1;
    if (i % 17 == 5)
        r.timestamp_ms = i % 2 ? ROLLWAY_TIME_NONE : 1;
    return r;
}

static void expect_any_kind(const struct rollway_record *got, int i, const char *bytes)
{
    const struct rollway_record want = of_any_kind(i, bytes);
    assert_int_equal(got->offset, i);
    assert_int_equal(got->timestamp_ms, want.timestamp_ms);
    assert_int_equal(got->key_size, want.key_size);
    assert_int_equal(!got->key, !want.key);
    assert_int_equal(got->value_size, want.value_size);
    assert_int_equal(!got->value, !want.value);
    assert_int_equal(got->headers_count, want.headers_count);
    if (want.key_size)
        assert_memory_equal(got->key, want.key, want.key_size);
    if (want.value_size)
        assert_memory_equal(got->value, want.value, want.value_size);
}

static void gathered_records_of_every_kind_come_back(void **state)
{
    enum { N = 4000 };
    char bytes[5000];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)('a' + i % 23);
    struct rollway_log *log =
        open_with(*state, (struct rollway_log_options){.durability = ROLLWAY_DURABLE_OS,
                                                       .buffer_bytes = 65536});
    const struct rollway_record bad[] = {{.value_size = 1}, {.key_size = 1}, {.timestamp_ms = -7}};
    for (int i = 0; i < N; i++) {
        int64_t offset = -1;
        const struct rollway_record r = of_any_kind(i, bytes);
        assert_int_equal(rollway_log_append(log, &bad[i % 3], 1, &offset), ROLLWAY_E_INVAL);
        assert_int_equal(offset, -1);
        assert_int_equal(rollway_log_append(log, &r, 1, &offset), ROLLWAY_OK);
        assert_int_equal(offset, i);
    }
    struct rollway_cursor *cursor;
    struct rollway_record got;
    assert_int_equal(rollway_cursor_new(log, 0, &cursor), ROLLWAY_OK);
    for (int i = 0; i < N; i++) {
        assert_int_equal(rollway_cursor_next(cursor, &got), 1);
        expect_any_kind(&got, i, bytes);
    }
    assert_int_equal(rollway_cursor_next(cursor, &got), 0);
    rollway_cursor_free(cursor);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(headers_too_large_are_refused_alone),        T(what_does_not_compress_is_kept),
        T(what_could_not_be_read_is_refused),          T(a_buffered_record_wakes_who_waits),
        T(full_means_that_nothing_was_appended),       T(trim_truncate_and_retain_free_the_space),
        T(a_cursor_beside_truncations_sees_no_damage), T(the_start_is_written_when_it_moves),
        T(gathered_records_of_every_kind_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
