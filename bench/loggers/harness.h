/*
 * The common harness of the logging benchmarks: threads and their CPUs, bursts and pauses, percentiles, one line of JSON. See
 * README.md for the method.
 */
#ifndef BENCH_LOGGERS_HARNESS_H
#define BENCH_LOGGERS_HARNESS_H

#include <stdint.h>
#include <x86intrin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct loggers_peer {
    const char *name;
    void (*start)(const char *path); /* the library writes to this file from now on */
    void (*thread)(void);            /* in each thread, before its first call */
    void (*stop)(void);              /* everything is in the file */
    /* Ticks that n calls took; `first` makes their arguments. By scenario: numbers, order. */
    uint64_t (*burst[2])(unsigned first, unsigned n);
};

int loggers_main(int argc, char **argv, const struct loggers_peer *peer);

/* What comes before is done, what comes after has not begun. */
static inline uint64_t loggers_ticks(void)
{
    _mm_lfence();
    uint64_t t = __rdtsc();
    _mm_lfence();
    return t;
}

#ifdef __cplusplus
}
#endif

#endif
