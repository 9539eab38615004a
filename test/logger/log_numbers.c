/*
 * Logs numbers: log_numbers THREADS PER_THREAD RATE SETTINGS. Each thread logs 0, 1, 2 ... with its own name, RATE a second over all
 * threads (0: as fast as it goes), after the last number of LAST[thread] in the file LOG_NUMBERS_FILE, where there is one: a program that
 * was killed goes on behind what it had logged. With LOG_NUMBERS_FORK a child logs as one more thread meanwhile. With LOG_NUMBERS_LIFE a
 * thread ends after so many numbers, and another one goes on; each line says whose it is, every second name in the thread's context.
 * Prints "logged N" and what the statistics say.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "rollway/logger.h"

enum { THREADS_MAX = 16 };

struct work {
    int thread;
    long n, rate, life;
    volatile long *done; /* shared: survives a kill */
};

static void *run(void *arg)
{
    const struct work *w = arg;
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    long first = *w->done, end = w->life && first + w->life < w->n ? first + w->life : w->n;
    char name[16];
    snprintf(name, sizeof(name), "%d", w->thread);
    if (w->thread % 2)
        (void)rollway_context_set("worker", name);
    int self = gettid();
    for (long i = first; i < end; i++) {
        rollway_info("number", "t", w->thread, "n", i, "self", self);
        *w->done = i + 1;
        while (w->rate && i % 50 == 49) {
            clock_gettime(CLOCK_MONOTONIC, &now);
            double s =
                (double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9;
            if ((double)(i - first) <= s * (double)w->rate)
                break;
            usleep(1000);
        }
    }
    return NULL;
}

/* One thread after the other. */
static void *run_lives(void *arg)
{
    const struct work *w = arg;
    pthread_t id;
    while (*w->done < w->n) {
        if (pthread_create(&id, NULL, run, arg) != 0)
            exit(1);
        pthread_join(id, NULL);
    }
    return NULL;
}

/* A child has a logger of its own, and logs as one more thread. */
static int in_child(int thread, long n)
{
    pid_t pid = fork();
    int status = 0;
    if (pid == 0) {
        for (long i = 0; i < n; i++)
            rollway_info("number", "t", thread, "n", i, "self", gettid());
        _exit(rollway_logger_flush(10000) || rollway_logger_close(10000) != 0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static volatile long *positions(void)
{
    const char *path = getenv("LOG_NUMBERS_FILE");
    size_t size = THREADS_MAX * sizeof(long);
    int fd = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0)
        return NULL;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    int threads = atoi(argv[1]);
    const char *life = getenv("LOG_NUMBERS_LIFE");
    volatile long *done = positions();
    if (threads < 1 || threads > THREADS_MAX || !done)
        return 2;
    struct rollway_logger_options o = {
        .size = sizeof(o), .name = "log_numbers", .settings = argv[4]};
    if (rollway_logger_start(&o)) {
        fprintf(stderr, "%s\n", rollway_logger_error());
        return 1;
    }
    pthread_t ids[THREADS_MAX];
    struct work works[THREADS_MAX];
    for (int i = 0; i < threads; i++) {
        works[i] = (struct work){.thread = i,
                                 .n = atol(argv[2]),
                                 .rate = atol(argv[3]) / threads,
                                 .life = life ? atol(life) : 0,
                                 .done = &done[i]};
        if (pthread_create(&ids[i], NULL, works[i].life ? run_lives : run, &works[i]) != 0)
            return 1;
    }
    if (getenv("LOG_NUMBERS_FORK") && !in_child(threads, atol(argv[2])))
        return 1;
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    int rc = rollway_logger_flush(10000);
    struct rollway_logger_stats s = {.size = sizeof(s)};
    rollway_logger_get_stats(&s);
    long long lost = (long long)rollway_logger_close(10000);
    printf("logged %llu flush %d failed %llu lost %lld rescued %llu\n",
           (unsigned long long)s.accepted, rc, (unsigned long long)s.failed, lost,
           (unsigned long long)s.rescued);
    return 0;
}
