/* murmur2, 32 bits, as Kafka's org.apache.kafka.common.utils.Utils computes it: little-endian words. */
#include "client/murmur2.h"

#include <string.h>

uint32_t rw_murmur2(const void *p, size_t n)
{
    const uint32_t m = 0x5bd1e995;
    const uint8_t *at = p;
    uint32_t h = 0x9747b28c ^ (uint32_t)n;
    for (; n >= 4; n -= 4, at += 4) {
        uint32_t k;
        memcpy(&k, at, 4);
        k *= m;
        k ^= k >> 24;
        k *= m;
        h = h * m ^ k;
    }
    if (n > 2)
        h ^= (uint32_t)at[2] << 16;
    if (n > 1)
        h ^= (uint32_t)at[1] << 8;
    if (n > 0)
        h = (h ^ at[0]) * m;
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}
