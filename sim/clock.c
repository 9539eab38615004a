/* Time that passes only when told to. */
#include "sim/clock.h"

#include "base/assert.h"

static int64_t wall_ms(struct rw_clock *c)
{
    return ((struct rw_sim_clock *)c)->wall_ms + ((struct rw_sim_clock *)c)->mono_us / 1000;
}

static int64_t mono_us(struct rw_clock *c)
{
    return ((struct rw_sim_clock *)c)->mono_us;
}

void rw_sim_clock_init(struct rw_sim_clock *c)
{
    *c = (struct rw_sim_clock){
        .clock = {.wall_ms = wall_ms, .mono_us = mono_us}, .wall_ms = 1704067200000, .mono_us = 0};
}

void rw_sim_clock_advance(struct rw_sim_clock *c, int64_t us)
{
    RW_ASSERT(us >= 0);
    c->mono_us += us;
}
