/*
 * struct rw_log, shared by the files of this folder and by nobody else.
 *
 * Lock order: `mutex` is the only lock and is never held across a system call that may wait (the one
 * exception is mmap of an index). The flush token (`flushing`) is taken before it is needed without
 * the mutex; who holds it may sync, truncate or close.
 */
#pragma once

#include <stdatomic.h>
#include "base/buf.h"
#include "log/epochs.h"
#include "log/log.h"
#include "log/path.h"
#include "log/producers.h"
#include "log/scan.h"
#include "log/segment.h"

struct rw_log {
    const struct rw_env *env;
    char *dir;
    char *topic_name;
    struct rw_uuid topic_id;
    bool read_only;
    bool no_cut;            /* while opening */
    uint64_t cut_bytes;     /* that opening removed */
    atomic_bool contiguous; /* no gaps between offsets: the mark is there. The writer's to set */

    struct rw_mutex *mutex;
    struct rw_cond *flushed;
    struct rw_log_config config; /* [L] to change; the writer reads it freely */

    struct rw_segment **segments; /* [L] ascending; the last one is active; never empty */
    size_t segments_n, segments_cap;
    struct rw_segment **deleted; /* [L] renamed, waiting to be unlinked */
    size_t deleted_n, deleted_cap;
    uint64_t bytes;          /* [L] of all segments */
    bool flushing;           /* [L] the flush token is taken */
    uint64_t dir_changes;    /* [L] of names that matter ... */
    uint64_t dir_synced;     /* [L] ... and how many of them are durable */
    atomic_uint small_syncs; /* [L] to change. In a row; see ahead.c */
    struct rw_epochs epochs; /* [L] */
    bool epochs_busy;        /* [L] their file is being written ... */
    int64_t epochs_writing;  /* [L] ... and this was `unsaved`; INT64_MAX: it is not */

    atomic_int_least64_t start, end, durable;
    atomic_int state; /* RW_OK, or what took the log offline */

    /* Of the writer alone. */
    struct rw_producers producers;
    struct rw_records scratch;
    struct rw_buf text;
    int64_t snapshot_at;    /* offset of the newest snapshot file, -1: none */
    int64_t recovery_point; /* while opening: everything below is durable */
    bool reserve_refused;

    /* Read-only (refresh.c): the last batch of the active segment as it was seen. */
    uint64_t last_at;
    uint32_t last_crc;
    bool last_known;
    int64_t last_end; /* offset behind it; where the segment begins while there is none */
    atomic_uint rewinds;
};

static inline void rw_log_lock(struct rw_log *log)
{
    log->env->sync->lock(log->env->sync, log->mutex);
}

static inline void rw_log_unlock(struct rw_log *log)
{
    log->env->sync->unlock(log->env->sync, log->mutex);
}

static inline struct rw_segment *rw_log_active(const struct rw_log *log)
{
    return log->segments[log->segments_n - 1];
}

/*
 * The mark of a log without gaps between its offsets (an empty file): made with the log, durable before
 * its first record, gone before there can be a gap (a replica's log of compacted batches; compaction).
 * Logs that another program made do not have it. With it, a gap between segments is what a crash left.
 */
RW_MUST int rw_log_mark_contiguous(struct rw_log *log);
/* Has Kafka compacted this partition (as far as one can know)? Then a mark does not count. RW_E_NOMEM.
 * (cleaner.c) */
RW_MUST int rw_log_was_cleaned(const struct rw_log *log, bool *ret_cleaned);
RW_MUST int rw_log_unmark_contiguous(struct rw_log *log);
bool rw_log_is_marked_contiguous(const struct rw_log *log);

/* Takes the log offline (the first failure wins) and returns `code`, for RW_E_FULL RW_E_IO. */
int rw_log_fail(struct rw_log *log, int code, const char *what, int64_t offset);
/* Waits for the flush token and takes it. The mutex must be held. */
void rw_log_take_token(struct rw_log *log);
void rw_log_give_token(struct rw_log *log);
/* rw_log_flush() for who holds the token; the mutex is not held. */
RW_MUST int rw_log_flush_all(struct rw_log *log);

static inline void rw_log_remember_last(struct rw_log *log, uint64_t at, uint32_t crc)
{
    log->last_at = at;
    log->last_crc = crc;
    log->last_known = true;
}

/* Index of the segment with the greatest base <= offset, 0 when all are above. [L] */
size_t rw_log_segment_at(const struct rw_log *log, int64_t offset);
/* Room for one more segment, so that the next push can not fail. */
RW_MUST int rw_log_reserve_segment(struct rw_log *log);
void rw_log_push_segment(struct rw_log *log, struct rw_segment *segment);

/* Writes full index tails of the active segment. [W] */
void rw_log_spill(struct rw_log *log, struct rw_segment *s, bool all);
/* Everything about the segment's batches is in its index files, the closing time entry too. [W] */
bool rw_log_is_indexed(const struct rw_segment *s);
/* Closing time entry and index tails written. When that can not be (the disk is full), the files lose a
 * name instead, so that nobody takes them for whole. [W] */
