/*
 * One partition's log: segments in a directory, indexes, producer state, leader epochs.
 *
 * Blocking code over env/vfs. Thread rules: one writer at a time calls the functions marked [W]
 * (the broker: the shard that owns the partition; the library: whoever holds its mutex). Functions
 * marked [R] may be called from any thread beside the writer. rw_log_flush() [R] may run in a job.
 *
 * Offsets: start <= durable <= end. "end" is the log end offset: the offset of the next record.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/code.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "batch/batch.h"
#include "env/env.h"

struct rw_log;

/* File descriptors that each segment of an open log holds. */
#define RW_LOG_FILES 3

/* Settings in Kafka's words; all can change while the log is open (rw_log_configure). */
struct rw_log_config {
    int64_t segment_bytes;        /* segment.bytes */
    int64_t segment_ms;           /* segment.ms */
    int64_t segment_jitter_ms;    /* segment.jitter.ms */
    int64_t index_bytes_max;      /* segment.index.bytes */
    int64_t index_interval_bytes; /* index.interval.bytes */
    int64_t retention_ms;         /* retention.ms; -1: for ever */
    int64_t retention_bytes;      /* retention.bytes; -1: no limit */
    int64_t flush_messages; /* flush.messages: sync at least every N records; see flush policy */
    int64_t flush_ms;       /* flush.ms */
    int64_t file_delete_delay_ms; /* file.delete.delay.ms */
    int64_t batch_bytes_max;      /* max.message.bytes */
    int64_t producer_expiry_ms;   /* producer.id.expiration.ms */
    int64_t timestamp_before_max_ms;
    int64_t timestamp_after_max_ms;
    bool log_append_time; /* message.timestamp.type = LogAppendTime */
    bool cleanup_delete;  /* cleanup.policy contains delete */
    bool cleanup_compact; /* cleanup.policy contains compact */
    bool preallocate;     /* reserve disk space of a segment ahead of the writer */
    bool keep_reserved;   /* what is reserved when the log is closed stays so */
    int64_t
        zeros_ahead_bytes; /* write at most so many zeros ahead of the end of a log that is synced
                                  after small appends; 0: never */
};

/* Kafka's defaults. */
void rw_log_config_init(struct rw_log_config *c);

struct rw_log_open_args {
    bool clean;              /* the directory was shut down cleanly: skip the CRC scan */
    bool read_only;          /* no repair, no writing */
    bool no_cut;             /* RW_E_CORRUPT instead of cutting off what is not whole */
    int64_t recovery_point;  /* offset from recovery-point-offset-checkpoint; 0 scans everything */
    int64_t start_offset;    /* from log-start-offset-checkpoint; 0 when unknown */
    struct rw_uuid topic_id; /* zero: keep what partition.metadata says, or have none */
    const char *topic_name;  /* for diagnostics; may be NULL */
};

/* Opens or creates. After a crash: scans from the recovery point, truncates at the first bad batch,
 * rebuilds what is missing or wrong. RW_E_CORRUPT only when read_only or no_cut. RW_E_UNSUPPORTED: there are
 * messages from before record batch v2. */
RW_MUST int rw_log_open(const struct rw_env *env, const char *dir,
                        const struct rw_log_config *config, const struct rw_log_open_args *args,
                        struct rw_log **ret_log);
/* Offsets have no gaps but where something is damaged. */
bool rw_log_is_contiguous(const struct rw_log *log);
/* [W] clean: flush, write index tails and the producer snapshot first. log may be NULL. The handle is
 * gone in any case; the code says whether everything is on disk. */
int rw_log_close(struct rw_log *log, bool clean);
/* [W] Closes and removes the directory as rw_log_remove() does. The handle is gone in any case. */
RW_MUST int rw_log_destroy(struct rw_log *log);
/* Removes the directory of a log that is not open (renamed to <dir>.<id>-delete first); fine when there
 * is none. After an error it may be there under either name. (remove.c) */
RW_MUST int rw_log_remove(const struct rw_env *env, const char *dir);

/* ---- append ---- */

/*
 * What rw_batch_inspect() said about a batch before it came to the log, on whatever thread. It counts
 * when it was made by the rules that the log has at the append (time aside); else the log looks itself.
 */
struct rw_append_check {
    struct rw_validate_rules rules;
    struct rw_validate_result result;
    int code;
};

struct rw_append_args {
    int32_t leader_epoch; /* stamped into the batches (leader), or kept (replica) */
    bool as_leader;       /* true: assign offsets, validate, check producers. false: bytes come from
                               a leader and keep their offsets */
    bool allow_zstd;
    /* as_leader: the batch was built in this process, with this header: its bytes are not looked at. NULL:
     * they are checked. */
    const struct rw_batch *built;
    bool internal; /* control batches and internal writers: skip the client-only rules */
    int64_t
        now_ms; /* a batch that was built may leave it 0: the clock is asked if the time matters */
    const struct rw_append_check *check; /* as_leader; NULL: none was made */
};

/* What a leader demands of a client's batch (args: allow_zstd, internal, now_ms). */
void rw_log_rules(const struct rw_log_config *c, const struct rw_append_args *args,
                  struct rw_validate_rules *ret_rules);

