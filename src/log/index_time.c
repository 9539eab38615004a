/*
 * The time index: an entry (T, O) says that every record with a timestamp above T comes after offset
 * O. The last entry, forced at roll and close, holds the largest timestamp of the segment, which is
 * what retention by time looks at (Kafka's TimeIndex).
 */
#include "log/index.h"

void rw_time_entry_encode(struct rw_time_entry e, uint8_t ret_bytes[RW_TIME_ENTRY_SIZE])
{
    rw_store_be64(ret_bytes, (uint64_t)e.timestamp);
    rw_store_be32(ret_bytes + 8, (uint32_t)e.relative);
}

struct rw_time_entry rw_time_entry_decode(const uint8_t *p)
{
    return (struct rw_time_entry){(int64_t)rw_load_be64(p), (int32_t)rw_load_be32(p + 8)};
}

uint32_t rw_time_index_valid(const uint8_t *p, uint32_t n, int64_t relative_end)
{
    struct rw_time_entry before = {-1, -1};
    for (uint32_t i = 0; i < n; i++) {
        struct rw_time_entry e = rw_time_entry_decode(p + (size_t)i * RW_TIME_ENTRY_SIZE);
        if (e.timestamp <= before.timestamp || e.relative < before.relative ||
            e.relative >= relative_end)
            return i;
        before = e;
    }
    return n;
}
