/*
 * An appender: reads the journal from where it stands, keeps what it is for, formats it and hands it to its sink in chunks. Each has a thread
 * of its own (or, in sync mode, is run by the calls), so that one that fails or waits holds up no other. When it falls so far
 * behind that the journal is full, the policy of each level says what happens (overflow.c). After failures in a row its breaker opens:
 * attempts become rare, one at a time, until one succeeds.
 */
#pragma once

#include <pthread.h>
#include "logger/backoff.h"
#include "logger/collector.h"
#include "logger/engine.h"
#include "logger/format.h"
#include "logger/sink.h"

enum { RW_LG_RULES = 16 };

struct rw_lg_appender_options {
    char name[RW_LG_NAME];
    int level;                             /* records of at least this level */
    char loggers[RW_LG_RULES][RW_LG_NAME]; /* and of these loggers and those below; none: all */
    unsigned n_loggers;
    int64_t flush_ms, flush_bytes, flush_records; /* write when one of them is reached */
    int64_t consumers;                            /* threads that format */
    int flush_level;                              /* or a record of this level is there */
    enum rw_lg_overflow overflow[RW_LG_LEVELS];   /* when the journal is full */
    int64_t wait_ns[RW_LG_LEVELS];                /* for BLOCK; -1: without limit */
    int64_t breaker_failures;                     /* in a row that open the breaker */
    int64_t breaker_pause_ms;                     /* most between two attempts */
    struct rw_lg_format format;
};

/* What has become of its records. They outlive the appender when the settings are read again. */
struct rw_lg_appender_counts {
    _Atomic uint64_t written, failed, dropped[RW_LG_LEVELS];
    _Atomic uint64_t bytes, writes, errors;
    _Atomic int last_error;
    _Atomic int64_t last_error_ns; /* Unix time */
};

/* Records of levels that drop the newest, when the journal needs their place: whole entries, older than all that it still has. */
struct rw_lg_kept {
    char *p;
    size_t at, n, cap;
};

struct rw_lg_appender {
    struct rw_lg_appender_options o;
    struct rw_lg_map *map;
    struct rw_lg_cursor *cursor;
    unsigned slot; /* which cursor */
    struct rw_lg_sink *sink;
    struct rw_lg_knowledge known;
    struct rw_lg_view view;
    pthread_mutex_t
        lock; /* of `read`, and of the journal's memory behind it: held while records are read, not while they are written */
    uint64_t read; /* position up to which the journal was read */
    /* The chunk: lines that were formatted and not yet written. */
    char *text;
    size_t n, cap, lines;
    size_t
        orphans; /* the first of the lines, which are in memory only: the journal has gone over them */
    struct rw_lg_line *index; /* of the lines, when the sink wants it */
    size_t index_cap;
    unsigned level;
    int64_t since_ns; /* when its first line came */
    uint64_t upto;    /* the journal up to here is in the chunk, or was for others */
    /* After an error. */
    int error;
    struct rw_lg_breaker breaker;
    _Atomic int breaker_state; /* enum rw_lg_breaker_state, for others */
    int64_t retry_ns, tick_ns;
    bool unsynced;
    bool
        pending; /* a record (for sinks that want records) is in `text` that the sink could not take */
    _Atomic bool reopen;               /* asked for */
    _Atomic uint32_t levels;           /* a bit for each level that is in `text` */
    _Atomic int64_t full_ns;           /* since when the journal waits for it; 0: it does not */
    struct rw_lg_kept kept;            /* under `lock` */
    struct rw_lg_consumers *consumers; /* NULL: its own thread formats */
    _Atomic uint64_t kept_records;
    _Atomic uint64_t in_chunk; /* `lines`, or an event that is pending; for others */
    struct rw_lg_appender_counts counts;
    uint64_t told[RW_LG_LEVELS]; /* of counts.dropped; by the collector */
    int told_state;
    _Atomic uint64_t flushed; /* everything up to this position is written and synced */
};

RW_MUST int rw_lg_appender_init(struct rw_lg_appender *a, struct rw_lg_map *map,
                                struct rw_lg_cursor *cursor, struct rw_lg_sink *sink,
                                const struct rw_lg_appender_options *options);
void rw_lg_appender_deinit(struct rw_lg_appender *a);
/* Does what there is to do. `want`: write (and sync) everything up to this position of the journal, whatever the triggers say. Returns
 * when it wants to be called again, in monotonic nanoseconds; INT64_MAX: when there is something new. */
int64_t rw_lg_appender_step(struct rw_lg_appender *a, uint64_t want);
/* Failed and dropped ones (stats.c). */
uint64_t rw_lg_appender_gave_up(const struct rw_lg_appender *a);
/* A line of the record behind the others; and those of a piece, which is empty then (consumers.c). */
void rw_lg_appender_take(struct rw_lg_appender *a, const struct rw_lg_entry *e);
void rw_lg_appender_join(struct rw_lg_appender *a, struct rw_lg_appender *piece);
bool rw_lg_appender_wants(const struct rw_lg_appender *a, const struct rw_lg_entry *e);

/* ---- overflow.c ---- */

/* The journal is full: by its policies gives up records so that `room` bytes behind the journal's head are free. False: it waits, or is
 * busy reading. */
bool rw_lg_appender_drop(struct rw_lg_appender *a, uint64_t room);
/* The oldest record that was kept; NULL: none. `lock` is held. It is valid until the lock is given back. */
const struct rw_lg_entry *rw_lg_kept_next(struct rw_lg_appender *a);
/* It is over: counts as dropped what is in memory only, because the journal has gone on; `all`: and what was kept. */
void rw_lg_appender_drop_chunk(struct rw_lg_appender *a, bool all);
/* Before more is read into the chunk, which may have been gone over. `lock` is held. */
void rw_lg_appender_note_orphans(struct rw_lg_appender *a);
/* How many records are in memory only. */
uint64_t rw_lg_appender_memory_only(const struct rw_lg_appender *a);
/* `to` goes on where `from`, which has the same name and nobody runs any more, has stopped: counts, and what was kept. */
void rw_lg_appender_inherit(struct rw_lg_appender *to, struct rw_lg_appender *from);
