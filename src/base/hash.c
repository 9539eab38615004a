/* Seeded hashes. Invariant: a pure function of (seed, input), the same on every machine. */
#include "base/hash.h"

#include <string.h>

/* Any odd numbers do; these are from the fraction of the golden ratio and of the square root of two. */
#define KEY_FROM_SEED UINT64_C(0x9E3779B97F4A7C15)
#define MIX_MULTIPLY  UINT64_C(0x6A09E667F3BCC909)

static uint64_t rotate(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t rw_hash_seeded(uint64_t seed, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t k0 = seed, k1 = rw_hash_int(seed, -1), last = (uint64_t)n << 56, m;
    uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&m, p, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    for (size_t i = 0; i < n; i++)
        last |= (uint64_t)p[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t rw_hash_int(uint64_t seed, int64_t key)
{
    uint64_t v = (uint64_t)key ^ seed;
    v = (v ^ v >> 32) * MIX_MULTIPLY;
    v = (v ^ v >> 29) * KEY_FROM_SEED;
    return v ^ v >> 32;
}
