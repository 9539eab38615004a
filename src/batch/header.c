/*
 * The 61-byte header of a record batch: decode, check, and patch in place.
 *
 * Invariant: what rw_batch_decode() accepts has a length that holds its header, a known magic and
 * codec, and offsets that do not overflow; everything else in this folder builds on that.
 * Not here: what the records say (records.c), and what a broker demands of a producer (validate.c).
 */
#include "batch/batch.h"

#include "base/assert.h"
#include "base/crc32c.h"

/* Offsets of the fields; the table in batch.h has the sizes. */
enum {
    AT_LENGTH = 8,
    AT_LEADER_EPOCH = 12,
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_ATTRIBUTES = 21,
    AT_LAST_OFFSET_DELTA = 23,
    AT_BASE_TIMESTAMP = 27,
    AT_MAX_TIMESTAMP = 35,
    AT_PRODUCER_ID = 43,
    AT_PRODUCER_EPOCH = 51,
    AT_BASE_SEQUENCE = 53,
    AT_RECORDS_COUNT = 57
};

RW_STATIC_ASSERT(AT_RECORDS_COUNT + 4 == RW_BATCH_HEADER_SIZE, "header layout");
RW_STATIC_ASSERT(AT_ATTRIBUTES == RW_BATCH_CRC_FROM, "the CRC starts at the attributes");

int rw_batch_decode(const void *p, size_t n, struct rw_batch *ret_batch)
{
    const uint8_t *h = p;
    /* All versions have the magic at the same place: an old message set, which may be shorter than
     * our header, is named as such instead of as short. */
    if (n > AT_MAGIC && h[AT_MAGIC] != RW_BATCH_MAGIC)
        return h[AT_MAGIC] < RW_BATCH_MAGIC ? RW_E_UNSUPPORTED : RW_E_CORRUPT;
    if (n < RW_BATCH_HEADER_SIZE)
        return RW_E_SHORT;
    struct rw_batch b = {
        .base_offset = (int64_t)rw_load_be64(h),
        .batch_length = (int32_t)rw_load_be32(h + AT_LENGTH),
        .leader_epoch = (int32_t)rw_load_be32(h + AT_LEADER_EPOCH),
        .magic = (int8_t)h[AT_MAGIC],
        .crc = rw_load_be32(h + AT_CRC),
        .attributes = rw_load_be16(h + AT_ATTRIBUTES),
        .last_offset_delta = (int32_t)rw_load_be32(h + AT_LAST_OFFSET_DELTA),
        .base_timestamp = (int64_t)rw_load_be64(h + AT_BASE_TIMESTAMP),
        .max_timestamp = (int64_t)rw_load_be64(h + AT_MAX_TIMESTAMP),
        .producer_id = (int64_t)rw_load_be64(h + AT_PRODUCER_ID),
        .producer_epoch = (int16_t)rw_load_be16(h + AT_PRODUCER_EPOCH),
        .base_sequence = (int32_t)rw_load_be32(h + AT_BASE_SEQUENCE),
        .records_count = (int32_t)rw_load_be32(h + AT_RECORDS_COUNT),
    };
    if (b.batch_length < RW_BATCH_HEADER_SIZE - RW_BATCH_PREFIX_SIZE || b.last_offset_delta < 0 ||
        b.records_count < 0)
        return RW_E_CORRUPT;
    /* The next offset (last + 1) must exist too. */
    if (b.base_offset < 0 || b.base_offset >= INT64_MAX - b.last_offset_delta)
        return RW_E_CORRUPT;
    if (rw_batch_codec(&b) > RW_CODEC_ZSTD)
        return RW_E_UNSUPPORTED;
    *ret_batch = b;
    return RW_OK;
}

uint32_t rw_batch_crc(const void *p, size_t size)
{
    RW_ASSERT(size >= RW_BATCH_HEADER_SIZE);
    return rw_crc32c(0, (const uint8_t *)p + RW_BATCH_CRC_FROM, size - RW_BATCH_CRC_FROM);
}

int rw_batch_check(const void *p, size_t n, struct rw_batch *ret_batch)
{
    struct rw_batch b;
    int code = rw_batch_decode(p, n, &b);
    if (code)
        return code;
    if (rw_batch_size(&b) > n)
        return RW_E_SHORT;
    if (rw_batch_crc(p, rw_batch_size(&b)) != b.crc)
        return RW_E_CORRUPT;
    *ret_batch = b;
    return RW_OK;
}

void rw_batch_set_base_offset(void *p, int64_t base_offset)
{
    rw_store_be64(p, (uint64_t)base_offset);
}

void rw_batch_set_leader_epoch(void *p, int32_t leader_epoch)
{
    rw_store_be32((uint8_t *)p + AT_LEADER_EPOCH, (uint32_t)leader_epoch);
}

void rw_batch_set_log_append_time(void *p, size_t size, int64_t now_ms)
{
    uint8_t *h = p;
    uint16_t attributes = rw_load_be16(h + AT_ATTRIBUTES);
    rw_store_be16(h + AT_ATTRIBUTES, attributes | RW_ATTR_LOG_APPEND_TIME);
    rw_batch_set_max_timestamp(p, size, now_ms);
}

void rw_batch_set_max_timestamp(void *p, size_t size, int64_t max_timestamp)
{
    uint8_t *h = p;
    rw_store_be64(h + AT_MAX_TIMESTAMP, (uint64_t)max_timestamp);
    rw_store_be32(h + AT_CRC, rw_batch_crc(p, size));
}
