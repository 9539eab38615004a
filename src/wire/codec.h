/*
 * Cursor codecs for Kafka's primitive types (KIP-482 for the flexible ones). A reader and a writer
 * with sticky errors: read or write everything, check once at the end. The message codec
 * (wire/message.c) is made of these calls; so are the headers and whatever else reads foreign bytes.
 *
 * A reader never sizes anything by a count it was told before comparing the count with the bytes that
 * remain. Arrays and structs live in the request's arena; strings and bytes are views into the frame.
 *
 * Not thread-safe. The small ones are inline: they are most of the cost of a small request.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/code.h"
#include "base/slice.h"
#include "base/uuid.h"

struct rw_reader {
    const uint8_t *at, *end;
    struct rw_arena *arena; /* may be NULL when nothing with an array is read */
    int code;               /* sticky: RW_OK, RW_E_SHORT, RW_E_CORRUPT, RW_E_NOMEM */
};

/* A `records` field: batches as bytes (p), or a range of a file that travels by sendfile (ext).
 * p == NULL and ext == NULL: null. n counts bytes in both cases. */
struct rw_wire_records {
    const uint8_t *p;
    size_t n;
    void *ext; /* writer only: not copied; see struct rw_insert */
};

/* "At byte `at` of the writer's buffer, n bytes of `ext` come in between." In ascending order. */
struct rw_insert {
    size_t at;
    size_t n;
    void *ext;
};

struct rw_writer {
    struct rw_buf buf;
    struct rw_insert *inserts;
    size_t n_inserts, cap_inserts;
    size_t inserted; /* sum of inserts' n: frame size = buf.n + inserted */
    int code; /* sticky, the first failure; memory refused by buf is seen by rw_writer_code() */
};

void rw_reader_init(struct rw_reader *r, const void *p, size_t n, struct rw_arena *arena);
/* Remembers the first code; from then on every read gives zero, null or empty. */
void rw_reader_fail(struct rw_reader *r, int code);

static inline size_t rw_reader_left(const struct rw_reader *r)
{
    return (size_t)(r->end - r->at);
}

