/*
 * Builds one record batch: records first, header and compression at the end.
 *
 * Invariant: b->records is empty, or holds room for the header and b->count whole records; a record that
 * does not fit (memory, limits) leaves no trace. Without compression that buffer is the finished batch:
 * the records are copied once, by rw_builder_add(). The finished batch never exceeds INT32_MAX bytes.
 * Not here: splitting what is too large for a topic; the caller asks rw_builder_size() first.
 */
#include "batch/batch.h"

#include <string.h>
#include "base/varint.h"
#include "batch/record.h"

/* Room for the header and for what an incompressible block grows by. */
#define RECORDS_MAX ((size_t)INT32_MAX - (16u << 20))

void rw_builder_init(struct rw_builder *b)
{
    *b = (struct rw_builder){
        .last_offset = -1,
        .base_timestamp = RW_NO_TIMESTAMP,
        .max_timestamp = RW_NO_TIMESTAMP,
        .producer_id = RW_NO_PRODUCER_ID,
        .producer_epoch = RW_NO_PRODUCER_EPOCH,
        .base_sequence = RW_NO_SEQUENCE,
        .leader_epoch = RW_NO_LEADER_EPOCH,
        .codec = RW_CODEC_NONE,
        .level = RW_LEVEL_DEFAULT,
    };
}

void rw_builder_deinit(struct rw_builder *b)
{
    rw_buf_deinit(&b->records);
    rw_buf_deinit(&b->out);
    rw_codecs_free(b->codecs);
    rw_builder_init(b);
}

void rw_builder_reset(struct rw_builder *b, int64_t base_offset)
{
    rw_buf_clear(&b->records);
    rw_buf_clear(&b->out);
    b->finished = NULL;
    b->count = 0;
    b->base_offset = base_offset;
    b->last_offset = base_offset - 1;
    b->base_timestamp = RW_NO_TIMESTAMP;
    b->max_timestamp = RW_NO_TIMESTAMP;
}

static uint8_t *put_varint(uint8_t *p, uint64_t zigzag)
{
    /* Nearly all take one or two bytes. */
    if (zigzag < 0x80) {
        p[0] = (uint8_t)zigzag;
        return p + 1;
    }
    if (zigzag < 0x4000) {
        p[0] = (uint8_t)(zigzag | 0x80);
        p[1] = (uint8_t)(zigzag >> 7);
        return p + 2;
    }
    return p + rw_uvarint_put(p, zigzag);
}

static uint8_t *put_varint32(uint8_t *p, int32_t v)
{
    return put_varint(p, rw_zigzag32(v));
}

