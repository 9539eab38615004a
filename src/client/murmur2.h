/* The hash that Kafka's Java client chooses partitions with (murmur2, seed 0x9747b28c). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t rw_murmur2(const void *p, size_t n);

/* The partition of a key: the same for every client that follows the Java one. partitions > 0. */
static inline int32_t rw_key_partition(const void *key, size_t n, int32_t partitions)
{
    return (int32_t)(rw_murmur2(key, n) & 0x7fffffff) % partitions;
}
