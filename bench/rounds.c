/* The frame of the C benchmarks: command line, alternating rounds, medians, text and JSON. */
#include "rounds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/json.h"

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

_Noreturn void bench_die(const char *what)
{
    perror(what);
    exit(1);
}

void bench_use(uint64_t v)
{
    __asm__ volatile("" : : "r"(v) : "memory");
}

static _Noreturn void usage(const struct bench *b)
{
    fprintf(stderr, "usage: %s [--rounds N] [--seconds S] [--dir DIR] [--json FILE]\n", b->program);
    exit(2);
}

void bench_init(struct bench *b, int argc, char **argv)
{
    *b = (struct bench){.rounds = 5, .seconds = 0.2, .dir = ".", .program = argv[0]};
    const char *slash = strrchr(argv[0], '/');
    if (slash)
        b->program = slash + 1;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 >= argc)
            usage(b);
        if (!strcmp(argv[i], "--rounds"))
            b->rounds = (int)strtol(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--seconds"))
            b->seconds = strtod(argv[i + 1], NULL);
        else if (!strcmp(argv[i], "--dir"))
            b->dir = argv[i + 1];
        else if (!strcmp(argv[i], "--json"))
            b->json = argv[i + 1];
        else
            usage(b);
    }
    if (b->rounds < 1 || b->rounds > BENCH_ROUNDS_MAX || b->seconds <= 0)
        usage(b);
}

static int ascending(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof(*v), ascending);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void save(const struct bench *b, struct rw_buf *line)
{
    FILE *f = b->json ? fopen(b->json, "a") : NULL;
    rw_buf_add_u8(line, '\n');
    if (f && (fwrite(line->p, 1, line->n, f) != line->n || fclose(f)))
        bench_die(b->json);
    rw_buf_deinit(line);
}

void bench_run(struct bench *b, const struct bench_case *c)
{
    double limit[BENCH_ROUNDS_MAX], subject[BENCH_ROUNDS_MAX], ratio[BENCH_ROUNDS_MAX];
    /* Warm both sides: first touches of memory and files cost many times a later one. */
    c->limit(c->arg, b->seconds / 4);
    c->subject(c->arg, b->seconds / 4);
    for (int i = 0; i < b->rounds; i++) {
        /* In turn: whoever is second finds what the first left to the kernel, freed pages and a journal. */
        if (i % 2)
            subject[i] = c->subject(c->arg, b->seconds);
        limit[i] = c->limit(c->arg, b->seconds);
        if (i % 2 == 0)
            subject[i] = c->subject(c->arg, b->seconds);
        ratio[i] = subject[i] / limit[i];
    }
    double r = median(ratio, b->rounds), l = median(limit, b->rounds) / c->scale,
           s = median(subject, b->rounds) / c->scale;
    const char *verdict = c->target == 0 ? "" : r >= c->target ? "reached" : "BELOW";
    b->below += c->target != 0 && r < c->target;
    printf("%-34s %10.4g %-10s limit %10.4g (%s)  ratio %.3g [%.3g..%.3g]", c->name, s, c->unit, l,
           c->limit_is, r, ratio[0], ratio[b->rounds - 1]);
    if (c->target != 0)
        printf("  target %.3g %s", c->target, verdict);
    printf("\n");
    fflush(stdout);

    struct rw_buf line = {0};
    struct rw_json j;
    rw_json_init(&j, &line, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "case", c->name);
    rw_json_cstr(&j, "unit", c->unit);
    rw_json_cstr(&j, "limit", c->limit_is);
    rw_json_double(&j, "rollway_rate", s);
    rw_json_double(&j, "limit_rate", l);
    rw_json_double(&j, "ratio", r);
    rw_json_double(&j, "ratio_min", ratio[0]);
    rw_json_double(&j, "ratio_max", ratio[b->rounds - 1]);
    if (c->target != 0)
        rw_json_double(&j, "target", c->target);
    else
        rw_json_null(&j, "target");
    rw_json_int(&j, "rounds", b->rounds);
    rw_json_end(&j);
    save(b, &line);
}

void bench_note(struct bench *b, const char *name, double value, const char *unit,
                const char *words)
{
    struct rw_buf line = {0};
    struct rw_json j;
    printf("%-34s %10.4g %-10s %s\n", name, value, unit, words);
    rw_json_init(&j, &line, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "case", name);
    rw_json_double(&j, "value", value);
    rw_json_cstr(&j, "unit", unit);
    rw_json_cstr(&j, "note", words);
    rw_json_end(&j);
    save(b, &line);
}
