/*
 * One segment: the .log file and its two indexes. Counted references: the log holds one, every reader
 * that works on the files outside the mutex holds another; the last one closes the files, so that
 * retention may remove a segment under a reader.
 *
 * [L] fields are guarded by the log's mutex; [W] fields belong to the writer.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "batch/batch.h"
#include "env/env.h"
#include "log/index.h"
#include "log/log.h"

struct rw_segment {
    const struct rw_env *env;
    atomic_uint refs;
    int64_t base;
    struct rw_file *file;
    uint64_t file_id; /* read-only: of the .log file (struct rw_stat) */
    struct rw_index offsets, times;
    uint64_t size;                /* [L] bytes of whole batches: what readers may see */
    uint64_t synced;              /* [L] bytes known to be on disk */
    bool sealed;                  /* [L] no longer appended to; its indexes are synced with it */
    int64_t max_timestamp;        /* [L] -1: none */
    int64_t max_timestamp_offset; /* [L] an offset in the batch that has it */
    bool times_trusted;      /* [L] and that is the index's word: not all batches were looked at */
    int64_t noted_timestamp; /* [W] of the newest entry of the time index; -1: none */
    int64_t first_timestamp; /* [W] of the first batch; -1: none */
    int64_t created_ms;      /* [W] */
    int64_t jitter_ms;       /* [W] this segment rolls that much earlier */
    uint64_t indexed_at;     /* [W] position of the batch of the last index entry */
    uint64_t reserved;       /* [W] disk space reserved up to here */
    uint64_t file_end;       /* [W] size of the file; from `size` on it holds zeros (ahead.c) */
    bool cut;                /* [W] zeros were cut off, and the file was perhaps not synced since */
    bool keep_tail;          /* [W] bytes after `size` are evidence of damage: never cut them off */
    int64_t delete_at;       /* [L] when the files may be unlinked */
};

/* Creates the files, replacing leftovers of the same name. */
RW_MUST int rw_segment_create(const struct rw_env *env, const char *dir, int64_t base,
                              const struct rw_log_config *config, struct rw_segment **ret_segment);
/* Opens the .log file; size = what the file has; no indexes yet. */
RW_MUST int rw_segment_open(const struct rw_env *env, const char *dir, int64_t base,
                            const struct rw_log_config *config, bool read_only,
                            struct rw_segment **ret_segment);
/* The file that has the segment's name now. RW_E_NOT_FOUND: none. */
RW_MUST int rw_segment_file_id(const struct rw_env *env, const char *dir, int64_t base,
                               uint64_t *ret_id);
void rw_segment_ref(struct rw_segment *s);
/* s may be NULL. */
void rw_segment_unref(struct rw_segment *s);

/* Opens the index files and checks them by sampling against [0, size). False: at least one is missing or
 * wrong, none is attached. Sets max_timestamp. `end`: first offset after the segment; INT64_MAX: it is
 * the last one. */
bool rw_segment_load_indexes(struct rw_segment *s, const char *dir, bool read_only, int64_t end);
/* Attaches new, empty index files (old ones are unlinked: maps of them stay valid). A file that can not be
 * created is done without. */
void rw_segment_new_indexes(struct rw_segment *s, const char *dir,
                            const struct rw_log_config *config);
/* The same under temporary names: for a segment whose indexes the next open takes on trust, because it
 * lies below the recovery point. A crash must find the old ones or whole new ones there. */
void rw_segment_new_indexes_aside(struct rw_segment *s, const char *dir,
                                  const struct rw_log_config *config);
/* Ends that: syncs them and gives them their names, which the caller makes durable; or removes them
 * (not whole), so that the next open tries again. */
RW_MUST int rw_segment_place_indexes(struct rw_segment *s, const char *dir, bool whole);
/* Notes a batch at position `at` in timestamps and, when due, in the indexes, whose tails must have
 * room. The caller holds the mutex when others can see the segment. */
void rw_segment_note(struct rw_segment *s, const struct rw_batch *batch, uint64_t at,
                     int64_t index_interval);
/* True when rw_segment_note() may need tails to be written first. */
static inline bool rw_segment_tails_full(const struct rw_segment *s)
{
    return s->offsets.tail_n == RW_INDEX_TAIL || s->times.tail_n == RW_INDEX_TAIL;
}
/* Adds the closing time entry, when there is room in the tail. The caller holds the mutex. */
void rw_segment_note_end(struct rw_segment *s);
/* Makes the indexes durable. Needed once the segment is no longer the last one: recovery looks at the
 * end of the last segment in any case, but takes the closing time entry of the others on trust, and
 * retention and look-ups by time decide by it. */
RW_MUST int rw_segment_sync_indexes(struct rw_segment *s);

/* Renames the files of a segment to .deleted / unlinks those. */
RW_MUST int rw_segment_rename_deleted(const struct rw_env *env, const char *dir, int64_t base);
RW_MUST int rw_segment_unlink_deleted(const struct rw_env *env, const char *dir, int64_t base);
