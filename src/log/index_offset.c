/*
 * The offset index: one entry per index.interval.bytes of log. An entry names the last offset of a
 * batch and the position where that batch starts, so that the greatest entry <= an offset leads to a
 * batch at or before the one that contains it (Kafka's OffsetIndex).
 */
#include "log/index.h"

#include "batch/batch.h"

void rw_offset_entry_encode(struct rw_offset_entry e, uint8_t ret_bytes[RW_OFFSET_ENTRY_SIZE])
{
    rw_store_be32(ret_bytes, (uint32_t)e.relative);
    rw_store_be32(ret_bytes + 4, (uint32_t)e.position);
}

struct rw_offset_entry rw_offset_entry_decode(const uint8_t *p)
{
    return (struct rw_offset_entry){(int32_t)rw_load_be32(p), (int32_t)rw_load_be32(p + 4)};
}

uint32_t rw_offset_index_valid(const uint8_t *p, uint32_t n, uint64_t size)
{
    struct rw_offset_entry before = {-1, -1};
    for (uint32_t i = 0; i < n; i++) {
        struct rw_offset_entry e = rw_offset_entry_decode(p + (size_t)i * RW_OFFSET_ENTRY_SIZE);
        if (e.relative <= before.relative || e.position <= before.position ||
            (uint64_t)e.position >= size)
            return i;
        before = e;
    }
    return n;
}

bool rw_offset_entry_is_true(struct rw_offset_entry e, int64_t base, struct rw_file *log,
                             uint64_t size)
{
    uint8_t header[RW_BATCH_HEADER_SIZE];
    size_t got = 0;
    struct rw_batch batch;
    return (uint64_t)e.position + sizeof(header) <= size &&
           rw_file_read_at(log, (uint64_t)e.position, header, sizeof(header), &got) == RW_OK &&
           rw_batch_decode(header, got, &batch) == RW_OK && batch.base_offset >= base &&
           rw_batch_last_offset(&batch) == base + e.relative &&
           (uint64_t)e.position + rw_batch_size(&batch) <= size;
}
