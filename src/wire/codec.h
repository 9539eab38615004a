/*
 * Cursor codecs for Kafka's primitive types (KIP-482 for the flexible ones). A reader and a writer
 * with sticky errors: read or write everything, check once at the end. The generated codecs
 * (build: wire/messages.h and .c, from schema/) are made of these calls.
 *
 * A reader never sizes anything by a count it was told before comparing the count with the bytes that
 * remain. Arrays and structs live in the request's arena; strings and bytes are views into the frame.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/code.h"
#include "base/slice.h"
#include "base/uuid.h"

struct rw_reader {
    const uint8_t *at, *end;
    struct rw_arena *arena;
    int code; /* sticky: RW_OK, RW_E_SHORT, RW_E_CORRUPT, RW_E_NOMEM */
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
};

void rw_reader_init(struct rw_reader *r, const void *p, size_t n, struct rw_arena *arena);
size_t rw_reader_left(const struct rw_reader *r);
void rw_reader_fail(struct rw_reader *r, int code);

bool rw_read_bool(struct rw_reader *r);
int8_t rw_read_i8(struct rw_reader *r);
int16_t rw_read_i16(struct rw_reader *r);
uint16_t rw_read_u16(struct rw_reader *r);
int32_t rw_read_i32(struct rw_reader *r);
uint32_t rw_read_u32(struct rw_reader *r);
int64_t rw_read_i64(struct rw_reader *r);
double rw_read_f64(struct rw_reader *r);
struct rw_uuid rw_read_uuid(struct rw_reader *r);
uint32_t rw_read_uvarint(struct rw_reader *r);
/* flexible: length as uvarint N+1; otherwise int16 (strings) or int32 (bytes). Null gives n = -1 /
 * p = NULL when nullable, RW_E_CORRUPT otherwise. */
struct rw_str rw_read_string(struct rw_reader *r, bool flexible, bool nullable);
struct rw_slice rw_read_bytes(struct rw_reader *r, bool flexible, bool nullable);
struct rw_wire_records rw_read_records(struct rw_reader *r, bool flexible, bool nullable);
/* Element count, checked: count * min_size <= bytes left. -1 for null. */
int32_t rw_read_count(struct rw_reader *r, bool flexible, bool nullable, size_t min_size);
/* Skips one tagged field's payload. */
void rw_read_skip(struct rw_reader *r, size_t n);

void rw_writer_init(struct rw_writer *w);
void rw_writer_deinit(struct rw_writer *w);
void rw_writer_clear(struct rw_writer *w);
bool rw_writer_failed(const struct rw_writer *w);
size_t rw_writer_size(const struct rw_writer *w); /* buf.n + inserted */

void rw_write_bool(struct rw_writer *w, bool v);
void rw_write_i8(struct rw_writer *w, int8_t v);
void rw_write_i16(struct rw_writer *w, int16_t v);
void rw_write_u16(struct rw_writer *w, uint16_t v);
void rw_write_i32(struct rw_writer *w, int32_t v);
void rw_write_u32(struct rw_writer *w, uint32_t v);
void rw_write_i64(struct rw_writer *w, int64_t v);
void rw_write_f64(struct rw_writer *w, double v);
void rw_write_uuid(struct rw_writer *w, struct rw_uuid v);
void rw_write_uvarint(struct rw_writer *w, uint32_t v);
void rw_write_string(struct rw_writer *w, struct rw_str v, bool flexible);
void rw_write_bytes(struct rw_writer *w, struct rw_slice v, bool flexible);
void rw_write_records(struct rw_writer *w, struct rw_wire_records v, bool flexible);
void rw_write_count(struct rw_writer *w, int32_t n, bool flexible); /* -1: null */
