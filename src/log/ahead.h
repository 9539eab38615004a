/*
 * Zeros ahead of the end of a log, so that a sync after a small append has no metadata to write.
 */
#pragma once

#include <stdbool.h>
#include "log/state.h"

/* How many zeros to write behind an append of n bytes; 0: none. [L] */
size_t rw_ahead_bytes(const struct rw_log *log, const struct rw_segment *s, size_t n);
/* Writes n bytes at the end of the segment and `zeros` zeros behind them. After a failure any part may
 * have been written. [W] */
RW_MUST int rw_ahead_write(struct rw_segment *s, const uint8_t *bytes, size_t n, size_t zeros);
/* A sync has covered that many bytes. [L] */
void rw_ahead_note_sync(struct rw_log *log, uint64_t bytes);
/* Makes the file end where the segment does. *s is marked as cut when there was something to cut: until
 * its next sync a crash may bring the zeros back. [W] */
RW_MUST int rw_ahead_cut(struct rw_segment *s);