struct rw_append_info {
    int64_t first_offset;
    int64_t last_offset;
    int64_t log_append_time; /* -1 in CreateTime mode */
    bool duplicate;          /* the batch was appended before: offsets are those of the original */
    bool rolled;             /* a new segment was started */
    /* When the code is RW_E_RECORD / RW_E_TIMESTAMP / RW_E_CORRUPT / RW_E_SEQUENCE / RW_E_FENCED: */
    int32_t bad_record; /* index in the batch, -1: the batch as a whole */
    const char *why;    /* static words, NULL when fine */
};

/*
 * [W] Appends one batch (leader) or any number of whole batches (replica). Patches offset, epoch and,
 * in LogAppendTime, timestamps inside `bytes`. Atomic: after an error nothing of it is in the log.
 * RW_E_CORRUPT, RW_E_TOO_BIG, RW_E_RECORD, RW_E_TIMESTAMP, RW_E_SEQUENCE, RW_E_FENCED,
 * RW_E_UNSUPPORTED, RW_E_RANGE (no offsets are left): the input is refused. RW_E_FULL: no space, the log stays online. RW_E_IO,
 * RW_E_OFFLINE: the log is offline now.
 */
RW_MUST int rw_log_append(struct rw_log *log, uint8_t *bytes, size_t n,
                          const struct rw_append_args *args, struct rw_append_info *ret_info);

/* One append of several. The bytes must be there until the call returns. */
struct rw_append {
    uint8_t *bytes;
    size_t n;
    struct rw_append_args args;
    int code; /* the answer, as rw_log_append() gives it */
    struct rw_append_info info;
};

/*
 * [W] The same for each in this order, with as few writes as possible. What is refused leaves the others
 * alone. Where the disk fails one (RW_E_FULL, RW_E_IO), those that were to be written with it and all behind
 * them have the same answer: what was appended is a beginning of the list, without what was refused.
 */
void rw_log_append_all(struct rw_log *log, struct rw_append *const *appends, size_t n);

/*
 * [R] Group commit: makes everything that was appended when the call began durable and moves the
 * durable offset. Several callers may overlap; each file is synced by one at a time. After an error
 * the log is offline for good: a failed fsync is never retried. Without a descriptor to sync the
 * directory with, it waits for one for 10 s (then RW_E_LIMIT: nothing failed, and the log is online).
 * *ret_durable may be NULL.
 */
RW_MUST int rw_log_flush(struct rw_log *log, int64_t *ret_durable);
/* [R] The same, but a shortage of descriptors or memory is answered at once (RW_E_LIMIT, RW_E_NOMEM; the
 * log is online): for callers that share their thread with other logs, and try again later. */
RW_MUST int rw_log_flush_now(struct rw_log *log, int64_t *ret_durable);

/* [W] Reserves disk space for the next n bytes, so that appending them will not meet RW_E_FULL. Kept until
 * the log is closed cleanly. RW_E_FULL, RW_E_UNSUPPORTED (the file system can not). */
RW_MUST int rw_log_reserve(struct rw_log *log, uint64_t n);

/* [W] Starts a new segment now (does nothing when the active one is empty). */
RW_MUST int rw_log_roll(struct rw_log *log);

/* ---- positions [R] ---- */

int64_t rw_log_start(const struct rw_log *log);
int64_t rw_log_end(const struct rw_log *log);
int64_t rw_log_durable(const struct rw_log *log);
/* What to give to the next open as the recovery point: the durable offset, or less while leader epochs
 * below it could not be written and have to be read from the batches again. */
int64_t rw_log_recovery_point(const struct rw_log *log);
uint64_t rw_log_bytes(const struct rw_log *log);
/* What the open removed: bytes that were not whole batches, and all that lay behind them. Not zeros. */
uint64_t rw_log_cut_bytes(const struct rw_log *log);
size_t rw_log_segments(const struct rw_log *log);
int32_t rw_log_latest_epoch(const struct rw_log *log); /* -1 when none */
struct rw_uuid rw_log_topic_id(const struct rw_log *log);
const char *rw_log_dir(const struct rw_log *log);
/* [W] First offset of the earliest open transaction (bounds the last stable offset); -1: none. */
int64_t rw_log_first_txn(const struct rw_log *log);
/* RW_OK, or the failure that took the log offline. */
int rw_log_state(const struct rw_log *log);

/* ---- read [R] ---- */

/* A piece of one segment file. Holds a reference: the file stays readable, even when retention deletes
 * the segment, until rw_log_range_release(). */
struct rw_log_range {
    struct rw_file *file;
    uint64_t at;
    size_t n; /* whole batches, except when min_one is false and the first is too large */
    int64_t
        first_offset; /* base offset of the first batch in it; above the one asked for only in a gap */
    bool more; /* behind it, below `below`, lies what max_bytes or the segment's end kept out */
    void *hold;
};

