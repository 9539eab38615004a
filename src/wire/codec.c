/*
 * The primitives that are not worth inlining: everything with a length.
 *
 * Invariants: a reader never moves past `end`; after a failure `at == end`, so that the reads that
 * follow fail at once and loops over untrusted counts come to an end. A length is compared with the
 * bytes that remain before it is used. A writer that failed may hold a part of a message: it must not
 * be sent.
 *
 * Text is not checked to be UTF-8 here: Kafka does not either, and names are checked where they mean
 * something.
 */
#include "wire/codec.h"

#include <limits.h>
#include <string.h>
#include "base/mem.h"
#include "base/varint.h"

/* Views of zero bytes must not be NULL: that would mean null. */
static const uint8_t nothing[1];

void rw_reader_init(struct rw_reader *r, const void *p, size_t n, struct rw_arena *arena)
{
    const uint8_t *at = p ? p : nothing;
    *r = (struct rw_reader){.at = at, .end = at + n, .arena = arena};
}

void rw_reader_fail(struct rw_reader *r, int code)
{
    if (!r->code)
        r->code = code;
    r->at = r->end;
}

double rw_read_f64(struct rw_reader *r)
{
    int64_t bits = rw_read_i64(r);
    double v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

struct rw_uuid rw_read_uuid(struct rw_reader *r)
{
    struct rw_uuid v = {0};
    const uint8_t *p = rw_reader_take(r, sizeof(v.b));
    if (p)
        memcpy(v.b, p, sizeof(v.b));
    return v;
}

uint32_t rw_read_long_uvarint(struct rw_reader *r)
{
    uint32_t v;
    size_t left = rw_reader_left(r);
    size_t n = rw_uvarint32_get(r->at, left, &v);
    if (!n) {
        rw_reader_fail(r, left < RW_VARINT32_MAX ? RW_E_SHORT : RW_E_CORRUPT);
        return 0;
    }
    r->at += n;
    return v;
}

/* A length or count in either encoding; -1 for null. Fails on other negative values, on null where
 * it is not allowed, and above `max`. A read that failed gave 0, which must not look like a length. */
static inline __attribute__((always_inline)) int64_t read_length(struct rw_reader *r, bool flexible,
                                                                 bool nullable, bool wide,
                                                                 int64_t max)
{
    int64_t n = flexible ? (int64_t)rw_read_uvarint(r) - 1 : wide ? rw_read_i32(r) : rw_read_i16(r);
    if (__builtin_expect(r->code || n > max || n < -(int64_t)nullable, 0)) {
        rw_reader_fail(r, RW_E_CORRUPT);
        return -1;
    }
    return n;
}

struct rw_str rw_read_string(struct rw_reader *r, bool flexible, bool nullable)
{
    int64_t n = read_length(r, flexible, nullable, false, INT16_MAX);
    const uint8_t *p = n < 0 ? NULL : rw_reader_take(r, (size_t)n);
    return p ? (struct rw_str){(const char *)p, (int32_t)n} : RW_STR_NULL;
}

struct rw_slice rw_read_bytes(struct rw_reader *r, bool flexible, bool nullable)
{
    int64_t n = read_length(r, flexible, nullable, true, INT32_MAX);
    const uint8_t *p = n < 0 ? NULL : rw_reader_take(r, (size_t)n);
    return p ? (struct rw_slice){p, (size_t)n} : (struct rw_slice){NULL, 0};
}

struct rw_wire_records rw_read_records(struct rw_reader *r, bool flexible, bool nullable)
{
    struct rw_slice s = rw_read_bytes(r, flexible, nullable);
    return (struct rw_wire_records){.p = s.p, .n = s.n};
}

int32_t rw_read_count(struct rw_reader *r, bool flexible, bool nullable, size_t min_size)
{
    int64_t n = read_length(r, flexible, nullable, true, INT32_MAX);
    if (n > 0 && (size_t)n > rw_reader_left(r) / (min_size ? min_size : 1)) {
        rw_reader_fail(r, RW_E_CORRUPT);
        return -1;
    }
    return (int32_t)n;
}

void rw_read_skip(struct rw_reader *r, size_t n)
{
    rw_reader_take(r, n);
}

void rw_read_skip_tags(struct rw_reader *r)
{
    for (uint32_t n = rw_read_uvarint(r); n && !r->code; n--) {
        rw_read_uvarint(r);
        rw_read_skip(r, rw_read_uvarint(r));
    }
}

void rw_writer_init(struct rw_writer *w)
{
    *w = (struct rw_writer){0};
}

void rw_writer_deinit(struct rw_writer *w)
{
    rw_buf_deinit(&w->buf);
    rw_free(w->inserts);
    *w = (struct rw_writer){0};
}

void rw_writer_clear(struct rw_writer *w)
{
    rw_buf_clear(&w->buf);
    w->n_inserts = 0;
    w->inserted = 0;
    w->code = RW_OK;
}

void rw_writer_fail(struct rw_writer *w, int code)
{
    if (!w->code)
        w->code = code;
}

int rw_writer_code(const struct rw_writer *w)
{
    return w->code ? w->code : w->buf.failed ? RW_E_NOMEM : RW_OK;
}

bool rw_writer_failed(const struct rw_writer *w)
{
    return rw_writer_code(w) != RW_OK;
}

size_t rw_writer_size(const struct rw_writer *w)
{
    return w->buf.n + w->inserted;
}

void rw_write_f64(struct rw_writer *w, double v)
{
    int64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    rw_write_i64(w, bits);
}

void rw_write_uuid(struct rw_writer *w, struct rw_uuid v)
{
    uint8_t *p = rw_writer_put(w, sizeof(v.b));
    if (p)
        memcpy(p, v.b, sizeof(v.b));
}

void rw_write_long_uvarint(struct rw_writer *w, uint32_t v)
{
    uint8_t *p = rw_writer_put(w, rw_uvarint_size(v));
    if (p)
        rw_uvarint_put(p, v);
}

static void write_raw(struct rw_writer *w, const void *p, size_t n)
{
    uint8_t *to = rw_writer_put(w, n);
    if (to && n)
        memcpy(to, p, n);
}

void rw_write_string(struct rw_writer *w, struct rw_str v, bool flexible)
{
    if (v.n < -1 || v.n > INT16_MAX) {
        rw_writer_fail(w, RW_E_INVAL);
        return;
    }
    if (flexible)
        rw_write_uvarint(w, (uint32_t)(v.n + 1));
    else
        rw_write_i16(w, (int16_t)v.n);
    if (v.n > 0)
        write_raw(w, v.p, (size_t)v.n);
}

/* The length of bytes or records; false when there is nothing to follow. */
static bool write_length(struct rw_writer *w, bool null, size_t n, bool flexible)
{
    if (n > INT32_MAX) {
        rw_writer_fail(w, RW_E_INVAL);
        return false;
    }
    rw_write_count(w, null ? -1 : (int32_t)n, flexible);
    return !null && n;
}

void rw_write_bytes(struct rw_writer *w, struct rw_slice v, bool flexible)
{
    if (write_length(w, !v.p, v.n, flexible))
        write_raw(w, v.p, v.n);
}

static void add_insert(struct rw_writer *w, struct rw_wire_records v)
{
    if (w->n_inserts == w->cap_inserts) {
        size_t cap = w->cap_inserts ? w->cap_inserts * 2 : 8;
        struct rw_insert *p = rw_realloc_array(w->inserts, cap, sizeof(*p));
        if (!p) {
            rw_writer_fail(w, RW_E_NOMEM);
            return;
        }
        w->inserts = p;
        w->cap_inserts = cap;
    }
    w->inserts[w->n_inserts++] = (struct rw_insert){.at = w->buf.n, .n = v.n, .ext = v.ext};
    w->inserted += v.n;
}

void rw_write_records(struct rw_writer *w, struct rw_wire_records v, bool flexible)
{
    if (!write_length(w, !v.p && !v.ext, v.n, flexible))
        return;
    if (v.ext)
        add_insert(w, v);
    else
        write_raw(w, v.p, v.n);
}

void rw_write_count(struct rw_writer *w, int32_t n, bool flexible)
{
    if (n < -1) {
        rw_writer_fail(w, RW_E_INVAL);
        return;
    }
    if (flexible)
        rw_write_uvarint(w, (uint32_t)n + 1);
    else
        rw_write_i32(w, n);
}
