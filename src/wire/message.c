/*
 * Walks the generated field tables: init, read, write.
 *
 * Invariants:
 * - Reading allocates from the reader's arena only, and only after the count was compared with the
 *   bytes that remain. Nesting is as deep as the schema, never as deep as the input says.
 * - Every member of a struct that was read is set: from the bytes, or to its default.
 * - Tagged fields are written in ascending order of their tags and only when they differ from the
 *   default; unknown tags are skipped; a known one must fill its announced size exactly.
 *
 * It does not check that values make sense (that is the handlers' work) nor that the message is the
 * last thing in the frame.
 */
#include "wire/message.h"

#include <string.h>
#include "base/assert.h"
#include "base/mem.h"
#include "base/varint.h"

static const uint8_t sizes[] = {
    [RW_T_BOOL] = sizeof(bool),
    [RW_T_I8] = 1,
    [RW_T_I16] = 2,
    [RW_T_U16] = 2,
    [RW_T_I32] = 4,
    [RW_T_U32] = 4,
    [RW_T_I64] = 8,
    [RW_T_F64] = 8,
    [RW_T_UUID] = sizeof(struct rw_uuid),
    [RW_T_STRING] = sizeof(struct rw_str),
    [RW_T_BYTES] = sizeof(struct rw_slice),
    [RW_T_RECORDS] = sizeof(struct rw_wire_records),
};

size_t rw_type_size(const struct rw_field *f)
{
    return f->type == RW_T_STRUCT ? f->sub->size : sizes[f->type];
}

static bool is_flexible(const struct rw_desc *d, int version)
{
    return version >= d->flexible;
}

/* ---- defaults ---- */

void rw_message_init(const struct rw_desc *d, void *m)
{
    memcpy(m, d->blank, d->size);
}

static bool all_default(const struct rw_desc *d, const uint8_t *m);

/* `blank` is that of the struct which has the field. */
static bool is_default(const struct rw_field *f, const uint8_t *m, const uint8_t *blank)
{
    const void *p = m + f->offset, *def = blank + f->offset;
    if (f->flags & RW_F_ARRAY)
        return memcmp(m + f->count, blank + f->count, sizeof(int32_t)) == 0;
    if (f->flags & RW_F_POINTER)
        return !*(void *const *)p;
    switch ((enum rw_type)f->type) {
    case RW_T_BOOL:
    case RW_T_I8:
    case RW_T_I16:
    case RW_T_U16:
    case RW_T_I32:
    case RW_T_U32:
    case RW_T_I64:
    case RW_T_F64:
    case RW_T_UUID:
        return memcmp(p, def, sizes[f->type]) == 0;
    case RW_T_STRING:
        return rw_str_eq(*(const struct rw_str *)p, *(const struct rw_str *)def);
    case RW_T_BYTES: {
        const struct rw_slice *s = p;
        return f->flags & RW_F_NULL ? !s->p : s->p && !s->n;
    }
    case RW_T_RECORDS: {
        const struct rw_wire_records *s = p;
        return f->flags & RW_F_NULL ? !s->p && !s->ext : (s->p || s->ext) && !s->n;
    }
    case RW_T_STRUCT:
        break;
    }
    return all_default(f->sub, p);
}

static bool all_default(const struct rw_desc *d, const uint8_t *m)
{
    for (unsigned i = 0; i < (unsigned)d->n_ordinary + d->n_tagged; i++)
        if (!is_default(&d->fields[i], m, d->blank))
            return false;
    return true;
}

/* ---- reading ---- */

static void read_struct(struct rw_reader *r, const struct rw_desc *d, int version, bool flexible,
                        uint8_t *m);

