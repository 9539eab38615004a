/* Time that passes only when told to. */
#pragma once

#include "env/clock.h"

struct rw_sim_clock {
    struct rw_clock clock; /* first: the interface */
    int64_t wall_ms; /* what the wall clock showed when mono_us was 0; change it to let it jump */
    int64_t mono_us;
};

/* Starts at 2024-01-01T00:00:00Z, or where the caller sets the fields to afterwards. */
void rw_sim_clock_init(struct rw_sim_clock *c);
/* Moves both clocks forward. */
void rw_sim_clock_advance(struct rw_sim_clock *c, int64_t us);
