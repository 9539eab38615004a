/* The machine's clocks. Both calls are answered by the vDSO without entering the kernel. */
#include <time.h>

#include "base/assert.h"
#include "os/parts.h"

static int64_t wall_ms(struct rw_clock *c)
{
    (void)c;
    struct timespec t;
    int r = clock_gettime(CLOCK_REALTIME, &t);
    RW_ASSERT(r == 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t mono_us(struct rw_clock *c)
{
    (void)c;
    struct timespec t;
    int r = clock_gettime(CLOCK_MONOTONIC, &t);
    RW_ASSERT(r == 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct rw_clock rw_os_clock = {.wall_ms = wall_ms, .mono_us = mono_us};
