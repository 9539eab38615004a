/* The generator of David Blackman and Sebastiano Vigna (https://prng.di.unimi.it/). */
#include "sim/rand.h"

#include <string.h>

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rw_sim_rand_next(struct rw_sim_rand *r)
{
    uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

static void fill(struct rw_rand *rand, void *p, size_t n)
{
    struct rw_sim_rand *r = (struct rw_sim_rand *)rand;
    char *at = p;
    while (n > 0) {
        uint64_t v = rw_sim_rand_next(r);
        size_t k = n < sizeof(v) ? n : sizeof(v);
        memcpy(at, &v, k);
        at += k;
        n -= k;
    }
}

void rw_sim_rand_init(struct rw_sim_rand *r, uint64_t seed)
{
    r->rand = (struct rw_rand){.fill = fill};
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        r->s[i] = z ^ (z >> 31);
    }
}

/* Multiply-shift; the bias of 2^-64 * n does not matter here. */
uint64_t rw_sim_rand_below(struct rw_sim_rand *r, uint64_t n)
{
    return (uint64_t)((unsigned __int128)rw_sim_rand_next(r) * n >> 64);
}

bool rw_sim_rand_chance(struct rw_sim_rand *r, unsigned percent)
{
    return rw_sim_rand_below(r, 100) < percent;
}
