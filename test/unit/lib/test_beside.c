/* Read-only beside a writer who truncates, trims and retains: what is his doing is not taken for damage. */
#include "lib_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 1.0

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A record says at which offset it was appended, and after how many truncations. */
static int append_some(struct rollway_log *log, int n, int round)
{
    char text[4][120];
    struct rollway_record r[4] = {{0}};
    for (int i = 0; i < n; i++) {
        int size = snprintf(text[i], sizeof(text[i]), "%lld %0*d",
                            (long long)rollway_log_end_offset(log) + i, 1 + rand() % 100, round);
        r[i] = (struct rollway_record){
            .timestamp_ms = 1000, .value = text[i], .value_size = (size_t)size};
    }
    return rollway_log_append(log, r, (size_t)n, NULL);
}

static int truncate_some(struct rollway_log *log)
{
    int64_t start = rollway_log_start_offset(log);
    int64_t to = rollway_log_end_offset(log) - rand() % 30;
    return rollway_log_truncate(log, to > start ? to : start);
}

static int shrink(struct rollway_log *log, int *rounds)
{
    int64_t start = rollway_log_start_offset(log), end = rollway_log_end_offset(log);
    switch (rand() % 12) {
    case 0:
        return rollway_log_retain(log, NULL);
    case 1:
        return rollway_log_trim(log, start + (end - start) / 4);
    case 2:
        return rollway_log_flush(log);
    default:
        ++*rounds;
        return truncate_some(log);
    }
}

static void write_and_take_back(const char *dir)
{
    struct rollway_log *log;
    struct rollway_log_options o = {.size = sizeof(o),
                                    .durability = ROLLWAY_DURABLE_OS,
                                    .segment_bytes = 1024,
                                    .index_interval_bytes = 100,
                                    .retention_bytes = 600};
    double until = now() + SECONDS;
    int rc = rollway_log_open(dir, &o, &log), rounds = 0;
    while (!rc && now() < until)
        rc = rand() % 10 < 7 ? append_some(log, 1 + rand() % 4, rounds) : shrink(log, &rounds);
    if (rc)
        fprintf(stderr, "writer: %s\n", rollway_log_error(log));
    _exit(rc || rounds < 10 || rollway_log_close(log));
}

struct watch {
    struct rollway_log *log;
    atomic_bool stop;
    int wrong;
};

static void *watch_bounds(void *arg)
{
    struct watch *w = arg;
    while (!atomic_load(&w->stop)) {
        int64_t start = rollway_log_start_offset(w->log);
        w->wrong += start > rollway_log_end_offset(w->log);
    }
    return NULL;
}

/* From the start to the end. RANGE: the writer took away what was to be read next. False: what is there looks damaged to this log. */
static bool read_through(struct rollway_log *log)
{
    struct rollway_cursor *c;
    struct rollway_record r;
    int rc = rollway_cursor_new(log, rollway_log_start_offset(log), &c);
    if (rc)
        assert_int_equal(rc, ROLLWAY_E_RANGE);
    if (rc)
        return true;
    while ((rc = rollway_cursor_next(c, &r)) == 1) {
        char text[120] = "";
        memcpy(text, r.value, r.value_size < sizeof(text) ? r.value_size : sizeof(text) - 1);
        assert_int_equal(strtoll(text, NULL, 10), r.offset);
    }
    if (rc != ROLLWAY_E_RANGE && rc != ROLLWAY_OK && rc != ROLLWAY_E_CORRUPT)
        fail_msg("%s", rollway_log_error(log));
    rollway_cursor_free(c);
    return rc != ROLLWAY_E_CORRUPT;
}

/* log.h: beside a writer that takes back what it wrote, a log may rarely have to be opened again. Then all is well. */
static void what_a_writer_takes_back_is_no_damage(void **state)
{
    const struct fixture *f = *state;
    struct rollway_verify_result v;
    struct watch w = {0};
    pthread_t thread;
    int status = -1, opened = 0, doubts = 0;
    put(w.log = open_with(f, (struct rollway_log_options){0}), "0");
    assert_int_equal(rollway_log_close(w.log), ROLLWAY_OK);
    pid_t child = fork();
    if (child == 0)
        write_and_take_back(f->dir);
    while (waitpid(child, &status, WNOHANG) == 0) {
        w.log = open_with(f, (struct rollway_log_options){.read_only = 1});
        assert_int_equal(pthread_create(&thread, NULL, watch_bounds, &w), 0);
        bool well = true;
        for (int i = 0; i < 20 && well; i++)
            well = read_through(w.log);
        assert_int_equal(rollway_log_verify(w.log, &v), ROLLWAY_OK);
        if ((!well || v.bad_batches) && ++doubts > 3)
            fail_msg("%s; start %d, end %d", rollway_log_error(w.log),
                     (int)rollway_log_start_offset(w.log), (int)rollway_log_end_offset(w.log));
        atomic_store(&w.stop, true);
        pthread_join(thread, NULL);
        atomic_store(&w.stop, false);
        assert_int_equal(w.wrong, 0);
        assert_int_equal(rollway_log_close(w.log), ROLLWAY_OK);
        opened++;
    }
    assert_int_equal(status, 0);
    assert_true(opened > 0);
    w.log = open_with(f, (struct rollway_log_options){.read_only = 1});
    assert_true(read_through(w.log));
    assert_int_equal(rollway_log_verify(w.log, &v), ROLLWAY_OK);
    assert_int_equal(v.bad_batches, 0);
    assert_int_equal(rollway_log_close(w.log), ROLLWAY_OK);
}

/* The start lies inside of a segment: no file tells, but the writer's checkpoint. */
static void a_trim_is_seen(void **state)
{
    struct rollway_log *log = open_with(*state, (struct rollway_log_options){0});
    struct rollway_cursor *c;
    struct rollway_record r;
    for (int i = 0; i < 10; i++)
        put(log, "text");
    struct rollway_log *reader = open_with(*state, (struct rollway_log_options){.read_only = 1});
    assert_int_equal(rollway_cursor_new(reader, 10, &c), ROLLWAY_OK);
    for (int64_t start = 3; start <= 9; start += 3) {
        assert_int_equal(rollway_log_trim(log, start), ROLLWAY_OK);
        assert_int_equal(rollway_cursor_next(c, &r), 0);
        assert_int_equal(rollway_log_start_offset(reader), start);
        assert_int_equal(rollway_cursor_seek(c, start - 1), ROLLWAY_E_RANGE);
    }
    rollway_cursor_free(c);
    assert_int_equal(rollway_log_close(reader), ROLLWAY_OK);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_a_writer_takes_back_is_no_damage),
        T(a_trim_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
