/*
 * A simulated environment with one thread: disk, clock, random numbers, and mutexes that only check
 * their use. Everything that happens in it follows from the seed.
 */
#pragma once

#include "env/env.h"
#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/rand.h"

struct rw_sim_sync {
    struct rw_sync sync; /* first: the interface */
    struct rw_sim_clock *clock;
};

/* A wait without a limit is an assertion: with one thread nobody would wake it. A wait with a limit
 * moves the clock by it. */
void rw_sim_sync_init(struct rw_sim_sync *s, struct rw_sim_clock *clock);

struct rw_sim_env {
    struct rw_env env;
    struct rw_sim_clock clock;
    struct rw_sim_rand rand;
    struct rw_sim_sync sync;
    struct rw_sim_disk *disk;
};

/* Asserts that there is memory. */
void rw_sim_env_init(struct rw_sim_env *e, uint64_t seed,
                     const struct rw_sim_disk_options *options);
void rw_sim_env_deinit(struct rw_sim_env *e);
