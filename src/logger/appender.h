/*
 * An appender: reads the journal from where it stands, keeps what it is for, formats it and hands it to its sink in chunks. Each has a thread
 * of its own (or, in sync mode, is run by the calls), so that one that fails or waits holds up no other. When it falls so far
 * behind that the journal is full, its policy says what happens: the oldest records are dropped for this appender, or everybody waits.
 */
#pragma once

#include <pthread.h>
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
    int flush_level;                              /* or a record of this level is there */
    bool block; /* journal full: wait; otherwise drop the oldest */
    struct rw_lg_format format;
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
    struct rw_lg_line *index; /* of the lines, when the sink wants it */
    size_t index_cap;
    unsigned level;
    int64_t since_ns; /* when its first line came */
    uint64_t upto;    /* the journal up to here is in the chunk, or was for others */
    /* After an error. */
    int error;
    int64_t retry_ns, backoff_ns, tick_ns, synced_ns;
    bool unsynced;
    bool
        pending; /* a record (for sinks that want records) is in `text` that the sink could not take */
    _Atomic bool reopen; /* asked for */
    /* Statistics, by the appender's thread. */
    _Atomic uint64_t written, failed, dropped, errors;
    _Atomic uint64_t flushed; /* everything up to this position is written and synced */
};

RW_MUST int rw_lg_appender_init(struct rw_lg_appender *a, struct rw_lg_map *map,
                                struct rw_lg_cursor *cursor, struct rw_lg_sink *sink,
                                const struct rw_lg_appender_options *options);
void rw_lg_appender_deinit(struct rw_lg_appender *a);
/* Does what there is to do. `want`: write (and sync) everything up to this position of the journal, whatever the triggers say. Returns
 * when it wants to be called again, in monotonic nanoseconds; INT64_MAX: when there is something new. */
int64_t rw_lg_appender_step(struct rw_lg_appender *a, uint64_t want);
/* The journal is full: gives up the oldest records so that `room` bytes behind its head are free. False: it does not drop, or is busy reading. */
bool rw_lg_appender_drop(struct rw_lg_appender *a, uint64_t room);
