/*
 * The cheapest clock there is, for stamping records: the processor's time stamp counter where it runs at one rate whatever the
 * processor does, otherwise CLOCK_MONOTONIC. Ticks mean nothing by themselves; whoever reads them later relates them to the
 * wall clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* Decided by rw_os_ticks_init(); false until then, so that nothing depends on the order of starts. */
extern bool rw_os_ticks_tsc;
void rw_os_ticks_init(void);

int64_t rw_os_mono_ns(void);
int64_t rw_os_mono_coarse_ns(void); /* to about 4 ms, for a fifth of the price */
int64_t rw_os_wall_ns(void);

/* Asks for a cache line that will be written. Any address will do. */
static inline void rw_os_prefetch_write(const void *p)
{
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)p)); /* gcc would take a read for it */
#else
    __builtin_prefetch(p, 1);
#endif
}

/* The counter itself: only where rw_os_ticks_tsc says so. */
static inline uint64_t rw_os_tsc(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t v;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
    return v;
#else
    return (uint64_t)rw_os_mono_ns();
#endif
}

static inline uint64_t rw_os_ticks(void)
{
    return __builtin_expect(rw_os_ticks_tsc, 1) ? rw_os_tsc() : (uint64_t)rw_os_mono_ns();
}
