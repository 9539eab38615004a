/*
 * Writes JSON into a buffer, without building a tree. Commas and nesting are kept track of; keys are
 * for members of objects and NULL for elements of arrays and the document itself. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"

#define RW_CLI_JSON_DEPTH_MAX 32

struct rw_cli_json {
    struct rw_buf *out;
    int indent; /* blanks per level; 0: everything on one line */
    int depth;
    uint32_t is_array; /* bit i: level i is an array */
    uint32_t has_some; /* bit i: level i has an element */
};

void rw_cli_json_init(struct rw_cli_json *j, struct rw_buf *out, int indent);
void rw_cli_json_object(struct rw_cli_json *j, const char *key);
void rw_cli_json_array(struct rw_cli_json *j, const char *key);
void rw_cli_json_end(struct rw_cli_json *j); /* of the innermost object or array */
void rw_cli_json_string(struct rw_cli_json *j, const char *key, const char *s); /* NULL: null */
void rw_cli_json_str(struct rw_cli_json *j, const char *key, struct rw_str s);
void rw_cli_json_int(struct rw_cli_json *j, const char *key, int64_t v);
void rw_cli_json_double(struct rw_cli_json *j, const char *key, double v); /* not finite: null */
void rw_cli_json_bool(struct rw_cli_json *j, const char *key, bool v);
void rw_cli_json_null(struct rw_cli_json *j, const char *key);
/* Text where it is UTF-8, {"base64":"..."} where not, null for null. */
void rw_cli_json_bytes(struct rw_cli_json *j, const char *key, struct rw_slice v);

/* The quoted string alone. */
void rw_cli_json_quote(struct rw_buf *out, const char *s, size_t n);
bool rw_cli_utf8_valid(const uint8_t *p, size_t n);
void rw_cli_base64(struct rw_buf *out, const uint8_t *p, size_t n, bool padding);
/* Appends the decoded bytes; padding is optional. False on anything that is not base64. */
bool rw_cli_base64_decode(struct rw_buf *out, const char *s, size_t n);
