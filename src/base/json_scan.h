/*
 * Reads JSON (RFC 8259) piece by piece, without building a tree and without losing anything on the way: numbers stay the text they are,
 * since 64-bit integers are no doubles; strings may hold NUL; null is not the empty string. Each value is checked to its end before it
 * is handed out, as a view into the text. Pure; allocates nothing.
 *
 *     struct rw_json_scan s = rw_json_scan(text, &err), inside;
 *     struct rw_json_value v, name;
 *     int rc = rw_json_next(&s, &v);                        the document's value
 *     inside = rw_json_inside(&s, &v);                      an object: its members, or an array: its elements
 *     while ((rc = rw_json_next_member(&inside, &name, &v)) == RW_OK)
 *         ...
 *     RW_E_NOT_FOUND here: there are no more.
 *
 * Errors are RW_E_INVAL, with words that say at which character.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/code.h"
#include "base/slice.h"

enum { RW_JSON_SCAN_DEPTH = 64 };

enum rw_json_kind {
    RW_JSON_NULL,
    RW_JSON_BOOL,
    RW_JSON_NUMBER,
    RW_JSON_STRING,
    RW_JSON_OBJECT,
    RW_JSON_ARRAY
};

struct rw_json_value {
    enum rw_json_kind kind;
    bool escapes;       /* a string that rw_json_decode() would change */
    struct rw_str text; /* of a string: what is between its quotes; else all of it */
};

struct rw_json_scan {
    const char *start, *at, *end;
    struct rw_err *err; /* may be NULL */
    unsigned depth;
    bool begun;
};

struct rw_json_scan rw_json_scan(struct rw_str text, struct rw_err *ret_err);
/* Sets the error, at the scan's place. Always RW_E_INVAL. */
int rw_json_wrong(const struct rw_json_scan *s, const char *what);

RW_MUST int rw_json_next(struct rw_json_scan *s, struct rw_json_value *ret_value);
/* Nothing but blanks may follow. */
RW_MUST int rw_json_end_of_text(struct rw_json_scan *s);

struct rw_json_scan rw_json_inside(const struct rw_json_scan *s, const struct rw_json_value *v);
RW_MUST int rw_json_next_member(struct rw_json_scan *s, struct rw_json_value *ret_name,
                                struct rw_json_value *ret_value);
RW_MUST int rw_json_next_element(struct rw_json_scan *s, struct rw_json_value *ret_value);

/* What a string says: at most text.n bytes into `out`; returns how many. Half of a surrogate pair becomes U+FFFD, and *ret_halves, which may
 * be NULL, says whether there was one: JavaScript writes such strings. */
size_t rw_json_decode(struct rw_str text, uint8_t *out, bool *ret_halves);
/* A number as JSON writes them, filling the text. */
bool rw_json_is_number(struct rw_str text);
