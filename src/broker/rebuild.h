/*
 * compression.type: a producer's batches in their topic's codec. Compressing takes long, so a job does it;
 * the connection is not read meanwhile, so that what it sends next can not come before.
 */
#pragma once

#include "base/arena.h"
#include "batch/batch.h"
#include "log/log.h"

/* One batch to be rebuilt. Lies in the request's arena. */
struct rw_rebuild {
    struct rw_rebuild *next;
    struct rw_slice bytes; /* as received, and found fine; then: as it is to be stored */
    const struct rw_append_check *check; /* of `bytes`; then: of the new ones */
    enum rw_codec codec;
    int level;
    int code; /* RW_OK, or why it can not be rebuilt */
};

/* What the work needs and what is kept between two jobs. */
struct rw_rebuilder {
    struct rw_builder builder;
    struct rw_records scratch;
    struct rw_rebuilder *next;
};

/* A shard's tools that are not in use. */
struct rw_rebuilders {
    struct rw_rebuilder *free;
    int n;
};

/* NULL: no memory. */
struct rw_rebuilder *rw_rebuilder_take(struct rw_rebuilders *r);
void rw_rebuilder_give(struct rw_rebuilders *r, struct rw_rebuilder *tool);
void rw_rebuilders_deinit(struct rw_rebuilders *r);

/* In a job: all of the list; what is made lies in the arena. */
void rw_rebuild_all(struct rw_rebuilder *tool, struct rw_rebuild *first, struct rw_arena *arena);
