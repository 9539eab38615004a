/*
 * The common harness: see harness.h and README.md.
 *
 *   PROGRAM --file FILE [--scenario numbers|order] [--mode warm|cold|through] [--threads N] [--bursts N]
 *
 * warm: bursts of 20 calls, timed as a whole, then 1.5 ms of rest: a sample is the mean of a burst.
 * cold: before each call, 4 MiB of other memory are written to: a sample is one call.
 * through: bursts x 20 calls back to back, until all is in the file.
 *
 * The library starts, and so do its threads, on the last CPU; callers are on the first one, from two threads on in
 * turn on all.
 */
#include "harness.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BURST = 20,
    PAUSE_NS = 1500000,
    POISON = 4 * 1024 * 1024,
    LINE = 64,
    THREADS_MAX = 64,
    WARM_UP = 50
};
enum mode { WARM, COLD, THROUGH };

struct options {
    const char *file;
    unsigned scenario, threads, bursts;
    enum mode mode;
};

struct caller {
    const struct loggers_peer *peer;
    const struct options *o;
    pthread_barrier_t *ready;
    pthread_t id;
    unsigned index, n;
    uint64_t *samples; /* ticks, of 20 calls or of one */
};

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void rest(long ns)
{
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static double ns_per_tick(void)
{
    uint64_t ns = now_ns(), ticks = loggers_ticks();
    rest(50000000);
    ns = now_ns() - ns;
    ticks = loggers_ticks() - ticks;
    return (double)ns / (double)ticks;
}

static void pin(unsigned cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        die("sched_setaffinity");
}

static unsigned cpus(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 1 ? (unsigned)n : 1;
}

static void poison(uint8_t *memory)
{
    for (size_t i = 0; i < POISON; i += LINE)
        memory[i]++;
    __asm__ volatile("" : : "r"(memory) : "memory");
}

static void *call(void *arg)
{
    struct caller *c = arg;
    uint64_t (*burst)(unsigned, unsigned) = c->peer->burst[c->o->scenario];
    uint8_t *memory = c->o->mode == COLD ? calloc(1, POISON) : NULL;
    pin(c->o->threads > 1 ? c->index % cpus() : 0);
    c->peer->thread();
    pthread_barrier_wait(c->ready);
    for (unsigned i = 0; i < c->o->bursts + WARM_UP; i++) {
        uint64_t ticks = 0;
        if (c->o->mode != COLD)
            ticks = burst(i * BURST, BURST);
        for (unsigned k = 0; c->o->mode == COLD && k < BURST; k++) {
            poison(memory);
            ticks = burst(i * BURST + k, 1);
            if (i >= WARM_UP)
                c->samples[c->n++] = ticks;
        }
        if (c->o->mode == WARM && i >= WARM_UP)
            c->samples[c->n++] = ticks;
        if (c->o->mode != THROUGH)
            rest(PAUSE_NS);
    }
    free(memory);
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static double percentile(const uint64_t *v, size_t n, double share)
{
    size_t i = (size_t)((double)n * share);
    return (double)v[i < n ? i : n - 1];
}

/* Lines of the file; a binary one has none that count. */
static unsigned long lines(const char *path, unsigned long *ret_bytes)
{
    FILE *f = fopen(path, "r");
    unsigned long n = 0;
    *ret_bytes = 0;
    static char chunk[1 << 16];
    for (size_t got; f && (got = fread(chunk, 1, sizeof(chunk), f)) > 0; *ret_bytes += got)
        for (size_t i = 0; i < got; i++)
            n += chunk[i] == '\n';
    if (f)
        fclose(f);
    return n;
}

static void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s --file FILE [--scenario numbers|order] [--mode warm|cold|through] "
            "[--threads N] [--bursts N]\n",
            program);
    exit(2);
}

static struct options parse(int argc, char **argv)
{
    struct options o = {.threads = 1, .bursts = 500};
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *v = argv[i + 1];
        if (!strcmp(argv[i], "--file"))
            o.file = v;
        else if (!strcmp(argv[i], "--scenario"))
            o.scenario = !strcmp(v, "order");
        else if (!strcmp(argv[i], "--mode"))
            o.mode = !strcmp(v, "cold") ? COLD : !strcmp(v, "through") ? THROUGH : WARM;
        else if (!strcmp(argv[i], "--threads"))
            o.threads = (unsigned)strtoul(v, NULL, 10);
        else if (!strcmp(argv[i], "--bursts"))
            o.bursts = (unsigned)strtoul(v, NULL, 10);
        else
            usage(argv[0]);
    }
    if (argc % 2 == 0 || !o.file || !o.bursts || !o.threads || o.threads > THREADS_MAX)
        usage(argv[0]);
    return o;
}

static void report(const struct options *o, const struct loggers_peer *peer, uint64_t *all,
                   size_t n, double scale, double seconds)
{
    unsigned long bytes, there = lines(o->file, &bytes);
    unsigned long calls = (unsigned long)o->threads * (o->bursts + WARM_UP) * BURST;
    qsort(all, n, sizeof(*all), ascending);
    printf("{\"library\": \"%s\", \"scenario\": \"%s\", \"mode\": \"%s\", \"threads\": %u, "
           "\"calls\": %lu, "
           "\"lines\": %lu, \"bytes\": %lu, \"seconds\": %.6f",
           peer->name, o->scenario ? "order" : "numbers",
           o->mode == WARM   ? "warm"
           : o->mode == COLD ? "cold"
                             : "through",
           o->threads, calls, there, bytes, seconds);
    if (n)
        printf(", \"samples\": %zu, \"p50\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"max\": %.2f", n,
               percentile(all, n, 0.5) * scale, percentile(all, n, 0.99) * scale,
               percentile(all, n, 0.999) * scale, percentile(all, n, 1) * scale);
    printf("}\n");
}

int loggers_main(int argc, char **argv, const struct loggers_peer *peer)
{
    struct options o = parse(argc, argv);
    struct caller callers[THREADS_MAX];
    pthread_barrier_t ready;
    pthread_barrier_init(&ready, NULL, o.threads + 1);
    double tick = ns_per_tick();
    pin(cpus() - 1);
    peer->start(o.file);
    pin(0); /* or a library that spins for its end would keep its own thread from working */
    size_t each = (size_t)o.bursts * BURST, n = 0;
    uint64_t *all = calloc(o.threads * each, sizeof(*all));
    if (!all)
        die("calloc");
    for (unsigned i = 0; i < o.threads; i++) {
        callers[i] = (struct caller){
            .peer = peer, .o = &o, .ready = &ready, .index = i, .samples = all + i * each};
        if (pthread_create(&callers[i].id, NULL, call, &callers[i]))
            die("pthread_create");
    }
    uint64_t from = now_ns();
    pthread_barrier_wait(&ready);
    for (unsigned i = 0; i < o.threads; i++) {
        pthread_join(callers[i].id, NULL);
        memmove(all + n, callers[i].samples, callers[i].n * sizeof(*all));
        n += callers[i].n;
    }
    peer->stop();
    double seconds = (double)(now_ns() - from) * 1e-9;
    report(&o, peer, all, n, o.mode == WARM ? tick / BURST : tick, seconds);
    free(all);
    return 0;
}