/* `element`: of an array; then it is the array that may be null, not the value. */
static inline __attribute__((always_inline)) void read_value(struct rw_reader *r,
                                                             const struct rw_field *f, int version,
                                                             bool flexible, bool element, void *p)
{
    switch ((enum rw_type)f->type) {
    case RW_T_BOOL:
        *(bool *)p = rw_read_bool(r);
        break;
    case RW_T_I8:
        *(int8_t *)p = rw_read_i8(r);
        break;
    case RW_T_I16:
    case RW_T_U16:
        *(uint16_t *)p = rw_read_u16(r);
        break;
    case RW_T_I32:
    case RW_T_U32:
        *(uint32_t *)p = rw_read_u32(r);
        break;
    case RW_T_I64:
        *(int64_t *)p = rw_read_i64(r);
        break;
    case RW_T_F64:
        *(double *)p = rw_read_f64(r);
        break;
    case RW_T_UUID:
        *(struct rw_uuid *)p = rw_read_uuid(r);
        break;
    case RW_T_STRING:
        *(struct rw_str *)p =
            rw_read_string(r, flexible, !element && rw_field_nullable(f, version));
        break;
    case RW_T_BYTES:
        *(struct rw_slice *)p =
            rw_read_bytes(r, flexible, !element && rw_field_nullable(f, version));
        break;
    case RW_T_RECORDS:
        *(struct rw_wire_records *)p =
            rw_read_records(r, flexible, !element && rw_field_nullable(f, version));
        break;
    case RW_T_STRUCT:
        read_struct(r, f->sub, version, flexible, p);
        break;
    }
}

static void *take_memory(struct rw_reader *r, size_t count, size_t size)
{
    void *p = rw_arena_alloc(r->arena, count * size);
    if (!p)
        rw_reader_fail(r, RW_E_NOMEM);
    return p;
}

static void read_array(struct rw_reader *r, const struct rw_field *f, int version, bool flexible,
                       uint8_t *m)
{
    int32_t n = rw_read_count(r, flexible, rw_field_nullable(f, version), f->min_size);
    uint8_t *p = NULL;
    size_t size = rw_type_size(f);
    /* No overflow: n is below 2^31 and a struct below 2^16 bytes. */
    if (n > 0 && !(p = take_memory(r, (size_t)n, size)))
        n = 0;
    *(int32_t *)(void *)(m + f->count) = n;
    *(void **)(void *)(m + f->offset) = p;
    if (f->type == RW_T_STRUCT) {
        for (int32_t i = 0; i < n && !r->code; i++, p += size)
            read_struct(r, f->sub, version, flexible, p);
    } else {
        for (int32_t i = 0; i < n && !r->code; i++, p += size)
            read_value(r, f, version, flexible, true, p);
    }
}

/* A structure that may be null has a byte before it: below zero means null. */
static void read_pointer(struct rw_reader *r, const struct rw_field *f, int version, bool flexible,
                         uint8_t *m)
{
    void *p = NULL;
    if (!rw_field_nullable(f, version) || rw_read_i8(r) >= 0) {
        p = r->code ? NULL : take_memory(r, 1, f->sub->size);
        if (p)
            read_struct(r, f->sub, version, flexible, p);
    }
    *(void **)(void *)(m + f->offset) = p;
}

static inline __attribute__((always_inline)) void read_field(struct rw_reader *r,
                                                             const struct rw_field *f, int version,
                                                             bool flexible, uint8_t *m)
{
    if (!(f->flags & (RW_F_ARRAY | RW_F_POINTER)))
        read_value(r, f, version, flexible, false, m + f->offset);
    else if (f->flags & RW_F_ARRAY)
        read_array(r, f, version, flexible, m);
    else
        read_pointer(r, f, version, flexible, m);
}

static const struct rw_field *find_tag(const struct rw_desc *d, int version, uint32_t tag)
{
    const struct rw_field *f = d->fields + d->n_ordinary;
    for (unsigned i = 0; i < d->n_tagged; i++)
        if (f[i].tag == tag && rw_field_in(&f[i], version))
            return &f[i];
    return NULL;
}

