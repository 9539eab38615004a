/*
 * rollway/log.h - the embeddable commit log.
 *
 * A log is a directory of segment files. Records get consecutive 64-bit offsets and never change.
 * The files are Apache Kafka's partition directories, byte for byte (record batch v2, .index,
 * .timeindex, .snapshot, leader-epoch-checkpoint), so its tools read them and ours read its.
 *
 *     struct rollway_log *log;
 *     if (rollway_log_open("events-0", NULL, &log) != 0) ...
 *     int64_t offset;
 *     rollway_log_append(log, &(struct rollway_record){.value = "hello", .value_size = 5}, 1, &offset);
 *     rollway_log_close(log);
 *
 * Errors: every int function returns 0 or a negative ROLLWAY_E_* code; rollway_strerror() says it in
 * words, rollway_log_error() in more words. Output parameters (ret_*) are untouched on failure.
 *
 * NULL: to close or free nothing is fine. Every other function answers ROLLWAY_E_INVAL (0 where the
 * result is unsigned) when a log, a cursor, or an output parameter for which nothing else is said, is
 * NULL.
 *
 * Threads: one log may be used by any number of threads at once; appends are serialised inside.
 * Cursors belong to one thread at a time. The library starts no thread unless `flush_interval_ms` is
 * set, handles no signal, never exits and never aborts on bad input.
 *
 * Processes: one process writes a directory at a time (ROLLWAY_E_LOCKED for a second one); any number
 * of processes may open it read-only beside the writer. A partition of a broker's data directory can be
 * opened while nobody has that directory; its lock and its checkpoints are used then. After fork() a
 * log belongs to the parent: the child may exit, but not use or close it.
 *
 * Read-only beside a writer: the handle knows what was in the files when it looked last, which it does when
 * a cursor is at the end, waits, or meets damage, and in find_time and verify. So start and end are as
 * they were then, and a start inside of a segment is known when the writer has saved it (the library does
 * with each trim, a broker once a minute). What was truncated or trimmed meanwhile is RANGE for a cursor
 * that comes to it; where other records have taken its place they are given. CORRUPT is told when
 * another look finds no truncation, or one hundred in a row. Of truncations that follow each other within
 * milliseconds that look can still miss one (seen once in 180,000 opens): a new handle tells for certain.
 *
 * C99 and C++ clean. Sources: KIP-98 (record batch v2), KIP-32 (timestamps), KIP-101 and KIP-279
 * (leader epochs).
 */
#ifndef ROLLWAY_LOG_H
#define ROLLWAY_LOG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ROLLWAY_API __attribute__((visibility("default")))
#else
#define ROLLWAY_API
#endif

enum {
    ROLLWAY_OK = 0,
    ROLLWAY_E_NOMEM = -1,
    ROLLWAY_E_INVAL = -2,
    ROLLWAY_E_CORRUPT = -3,
    ROLLWAY_E_TOO_BIG = -5,
    ROLLWAY_E_UNSUPPORTED = -6,
    ROLLWAY_E_RANGE = -7,     /* offset below the log start or above the log end */
    ROLLWAY_E_NOT_FOUND = -8, /* no such directory; no record at or after that time */
    ROLLWAY_E_LOCKED = -10,   /* another process writes this directory */
    ROLLWAY_E_FULL = -11,     /* disk full; nothing was appended; retry when there is space */
    ROLLWAY_E_IO = -12,
    ROLLWAY_E_OFFLINE = -13, /* an earlier write or fsync failed: close, find out why, reopen */
    ROLLWAY_E_PERM = -14,
    ROLLWAY_E_LIMIT = -15,
    ROLLWAY_E_TIMEOUT = -16,
    ROLLWAY_E_CLOSED = -18,
    /* append_batch only: what a broker would answer to the producer of the batch */
    ROLLWAY_E_SEQUENCE = -22,  /* its sequence number does not follow the producer's last one */
    ROLLWAY_E_FENCED = -23,    /* its producer epoch is older than one that is known */
    ROLLWAY_E_TIMESTAMP = -24, /* a timestamp below -1 */
    ROLLWAY_E_RECORD = -25     /* the records are not those that the batch's header announces */
};

/*
 * When a record is on stable storage (fdatasync) relative to the return of append, and so what is kept
 * by whom:
 *
 *                 the process is killed      power fails
 *   EACH          every appended record      every appended record
 *   COUNT         every appended record      all but the last flush_records
 *   INTERVAL      every appended record      all but those of the last flush_interval_ms
 *   OS            every appended record      what the kernel had written (and rollway_log_flush())
 *
 * With buffer_bytes > 0 (not for EACH) the column "killed" loses what is still in memory: the records
 * since the batch was last written, which happens when buffer_bytes are full, at every flush, and at
 * close.
 */
