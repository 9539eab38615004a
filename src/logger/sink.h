/*
 * Where an appender writes: the part that differs between file, console, syslog, journal, memory, callback and broker. The
 * common part (cursor, filter, flush triggers, policy, statistics) is appender.c. All calls come from the appender's own thread, one at a
 * time, and may block.
 */
#pragma once

#include "base/code.h"
#include "base/slice.h"
#include "logger/view.h"

struct rw_lg_sink;

/* One line of a chunk, for sinks that want to know. */
struct rw_lg_line {
    size_t at, n; /* in the chunk; its '\n' is counted */
    int64_t time_ns;
    uint32_t thread;
    uint16_t logger;
    uint8_t level;
};

/* A run of formatted lines on their way out. */
struct rw_lg_chunk {
    const struct rw_lg_line *index; /* NULL unless the sink wants it */
    const char *p;
    size_t n;
    size_t lines;
    unsigned level; /* the highest in it */
};

/* What has to be noted before a write and undone after a kill (shared.h). NULL where a sink has none. */
struct rw_lg_mark {
    uint64_t device, inode, offset;
};

struct rw_lg_sink_ops {
    const char *type; /* as in "appender.x.type" */
    bool lines;       /* write() wants formatted lines; otherwise records, by event() */
    bool index;       /* and where each begins */
    bool empties; /* RW_E_FULL may be over in a moment, without anybody's help: it is asked often */
    /* Before all others: whose it is. NULL: it does not matter. */
    void (*named)(struct rw_lg_sink *s, const char *application, const char *appender);
    /* How many failures in a row are too many; NULL: appender.c's breaker is all there is. */
    void (*breaker)(struct rw_lg_sink *s, int64_t failures);
    /* Takes one setting ("path", "rotate.size"); RW_E_NOT_FOUND: it has no such one; RW_E_INVAL with words. */
    int (*set)(struct rw_lg_sink *s, struct rw_str key, struct rw_str value,
               struct rw_err *ret_err);
    /* After the last setting: whether one is missing, RW_E_INVAL with words. NULL: none has to be there. */
    int (*ready)(struct rw_lg_sink *s, struct rw_err *ret_err);
    /* After that: opens, or says why that can not be. A sink whose destination is away for now is fine. */
    int (*open)(struct rw_lg_sink *s, struct rw_err *ret_err);
    /* Where the next write, of n bytes, will go; false: it can not be told afterwards. Called before each write; may open or rotate. */
    bool (*mark)(struct rw_lg_sink *s, size_t n, struct rw_lg_mark *ret_mark);
    /* After a kill: true when the bytes that were to go to `mark` (so many, with this crc32c) did, so that they need not be written again. What
     * is there of them otherwise is taken away, when that can be. NULL: it can not be told, and they are written again. */
    bool (*settled)(struct rw_lg_sink *s, const struct rw_lg_mark *mark, uint64_t length,
                    uint32_t hash);
    /* All of it or an error; *ret_n: how many bytes are out all the same (whole lines; less is written again). RW_E_AGAIN, RW_E_FULL, RW_E_IO ...: it is tried again. */
    int (*write)(struct rw_lg_sink *s, const struct rw_lg_chunk *chunk, size_t *ret_n);
    /* One record. RW_E_AGAIN: it is tried again; any other error: the record is given up. */
    int (*event)(struct rw_lg_sink *s, const struct rw_lg_view *v);
    /* Durable, as its settings want it (flush: by all means). */
    int (*sync)(struct rw_lg_sink *s, bool flush);
    void (*reopen)(struct rw_lg_sink *s);
    /* Now and then, at least once a second: reopen a file that was moved, rotate by time, compress what was rotated. */
    void (*tick)(struct rw_lg_sink *s, int64_t now_ms);
    /* Lines that it took and gave up later. From any thread. NULL: there are none. */
    uint64_t (*lost)(struct rw_lg_sink *s);
    /* What became of lines behind the spool. From any thread. NULL: there is none. */
    void (*counts)(struct rw_lg_sink *s, struct rollway_logger_appender_stats *stats);
    void (*free)(struct rw_lg_sink *s);
};

struct rw_lg_sink {
    const struct rw_lg_sink_ops *ops;
};

/* NULL: no memory. */
struct rw_lg_sink *rw_lg_sink_file(void);
struct rw_lg_sink *rw_lg_sink_console(void);
struct rw_lg_sink *rw_lg_sink_syslog(void);
struct rw_lg_sink *rw_lg_sink_journald(void);
struct rw_lg_sink *rw_lg_sink_memory(void);
struct rw_lg_sink *rw_lg_sink_callback(void);
struct rw_lg_sink *rw_lg_sink_broker(void);