static void read_tag(struct rw_reader *r, const struct rw_desc *d, int version, uint8_t *m)
{
    uint32_t tag = rw_read_uvarint(r);
    uint32_t n = rw_read_uvarint(r);
    const struct rw_field *f = find_tag(d, version, tag);
    if (r->code || !f || n > rw_reader_left(r)) {
        rw_read_skip(r, n);
        return;
    }
    const uint8_t *end = r->end;
    r->end = r->at + n;
    read_field(r, f, version, true, m);
    if (r->at != r->end)
        rw_reader_fail(r, RW_E_CORRUPT);
    r->end = end;
    if (r->code)
        r->at = r->end;
}

static void read_struct(struct rw_reader *r, const struct rw_desc *d, int version, bool flexible,
                        uint8_t *m)
{
    const struct rw_field *f = d->fields, *ordinary = f + d->n_ordinary;
    memcpy(m, d->blank, d->size);
    for (; f < ordinary; f++)
        if (rw_field_in(f, version))
            read_field(r, f, version, flexible, m);
    if (flexible)
        for (uint32_t n = rw_read_uvarint(r); n && !r->code; n--)
            read_tag(r, d, version, m);
}

int rw_message_read(const struct rw_desc *d, struct rw_reader *r, int16_t version, void *ret)
{
    if (version < d->first || version > d->last)
        rw_reader_fail(r, RW_E_UNSUPPORTED);
    else
        read_struct(r, d, version, is_flexible(d, version), ret);
    return r->code;
}

/* ---- writing ---- */

static void write_struct(struct rw_writer *w, const struct rw_desc *d, int version, bool flexible,
                         const uint8_t *m);

static inline __attribute__((always_inline)) void write_value(struct rw_writer *w,
                                                              const struct rw_field *f, int version,
                                                              bool flexible, bool element,
                                                              const void *p)
{
    bool null = false;
    switch ((enum rw_type)f->type) {
    case RW_T_BOOL:
        rw_write_bool(w, *(const bool *)p);
        break;
    case RW_T_I8:
        rw_write_i8(w, *(const int8_t *)p);
        break;
    case RW_T_I16:
    case RW_T_U16:
        rw_write_u16(w, *(const uint16_t *)p);
        break;
    case RW_T_I32:
    case RW_T_U32:
        rw_write_u32(w, *(const uint32_t *)p);
        break;
    case RW_T_I64:
        rw_write_i64(w, *(const int64_t *)p);
        break;
    case RW_T_F64:
        rw_write_f64(w, *(const double *)p);
        break;
    case RW_T_UUID:
        rw_write_uuid(w, *(const struct rw_uuid *)p);
        break;
    case RW_T_STRING:
        null = ((const struct rw_str *)p)->n < 0;
        rw_write_string(w, *(const struct rw_str *)p, flexible);
        break;
    case RW_T_BYTES:
        null = !((const struct rw_slice *)p)->p;
        rw_write_bytes(w, *(const struct rw_slice *)p, flexible);
        break;
    case RW_T_RECORDS: {
        const struct rw_wire_records *v = p;
        null = !v->p && !v->ext;
        rw_write_records(w, *v, flexible);
        break;
    }
    case RW_T_STRUCT:
        write_struct(w, f->sub, version, flexible, p);
        break;
    }
    if (null && (element || !rw_field_nullable(f, version)))
        rw_writer_fail(w, RW_E_INVAL);
}

static void write_array(struct rw_writer *w, const struct rw_field *f, int version, bool flexible,
                        const uint8_t *m)
{
    int32_t n = *(const int32_t *)(const void *)(m + f->count);
    const uint8_t *p = *(const uint8_t *const *)(const void *)(m + f->offset);
    if (n < 0 && !rw_field_nullable(f, version))
        rw_writer_fail(w, RW_E_INVAL);
    rw_write_count(w, n, flexible);
    size_t size = rw_type_size(f);
    if (f->type == RW_T_STRUCT) {
        for (int32_t i = 0; i < n; i++, p += size)
            write_struct(w, f->sub, version, flexible, p);
    } else {
        for (int32_t i = 0; i < n; i++, p += size)
            write_value(w, f, version, flexible, true, p);
    }
}

