/* Which clock stamps records, and what the system's clocks say. */
#include "os/ticks.h"

#include <time.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

bool rw_os_ticks_tsc;

void rw_os_ticks_init(void)
{
#if defined(__x86_64__)
    /* CPUID 80000007h EDX bit 8: the counter's rate does not change with the processor's states. */
    unsigned a, b, c, d;
    if (__get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & (1u << 8)))
        __atomic_store_n(&rw_os_ticks_tsc, true, __ATOMIC_RELAXED);
#elif defined(__aarch64__)
    __atomic_store_n(&rw_os_ticks_tsc, true, __ATOMIC_RELAXED); /* always of one rate */
#endif
}

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t rw_os_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t rw_os_mono_coarse_ns(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

int64_t rw_os_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}
