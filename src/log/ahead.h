/*
 * Zeros ahead of the end of a log, so that a sync after a small append has no metadata to write.
 */
#pragma once

#include <stdbool.h>
#include "log/state.h"

/* May there be zeros to write behind an append of n bytes? Without the mutex. [W] */
bool rw_ahead_is_due(const struct rw_log *log, const struct rw_segment *s, size_t n);
/* How many, if any; 0: none. [W] [L] */
size_t rw_ahead_bytes(const struct rw_log *log, const struct rw_segment *s, size_t n);
#define RW_AHEAD_PIECES 16 /* of zeros in one write */

/* Writes n bytes in n_iov pieces at the end of the segment and `zeros` zeros behind them, for which iov has
 * RW_AHEAD_PIECES more places. After a failure any part may have been written. [W] */
RW_MUST int rw_ahead_write(struct rw_segment *s, struct rw_iov *iov, size_t n_iov, uint64_t n,
                           size_t zeros);
/* A sync has covered that many bytes. [L] */
void rw_ahead_note_sync(struct rw_log *log, uint64_t bytes);
/* Makes the file end where the segment does. *s is marked as cut when there was something to cut: until
 * its next sync a crash may bring the zeros back. [W] */
RW_MUST int rw_ahead_cut(struct rw_segment *s);
