/*
 * What the files of librollway share: the handle behind include/rollway/log.h.
 *
 * Lock order: `append` (who may write: appenders, truncate, retain) before the mutex inside rw_log.
 * Nobody holds `append` across a sync, so that appenders share one fdatasync (rw_log_flush).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "batch/batch.h"
#include "batch/plain.h"
#include "env/env.h"
#include "log/dir.h"
#include "log/log.h"
#include "rollway/log.h"

/* One name for an internal code and its public twin: the numbers are the same. */
_Static_assert(
    ROLLWAY_E_NOMEM == (int)RW_E_NOMEM && ROLLWAY_E_INVAL == (int)RW_E_INVAL &&
        ROLLWAY_E_CORRUPT == (int)RW_E_CORRUPT && ROLLWAY_E_TOO_BIG == (int)RW_E_TOO_BIG &&
        ROLLWAY_E_UNSUPPORTED == (int)RW_E_UNSUPPORTED && ROLLWAY_E_RANGE == (int)RW_E_RANGE &&
        ROLLWAY_E_NOT_FOUND == (int)RW_E_NOT_FOUND && ROLLWAY_E_LOCKED == (int)RW_E_LOCKED &&
        ROLLWAY_E_FULL == (int)RW_E_FULL && ROLLWAY_E_IO == (int)RW_E_IO &&
        ROLLWAY_E_OFFLINE == (int)RW_E_OFFLINE && ROLLWAY_E_PERM == (int)RW_E_PERM &&
        ROLLWAY_E_LIMIT == (int)RW_E_LIMIT && ROLLWAY_E_TIMEOUT == (int)RW_E_TIMEOUT &&
        ROLLWAY_E_CLOSED == (int)RW_E_CLOSED && ROLLWAY_E_SEQUENCE == (int)RW_E_SEQUENCE &&
        ROLLWAY_E_FENCED == (int)RW_E_FENCED && ROLLWAY_E_TIMESTAMP == (int)RW_E_TIMESTAMP &&
        ROLLWAY_E_RECORD == (int)RW_E_RECORD,
    "public and internal codes");

struct rollway_log {
    const struct rw_env *env;
    struct rw_log *log;
    char *dir; /* where it really is; from find_place() on */
    char
        *home; /* where lock, checkpoints and clean mark lie: dir, or the data directory above it */
    bool is_partition;                  /* of the data directory `home` */
    struct rollway_log_options options; /* defaults filled in */
    struct rw_log_config config;
    struct rw_file *lock;      /* of a log of its own */
    struct rw_log_dir *parent; /* of a partition that is open for writing */
    struct rw_mutex *append;
    struct rw_cond *grown; /* with `append`: the end moved */
    atomic_uint waiters;   /* cursors that wait for it */
    /* Truncations begun and ended: odd while one is under way. Read-only: those of the writer that were
     * noticed, twice. */
    atomic_uint cuts;
    struct rw_builder builder;
    struct rw_record_header *headers; /* scratch of the appender */
    size_t headers_cap;
    /* What the checkpoints of a log of its own say, durably; -1: not known. Read-only: the start is what was
     * read last, of that file. */
    int64_t saved_point, saved_start;
    uint64_t start_id;
    int64_t start_mtime_ms;
    int64_t unflushed; /* records since the last flush (COUNT) */
    bool buffering;    /* the builder holds records that are not in the file yet: so many as ... */
    struct rw_plain open; /* ... this counts, which runs ahead of the builder (append.c) */
    int64_t epoch;        /* leader epoch of new batches */
    pthread_t flusher;
    bool flusher_runs;
    bool closing;         /* with `append` */
    struct rw_cond *wake; /* of the flusher, with `append` */
};

/* ---- errors (error.c) ---- */

/* Remembers words for rollway_log_error() on this thread and returns code. log may be NULL. */
int rollway_fail(const struct rollway_log *log, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with the words of the code and of the last failed system call. Passes RW_OK through. */
int rollway_fail_code(const struct rollway_log *log, int code, const char *what);
/* RW_E_INVAL for a call without what it works on or where it should put the answer. log may be NULL. */
int rollway_fail_null(const struct rollway_log *log);

/* ---- beside the segments (state.c) ---- */

/* Finds out what log->dir is and fills in dir, home and is_partition. INVAL: no log, but a data
 * directory. NOT_FOUND: nothing, and it must exist. */
RW_MUST int rollway_find_place(struct rollway_log *log);
/* Becomes the only writer: of the log, or of the data directory that it is a partition of. */
RW_MUST int rollway_lock(struct rollway_log *log);
/* What the last owner left: recovery point, start offset, whether it closed cleanly. Removes the
 * mark of a clean close. */
RW_MUST int rollway_load_state(struct rollway_log *log, struct rw_log_open_args *args);
/* Writes recovery point (not above `below`) and start offset, where they changed. Always durably: a power cut
 * must not leave less of an older one, or what was trimmed would come back, and damage be cut off. */
RW_MUST int rollway_save_state(struct rollway_log *log, int64_t below);
/* Damage that a read-only log sees may be the writer of another process in the middle of something, also when no truncation was heard of: what he takes
 * back and writes again the same is none. It is looked at so many times more, a millisecond apart, before it is believed. */
enum { ROLLWAY_DOUBTS_MAX = 5 };
void rollway_pause(struct rollway_log *log);
/* Read-only: takes in what the writer did, and what he says about the start. `append` is held. */
RW_MUST int rollway_refresh(struct rollway_log *log);
/* After everything was closed cleanly. */
RW_MUST int rollway_save_mark(struct rollway_log *log, int64_t end);
/* clean: leaves the mark of a data directory. */
void rollway_unlock(struct rollway_log *log, bool clean);

/* ---- append.c ---- */

static inline void rollway_lock_append(struct rollway_log *log)
{
    log->env->sync->lock(log->env->sync, log->append);
}
static inline void rollway_unlock_append(struct rollway_log *log)
{
    log->env->sync->unlock(log->env->sync, log->append);
}
/* Writes the records that were gathered in memory. `append` is held. */
RW_MUST int rollway_write_buffer(struct rollway_log *log);
/* What a reader of this handle must see first: read-only, what the writer did; else what is gathered. */
RW_MUST int rollway_catch_up(struct rollway_log *log);
/* The end, with the records that were gathered in memory. `append` is held. */
static inline int64_t rollway_end(const struct rollway_log *log)
{
    return rw_log_end(log->log) + (log->buffering ? (int64_t)log->open.offset_delta : 0);
}

/* ---- manage.c ---- */

/* How often the log was truncated; waits while it is. What was read before it changed may be gone, and
 * what looked damaged may have been cut while it was looked at. */
unsigned rollway_cuts(struct rollway_log *log);

/* ---- flusher.c ---- */

RW_MUST int rollway_flusher_start(struct rollway_log *log);
void rollway_flusher_stop(struct rollway_log *log);
