/*
 * Private to batch/: takes one record apart. Shared by the iterator and by the validator, inline
 * because the validator's speed is the speed of this function.
 *
 *   length          varint   bytes after this field
 *   attributes      1 byte   unused
 *   timestamp_delta varlong
 *   offset_delta    varint
 *   key length      varint   -1 null
 *   key
 *   value length    varint   -1 null
 *   value
 *   headers count   varint
 *   headers         key length (never null), key, value length (-1 null), value; all varints
 */
#pragma once

#include "base/varint.h"
#include "batch/batch.h"

/* The compiler's own judgement leaves calls in the validator's loop: a third of its speed. */
#define RW_TAKE static inline __attribute__((always_inline))

/* The smallest record: one byte for each of its seven fields. */
#define RW_RECORD_SIZE_MIN 7

/* Six varints of at most 5 bytes, one of 10, and the attributes. */
#define RW_RECORD_OVERHEAD_MAX (5 * 5 + 10 + 1)

struct rw_record_parts {
    int64_t timestamp_delta;
    int32_t offset_delta;
    int32_t headers_count;
    struct rw_slice key, value, headers;
};

/* Nearly all lengths and deltas take one to three bytes, and a batch's records take the same number
 * each, so these branches are predicted; the loop is for the rest. 0: bad or short. */
RW_TAKE size_t rw_short_uvarint(const uint8_t *p, const uint8_t *end, uint32_t *ret)
{
    ptrdiff_t left = end - p;
    if (__builtin_expect(left < 1, 0))
        return 0;
    if (p[0] < 0x80) {
        *ret = p[0];
        return 1;
    }
    if (left < 2)
        return 0;
    if (p[1] < 0x80) {
        *ret = (p[0] & 0x7fu) | (uint32_t)p[1] << 7;
        return 2;
    }
    if (left < 3 || p[2] >= 0x80)
        return 0;
    *ret = (p[0] & 0x7fu) | (p[1] & 0x7fu) << 7 | (uint32_t)p[2] << 14;
    return 3;
}

/* False: bad or short. */
RW_TAKE bool rw_take_varint32(const uint8_t **at, const uint8_t *end, int32_t *ret)
{
    uint32_t v;
    size_t n = rw_short_uvarint(*at, end, &v);
    if (__builtin_expect(n == 0, 0))
        n = rw_uvarint32_get(*at, (size_t)(end - *at), &v);
    *at += n;
    if (__builtin_expect(n == 0, 0))
        return false;
    *ret = rw_unzigzag32(v);
    return true;
}

RW_TAKE bool rw_take_varint64(const uint8_t **at, const uint8_t *end, int64_t *ret)
{
    uint32_t v;
    size_t n = rw_short_uvarint(*at, end, &v);
    if (__builtin_expect(n != 0, 1)) {
        *ret = rw_unzigzag64(v);
        *at += n;
        return true;
    }
    n = rw_varint64_get(*at, (size_t)(end - *at), ret);
    *at += n;
    return n != 0;
}

/* Length and that many bytes; -1 is null. */
RW_TAKE bool rw_take_bytes(const uint8_t **at, const uint8_t *end, struct rw_slice *ret)
{
    int32_t n;
    if (!rw_take_varint32(at, end, &n))
        return false;
    if (n < 0) {
        *ret = (struct rw_slice){NULL, 0};
        return n == -1;
    }
#ifndef RW_PLANT_BUG_RECORD_LENGTH /* script/fuzz --canary leaves the check out, to be caught */
    if (n > end - *at)
        return false;
#endif
    *ret = rw_slice(*at, (size_t)n);
    *at += n;
    return true;
}

/* Takes one record off [*at, end), whatever it looks like. Headers are not looked into (records.c). */
bool rw_take_any_record(const uint8_t **at, const uint8_t *end, struct rw_record_parts *ret);

/* The fields before the key's bytes, when each varint takes three bytes at most. */
#define RW_RECORD_NEAR 16

