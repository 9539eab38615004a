/* Time. Implementations embed struct rw_clock as their first member. Thread-safe. */
#pragma once

#include <stdint.h>

struct rw_clock {
    int64_t (*wall_ms)(struct rw_clock *c); /* Unix time, milliseconds; may jump */
    int64_t (*mono_us)(struct rw_clock *c); /* monotonic, microseconds, arbitrary start */
};

static inline int64_t rw_wall_ms(struct rw_clock *c)
{
    return c->wall_ms(c);
}

static inline int64_t rw_mono_us(struct rw_clock *c)
{
    return c->mono_us(c);
}