static uint8_t *put_bytes(uint8_t *p, struct rw_slice s)
{
    p = put_varint32(p, s.p ? (int32_t)s.n : -1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p + s.n;
}

static size_t sizeof_varint32(int32_t v)
{
    return rw_uvarint_size(rw_zigzag32(v));
}

static size_t sizeof_bytes(struct rw_slice s)
{
    return sizeof_varint32(s.p ? (int32_t)s.n : -1) + s.n;
}

/* Where a record lands relative to the batch. */
struct place {
    int64_t offset, base_timestamp, timestamp_delta;
    int32_t offset_delta;
};

static int find_place(const struct rw_builder *b, const struct rw_record *record,
                      struct place *ret_place)
{
    struct place at = {.offset = b->last_offset + 1, .base_timestamp = b->base_timestamp};
    if (record->offset > b->last_offset && record->offset >= b->base_offset)
        at.offset = record->offset;
    if (at.offset - b->base_offset > INT32_MAX - 1 || b->count == INT32_MAX)
        return RW_E_TOO_BIG;
    if (b->count == 0 && !(b->attributes & RW_ATTR_DELETE_HORIZON))
        at.base_timestamp = record->timestamp;
    /* Unsigned: absurd timestamps wrap here and wrap back when read. */
    at.timestamp_delta = (int64_t)((uint64_t)record->timestamp - (uint64_t)at.base_timestamp);
    at.offset_delta = (int32_t)(at.offset - b->base_offset);
    *ret_place = at;
    return RW_OK;
}

/* Appends everything before the headers' bytes; `headers_size` is what the caller writes next. */
static int add(struct rw_builder *b, const struct rw_record *record, int32_t headers_count,
               size_t headers_size, uint8_t **ret_at)
{
    struct place at;
    int code = find_place(b, record, &at);
    if (code)
        return code;
    size_t most = RECORDS_MAX - b->records.n;
    if (record->key.n > most || record->value.n > most || headers_size > most ||
        record->key.n + record->value.n + headers_size + RW_RECORD_OVERHEAD_MAX > most)
        return RW_E_TOO_BIG;
    size_t length = 1 + rw_uvarint_size(rw_zigzag64(at.timestamp_delta)) +
                    sizeof_varint32(at.offset_delta) + sizeof_bytes(record->key) +
                    sizeof_bytes(record->value) + sizeof_varint32(headers_count) + headers_size;
    size_t room = b->records.n ? 0 : RW_BATCH_HEADER_SIZE;
    uint8_t *p = rw_buf_extend(&b->records, room + sizeof_varint32((int32_t)length) + length);
    if (!p) {
        /* The record is refused, not the batch: what is in the buffer is still whole. */
        b->records.failed = false;
        return RW_E_NOMEM;
    }
    p = put_varint32(p + room, (int32_t)length);
    *p++ = 0;
    p = put_varint(p, rw_zigzag64(at.timestamp_delta));
    p = put_varint32(p, at.offset_delta);
    p = put_bytes(p, record->key);
    p = put_bytes(p, record->value);
    *ret_at = put_varint32(p, headers_count);

    b->base_timestamp = at.base_timestamp;
    if (record->timestamp > b->max_timestamp)
        b->max_timestamp = record->timestamp;
    b->last_offset = at.offset;
    b->count++;
    return RW_OK;
}

int rw_builder_add(struct rw_builder *b, const struct rw_record *record,
                   const struct rw_record_header *headers, size_t headers_count)
{
    size_t size = 0;
    if (headers_count > INT32_MAX)
        return RW_E_TOO_BIG;
    for (size_t i = 0; i < headers_count; i++) {
        if (headers[i].key.n < 0)
            return RW_E_INVAL;
        if (headers[i].value.n > RECORDS_MAX)
            return RW_E_TOO_BIG;
        size += sizeof_varint32(headers[i].key.n) + (size_t)headers[i].key.n +
                sizeof_bytes(headers[i].value);
        if (size > RECORDS_MAX)
            return RW_E_TOO_BIG;
    }
    uint8_t *p;
    int code = add(b, record, (int32_t)headers_count, size, &p);
    if (code)
        return code;
    for (size_t i = 0; i < headers_count; i++) {
        /* An empty key may have no address; its slice must not read as null. */
        const char *key = headers[i].key.n ? headers[i].key.p : "";
        p = put_bytes(p, rw_slice(key, (size_t)headers[i].key.n));
        p = put_bytes(p, headers[i].value);
    }
    return RW_OK;
}

int rw_builder_copy(struct rw_builder *b, const struct rw_record *record)
{
    uint8_t *p;
    int code = add(b, record, record->headers_count, record->headers.n, &p);
    if (code == RW_OK && record->headers.n)
        memcpy(p, record->headers.p, record->headers.n);
    return code;
}

size_t rw_builder_size(const struct rw_builder *b)
{
    return b->records.n ? b->records.n : RW_BATCH_HEADER_SIZE;
}

static void put_header(const struct rw_builder *b, uint8_t *h, size_t size)
{
    int64_t delta = b->last_offset - b->base_offset;
    rw_store_be64(h, (uint64_t)b->base_offset);
    rw_store_be32(h + 8, (uint32_t)(size - RW_BATCH_PREFIX_SIZE));
    rw_store_be32(h + 12, (uint32_t)b->leader_epoch);
    h[16] = RW_BATCH_MAGIC;
    rw_store_be16(h + 21,
                  (uint16_t)((b->attributes & ~(unsigned)RW_ATTR_CODEC_MASK) | (unsigned)b->codec));
    rw_store_be32(h + 23, delta < 0 ? 0 : (uint32_t)delta);
    rw_store_be64(h + 27, (uint64_t)b->base_timestamp);
    rw_store_be64(h + 35, (uint64_t)b->max_timestamp);
    rw_store_be64(h + 43, (uint64_t)b->producer_id);
    rw_store_be16(h + 51, (uint16_t)b->producer_epoch);
    rw_store_be32(h + 53, (uint32_t)b->base_sequence);
    rw_store_be32(h + 57, (uint32_t)b->count);
    rw_store_be32(h + 17, rw_batch_crc(h, size));
}

int rw_builder_finish(struct rw_builder *b, struct rw_slice *ret_batch)
{
    struct rw_buf *to = b->count && b->codec == RW_CODEC_NONE ? &b->records : &b->out;
    if (b->last_offset - b->base_offset > INT32_MAX - 1)
        return RW_E_TOO_BIG;
    if (to == &b->out) {
        rw_buf_clear(to);
        if (!rw_buf_extend(to, RW_BATCH_HEADER_SIZE))
            return RW_E_NOMEM;
        int code = RW_OK;
        if (b->count)
            code = rw_compress_with(
                &b->codecs, b->codec, b->level,
                rw_slice(b->records.p + RW_BATCH_HEADER_SIZE, b->records.n - RW_BATCH_HEADER_SIZE),
                to);
        if (code)
            return code;
    }
    if (to->n > INT32_MAX)
        return RW_E_TOO_BIG;
    put_header(b, to->p, to->n);
    b->finished = to;
    *ret_batch = rw_slice(to->p, to->n);
    return RW_OK;
}
