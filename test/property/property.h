/*
 * Property tests: random cases under a seed, compared with a simple model. A test runs seeds
 * [RW_SEED, RW_SEED + RW_SEEDS) (defaults 1 and 200) and names the seed when it fails, so that
 * `RW_SEED=1234 RW_SEEDS=1 TEST` repeats exactly that case. A long run: RW_SEEDS=100000.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

struct rw_random {
    uint64_t s;
};

/* SplitMix64 (Steele, Lea, Flood). */
static inline uint64_t rw_random_next(struct rw_random *r)
{
    uint64_t z = (r->s += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* 0 .. n - 1. */
static inline uint64_t rw_random_below(struct rw_random *r, uint64_t n)
{
    return rw_random_next(r) % n;
}

static inline uint64_t property_number(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);
    return s ? strtoull(s, NULL, 10) : otherwise;
}

/* The seed in work, 0 when none is: property_teardown() names it after a failure. */
static uint64_t property_seed;

static inline int property_teardown(void **state)
{
    (void)state;
    if (property_seed)
        print_message("failed with RW_SEED=%llu\n", (unsigned long long)property_seed);
    property_seed = 0;
    return 0;
}

#define property_test(f) cmocka_unit_test_teardown(f, property_teardown)

/* Runs one(random) for each seed. */
static inline void for_each_seed(void (*one)(struct rw_random *))
{
    uint64_t from = property_number("RW_SEED", 1), n = property_number("RW_SEEDS", 200);
    for (uint64_t i = 0; i < n; i++) {
        property_seed = from + i;
        struct rw_random r = {property_seed};
        one(&r);
    }
    property_seed = 0;
}
