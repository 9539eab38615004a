/*
 * The frame of the C benchmarks. A case has a limit (what the machine or the best peer can do) and a
 * subject (ours). Both run alternately in one process, round after round; the result is the median of
 * the rounds' ratios. Absolute numbers move with the machine and its neighbours and are printed for
 * orientation only: never compare them across runs.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BENCH_ROUNDS_MAX 31

struct bench_case {
    const char *name;
    const char *unit;     /* of the rates: "GB/s", "records/s" */
    const char *limit_is; /* in words */
    double scale;         /* a rate divided by this is in `unit` */
    double target;        /* wanted ratio subject / limit; 0: none, just show it */
    /* Run for about `seconds` and return operations or bytes per second. */
    double (*limit)(void *arg, double seconds);
    double (*subject)(void *arg, double seconds);
    void *arg;
};

struct bench {
    int rounds;       /* --rounds, default 5 */
    double seconds;   /* --seconds per side and round, default 0.2 */
    const char *dir;  /* --dir: where files go, default "." */
    const char *json; /* --json FILE: one JSON object per case is appended */
    const char *program;
    int below; /* cases whose ratio was below the target */
};

/* Reads the command line; prints the help and exits 2 on anything unknown. */
void bench_init(struct bench *b, int argc, char **argv);
void bench_run(struct bench *b, const struct bench_case *c);
/* A figure that is no ratio of two rates. */
void bench_note(struct bench *b, const char *name, double value, const char *unit,
                const char *words);
double bench_now(void);
/* Aborts with a message: a benchmark has nothing to rescue. */
_Noreturn void bench_die(const char *what);
/* Keeps the compiler from leaving out what computes v. */
void bench_use(uint64_t v);
