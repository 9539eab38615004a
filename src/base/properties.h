/*
 * Java's .properties syntax (java.util.Properties.load), as Kafka's configuration files use it: comments
 * with # or !, separators = : or blanks, a backslash at the end of a line continues it, escapes \t \n
 * \r \f \\ \uXXXX. The text is UTF-8. Unlike Java, a bad escape and a line that is not UTF-8 are errors
 * with a line number instead of being repaired silently.
 */
#pragma once

#include <stdbool.h>
#include "base/buf.h"
#include "base/code.h"
#include "base/slice.h"

struct rw_property {
    struct rw_str key, value; /* both NUL-terminated, too */
    int line;                 /* where the key stands, from 1 */
    bool bare;                /* nothing but a key: Java takes that for an empty value */
};

/* Calls each() for every pair in order; duplicates are reported, the last one wins by convention. Stops
 * with what each() returned when that is not 0. The property is valid during the call. RW_E_INVAL with
 * words in ret_err, RW_E_NOMEM. */
RW_MUST int rw_properties_parse(struct rw_slice text,
                                int (*each)(void *arg, const struct rw_property *property),
                                void *arg, struct rw_err *ret_err);
/* Appends "key=value\n" so that parsing gives the pair back. */
void rw_properties_write(struct rw_buf *out, struct rw_str key, struct rw_str value);
