/*
 * Records of the usual kind into a builder, inline: what rw_builder_add() makes of them, byte for byte,
 * in a third of the instructions. For who adds many small records one after the other.
 *
 * Usual is: no headers, the offset after the last one, key and value of a few KB at most, deltas in three
 * bytes. Then no length takes more than two bytes and no limit can be reached but that of the memory, and
 * one compare says whether there is room. Everything is counted at the end, so that a record found to
 * be of another kind half-way leaves no trace. It never allocates: rw_builder_add() does, for all else.
 */
#pragma once

#include "base/bytes.h"
#include "base/copy.h"
#include "base/varint.h"
#include "batch/batch.h"

/* Of key and of value; of longer ones the copy is most of the work, and memcpy() copies long ones faster. A
 * power of two less one. */
#define RW_PLAIN_MAX 1023

/* Length 2, attributes 1, deltas 3 and 3, lengths 2 and 2, headers count 1, and one spare byte. */
#define RW_PLAIN_OVERHEAD 15

/* Where the next usual record goes: what of a builder changes from record to record, in a place of its own,
 * because a store of a record's byte might change the builder, for all that the compiler knows. */
struct rw_plain {
    uint8_t *p;
    const uint8_t *end;
    uint64_t offset_delta;
    int64_t base_timestamp, max_timestamp;
};

/* Two bytes at most. */
static inline uint8_t *rw_plain_short(uint8_t *p, size_t zigzag)
{
    if (zigzag < 0x80) {
        p[0] = (uint8_t)zigzag;
        return p + 1;
    }
    /* What is above the low seven bits moves up by one: little-endian, as bytes.h says. */
    const size_t both = zigzag + (zigzag & ~(size_t)0x7f) + 0x80;
    memcpy(p, &both, 2);
    return p + 2;
}

/* At most three bytes; NULL: it needs more. */
static inline uint8_t *rw_plain_delta(uint8_t *p, uint64_t zigzag)
{
    if (__builtin_expect(zigzag < 0x4000, 1))
        return rw_plain_short(p, zigzag);
    p[0] = (uint8_t)(zigzag | 0x80);
    p[1] = (uint8_t)(zigzag >> 7 | 0x80);
    p[2] = (uint8_t)(zigzag >> 14);
    return zigzag < 0x200000 ? p + 3 : NULL;
}

static inline uint8_t *rw_plain_bytes(uint8_t *p, struct rw_slice s)
{
    if (!s.p) {
        *p = 1; /* -1 */
        return p + 1;
    }
    p = rw_plain_short(p, s.n << 1);
    rw_copy_short(p, s.p, s.n);
    return p + s.n;
}

/* Behind what is in the builder, which is not to become larger than `most`; `timestamp` is the next record's. */
static inline struct rw_plain rw_plain_begin(const struct rw_builder *b, int64_t timestamp,
                                             size_t most)
{
    size_t room = b->records.cap < most ? b->records.cap : most;
    if (room > INT32_MAX / 2)
        room = INT32_MAX / 2;
    /* The first record brings the header's room, and sets the time that the others refer to. */
    size_t at = b->records.n ? b->records.n : RW_BATCH_HEADER_SIZE;
    bool sets_base = !b->count && !(b->attributes & RW_ATTR_DELETE_HORIZON);
    struct rw_plain w = {.p = b->records.p,
                         .end = b->records.p,
                         .offset_delta = (uint64_t)(b->last_offset + 1 - b->base_offset),
                         .base_timestamp = sets_base ? timestamp : b->base_timestamp,
                         .max_timestamp = b->max_timestamp};
    if (at <= room) {
        w.p += at;
        w.end += room;
    }
    return w;
}

/* Adds the record, or says false and changes nothing: then it is one for rw_builder_add(). */
static inline bool rw_plain_add(struct rw_plain *w, int64_t timestamp, struct rw_slice key,
                                struct rw_slice value)
{
    if ((key.n | value.n) > RW_PLAIN_MAX ||
        (size_t)(w->end - w->p) < key.n + value.n + RW_PLAIN_OVERHEAD)
        return false;
    /* Unsigned: absurd timestamps wrap here and wrap back when read. */
    const int64_t after = (int64_t)((uint64_t)timestamp - (uint64_t)w->base_timestamp);
    /* With one byte for each field but the length: it takes the size that it probably has. */
    uint8_t *body = w->p + (key.n + value.n + 6 < 0x40 ? 1 : 2), *p = body;
    *p++ = 0;
    p = rw_plain_delta(p, rw_zigzag64(after));
    if (!p)
        return false;
    p = rw_plain_delta(p, w->offset_delta << 1);
    if (!p)
        return false;
    p = rw_plain_bytes(p, key);
    p = rw_plain_bytes(p, value);
    *p++ = 0;
    if (rw_plain_short(w->p, (size_t)(p - body) << 1) != body)
        return false;
    w->p = p;
    w->offset_delta++;
    if (timestamp > w->max_timestamp)
        w->max_timestamp = timestamp;
    return true;
}

/* Counts what was added. */
static inline void rw_plain_end(const struct rw_plain *w, struct rw_builder *b)
{
    uint64_t before = (uint64_t)(b->last_offset + 1 - b->base_offset);
    if (w->offset_delta == before)
        return;
    b->records.n = (size_t)(w->p - b->records.p);
    b->count += (int32_t)(w->offset_delta - before);
    b->last_offset = b->base_offset + (int64_t)w->offset_delta - 1;
    b->base_timestamp = w->base_timestamp;
    b->max_timestamp = w->max_timestamp;
}