enum rollway_durability {
    ROLLWAY_DURABLE_EACH = 0,     /* append returns when the record is durable (group commit) */
    ROLLWAY_DURABLE_COUNT = 1,    /* every flush_records records */
    ROLLWAY_DURABLE_INTERVAL = 2, /* every flush_interval_ms, by a thread of the library */
    ROLLWAY_DURABLE_OS = 3        /* left to the operating system and rollway_log_flush() */
};

enum rollway_compression {
    ROLLWAY_COMPRESSION_NONE = 0,
    ROLLWAY_COMPRESSION_GZIP = 1,
    ROLLWAY_COMPRESSION_SNAPPY = 2,
    ROLLWAY_COMPRESSION_LZ4 = 3,
    ROLLWAY_COMPRESSION_ZSTD = 4
};

/* Zero-initialise, set `size`, set what you want; 0 means the default written beside it. */
struct rollway_log_options {
    size_t size; /* sizeof(struct rollway_log_options): lets the struct grow */
    /* 1: no lock, no writing, no repair. Beside a writer in another process that truncates, what it took back may rarely look
     * damaged (CORRUPT): open again before you believe it. */
    int read_only;
    int must_exist;               /* 1: ROLLWAY_E_NOT_FOUND instead of creating a log */
    int durability;               /* enum rollway_durability; default EACH */
    int64_t flush_records;        /* for COUNT; default 1000 */
    int64_t flush_interval_ms;    /* for INTERVAL; default 1000 */
    int64_t segment_bytes;        /* roll at this size; default 1 GiB, at most 2^31 - 1 */
    int64_t segment_ms;           /* roll at this age; default 7 days */
    int64_t index_interval_bytes; /* one index entry per this many bytes; default 4096 */
    int64_t index_bytes;          /* index full at this size; default 10 MiB */
    int64_t retention_bytes;      /* delete oldest segments above this; default -1 (0 too): never */
    int64_t retention_ms;         /* delete segments older than this; default -1 (0 too): never */
    int64_t batch_bytes_max;      /* largest batch accepted; default 1048588, at most 256 MiB */
    int compression;              /* enum rollway_compression for records appended one by one */
    int64_t buffer_bytes; /* gather single records in memory up to this many bytes; default 0: write
                             each append at once; at most batch_bytes_max. Not with durability EACH */
    int no_cut; /* 1: ROLLWAY_E_CORRUPT instead of cutting off what is damaged or unfinished */
};

/* Header of a record. The key is text with its size; the value may be NULL. */
struct rollway_header {
    const char *key;
    size_t key_size;
    const void *value;
    size_t value_size;
};

/* Timestamps that a zero-initialised record can not ask for: 1970-01-01 itself (append only; it is read
 * as 0), and none at all, as records of old producers have (-1 in the file, too). */
#define ROLLWAY_TIME_1970 INT64_MIN
#define ROLLWAY_TIME_NONE (-1)

/* A record to append, or one that was read. key/value NULL means null, which differs from empty. */
struct rollway_record {
    int64_t offset;       /* read: its offset; append: ignored */
    int64_t timestamp_ms; /* Unix ms; append: 0 means now, see also ROLLWAY_TIME_* */
    const void *key;
    size_t key_size;
    const void *value;
    size_t value_size;
    const struct rollway_header *headers;
    size_t headers_count;
};

struct rollway_log;
struct rollway_cursor;

/* Library version, "0.1.0". */
ROLLWAY_API const char *rollway_version(void);
/* Static words for a code; never NULL. */
ROLLWAY_API const char *rollway_strerror(int code);

/* Opens or creates the log in directory `dir` and repairs what a crash left: above what is known to
 * have been durable, the first batch that is not whole is cut off with all that lies behind it, unless
 * no_cut is set; below it, damage is kept and told when it is read. `options` may be NULL. The caller
 * owns *ret_log and closes it. Errors: LOCKED, PERM, IO, FULL, NOMEM, INVAL (also for a broker's data
 * directory, which is no log but has some), CORRUPT (only read-only or with no_cut), UNSUPPORTED (messages
 * from before record batch v2, that is before Kafka 0.11). */
ROLLWAY_API int rollway_log_open(const char *dir, const struct rollway_log_options *options,
                                 struct rollway_log **ret_log);
/* Flushes, writes the clean-shutdown mark, frees. log may be NULL. Returns the flush's error; the
 * handle is gone in any case. */
ROLLWAY_API int rollway_log_close(struct rollway_log *log);
/* What the last failure on this thread for this log (NULL: of open or close, or of a call without a
 * log) was about: path, offset, errno in words. "" when there was none. Valid until the next call on the
 * same thread. */
ROLLWAY_API const char *rollway_log_error(const struct rollway_log *log);

/* Appends `count` records as one batch: all or none. *ret_offset (may be NULL) = offset of the first.
 * Returns when the durability policy is met. Errors: INVAL, TOO_BIG (the batch is larger than
 * batch_bytes_max; before compression, than 256 MiB), FULL (nothing appended), IO and OFFLINE (an
 * fdatasync failed: durability of the last records is unknown), LIMIT (no file descriptors are left: the
 * records may be appended but not durable, see rollway_log_end_offset(); the log goes on). */
