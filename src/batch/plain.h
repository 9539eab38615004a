/*
 * One record of the usual kind into a builder, inline: what rw_builder_add() makes of it, byte for byte,
 * in a third of the instructions. For who adds many small records one after the other.
 *
 * Usual is: no headers, the offset after the last one, key and value of a few KB at most, deltas in three
 * bytes. Then no length takes more than two bytes and no limit can be reached but that of the memory, and
 * one compare says whether there is room. Everything is counted at the end, so that a record found to
 * be of another kind half-way leaves no trace. It never allocates: rw_builder_add() does, for all else.
 */
#pragma once

#include "base/varint.h"
#include "batch/batch.h"

/* Of key and of value: both together with all before them stay below the 8192 of a two-byte length. */
#define RW_PLAIN_MAX 4000

/* Length 2, attributes 1, deltas 3 and 3, lengths 2 and 2, headers count 1, and one spare byte. */
#define RW_PLAIN_OVERHEAD 15

/* At most three bytes; NULL: it needs more. */
static inline uint8_t *rw_plain_delta(uint8_t *p, uint64_t zigzag)
{
    if (zigzag < 0x80) {
        p[0] = (uint8_t)zigzag;
        return p + 1;
    }
    p[0] = (uint8_t)(zigzag | 0x80);
    if (zigzag < 0x4000) {
        p[1] = (uint8_t)(zigzag >> 7);
        return p + 2;
    }
    p[1] = (uint8_t)(zigzag >> 7 | 0x80);
    p[2] = (uint8_t)(zigzag >> 14);
    return zigzag < 0x200000 ? p + 3 : NULL;
}

/* A length of less than 8192. */
static inline uint8_t *rw_plain_length(uint8_t *p, size_t n)
{
    if (n < 0x40) {
        p[0] = (uint8_t)(n << 1);
        return p + 1;
    }
    p[0] = (uint8_t)(n << 1 | 0x80);
    p[1] = (uint8_t)(n >> 6);
    return p + 2;
}

/* 16 bytes at a time, the last ones perhaps twice. */
static inline void rw_plain_copy(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n >= 16 && n <= 256) {
        for (size_t i = 0; i < n - 16; i += 16)
            memcpy(to + i, from + i, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else {
        /* Knowing that n is small, the compiler would make it `rep movs`: 30 cycles to start it. */
        __asm__("" : "+r"(n));
        memcpy(to, from, n);
    }
}

static inline uint8_t *rw_plain_bytes(uint8_t *p, struct rw_slice s)
{
    if (!s.p) {
        *p = 1; /* -1 */
        return p + 1;
    }
    p = rw_plain_length(p, s.n);
    rw_plain_copy(p, s.p, s.n);
    return p + s.n;
}

/* Adds the record, or says false and changes nothing: then it is one for rw_builder_add(). */
static inline bool rw_builder_add_plain(struct rw_builder *b, int64_t timestamp,
                                        struct rw_slice key, struct rw_slice value)
{
    /* The first record of a batch sets what the others refer to, and brings the header's room. */
    if (!b->count || key.n > RW_PLAIN_MAX || value.n > RW_PLAIN_MAX ||
        b->records.cap - b->records.n < key.n + value.n + RW_PLAIN_OVERHEAD ||
        b->records.n > INT32_MAX / 2)
        return false;
    const int64_t offset = b->last_offset + 1;
    /* Unsigned: absurd timestamps wrap here and wrap back when read. */
    const int64_t after = (int64_t)((uint64_t)timestamp - (uint64_t)b->base_timestamp);
    uint8_t *start = b->records.p + b->records.n;
    /* With one byte for each field but the length: it takes the size that it probably has. */
    uint8_t *body = start + (key.n + value.n + 6 < 0x40 ? 1 : 2), *p = body;
    *p++ = 0;
    p = rw_plain_delta(p, rw_zigzag64(after));
    if (!p)
        return false;
    p = rw_plain_delta(p, rw_zigzag64(offset - b->base_offset));
    if (!p)
        return false;
    p = rw_plain_bytes(p, key);
    p = rw_plain_bytes(p, value);
    *p++ = 0;
    if (rw_plain_length(start, (size_t)(p - body)) != body)
        return false;
    /* The next record's lines: who appends one at a time takes a lock in between, which waits for them. */
    __builtin_prefetch(p + 128, 1);
    __builtin_prefetch(p + 192, 1);
    b->records.n = (size_t)(p - b->records.p);
    if (timestamp > b->max_timestamp)
        b->max_timestamp = timestamp;
    b->last_offset = offset;
    b->count++;
    return true;
}
