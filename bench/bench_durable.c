/*
 * Messages per second with and without fsync, 1, 8 and 64 appenders on one log, next to one thread that
 * writes as much, with fdatasync after each write where the log has one: with more appenders group commit
 * passes it. The log's file holds a batch of its own for each message.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "logdir.h"

#define THREADS_MAX 64
#define VALUE_BYTES 100

struct work {
    const struct bench *b;
    int threads;
    int durability;
};

struct appender {
    struct rollway_log *log;
    atomic_bool *stop;
    uint64_t done;
    pthread_t thread;
};

static double limit(void *arg, double seconds)
{
    const struct work *w = arg;
    char bytes[VALUE_BYTES + 70];
    memset(bytes, 'x', sizeof(bytes));
    int fd = bench_file_open(w->b);
    uint64_t n = 0;
    double start = bench_now(), now = start;
    for (; now - start < seconds; n++, now = bench_now())
        if (pwrite(fd, bytes, sizeof(bytes), (off_t)(n * sizeof(bytes))) != sizeof(bytes) ||
            (w->durability == ROLLWAY_DURABLE_EACH && fdatasync(fd)))
            bench_die("pwrite and fdatasync");
    bench_file_close(w->b, fd);
    return (double)n / (now - start);
}

static void *append(void *arg)
{
    struct appender *a = arg;
    char value[VALUE_BYTES];
    memset(value, 'x', sizeof(value));
    const struct rollway_record record = {
        .timestamp_ms = 1700000000000, .value = value, .value_size = sizeof(value)};
    for (; !atomic_load_explicit(a->stop, memory_order_relaxed); a->done++)
        if (rollway_log_append(a->log, &record, 1, NULL))
            bench_die("rollway_log_append");
    return NULL;
}

static double subject(void *arg, double seconds)
{
    const struct work *w = arg;
    struct appender a[THREADS_MAX];
    atomic_bool stop = false;
    const struct rollway_log_options options = {.size = sizeof(options),
                                                .durability = w->durability};
    struct rollway_log *log = bench_log_open(w->b, &options);
    uint64_t done = 0;
    double start = bench_now();
    for (int i = 0; i < w->threads; i++) {
        a[i] = (struct appender){.log = log, .stop = &stop};
        if (pthread_create(&a[i].thread, NULL, append, &a[i]))
            bench_die("pthread_create");
    }
    usleep((useconds_t)(seconds * 1e6));
    atomic_store(&stop, true);
    for (int i = 0; i < w->threads; i++) {
        pthread_join(a[i].thread, NULL);
        done += a[i].done;
    }
    double elapsed = bench_now() - start;
    bench_log_close(w->b, log);
    return (double)done / elapsed;
}

int main(int argc, char **argv)
{
    static const int threads[] = {1, 8, 64};
    struct bench b;
    bench_init(&b, argc, argv);
    struct work w = {.b = &b};
    for (int durable = 1; durable >= 0; durable--)
        for (int i = 0; i < 3; i++) {
            char name[48];
            w.threads = threads[i];
            w.durability = durable ? ROLLWAY_DURABLE_EACH : ROLLWAY_DURABLE_OS;
            snprintf(name, sizeof(name), "%s, %d appenders", durable ? "durable" : "no fsync",
                     threads[i]);
            bench_run(&b, &(struct bench_case){name, "msg/s",
                                               durable ? "pwrite and fdatasync, 1 thread"
                                                       : "pwrite, 1 thread",
                                               1, 0, limit, subject, &w});
        }
    return 0;
}