ROLLWAY_API int rollway_log_append(struct rollway_log *log, const struct rollway_record *records,
                                   size_t count, int64_t *ret_offset);
/* Appends one ready record batch v2 as a Kafka producer would send it. It is validated (lengths, CRC,
 * record count, and the sequence when it names a producer: a repeated batch is not appended again and
 * gets the offset it has); its base offset and leader epoch are rewritten in place. Errors: those of
 * append, CORRUPT, UNSUPPORTED, SEQUENCE, FENCED, TIMESTAMP, RECORD. */
ROLLWAY_API int rollway_log_append_batch(struct rollway_log *log, void *batch, size_t size,
                                         int64_t *ret_offset);
/* Makes everything appended so far durable. */
ROLLWAY_API int rollway_log_flush(struct rollway_log *log);

/* Offset of the first record that is still there; of the next record to be appended; up to which
 * everything is durable. */
ROLLWAY_API int64_t rollway_log_start_offset(const struct rollway_log *log);
ROLLWAY_API int64_t rollway_log_end_offset(const struct rollway_log *log);
ROLLWAY_API int64_t rollway_log_durable_offset(const struct rollway_log *log);
/* Bytes that opening cut off because they were not whole; 0: nothing was lost. */
ROLLWAY_API uint64_t rollway_log_cut_bytes(const struct rollway_log *log);
/* Bytes of all segments. */
ROLLWAY_API uint64_t rollway_log_size(const struct rollway_log *log);

/* First offset whose timestamp is >= timestamp_ms. NOT_FOUND when there is none. */
ROLLWAY_API int rollway_log_find_time(struct rollway_log *log, int64_t timestamp_ms,
                                      int64_t *ret_offset);

/* A cursor at `offset` (must be in [start, end]); the caller frees it before closing the log. */
ROLLWAY_API int rollway_cursor_new(struct rollway_log *log, int64_t offset,
                                   struct rollway_cursor **ret_cursor);
/* Next record in offset order. 1: *ret_record is set (memory of the cursor, valid until the next
 * call on it). 0: at the end; wait and call again. Negative: an error; CORRUPT names the damaged
 * batch in rollway_log_error(), and rollway_cursor_seek() past it goes on; RANGE: a trim or a
 * truncation took the place away. */
ROLLWAY_API int rollway_cursor_next(struct rollway_cursor *cursor,
                                    struct rollway_record *ret_record);
/* Waits until there is something to read: 1, or 0 after timeout_ms (-1: no limit). Negative: an error. */
ROLLWAY_API int rollway_cursor_wait(struct rollway_cursor *cursor, int timeout_ms);
ROLLWAY_API int rollway_cursor_seek(struct rollway_cursor *cursor, int64_t offset);
ROLLWAY_API int64_t rollway_cursor_offset(const struct rollway_cursor *cursor);
ROLLWAY_API void rollway_cursor_free(struct rollway_cursor *cursor);

/* Removes every record at `offset` and after it. The next append gets `offset`. A batch that contains it
 * is made smaller and stays what it was (producer, transaction); a crash or a full disk while that is
 * done loses nothing below `offset`: the next open for writing completes it (read-only, the rest of that
 * batch is not seen before). FULL: nothing was removed. After another error the log may be OFFLINE, with a
 * part of what was to go: reopen it and do it again. */
ROLLWAY_API int rollway_log_truncate(struct rollway_log *log, int64_t offset);
/* Moves the log start to `offset` (DeleteRecords) and deletes segments that fell below it. */
ROLLWAY_API int rollway_log_trim(struct rollway_log *log, int64_t offset);
/* Applies retention_ms and retention_bytes now; *ret_segments (may be NULL) = segments deleted. As in
 * Kafka this can be all of them, when even the newest record is too old: an empty segment is started
 * first, and offsets go on where they were. */
ROLLWAY_API int rollway_log_retain(struct rollway_log *log, int *ret_segments);

struct rollway_verify_result {
    uint64_t batches;
    uint64_t records;
    uint64_t bytes;
    uint64_t bad_batches;       /* bad CRC, lengths, offsets, or records that can not be decoded */
    int64_t first_bad_offset;   /* -1 when none */
    uint64_t bad_index_entries; /* in .index and .timeindex */
    uint64_t checksum;          /* of all batches without base offset and leader epoch: equal on
                                   replicas of one partition */
};

/* Reads everything, checks every CRC, every record and every index entry. ROLLWAY_OK also when
 * damage was found: look at the result. */
ROLLWAY_API int rollway_log_verify(struct rollway_log *log,
                                   struct rollway_verify_result *ret_result);

#ifdef __cplusplus
}
#endif

#endif
