/*
 * Snappy, both directions (format description: google/snappy, format_description.txt; framing:
 * xerial/snappy-java).
 *
 * A raw block is the uncompressed length as a varint, then elements. The low two bits of an
 * element's first byte are its kind:
 *
 *   00 literal      upper six bits: length - 1, or 60..63: the length - 1 follows in 1..4 bytes
 *   01 copy         length 4..11 (bits 2-4), offset of 11 bits (bits 5-7 and one byte)
 *   10 copy         length 1..64 (upper six bits), offset in 2 bytes
 *   11 copy         the same, offset in 4 bytes
 *
 * Invariants: the decoder writes at most the announced length, which was compared with the limit
 * and with what the input could yield at best before any memory was taken; a copy never reaches
 * before the block's own output. The encoder compresses 64 KiB fragments on their own, so offsets
 * fit 16 bits. Not here: snappy's own framing format (.sz), which Kafka does not use.
 */
#include "batch/snappy.h"

#include <string.h>
#include "base/assert.h"
#include "base/bytes.h"
#include "base/varint.h"

#define XERIAL_HEADER_SIZE 16
#define XERIAL_BLOCK_SIZE  (32u << 10)
#define FRAGMENT_SIZE      (64u << 10)
#define HASH_BITS          13
/* The best an element can do is 64 bytes out of 3. */
#define EXPANSION_MAX 22

static const uint8_t magic[8] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};

/* ---- compress ---- */

static uint32_t load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static uint32_t hash4(uint32_t v)
{
    return (v * 0x9E3779B1u) >> (32 - HASH_BITS);
}

/* Snappy's own bound: 32 + n + n / 6. */
static size_t compressed_bound(size_t n)
{
    return 32 + n + n / 6;
}

static uint8_t *put_literal(uint8_t *o, const uint8_t *p, size_t n)
{
    uint32_t m = (uint32_t)n - 1;
    if (n == 0)
        return o;
    if (m < 60) {
        *o++ = (uint8_t)(m << 2);
    } else if (m < 256) {
        *o++ = 60 << 2;
        *o++ = (uint8_t)m;
    } else {
        *o++ = 61 << 2;
        *o++ = (uint8_t)m;
        *o++ = (uint8_t)(m >> 8);
    }
    memcpy(o, p, n);
    return o + n;
}

static uint8_t *put_copy_long(uint8_t *o, size_t offset, size_t n)
{
    *o++ = (uint8_t)((n - 1) << 2 | 2);
    *o++ = (uint8_t)offset;
    *o++ = (uint8_t)(offset >> 8);
    return o;
}

static uint8_t *put_copy(uint8_t *o, size_t offset, size_t n)
{
    /* The rest after a piece of 64 must be a legal and, if it can be, a short copy. */
    while (n >= 68) {
        o = put_copy_long(o, offset, 64);
        n -= 64;
    }
    if (n > 64) {
        o = put_copy_long(o, offset, 60);
        n -= 60;
    }
    if (n >= 12 || offset >= 2048)
        return put_copy_long(o, offset, n);
    *o++ = (uint8_t)((offset >> 8) << 5 | (n - 4) << 2 | 1);
    *o++ = (uint8_t)offset;
    return o;
}

static size_t match_length(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    const uint8_t *start = b;
    while (end - b >= 8) {
        uint64_t x = load64(a) ^ load64(b);
        if (x)
            return (size_t)(b - start) + (size_t)__builtin_ctzll(x) / 8;
        a += 8;
        b += 8;
    }
    while (b < end && *a == *b) {
        a++;
        b++;
    }
    return (size_t)(b - start);
}

static uint8_t *compress_fragment(const uint8_t *p, size_t n, uint16_t *table, uint8_t *o)
{
    const uint8_t *end = p + n, *at = p, *literal = p;
    /* Positions in the table are relative to p; 0 means "p itself", which is a true candidate or
     * one that the comparison below rejects. */
    memset(table, 0, sizeof(*table) << HASH_BITS);
    /* The further a search goes without a match, the larger its steps: text that does not compress
     * costs little. */
    uint32_t skip = 32;
    if (n < 16)
        return put_literal(o, p, n);
    for (at = p + 1; end - at >= 12;) {
        uint32_t v = load32(at), h = hash4(v);
        const uint8_t *candidate = p + table[h];
        table[h] = (uint16_t)(at - p);
        if (load32(candidate) != v || candidate >= at) {
            at += skip++ >> 5;
            continue;
        }
        o = put_literal(o, literal, (size_t)(at - literal));
        size_t length = 4 + match_length(candidate + 4, at + 4, end);
        o = put_copy(o, (size_t)(at - candidate), length);
        at += length;
        literal = at;
        skip = 32;
        if (end - at >= 12)
            table[hash4(load32(at - 1))] = (uint16_t)(at - 1 - p);
    }
    return put_literal(o, literal, (size_t)(end - literal));
}

int rw_snappy_compress_raw(struct rw_slice in, struct rw_buf *out)
{
    uint16_t table[1u << HASH_BITS];
    if (in.n > UINT32_MAX)
        return RW_E_TOO_BIG;
    size_t bound = compressed_bound(in.n);
    if (!rw_buf_reserve(out, bound))
        return RW_E_NOMEM;
    uint8_t *start = out->p + out->n, *o = start;
    o += rw_uvarint_put(o, in.n);
    for (size_t at = 0; at < in.n; at += FRAGMENT_SIZE) {
        size_t n = in.n - at < FRAGMENT_SIZE ? in.n - at : FRAGMENT_SIZE;
        o = compress_fragment(in.p + at, n, table, o);
    }
    RW_ASSERT((size_t)(o - start) <= bound);
    out->n += (size_t)(o - start);
    return RW_OK;
}

