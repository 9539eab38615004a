/*
 * The fields that a thread adds to each of its records, as they lie in an entry: "key\0value\0" one behind the other, then
 * zeros up to a multiple of 8. A key is never empty. Kept in that shape so that a call copies it as it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/code.h"

enum { RW_LG_CONTEXT_BYTES = 256, RW_LG_CONTEXT_MAX = 8 };

struct rw_lg_context {
    uint16_t n; /* bytes for an entry: a multiple of 8; 0: no fields */
    char bytes[RW_LG_CONTEXT_BYTES];
};

/* Sets a field, in place of one of the same key; value NULL takes it away. RW_E_INVAL, and nothing has changed: an empty
 * key, more than 8 fields, or more than 256 bytes. A signal handler that logs meanwhile sees no context, never half of one. */
RW_MUST int rw_lg_context_set(struct rw_lg_context *c, const char *key, const char *value);
void rw_lg_context_clear(struct rw_lg_context *c);

struct rw_lg_context_field {
    const char *key, *value;
    size_t key_n, value_n;
};
/* The next field from *at on, of n foreign bytes. False: there is none, or what is there is no field. */
bool rw_lg_context_next(const char *p, size_t n, size_t *at, struct rw_lg_context_field *ret_field);
