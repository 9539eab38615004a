/*
 * Record batches as a client or a damaged file may send them. The first byte chooses: bit 0 repairs the
 * CRC, so that the fuzzer gets past it; bit 1 repairs the length; the other bits choose topic rules.
 */
#include <stdlib.h>
#include "base/assert.h"
#include "batch/batch.h"
#include "fuzz.h"

static uint64_t touch(struct rw_slice s)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum += s.p[i];
    return sum;
}

static void walk(const uint8_t *p, size_t n, bool must_work)
{
    struct rw_records r = {0};
    struct rw_record record;
    struct rw_record_header header;
    int64_t offset = -1;
    int16_t type;
    int32_t epoch;
    uint64_t sum = 0;
    int code = rw_records_open(&r, p, n);
    RW_ASSERT(code == RW_OK || !must_work);
    while (code == RW_OK && (code = rw_records_next(&r, &record)) == 1) {
        code = RW_OK;
        RW_ASSERT(record.offset >= r.batch.base_offset &&
                  record.offset <= rw_batch_last_offset(&r.batch));
        RW_ASSERT(record.offset > offset || !must_work);
        offset = record.offset;
        sum += touch(record.key) + touch(record.value);
        struct rw_slice headers = record.headers;
        for (int32_t i = 0; i < record.headers_count; i++) {
            RW_ASSERT(rw_record_next_header(&headers, &header) == 1);
            sum += touch(header.value) + touch(rw_slice(header.key.p, (size_t)header.key.n));
        }
        RW_ASSERT(headers.n == 0);
        if (rw_control_type(&record, &type, &epoch) == RW_OK)
            RW_ASSERT(type >= 0);
    }
    RW_ASSERT(code == RW_OK || !must_work);
    RW_ASSERT(sum != UINT64_MAX);
    rw_records_deinit(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t choice = data[0];
    size_t n = size - 1;
    uint8_t *p = fuzz_copy(data + 1, n);
    struct rw_batch b;
    if ((choice & 2) && n >= RW_BATCH_HEADER_SIZE)
        rw_store_be32(p + 8, (uint32_t)(n - RW_BATCH_PREFIX_SIZE));
    if ((choice & 1) && n >= RW_BATCH_HEADER_SIZE)
        rw_store_be32(p + 17, rw_batch_crc(p, n));
    if (rw_batch_check(p, n, &b) == RW_OK)
        walk(p, n, false);
    const struct rw_validate_rules rules = {
        .compacted = (choice & 4) != 0,
        .log_append_time = (choice & 8) != 0,
        .now_ms = 1700000000000,
        .timestamp_before_max_ms = (choice & 16) ? 1000 : INT64_MAX,
        .timestamp_after_max_ms = (choice & 16) ? 1000 : INT64_MAX,
        .batch_bytes_max = 1u << 20,
        .allow_zstd = (choice & 32) == 0,
        .from_client = (choice & 64) == 0,
    };
    struct rw_records scratch = {0};
    struct rw_validate_result result;
    if (rw_batch_validate(p, n, &rules, &scratch, &result) == RW_OK) {
        RW_ASSERT(rw_batch_check(p, n, &b) == RW_OK && b.crc == result.batch.crc);
        walk(p, n, true);
    } else {
        RW_ASSERT(result.why != NULL);
    }
    rw_records_deinit(&scratch);
    free(p);
    return 0;
}
