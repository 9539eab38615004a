/*
 * Batches on their way into the log: admitted and numbered, written together. One system call for many
 * batches costs little more than for one, and the page cache gets its memory in larger pieces.
 */
#pragma once

#include "log/ahead.h"

#define RW_GATHER_MAX 64
/* More would keep the loop's other connections waiting. */
#define RW_GATHER_BYTES (UINT64_C(4) << 20)

/* One append: a leader's batch, or a replica's run of them. */
struct rw_gathered {
    struct rw_append *append;
    int64_t first_offset;
    int64_t max_timestamp;
    size_t batches;
    struct rw_batch last; /* of the batches, as it is written */
};

struct rw_gather {
    struct rw_log *log;
    size_t n, batches;
    uint64_t bytes;
    int failed; /* what ended this call's appends: nothing is tried behind it */
    struct rw_gathered items[RW_GATHER_MAX];
    struct rw_iov iov[RW_GATHER_MAX + RW_AHEAD_PIECES];
};

static inline void rw_gather_init(struct rw_gather *g, struct rw_log *log)
{
    g->log = log;
    g->n = g->batches = 0;
    g->bytes = 0;
    g->failed = RW_OK;
}

/* The offset that comes next. */
static inline int64_t rw_gather_end(const struct rw_gather *g)
{
    return g->n ? rw_batch_last_offset(&g->items[g->n - 1].last) + 1 : atomic_load(&g->log->end);
}

/* Its last batch of that producer; NULL: none. Only leaders' batches may be in it. */
const struct rw_batch *rw_gather_producer(const struct rw_gather *g, int64_t producer_id);
/* Takes in what fits into the active segment behind the others. There must be room. */
void rw_gather_add(struct rw_gather *g, const struct rw_gathered *item);
/* Writes and publishes all, or none: the result is in each append's code and info, a failure in `failed` too.
 * Empty afterwards. [W] */
void rw_gather_write(struct rw_gather *g);