/*
 * Finds the batch that contains `offset` and as many whole following batches of that segment as fit
 * into max_bytes and lie below `below` (high watermark or last stable offset; INT64_MAX: the end).
 * min_one: the first batch comes whole even when it is larger (KIP-74). n == 0: nothing there yet.
 * RW_E_RANGE: offset < start or > end. RW_E_CORRUPT: the segment is damaged at that place.
 */
RW_MUST int rw_log_read(struct rw_log *log, int64_t offset, int64_t below, size_t max_bytes,
                        bool min_one, struct rw_log_range *ret_range);
/* True when reading max_bytes at `offset` (start <= offset < end) will hardly wait for the disk: the index
 * that leads there and the bytes themselves are in the page cache. Sending them will not, either. */
bool rw_log_is_warm(struct rw_log *log, int64_t offset, size_t max_bytes);
void rw_log_range_release(struct rw_log_range *range);
/*
 * For random access: what lies around `offset`, with a single read into `room`. The batch that contains
 * offset is whole and starts at room + *ret_at; more may follow it up to room + *ret_n, the last of them
 * cut anywhere. *ret_n == 0: one read did not lead there (a large batch, damage, a gap, the end), ask
 * rw_log_read(). Only the bytes' place was checked, not the CRC.
 */
RW_MUST int rw_log_peek(struct rw_log *log, int64_t offset, uint8_t *room, size_t room_n,
                        size_t *ret_at, size_t *ret_n);

/* After RW_E_CORRUPT at `offset`: where intact data goes on (the end of the log at the latest). */
RW_MUST int rw_log_skip_damage(struct rw_log *log, int64_t offset, int64_t *ret_offset);
/*
 * For logs that were opened read-only beside a writer: takes in what was appended, rolled, trimmed or
 * truncated since. `start`: where the log starts, as far as the writer has said so elsewhere; 0: unknown.
 */
RW_MUST int rw_log_refresh(struct rw_log *log, int64_t start);
/* How often that found that something was taken back: what was read before may be gone, and what looked
 * damaged may have been that. */
unsigned rw_log_rewinds(const struct rw_log *log);

struct rw_log_position {
    int64_t offset;    /* -1: none */
    int64_t timestamp; /* -1: none */
    int32_t leader_epoch;
};

/* First record with timestamp >= ts, looking below `below`. RW_OK with offset -1 when there is none. */
RW_MUST int rw_log_find_time(struct rw_log *log, int64_t ts, int64_t below,
                             struct rw_log_position *ret_position);
/* The record with the largest timestamp (ListOffsets -3). */
RW_MUST int rw_log_max_time(struct rw_log *log, struct rw_log_position *ret_position);
/* OffsetForLeaderEpoch (KIP-101, KIP-279): the largest epoch <= `epoch` and where it ended.
 * (-1, -1) when unknown. */
void rw_log_epoch_end(struct rw_log *log, int32_t epoch, int32_t *ret_epoch, int64_t *ret_end);

/* ---- shrink [W] ---- */

/* Removes offset and everything after it, in files, indexes, producer state and epochs. */
RW_MUST int rw_log_truncate(struct rw_log *log, int64_t offset);
/* The same, but the records below offset of a batch that contains it are kept, in a batch of their own
 * and without a moment in which a crash could lose them. */
RW_MUST int rw_log_truncate_records(struct rw_log *log, int64_t offset);
/* Deletes everything and restarts at offset. */
RW_MUST int rw_log_reset(struct rw_log *log, int64_t offset);
/* Moves the start forward to offset (DeleteRecords) and deletes segments below it. */
RW_MUST int rw_log_trim(struct rw_log *log, int64_t offset);
/* Applies retention: deletes whole segments below `below` (high watermark). When that is all of them, an
 * empty one is started first. A segment whose largest timestamp only its index knows is not deleted for it
 * before rw_log_check_times() has seen the batches. */
RW_MUST int rw_log_retain(struct rw_log *log, int64_t now_ms, int64_t below, int *ret_deleted);
/* [R] Reads the timestamps of what retention would delete next if its indexes could be believed. What can
 * not be read is reported and kept. May run in a job. */
void rw_log_check_times(struct rw_log *log, int64_t now_ms);
/* Unlinks segments whose deletion delay has passed. May run in a job. */
void rw_log_unlink_deleted(struct rw_log *log, int64_t now_ms);
void rw_log_configure(struct rw_log *log, const struct rw_log_config *config);

/* ---- check ---- */

struct rw_log_verify {
    uint64_t batches, records, bytes, bad_batches, bad_index_entries, checksum;
    int64_t first_bad_offset;
    void (*report)(void *arg, const char *file, uint64_t at, int code, const char *why);
    bool (*stop)(void *arg); /* asked now and then; true: RW_E_CANCELED. NULL: never */
    void *arg;
};

/* [R] Full scan. */
RW_MUST int rw_log_verify(struct rw_log *log, struct rw_log_verify *v);
/* [R] Bytes of the segment files behind what the log takes for their ends: a torn write, damage, or an
 * append in progress. Zeros behind the end of the last one are none of these and do not count. */
RW_MUST int rw_log_rest(struct rw_log *log, uint64_t *ret_bytes);