/* The next n bytes, or NULL (and RW_E_SHORT) when they are not all there. */
static inline const uint8_t *rw_reader_take(struct rw_reader *r, size_t n)
{
    if (__builtin_expect(rw_reader_left(r) < n, 0)) {
        rw_reader_fail(r, RW_E_SHORT);
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

static inline int8_t rw_read_i8(struct rw_reader *r)
{
    const uint8_t *p = rw_reader_take(r, 1);
    return p ? (int8_t)*p : 0;
}

/* Any byte but 0 is true, as in Kafka. */
static inline bool rw_read_bool(struct rw_reader *r)
{
    return rw_read_i8(r) != 0;
}

static inline uint16_t rw_read_u16(struct rw_reader *r)
{
    const uint8_t *p = rw_reader_take(r, 2);
    return p ? rw_load_be16(p) : 0;
}

static inline int16_t rw_read_i16(struct rw_reader *r)
{
    return (int16_t)rw_read_u16(r);
}

static inline uint32_t rw_read_u32(struct rw_reader *r)
{
    const uint8_t *p = rw_reader_take(r, 4);
    return p ? rw_load_be32(p) : 0;
}

static inline int32_t rw_read_i32(struct rw_reader *r)
{
    return (int32_t)rw_read_u32(r);
}

static inline int64_t rw_read_i64(struct rw_reader *r)
{
    const uint8_t *p = rw_reader_take(r, 8);
    return p ? (int64_t)rw_load_be64(p) : 0;
}

double rw_read_f64(struct rw_reader *r);
struct rw_uuid rw_read_uuid(struct rw_reader *r);
uint32_t rw_read_long_uvarint(struct rw_reader *r);

/* RW_E_CORRUPT when the value needs more than 32 bits. Nearly all lengths fit into one byte. */
static inline uint32_t rw_read_uvarint(struct rw_reader *r)
{
    if (__builtin_expect(r->at < r->end && *r->at < 0x80, 1))
        return *r->at++;
    return rw_read_long_uvarint(r);
}

/* flexible: length as uvarint N+1; otherwise int16 (strings) or int32 (bytes). Null gives n = -1 /
 * p = NULL when nullable, RW_E_CORRUPT otherwise. A string longer than 32767 bytes is corrupt in any
 * version, as in Kafka. */
struct rw_str rw_read_string(struct rw_reader *r, bool flexible, bool nullable);
struct rw_slice rw_read_bytes(struct rw_reader *r, bool flexible, bool nullable);
struct rw_wire_records rw_read_records(struct rw_reader *r, bool flexible, bool nullable);
/* Element count, checked: count * min_size <= bytes left (RW_E_CORRUPT otherwise). -1 for null. */
int32_t rw_read_count(struct rw_reader *r, bool flexible, bool nullable, size_t min_size);
/* Skips one tagged field's payload. */
void rw_read_skip(struct rw_reader *r, size_t n);
/* Skips a whole section of tagged fields (the end of a flexible structure). */
void rw_read_skip_tags(struct rw_reader *r);

void rw_writer_init(struct rw_writer *w);
void rw_writer_deinit(struct rw_writer *w);
/* Empty and without error again; keeps the memory. */
void rw_writer_clear(struct rw_writer *w);
/* Remembers the first code. */
void rw_writer_fail(struct rw_writer *w, int code);
/* RW_OK; RW_E_NOMEM; RW_E_INVAL: null where the version has no null, or a length out of range;
 * RW_E_UNSUPPORTED: a field is set that the version can not carry and that must not be lost. */
int rw_writer_code(const struct rw_writer *w);
bool rw_writer_failed(const struct rw_writer *w);
size_t rw_writer_size(const struct rw_writer *w); /* buf.n + inserted */

/* Room for n more bytes, already counted as written; NULL when memory is refused. */
static inline uint8_t *rw_writer_put(struct rw_writer *w, size_t n)
{
    if (__builtin_expect(w->buf.cap - w->buf.n <= n, 0))
        return rw_buf_extend(&w->buf, n);
    uint8_t *p = w->buf.p + w->buf.n;
    w->buf.n += n;
    return p;
}

static inline void rw_write_i8(struct rw_writer *w, int8_t v)
{
    uint8_t *p = rw_writer_put(w, 1);
    if (p)
        *p = (uint8_t)v;
}

static inline void rw_write_bool(struct rw_writer *w, bool v)
{
    rw_write_i8(w, v);
}

static inline void rw_write_u16(struct rw_writer *w, uint16_t v)
{
    uint8_t *p = rw_writer_put(w, 2);
    if (p)
        rw_store_be16(p, v);
}

static inline void rw_write_i16(struct rw_writer *w, int16_t v)
{
    rw_write_u16(w, (uint16_t)v);
}

static inline void rw_write_u32(struct rw_writer *w, uint32_t v)
{
    uint8_t *p = rw_writer_put(w, 4);
    if (p)
        rw_store_be32(p, v);
}

static inline void rw_write_i32(struct rw_writer *w, int32_t v)
{
    rw_write_u32(w, (uint32_t)v);
}

static inline void rw_write_i64(struct rw_writer *w, int64_t v)
{
    uint8_t *p = rw_writer_put(w, 8);
    if (p)
        rw_store_be64(p, (uint64_t)v);
}

void rw_write_f64(struct rw_writer *w, double v);
void rw_write_uuid(struct rw_writer *w, struct rw_uuid v);
void rw_write_long_uvarint(struct rw_writer *w, uint32_t v);

static inline void rw_write_uvarint(struct rw_writer *w, uint32_t v)
{
    if (__builtin_expect(v < 0x80, 1))
        rw_write_i8(w, (int8_t)v);
    else
        rw_write_long_uvarint(w, v);
}

void rw_write_string(struct rw_writer *w, struct rw_str v, bool flexible);
void rw_write_bytes(struct rw_writer *w, struct rw_slice v, bool flexible);
void rw_write_records(struct rw_writer *w, struct rw_wire_records v, bool flexible);
void rw_write_count(struct rw_writer *w, int32_t n, bool flexible); /* -1: null */