int rw_snappy_compress(struct rw_slice in, struct rw_buf *out)
{
    rw_buf_add(out, magic, sizeof(magic));
    rw_buf_add_be32(out, 1);
    rw_buf_add_be32(out, 1);
    for (size_t at = 0; at < in.n && !out->failed; at += XERIAL_BLOCK_SIZE) {
        size_t n = in.n - at < XERIAL_BLOCK_SIZE ? in.n - at : XERIAL_BLOCK_SIZE;
        size_t length_at = out->n;
        rw_buf_add_be32(out, 0);
        if (out->failed)
            break;
        int code = rw_snappy_compress_raw(rw_slice(in.p + at, n), out);
        if (code)
            return code;
        rw_store_be32(out->p + length_at, (uint32_t)(out->n - length_at - 4));
    }
    return out->failed ? RW_E_NOMEM : RW_OK;
}

/* ---- decompress ---- */

/* One element, decoded. */
struct element {
    bool literal;
    size_t length;
    size_t offset;
};

/* False: the input ends inside the element. */
static bool take_element(const uint8_t **at, const uint8_t *end, struct element *ret)
{
    static const uint8_t extra_bytes[4] = {0, 1, 2, 4};
    const uint8_t *p = *at;
    uint8_t tag = *p++;
    unsigned kind = tag & 3, extra = extra_bytes[kind];
    if (kind == 0)
        extra = tag >> 2 < 60 ? 0 : (unsigned)(tag >> 2) - 59;
    if (extra > (size_t)(end - p))
        return false;
    uint32_t v = 0;
    for (unsigned i = 0; i < extra; i++)
        v |= (uint32_t)p[i] << (8 * i);
    *at = p + extra;
    ret->literal = kind == 0;
    ret->offset = v;
    ret->length = (size_t)(tag >> 2) + 1;
    if (kind == 0 && extra)
        ret->length = (size_t)v + 1;
    if (kind == 1) {
        ret->length = 4 + ((tag >> 2) & 7);
        ret->offset = v | (uint32_t)(tag >> 5) << 8;
    }
    return true;
}

/* Copies n bytes from `offset` back; the ranges may overlap (a run). `slack` bytes may be written
 * beyond o + n. */
static void copy_back(uint8_t *o, size_t offset, size_t n, size_t slack)
{
    const uint8_t *from = o - offset;
    if (offset >= 16 && slack >= 16) {
        for (size_t i = 0; i < n; i += 16)
            memcpy(o + i, from + i, 16);
    } else if (offset >= n) {
        memcpy(o, from, n);
    } else {
        for (size_t i = 0; i < n; i++)
            o[i] = from[i];
    }
}

static int decompress_raw(struct rw_slice in, size_t max, struct rw_buf *out)
{
    uint32_t size;
    size_t used = rw_uvarint32_get(in.p, in.n, &size);
    if (used == 0 || size / EXPANSION_MAX > in.n)
        return RW_E_CORRUPT;
    if (size > max)
        return RW_E_TOO_BIG;
    uint8_t *o = rw_buf_extend(out, size);
    if (!o)
        return RW_E_NOMEM;
    const uint8_t *p = in.p + used, *end = in.p + in.n;
    uint8_t *start = o, *stop = o + size;
    while (p < end) {
        struct element e;
        if (!take_element(&p, end, &e) || e.length > (size_t)(stop - o))
            return RW_E_CORRUPT;
        size_t slack = (size_t)(stop - o) - e.length;
        if (e.literal) {
            if (e.length > (size_t)(end - p))
                return RW_E_CORRUPT;
            /* Most literals are short: a fixed-size copy is cheaper than a call. */
            if (e.length <= 16 && slack >= 16 && end - p >= 16)
                memcpy(o, p, 16);
            else
                memcpy(o, p, e.length);
            p += e.length;
        } else {
            if (e.offset == 0 || e.offset > (size_t)(o - start))
                return RW_E_CORRUPT;
            copy_back(o, e.offset, e.length, slack);
        }
        o += e.length;
    }
    return o == stop ? RW_OK : RW_E_CORRUPT;
}

int rw_snappy_decompress(struct rw_slice in, size_t max, struct rw_buf *out)
{
    if (in.n < sizeof(magic) || memcmp(in.p, magic, sizeof(magic)) != 0)
        return decompress_raw(in, max, out);
    /* The two version numbers are ignored, as Java does: some clients write them little-endian. */
    if (in.n < XERIAL_HEADER_SIZE)
        return RW_E_CORRUPT;
    size_t start = out->n, at = XERIAL_HEADER_SIZE;
    while (at < in.n) {
        if (in.n - at < 4)
            return RW_E_CORRUPT;
        size_t n = rw_load_be32(in.p + at);
        at += 4;
        if (n > in.n - at)
            return RW_E_CORRUPT;
        int code = decompress_raw(rw_slice(in.p + at, n), max - (out->n - start), out);
        if (code)
            return code;
        at += n;
    }
    return RW_OK;
}