RW_MUST int rw_log_close_indexes(struct rw_log *log, struct rw_segment *s);
/* The same; and the file cut off where the segment ends. A failure takes the log offline: zeros behind a
 * segment that is not the last would be taken for damage. [W] */
RW_MUST int rw_log_seal(struct rw_log *log, struct rw_segment *s);
/* Makes the indexes of a sealed segment durable, and the end of its file, where nothing else of it is
 * waiting to be synced: then no flush works on the file, and the writer may. [W] */
RW_MUST int rw_log_sync_sealed(struct rw_log *log, struct rw_segment *s);
/* Would n more bytes need a new segment, the last batch of them with this max timestamp and last offset,
 * and `before` batches in front of it? [W] */
bool rw_log_should_roll(const struct rw_log *log, size_t before, uint64_t n, int64_t now_ms,
                        int64_t max_timestamp, int64_t last_offset);
/* Positions in the index are 31 bits wide: have n more bytes room in the active segment? [W] */
bool rw_log_has_room(const struct rw_log *log, uint64_t n);
/* Starts a segment at `base` (>= end). [W] */
RW_MUST int rw_log_roll_at(struct rw_log *log, int64_t base);

/* Makes the changes of names durable that were made before the call. A failure takes the log offline, but
 * for a shortage of descriptors or memory (RW_E_LIMIT, RW_E_NOMEM): then it is still to be done. */
RW_MUST int rw_log_sync_directory(struct rw_log *log);
/* Producer snapshot at `offset`, which must be the end. [W] */
RW_MUST int rw_log_write_snapshot(struct rw_log *log, int64_t offset, bool durable);
/* Loads the newest good snapshot and replays the batches after it. Leader epochs are assigned
 * from the batches at and above epochs_from; INT64_MAX: from none. */
RW_MUST int rw_log_load_producers(struct rw_log *log, int64_t epochs_from);
/* recall.c: adds to what the snapshot told the batches before, as far as they are among the last five of
 * their producer and near. `below`: what it covers. RW_E_NOMEM. */
RW_MUST int rw_log_recall_batches(struct rw_log *log, int64_t below, int64_t now_ms);
/* Removes snapshot files with keep_from <= offset < keep_to turned around: outside of the range. */
RW_MUST int rw_log_drop_snapshots(struct rw_log *log, int64_t keep_from, int64_t keep_to);
/* Writes leader-epoch-checkpoint when it changed and nobody else is doing so. Takes the mutex itself. What
 * could not be written holds rw_log_recovery_point() back. */
RW_MUST int rw_log_write_epochs(struct rw_log *log);

/* append.c: what a batch in the log means for its producer, whose entry must exist. [W] */
void rw_log_note_producer(struct rw_log *log, const struct rw_batch *batch, const uint8_t *bytes,
                          int64_t now_ms);

/* cut.c: completes a truncation that a crash interrupted. While opening, before the start is set. */
RW_MUST int rw_log_finish_cut(struct rw_log *log);
/* recover.c: loads (and where needed and allowed repairs) all segments. */
RW_MUST int rw_log_load(struct rw_log *log, const struct rw_log_open_args *args);
/* Scans headers and writes new index files. */
RW_MUST int rw_log_rebuild_indexes(struct rw_log *log, struct rw_segment *s, int64_t next_base);

/* Moves segments [from, to) to the list of deleted ones and renames their files, from the last to the
 * first when `backwards` (so that a crash leaves a prefix). [W] */
RW_MUST int rw_log_delete_segments(struct rw_log *log, size_t from, size_t to, bool backwards);

/* read.c: position of the first batch in s that ends at or after `offset`. *ret_at == size: none.
 * `below`: where the next segment starts, or the log ends. The caller holds a reference. */
struct rw_locate {
    uint64_t at;
    struct rw_batch batch; /* valid when at < size */
};
RW_MUST int rw_log_locate(struct rw_log *log, struct rw_segment *s, uint64_t size, int64_t below,
                          int64_t offset, struct rw_locate *ret_locate);
/* A scan of the segment from `at` on that knows what its offsets must be. */
void rw_log_scan(const struct rw_log *log, const struct rw_segment *s, uint64_t at, uint64_t size,
                 int64_t below, void *room, size_t chunk, struct rw_scan *ret_scan);
/* Where the segments[i] ends: the base of the next one, or the end of the log. [L] or [W] */
int64_t rw_log_segment_end(const struct rw_log *log, size_t i);

/* Holds the segment that offset belongs to, or the first one after `after` when that is given; NULL:
 * none. *ret_next: first offset beyond it. *ret_last: it
 * was the last one; who found nothing in it must stop then, because a segment that comes after it now
 * begins behind records that were appended to it meanwhile. The caller unrefs it. */
struct rw_segment *rw_log_hold(struct rw_log *log, int64_t offset, const struct rw_segment *after,
                               uint64_t *ret_size, int64_t *ret_next, bool *ret_last);

/* partition_meta.c */
RW_MUST int rw_partition_meta_load(const struct rw_env *env, const char *dir,
                                   struct rw_uuid *ret_topic_id);
RW_MUST int rw_partition_meta_write(const struct rw_env *env, const char *dir,
                                    struct rw_uuid topic_id);
