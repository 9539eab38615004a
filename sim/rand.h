/* Repeatable random numbers: xoshiro256** seeded by splitmix64. Same seed, same numbers. */
#pragma once

#include <stdbool.h>
#include "env/rand.h"

struct rw_sim_rand {
    struct rw_rand rand; /* first: the interface */
    uint64_t s[4];
};

void rw_sim_rand_init(struct rw_sim_rand *r, uint64_t seed);
uint64_t rw_sim_rand_next(struct rw_sim_rand *r);
/* Uniform in [0, n); n > 0. */
uint64_t rw_sim_rand_below(struct rw_sim_rand *r, uint64_t n);
/* True `percent` times out of a hundred. */
bool rw_sim_rand_chance(struct rw_sim_rand *r, unsigned percent);
