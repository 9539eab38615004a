/*
 * Iterates the records of one batch.
 *
 * Invariant: a record's views stay inside [at, end), which is the batch itself or the scratch
 * buffer; they are valid until the next open on the same reader. Nothing that a batch says about
 * itself sizes memory: decompression is bounded by RW_DECOMPRESSED_MAX and grows with what really
 * comes out. Not here: the CRC (header.c); rules of a topic (validate.c).
 */
#include "batch/batch.h"

#include "batch/record.h"

/* Scratch memory up to this size is kept between batches; more is given back at the next open. */
#define SCRATCH_KEEP (8u << 20)

bool rw_take_any_record(const uint8_t **at, const uint8_t *end, struct rw_record_parts *ret)
{
    int32_t length;
    if (!rw_take_varint32(at, end, &length) || length < RW_RECORD_SIZE_MIN - 1 ||
        length > end - *at)
        return false;
    const uint8_t *p = *at + 1, *stop = *at + length;
    if (!rw_take_varint64(&p, stop, &ret->timestamp_delta) ||
        !rw_take_varint32(&p, stop, &ret->offset_delta) || !rw_take_bytes(&p, stop, &ret->key) ||
        !rw_take_bytes(&p, stop, &ret->value) || !rw_take_varint32(&p, stop, &ret->headers_count))
        return false;
    /* A header takes two bytes at least. */
    if (ret->headers_count < 0 || ret->headers_count > (stop - p) / 2 ||
        (ret->headers_count == 0 && p != stop))
        return false;
    ret->headers = rw_slice(p, (size_t)(stop - p));
    *at = stop;
    return true;
}

int rw_records_unpack(struct rw_records *r, const struct rw_batch *batch, const uint8_t *p)
{
    struct rw_slice in =
        rw_slice(p + RW_BATCH_HEADER_SIZE, rw_batch_size(batch) - RW_BATCH_HEADER_SIZE);
    if (r->scratch.cap > SCRATCH_KEEP)
        rw_buf_deinit(&r->scratch);
    /* An empty batch (compaction leaves them) carries no compressed block at all. */
    if (rw_batch_codec(batch) != RW_CODEC_NONE && batch->records_count > 0) {
        rw_buf_clear(&r->scratch);
        int code = rw_decompress_with(&r->codecs, rw_batch_codec(batch), in, RW_DECOMPRESSED_MAX,
                                      &r->scratch);
        if (code)
            return code;
        in = rw_slice(r->scratch.p, r->scratch.n);
    }
    /* Refuses a count that the bytes can not hold before anybody sizes something by it. */
    if ((size_t)batch->records_count > in.n / RW_RECORD_SIZE_MIN)
        return RW_E_CORRUPT;
    r->at = in.p;
    r->end = in.p + in.n;
    return RW_OK;
}

int rw_records_open(struct rw_records *r, const void *p, size_t n)
{
    struct rw_batch b;
    r->left = 0;
    int code = rw_batch_decode(p, n, &b);
    if (code)
        return code;
    if (rw_batch_size(&b) > n)
        return RW_E_SHORT;
    code = rw_records_unpack(r, &b, p);
    if (code)
        return code;
    r->batch = b;
    r->left = b.records_count;
    return RW_OK;
}

int rw_records_next(struct rw_records *r, struct rw_record *ret_record)
{
    struct rw_record_parts v;
    if (r->left == 0)
        return 0;
    const uint8_t *at = r->at;
    if (!rw_take_record(&at, r->end, &v) || v.offset_delta < 0 ||
        v.offset_delta > r->batch.last_offset_delta || !rw_headers_ok(v.headers, v.headers_count) ||
        (r->left == 1 && at != r->end)) {
        r->left = 0;
        return RW_E_CORRUPT;
    }
    r->at = at;
    r->left--;
    *ret_record = (struct rw_record){
        .offset = r->batch.base_offset + v.offset_delta,
        /* Unsigned: a hostile delta wraps instead of overflowing. */
        .timestamp =
            r->batch.attributes & RW_ATTR_LOG_APPEND_TIME
                ? r->batch.max_timestamp
                : (int64_t)((uint64_t)r->batch.base_timestamp + (uint64_t)v.timestamp_delta),
        .key = v.key,
        .value = v.value,
        .headers_count = v.headers_count,
        .headers = v.headers,
    };
    return 1;
}

void rw_records_deinit(struct rw_records *r)
{
    rw_buf_deinit(&r->scratch);
    rw_codecs_free(r->codecs);
    *r = (struct rw_records){0};
}

int rw_record_next_header(struct rw_slice *headers, struct rw_record_header *ret_header)
{
    if (headers->n == 0)
        return 0;
    const uint8_t *p = headers->p, *end = p + headers->n;
    struct rw_slice key, value;
    if (!rw_take_bytes(&p, end, &key) || !key.p || !rw_take_bytes(&p, end, &value))
        return RW_E_CORRUPT;
    *headers = rw_slice(p, (size_t)(end - p));
    ret_header->key = (struct rw_str){(const char *)key.p, (int32_t)key.n};
    ret_header->value = value;
    return 1;
}