static void write_pointer(struct rw_writer *w, const struct rw_field *f, int version, bool flexible,
                          const uint8_t *m)
{
    const void *p = *(const void *const *)(const void *)(m + f->offset);
    if (rw_field_nullable(f, version))
        rw_write_i8(w, p ? 1 : -1);
    else if (!p)
        rw_writer_fail(w, RW_E_INVAL);
    if (p)
        write_struct(w, f->sub, version, flexible, p);
}

static inline void write_field(struct rw_writer *w, const struct rw_field *f, int version,
                               bool flexible, const uint8_t *m)
{
    if (!(f->flags & (RW_F_ARRAY | RW_F_POINTER)))
        write_value(w, f, version, flexible, false, m + f->offset);
    else if (f->flags & RW_F_ARRAY)
        write_array(w, f, version, flexible, m);
    else
        write_pointer(w, f, version, flexible, m);
}

/* The size goes before the payload but is known only after it: one byte is left free, and the payload
 * moves in the rare case that the size needs more. */
static void write_tag(struct rw_writer *w, const struct rw_field *f, int version, const uint8_t *m)
{
    rw_write_uvarint(w, f->tag);
    size_t size_at = w->buf.n;
    rw_write_i8(w, 0);
    write_field(w, f, version, true, m);
    if (w->buf.failed)
        return;
    size_t n = w->buf.n - size_at - 1, more = rw_uvarint_size(n) - 1;
    if (n > INT32_MAX) {
        rw_writer_fail(w, RW_E_INVAL);
        return;
    }
    if (more) {
        if (!rw_writer_put(w, more))
            return;
        uint8_t *payload = w->buf.p + size_at + 1;
        memmove(payload + more, payload, n);
    }
    rw_uvarint_put(w->buf.p + size_at, n);
}

static void write_tags(struct rw_writer *w, const struct rw_desc *d, int version, const uint8_t *m)
{
    const struct rw_field *f = d->fields + d->n_ordinary;
    uint32_t n = 0;
    for (unsigned i = 0; i < d->n_tagged; i++)
        n += rw_field_in(&f[i], version) && !is_default(&f[i], m, d->blank);
    rw_write_uvarint(w, n);
    for (unsigned i = 0; n && i < d->n_tagged; i++)
        if (rw_field_in(&f[i], version) && !is_default(&f[i], m, d->blank))
            write_tag(w, &f[i], version, m);
}

/* A field that this version does not have. Most may be dropped; a strict one would change what the
 * message means. */
static void check_dropped(struct rw_writer *w, const struct rw_desc *d, const struct rw_field *f,
                          const uint8_t *m)
{
    if (f->flags & RW_F_STRICT && !is_default(f, m, d->blank))
        rw_writer_fail(w, RW_E_UNSUPPORTED);
}

static void write_struct(struct rw_writer *w, const struct rw_desc *d, int version, bool flexible,
                         const uint8_t *m)
{
    const struct rw_field *f = d->fields, *ordinary = f + d->n_ordinary;
    for (; f < ordinary; f++) {
        if (rw_field_in(f, version))
            write_field(w, f, version, flexible, m);
        else
            check_dropped(w, d, f, m);
    }
    for (; f < ordinary + d->n_tagged; f++)
        if (!rw_field_in(f, version))
            check_dropped(w, d, f, m);
    if (flexible)
        write_tags(w, d, version, m);
}

void rw_message_write(const struct rw_desc *d, struct rw_writer *w, int16_t version, const void *m)
{
    if (version < d->first || version > d->last)
        rw_writer_fail(w, RW_E_UNSUPPORTED);
    else
        write_struct(w, d, version, is_flexible(d, version), m);
}
