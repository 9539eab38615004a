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

/* Kept out of the way of the short ones. */
static __attribute__((noinline, cold)) uint8_t *put_long_varint(uint8_t *p, uint64_t zigzag)
{
    return p + rw_uvarint_put(p, zigzag);
}

/* Nearly all take one or two bytes. */
RW_TAKE uint8_t *put_varint(uint8_t *p, uint64_t zigzag)
{
    if (zigzag < 0x80) {
        p[0] = (uint8_t)zigzag;
        return p + 1;
    }
    if (__builtin_expect(zigzag >= 0x4000, 0))
        return put_long_varint(p, zigzag);
    p[0] = (uint8_t)(zigzag | 0x80);
    p[1] = (uint8_t)(zigzag >> 7);
    return p + 2;
}

RW_TAKE uint8_t *put_varint32(uint8_t *p, int32_t v)
{
    return put_varint(p, rw_zigzag32(v));
}

RW_TAKE uint8_t *put_bytes(uint8_t *p, struct rw_slice s)
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

/* The size of a record's length. */
RW_TAKE size_t sizeof_length(size_t n)
{
    return n < 0x40 ? 1 : n < 0x2000 ? 2 : sizeof_varint32((int32_t)n);
}

/* Where a record lands relative to the batch. */
struct place {
    int64_t offset, base_timestamp, timestamp_delta;
    int32_t offset_delta;
};

RW_TAKE int find_place(const struct rw_builder *b, const struct rw_record *record,
                       struct place *ret_place)
{
    /* The last offset is never more than one below the base. */
    int64_t offset = record->offset > b->last_offset ? record->offset : b->last_offset + 1;
    if (offset - b->base_offset > INT32_MAX - 1) /* then there are fewer records too */
        return RW_E_TOO_BIG;
    bool sets_base = b->count == 0 && !(b->attributes & RW_ATTR_DELETE_HORIZON);
    int64_t base = sets_base ? record->timestamp : b->base_timestamp;
    *ret_place = (struct place){
        .offset = offset,
        .base_timestamp = base,
        /* Unsigned: absurd timestamps wrap here and wrap back when read. */
        .timestamp_delta = (int64_t)((uint64_t)record->timestamp - (uint64_t)base),
        .offset_delta = (int32_t)(offset - b->base_offset),
    };
    return RW_OK;
}

/* Room for n more bytes behind what is there, which is not counted yet; NULL when memory is refused. */
RW_TAKE uint8_t *room_for(struct rw_buf *b, size_t n)
{
    if (__builtin_expect(b->cap - b->n <= n, 0) && !rw_buf_reserve(b, n)) {
        /* The record is refused, not the batch: what is in the buffer is still whole. */
        b->failed = false;
        return NULL;
    }
    return b->p + b->n;
}

/* Appends everything before the headers' bytes; `headers_size` is what the caller writes next. The length
 * comes first and is known last: room is left for the size that it probably has. */
RW_TAKE int add(struct rw_builder *b, const struct rw_record *record, int32_t headers_count,
                size_t headers_size, uint8_t **ret_at)
{
    struct place at;
    int code = find_place(b, record, &at);
    if (code)
        return code;
    if ((record->key.n | record->value.n | headers_size) > RECORDS_MAX)
        return RW_E_TOO_BIG;
    size_t payload = record->key.n + record->value.n + headers_size;
    if (b->records.n + payload + RW_RECORD_OVERHEAD_MAX > RECORDS_MAX)
        return RW_E_TOO_BIG;
    size_t before = b->records.n ? 0 : RW_BATCH_HEADER_SIZE;
    uint8_t *start = room_for(&b->records, before + payload + RW_RECORD_OVERHEAD_MAX);
    if (!start)
        return RW_E_NOMEM;
    start += before;
    size_t guess = sizeof_length(payload + RW_RECORD_SIZE_MIN);
    uint8_t *body = start + guess, *p = body;
    *p++ = 0;
    p = put_varint(p, rw_zigzag64(at.timestamp_delta));
    p = put_varint32(p, at.offset_delta);
    p = put_bytes(p, record->key);
    p = put_bytes(p, record->value);
    p = put_varint32(p, headers_count);
    size_t length = (size_t)(p - body) + headers_size, taken = sizeof_length(length);
    if (__builtin_expect(taken != guess, 0)) {
        memmove(start + taken, body, (size_t)(p - body));
        p = start + taken + (p - body);
    }
    put_varint32(start, (int32_t)length);
    *ret_at = p;

    b->records.n = (size_t)(p - b->records.p) + headers_size;
    b->base_timestamp = at.base_timestamp;
    if (record->timestamp > b->max_timestamp)
        b->max_timestamp = record->timestamp;
    b->last_offset = at.offset;
    b->count++;
    return RW_OK;
}

static int add_with_headers(struct rw_builder *b, const struct rw_record *record,
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

int rw_builder_add(struct rw_builder *b, const struct rw_record *record,
                   const struct rw_record_header *headers, size_t headers_count)
{
    uint8_t *end;
    return headers_count ? add_with_headers(b, record, headers, headers_count)
                         : add(b, record, 0, 0, &end);
}

int rw_builder_copy(struct rw_builder *b, const struct rw_record *record)
{
    uint8_t *p;
    int code = add(b, record, record->headers_count, record->headers.n, &p);
    if (code == RW_OK && record->headers.n)
        memcpy(p, record->headers.p, record->headers.n);
    return code;
}

static struct rw_batch header_of(const struct rw_builder *b, size_t size)
{
    int64_t delta = b->last_offset - b->base_offset;
    return (struct rw_batch){
        .base_offset = b->base_offset,
        .batch_length = (int32_t)(size - RW_BATCH_PREFIX_SIZE),
        .leader_epoch = b->leader_epoch,
        .magic = RW_BATCH_MAGIC,
        .attributes =
            (uint16_t)((b->attributes & ~(unsigned)RW_ATTR_CODEC_MASK) | (unsigned)b->codec),
        .last_offset_delta = delta < 0 ? 0 : (int32_t)delta,
        .base_timestamp = b->base_timestamp,
        .max_timestamp = b->max_timestamp,
        .producer_id = b->producer_id,
        .producer_epoch = b->producer_epoch,
        .base_sequence = b->base_sequence,
        .records_count = b->count,
    };
}

/* With the CRC, which is only known then. */
static void put_header(struct rw_batch *b, uint8_t *h, size_t size)
{
    rw_store_be64(h, (uint64_t)b->base_offset);
    rw_store_be32(h + 8, (uint32_t)b->batch_length);
    rw_store_be32(h + 12, (uint32_t)b->leader_epoch);
    h[16] = RW_BATCH_MAGIC;
    rw_store_be16(h + 21, b->attributes);
    rw_store_be32(h + 23, (uint32_t)b->last_offset_delta);
    rw_store_be64(h + 27, (uint64_t)b->base_timestamp);
    rw_store_be64(h + 35, (uint64_t)b->max_timestamp);
    rw_store_be64(h + 43, (uint64_t)b->producer_id);
    rw_store_be16(h + 51, (uint16_t)b->producer_epoch);
    rw_store_be32(h + 53, (uint32_t)b->base_sequence);
    rw_store_be32(h + 57, (uint32_t)b->records_count);
    b->crc = rw_batch_crc(h, size);
    rw_store_be32(h + 17, b->crc);
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
    b->header = header_of(b, to->n);
    put_header(&b->header, to->p, to->n);
    b->finished = to;
    *ret_batch = rw_slice(to->p, to->n);
    return RW_OK;
}
