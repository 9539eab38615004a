/*
 * The leader epoch cache: where each leader epoch began (KIP-101, KIP-279). Ascending in both fields.
 * Plain data without locks: the log guards it with its mutex.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/code.h"

struct rw_epoch {
    int32_t epoch;
    int64_t start;
};

struct rw_epochs {
    struct rw_epoch *at;
    size_t n, cap;
    bool dirty; /* differs from the file */
    /* Below this offset the file says what the cache says; INT64_MAX: everywhere. Who recovers from a
     * point above it would not find what is missing. */
    int64_t unsaved;
};

void rw_epochs_init(struct rw_epochs *e);
void rw_epochs_deinit(struct rw_epochs *e);
static inline int32_t rw_epochs_latest(const struct rw_epochs *e)
{
    return e->n ? e->at[e->n - 1].epoch : -1;
}
/* How many assigns there is room for. */
static inline size_t rw_epochs_room(const struct rw_epochs *e)
{
    return e->cap - e->n;
}
/* Makes room for n more, so that the next n assigns can not fail. */
RW_MUST int rw_epochs_reserve(struct rw_epochs *e, size_t n);
/* Notes that a batch of `epoch` lies at `offset`. Negative epochs are ignored. Later entries that
 * contradict it are dropped. Needs the room of rw_epochs_reserve(). */
void rw_epochs_assign(struct rw_epochs *e, int32_t epoch, int64_t offset);
/* Drops all entries. */
void rw_epochs_clear(struct rw_epochs *e);
/* Drops entries that start at or after end. */
void rw_epochs_truncate_end(struct rw_epochs *e, int64_t end);
/* Drops entries that ended at or before start; the one in force at start begins there. */
void rw_epochs_truncate_start(struct rw_epochs *e, int64_t start);
/* OffsetForLeaderEpoch; see rw_log_epoch_end(). */
void rw_epochs_end_of(const struct rw_epochs *e, int32_t epoch, int64_t log_end, int32_t *ret_epoch,
                      int64_t *ret_end);
/* The text of leader-epoch-checkpoint: "0", count, lines "epoch start". */
void rw_epochs_format(const struct rw_epochs *e, struct rw_buf *out);
/* RW_E_CORRUPT leaves the cache empty. */
RW_MUST int rw_epochs_parse(struct rw_epochs *e, const char *text, size_t n);
