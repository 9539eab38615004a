/* The timers of one loop, earliest first: an intrusive pairing heap. Not thread-safe. */
#pragma once

#include "env/loop.h"

struct rw_timers {
    struct rw_timer *root;
};

/* t is not armed. */
void rw_timers_add(struct rw_timers *h, struct rw_timer *t);
/* t is armed and in this heap. */
void rw_timers_remove(struct rw_timers *h, struct rw_timer *t);
/* The earliest, NULL when there is none. */
struct rw_timer *rw_timers_first(const struct rw_timers *h);
