/* The hash of Kafka's default partitioner: MurmurHash2, 32 bits, with the seed of its Java clients. */
#pragma once

#include <stdint.h>
#include "base/slice.h"

uint32_t rw_murmur2(struct rw_slice key);
/* The partition of a key among n > 0: the sign bit is dropped ("toPositive"), not negated. */
int32_t rw_murmur2_partition(struct rw_slice key, int32_t n);
