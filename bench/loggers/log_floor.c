/* No logger: the time stamp counter and a store of 32 bytes, which no logger that keeps the time can go below. */
#include <string.h>
#include <x86intrin.h>

static __thread struct {
    unsigned long long words[4];
} ring[4096];
static __thread unsigned at;

static void loggers_start(const char *path)
{
    (void)path;
}

static void loggers_thread(void)
{
    memset(ring, 1, sizeof(ring));
}

static void loggers_stop(void)
{
}

static inline void put(unsigned long long a, unsigned long long b, unsigned long long c)
{
    unsigned long long *w = ring[at++ % 4096].words;
    w[0] = __rdtsc();
    w[1] = a;
    w[2] = b;
    w[3] = c;
    __asm__ volatile("" : : "r"(w) : "memory");
}

#define LOGGERS_NAME             "floor"
#define LOGGERS_NUMBERS(a, b, c) put((unsigned)(a), (unsigned)(b), (unsigned long long)(c))
#define LOGGERS_ORDER(user, total, ip, path)                                                       \
    put((unsigned)(user) + (unsigned long long)(total), (unsigned long long)(ip),                  \
        (unsigned long long)(path))
#include "measure.h"
