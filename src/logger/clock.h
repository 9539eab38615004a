/*
 * From ticks to Unix time. The collector relates the two again and again (clock.c); everybody else reads what it found. Time never
 * goes back by small corrections: it goes slower until the wall clock has caught up. A step back of RW_LG_STEP_NS or more is
 * followed at once.
 */
#pragma once

#include "logger/shared.h"

#define RW_LG_STEP_NS 5000000000ll

/* What the collector remembers between corrections. */
struct rw_lg_calibration {
    uint64_t first_ticks;
    int64_t first_mono_ns;
    int64_t next_ns; /* monotonic: when to correct again */
    int64_t
        stepped_ns; /* how far the wall clock was set back, when that was just noticed; 0 otherwise */
};

/* The first relation; takes two milliseconds. */
void rw_lg_clock_start(struct rw_lg_clock *clock, struct rw_lg_calibration *c);
/* Corrects it when it is time to. */
void rw_lg_clock_correct(struct rw_lg_clock *clock, struct rw_lg_calibration *c, int64_t mono_ns);

/* By the writer of the clock itself, or when nobody writes it. */
static inline int64_t rw_lg_clock_ns(const struct rw_lg_clock *clock, uint64_t ticks)
{
    return clock->wall_ns + (int64_t)((double)(int64_t)(ticks - clock->ticks) * clock->ns_per_tick);
}
