/*
 * Metadata records on their way: a list that decide_*() fills, and its form in the metadata log (one
 * record batch; each record's value is Kafka's frame: frame version, type, version, fields).
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/code.h"
#include "meta/image.h"

struct rw_meta_record {
    int16_t type; /* enum rw_record_type_id */
    void *m;
};

/* Lives in the arena. */
struct rw_meta_records {
    struct rw_arena *arena;
    struct rw_meta_record *items;
    size_t n, cap;
};

/* Adds a record with its schema's defaults and returns its struct; NULL when memory is refused. */
void *rw_meta_add(struct rw_meta_records *list, int16_t type);
/* One record's value, as it is stored. RW_E_NOMEM. */
RW_MUST int rw_meta_record_encode(const struct rw_meta_record *record, struct rw_buf *out);
/* RW_E_CORRUPT, RW_E_SHORT, RW_E_UNSUPPORTED (written by a newer version), RW_E_NOMEM. */
RW_MUST int rw_meta_record_decode(struct rw_slice value, struct rw_arena *arena,
                                  struct rw_meta_record *ret_record);
/* The records that rebuild the image in an empty one. RW_E_NOMEM. */
RW_MUST int rw_meta_snapshot(const struct rw_meta *meta, struct rw_meta_records *list);
