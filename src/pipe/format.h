/* From a record to a line. Pure. */
#pragma once

#include "base/buf.h"
#include "pipe/record.h"

enum rw_pipe_format {
    RW_PIPE_AS_RAW, /* the line as it was */
    RW_PIPE_AS_JSON,
    RW_PIPE_AS_LOGFMT,
    RW_PIPE_AS_TEXT /* the message alone; the line as it was where there is none */
};

bool rw_pipe_format_named(const char *name, enum rw_pipe_format *ret_format);
/* Without a line end. raw: what the record was parsed from. Errors are sticky in out. */
void rw_pipe_format(enum rw_pipe_format format, struct rw_pipe_record *r, struct rw_slice raw,
                    struct rw_buf *out);
