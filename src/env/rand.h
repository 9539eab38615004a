/* Random bytes. Thread-safe; seeded and repeatable in the simulator. Never fails. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rw_rand {
    void (*fill)(struct rw_rand *r, void *p, size_t n);
};

static inline uint64_t rw_rand_u64(struct rw_rand *r)
{
    uint64_t v;
    r->fill(r, &v, sizeof(v));
    return v;
}
