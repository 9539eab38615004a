/*
 * compression.type: a producer's batches in their topic's codec. Compressing takes long, so a job does it;
 * the connection is not read meanwhile, so that what it sends next can not come before.
 */
#pragma once

#include "base/arena.h"
#include "batch/batch.h"
#include "broker/memory.h"
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

/* A shard's tools, and who works or waits for its turn. Zero-initialise. */
struct rw_rebuilders {
    struct rw_rebuilder *free; /* not in use */
    int n;
    int working;                          /* jobs */
    int held;                             /* requests with rebuilt batches that are not answered */
    struct rw_rebuild_turn *first, **end; /* wait; end NULL: nobody yet */
};

/* A request that has batches to be rebuilt. What they become is not known before, so that only a few at a
 * time may begin, and when memory is short one. */
struct rw_rebuild_turn {
    struct rw_rebuild_turn *next;
    void (*begin)(struct rw_rebuild_turn *t); /* on the shard */
};

/* On the shard: begin() now or later. */
void rw_rebuild_queue(struct rw_rebuilders *r, struct rw_memory *m, struct rw_rebuild_turn *t);
/* The job has ended, and what it made counts as the shard's memory. */
void rw_rebuild_worked(struct rw_rebuilders *r, struct rw_memory *m);
/* The request is about to be answered. */
void rw_rebuild_answered(struct rw_rebuilders *r, struct rw_memory *m);

/* NULL: no memory. */
struct rw_rebuilder *rw_rebuilder_take(struct rw_rebuilders *r);
void rw_rebuilder_give(struct rw_rebuilders *r, struct rw_rebuilder *tool);
void rw_rebuilders_deinit(struct rw_rebuilders *r);

/* In a job (tool NULL: there was no memory for one): all of the list; what is made lies in the arena. */
void rw_rebuild_all(struct rw_rebuilder *tool, struct rw_rebuild *first, struct rw_arena *arena);
