/* Records as JSON, both ways: {"topic","partition","offset","timestamp","timestamp_type","key","value","headers"}. */
#pragma once

#include "cli/format.h"
#include "base/json.h"

/* meta_only: "key_size" and "value_size" (-1: null) instead of contents. indent 0: one line. */
void rw_record_json(struct rw_buf *out, const struct rw_format_record *r, bool meta_only,
                    unsigned indent);

/* A record that was read. Views into `scratch`; p NULL: null or not there. */
struct rw_record_line {
    struct rw_slice key, value;
    bool has_timestamp;
    int64_t timestamp;
    struct rw_record_header *headers; /* room for headers_max; key.n >= 0 */
    size_t headers_max, n_headers;
};

/*
 * Reads one line (record_read.c). Other members, such as topic, partition and offset, are stepped over.
 * Appends to scratch, first making room for twice the line: it does not move when there was that much
 * room already. RW_E_INVAL with words that say where in the line; RW_E_NOMEM.
 */
RW_MUST int rw_record_json_read(struct rw_str text, struct rw_buf *scratch,
                                struct rw_record_line *line, struct rw_err *ret_err);
