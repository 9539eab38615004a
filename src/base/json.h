/*
 * Writes JSON (RFC 8259) onto a buffer, without building a tree. Commas and nesting are kept by the
 * writer: members of objects are given their key; elements of arrays, and the document itself, NULL. A
 * key where none belongs, one that is missing, or an end without a begin is an assertion. Errors of
 * memory are sticky in the buffer. Reading it is json_scan.h's work.
 *
 *     struct rw_json j;
 *     rw_json_init(&j, &buf, 0);
 *     rw_json_object(&j, NULL);
 *     rw_json_int(&j, "offset", 42);
 *     rw_json_end(&j);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"

#define RW_JSON_DEPTH_MAX 63

struct rw_json {
    struct rw_buf *out;
    unsigned indent; /* spaces per level; 0: one line */
    unsigned depth;
    uint64_t arrays;   /* bit d: level d is an array, else an object */
    uint64_t nonempty; /* bit d: level d has an element */
};

void rw_json_init(struct rw_json *j, struct rw_buf *out, unsigned indent);

void rw_json_object(struct rw_json *j, const char *key);
void rw_json_array(struct rw_json *j, const char *key);
/* Ends the innermost object or array. */
void rw_json_end(struct rw_json *j);

void rw_json_null(struct rw_json *j, const char *key);
void rw_json_bool(struct rw_json *j, const char *key, bool v);
void rw_json_int(struct rw_json *j, const char *key, int64_t v);
void rw_json_uint(struct rw_json *j, const char *key, uint64_t v);
/* The shortest digits that read back as the same number; null for infinities and NaN. */
void rw_json_double(struct rw_json *j, const char *key, double v);
/* NULL or a null string: null. Bytes that are not UTF-8 come out as U+FFFD. */
void rw_json_cstr(struct rw_json *j, const char *key, const char *v);
void rw_json_str(struct rw_json *j, const char *key, struct rw_str v);
/* For keys and values of messages, loses nothing: null, a string when it is UTF-8, otherwise an object
 * {"base64": "..."}. */
void rw_json_bytes(struct rw_json *j, const char *key, struct rw_slice v);

/* A JSON string alone: with its quotes, and without them. */
void rw_json_quote(struct rw_buf *out, const void *p, size_t n);
void rw_json_escape(struct rw_buf *out, const void *p, size_t n);