/* A varint of one to three bytes where three bytes are there. False: it is longer. */
RW_TAKE bool rw_near_uvarint(const uint8_t **at, uint32_t *ret)
{
    const uint8_t *p = *at;
    if (p[0] < 0x80) {
        *ret = p[0];
        *at = p + 1;
    } else if (p[1] < 0x80) {
        *ret = (p[0] & 0x7fu) | (uint32_t)p[1] << 7;
        *at = p + 2;
    } else if (p[2] < 0x80) {
        *ret = (p[0] & 0x7fu) | (p[1] & 0x7fu) << 7 | (uint32_t)p[2] << 14;
        *at = p + 3;
    } else {
        return false;
    }
    return true;
}

/* A length, where below zero is only -1 and means null, and that many bytes before `stop`. */
RW_TAKE bool rw_near_bytes(const uint8_t **at, const uint8_t *stop, struct rw_slice *ret)
{
    uint32_t n;
    if (!rw_near_uvarint(at, &n))
        return false;
    if (n & 1) {
        *ret = (struct rw_slice){NULL, 0};
        return n == rw_zigzag32(-1);
    }
    if ((ptrdiff_t)(n >> 1) > stop - *at)
        return false;
    *ret = rw_slice(*at, n >> 1);
    *at += n >> 1;
    return true;
}

/*
 * Takes a record of the usual form: short varints, and so much behind it that only what has a length
 * of its own can reach over the end. False, and *at as it was: of another form, or bad. Fields may be
 * read beyond the record's own end, but then the place where they should have ended is missed.
 */
RW_TAKE bool rw_take_near_record(const uint8_t **at, const uint8_t *end,
                                 struct rw_record_parts *ret)
{
    const uint8_t *p = *at;
    uint32_t length, timestamp_delta, offset_delta, headers_count = 0;
    if (end - p < RW_RECORD_NEAR || !rw_near_uvarint(&p, &length))
        return false;
    if ((length & 1) || (ptrdiff_t)(length >> 1) > end - p)
        return false;
    const uint8_t *stop = p + (length >> 1);
    p++;
    if (!rw_near_uvarint(&p, &timestamp_delta) || !rw_near_uvarint(&p, &offset_delta) ||
        !rw_near_bytes(&p, stop, &ret->key) || end - p < 3 || !rw_near_bytes(&p, stop, &ret->value))
        return false;
    if (stop - p == 1 && *p == 0)
        p = stop;
    else if (end - p < 3 || !rw_near_uvarint(&p, &headers_count) || (headers_count & 1) ||
             (ptrdiff_t)headers_count > stop - p || headers_count == 0)
        return false;
    ret->timestamp_delta = rw_unzigzag64(timestamp_delta);
    ret->offset_delta = rw_unzigzag32(offset_delta);
    ret->headers_count = (int32_t)(headers_count >> 1);
    ret->headers = rw_slice(p, (size_t)(stop - p));
    *at = stop;
    return true;
}

RW_TAKE bool rw_take_record(const uint8_t **at, const uint8_t *end, struct rw_record_parts *ret)
{
    if (__builtin_expect(rw_take_near_record(at, end, ret), 1))
        return true;
    /* By copies, so that the compiler may keep the caller's in registers. */
    const uint8_t *p = *at;
    struct rw_record_parts any;
    if (!rw_take_any_record(&p, end, &any))
        return false;
    *at = p;
    *ret = any;
    return true;
}

/* True when `headers` is exactly `count` well-formed headers. */
static inline bool rw_headers_ok(struct rw_slice headers, int32_t count)
{
    const uint8_t *p = headers.p, *end = headers.p + headers.n;
    struct rw_slice s;
    while (count-- > 0)
        if (!rw_take_bytes(&p, end, &s) || !s.p || !rw_take_bytes(&p, end, &s))
            return false;
    return p == end;
}

/* The records of a batch: the bytes after the header, or their decompressed form in r->scratch.
 * Sets r->at and r->end. The batch must be decoded and whole. */
RW_MUST int rw_records_unpack(struct rw_records *r, const struct rw_batch *batch, const uint8_t *p);
