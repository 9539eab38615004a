/* MurmurHash2 (Austin Appleby, public domain algorithm) as Kafka's clients apply it to keys. */
#include "base/murmur2.h"

#include "base/assert.h"

#define SEED     0x9747b28cu
#define MULTIPLY 0x5bd1e995u

uint32_t rw_murmur2(struct rw_slice key)
{
    const uint8_t *p = key.p;
    size_t n = key.n;
    uint32_t h = SEED ^ (uint32_t)n;
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t k;
        memcpy(&k, p, 4);
        k *= MULTIPLY;
        k ^= k >> 24;
        h = (h * MULTIPLY) ^ (k * MULTIPLY);
    }
    if (n > 0) {
        for (size_t i = n; i-- > 0;)
            h ^= (uint32_t)p[i] << (8 * i);
        h *= MULTIPLY;
    }
    h ^= h >> 13;
    h *= MULTIPLY;
    return h ^ h >> 15;
}

int32_t rw_murmur2_partition(struct rw_slice key, int32_t n)
{
    RW_ASSERT(n > 0);
    return (int32_t)(rw_murmur2(key) & 0x7fffffff) % n;
}
