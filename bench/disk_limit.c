/*
 * How many durable writes of 4 KiB the disk takes in a second, with 16 of them under way: the limit for
 * a broker that syncs many partitions at once. The file was written before and is opened with O_DIRECT
 * and O_DSYNC, so that neither the page cache nor the journal is in the way; where that can not be
 * (tmpfs), pwrite and fdatasync.
 *
 *   bench_disk_limit FILE SECONDS
 *
 * Prints one JSON object in the form of bench_net_load.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS  16
#define WRITE    4096
#define PER_TASK (4 << 20) /* bytes of the file that one thread goes round in */
#define SAMPLES  200000

struct task {
    pthread_t thread;
    const atomic_bool *stop;
    int fd;
    bool sync;
    off_t from;
    uint64_t done;
    uint32_t *samples;
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench_disk_limit: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *work(void *arg)
{
    struct task *t = arg;
    char *p = aligned_alloc(WRITE, WRITE);
    if (!p)
        die("memory");
    memset(p, 'x', WRITE);
    for (off_t at = 0; !atomic_load_explicit(t->stop, memory_order_relaxed); at += WRITE) {
        double start = now();
        if (pwrite(t->fd, p, WRITE, t->from + at % PER_TASK) != WRITE ||
            (t->sync && fdatasync(t->fd)))
            die("writing");
        if (t->done < SAMPLES)
            t->samples[t->done] = (uint32_t)((now() - start) * 1e6);
        t->done++;
    }
    free(p);
    return NULL;
}

/* Writes the whole file once, so that its blocks are there. */
static int prepare(const char *path, bool *ret_sync)
{
    char *p = calloc(1, PER_TASK);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || !p)
        die(path);
    for (off_t i = 0; i < THREADS; i++)
        if (pwrite(fd, p, PER_TASK, i * PER_TASK) != PER_TASK)
            die(path);
    free(p);
    if (fsync(fd))
        die("fsync");
    int direct = open(path, O_RDWR | O_DIRECT | O_DSYNC);
    *ret_sync = direct < 0;
    if (direct < 0)
        return fd;
    close(fd);
    return direct;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    struct task tasks[THREADS];
    atomic_bool stop = false;
    bool sync;
    if (argc != 3) {
        fprintf(stderr, "usage: bench_disk_limit FILE SECONDS\n");
        return 2;
    }
    int fd = prepare(argv[1], &sync);
    uint32_t *samples = calloc(THREADS * SAMPLES, sizeof(*samples));
    if (!samples)
        die("memory");
    double start = now();
    for (int i = 0; i < THREADS; i++) {
        tasks[i] = (struct task){.stop = &stop,
                                 .fd = fd,
                                 .sync = sync,
                                 .from = (off_t)i * PER_TASK,
                                 .samples = samples + (size_t)i * SAMPLES};
        if (pthread_create(&tasks[i].thread, NULL, work, &tasks[i]))
            die("pthread_create");
    }
    usleep((useconds_t)(atof(argv[2]) * 1e6));
    atomic_store(&stop, true);
    uint64_t done = 0;
    size_t n = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(tasks[i].thread, NULL);
        size_t have = tasks[i].done < SAMPLES ? (size_t)tasks[i].done : SAMPLES;
        memmove(samples + n, tasks[i].samples, have * sizeof(*samples));
        n += have;
        done += tasks[i].done;
    }
    double seconds = now() - start;
    qsort(samples, n, sizeof(*samples), compare);
    printf("{\"requests\":%llu,\"records\":%llu,\"bytes\":%llu,\"seconds\":%.3f,"
           "\"requests_per_s\":%.0f,\"p50_us\":%u,\"p99_us\":%u}\n",
           (unsigned long long)done, (unsigned long long)done, (unsigned long long)done * WRITE,
           seconds, (double)done / seconds, n ? samples[n / 2] : 0, n ? samples[n * 99 / 100] : 0);
    free(samples);
    close(fd);
    unlink(argv[1]);
    return 0;
}
