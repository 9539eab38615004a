/*
 * Messages as tables. The generator describes every message of schema/ by constant rows; the functions
 * here walk them: one small, well-tested codec instead of a thousand generated ones. The typed
 * functions of wire/messages.h (rw_produce_request_read() and so on) are one-line calls of these.
 *
 * Pure, reentrant.
 */
#pragma once

#include "wire/codec.h"

enum rw_type {
    RW_T_BOOL,
    RW_T_I8,
    RW_T_I16,
    RW_T_U16,
    RW_T_I32,
    RW_T_U32,
    RW_T_I64,
    RW_T_F64,
    RW_T_UUID,
    RW_T_STRING,
    RW_T_BYTES,
    RW_T_RECORDS,
    RW_T_STRUCT
};

enum rw_field_flag {
    RW_F_ARRAY = 1,   /* a count at `count`, a pointer to the elements at `offset` */
    RW_F_POINTER = 2, /* a structure that may be null: a pointer to it */
    RW_F_STRICT = 4,  /* set in a version that does not have it: writing fails */
    RW_F_NULL = 8     /* the default is null */
};

struct rw_desc;

struct rw_field {
    const char *name;
    uint8_t type, flags;
    uint8_t first, last;           /* versions that have the field */
    uint8_t null_first, null_last; /* versions in which it may be null; first > last: none */
    uint16_t offset, count;        /* within the C struct */
    uint16_t tag;
    uint16_t min_size; /* array: fewest bytes of one element */
    const struct rw_desc *sub;
};

struct rw_desc {
    const char *name;
    const struct rw_field *fields; /* ordinary ones in wire order, then tagged ones by tag */
    const void *blank;             /* a struct with all fields at their defaults */
    uint16_t n_ordinary, n_tagged;
    uint16_t size;       /* of the C struct */
    uint8_t first, last; /* versions of the message */
    uint8_t flexible;    /* first flexible version; 127: none */
};

/* Sets every field to the schema's default. */
void rw_message_init(const struct rw_desc *d, void *m);
/* Returns r->code; after a failure the content of `ret` is unspecified. RW_E_UNSUPPORTED for a version
 * outside the table. Bytes after the message are left for the caller to judge. */
RW_MUST int rw_message_read(const struct rw_desc *d, struct rw_reader *r, int16_t version,
                            void *ret);
/* Failures stick to the writer (rw_writer_code()). */
void rw_message_write(const struct rw_desc *d, struct rw_writer *w, int16_t version, const void *m);
/* Bytes of one value (of one element, for an array). */
size_t rw_type_size(const struct rw_field *f);

/* Every message of schema/, for tools and tests that handle any of them. */
const struct rw_desc *const *rw_message_table(size_t *ret_n);
/* By name ("fetch_request", "topic_record"); NULL when there is none. */
const struct rw_desc *rw_message_find(const char *name);

static inline bool rw_field_in(const struct rw_field *f, int version)
{
    return version >= f->first && version <= f->last;
}

static inline bool rw_field_nullable(const struct rw_field *f, int version)
{
    return version >= f->null_first && version <= f->null_last;
}
