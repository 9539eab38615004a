/* A record as JSON: {"topic","partition","offset","timestamp","timestamp_type","key","value","headers"}. */
#pragma once

#include "cli/format.h"
#include "base/json.h"

/* meta_only: "key_size" and "value_size" (-1: null) instead of contents. indent 0: one line. */
void rw_record_json(struct rw_buf *out, const struct rw_format_record *r, bool meta_only,
                    unsigned indent);
