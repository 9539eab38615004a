/*
 * The running logger and what its parts share: work.c (threads), launch.c (from settings to threads), settings.c, engine.c (the public
 * calls).
 *
 * Locks: `admin` is held while the logger is started, closed or read again; `turn` while records are collected, and by appenders to
 * wait for more. Calls that log take neither (but in sync mode, where they take `turn`). Order: admin, turn, an appender's lock.
 */
#pragma once

#include <pthread.h>
#include "logger/adopt.h"
#include "logger/collector.h"
#include "logger/config.h"

enum { RW_LG_RETIRED = 64 };

struct rw_lg_engine {
    struct rw_lg_config config;
    char *file, *settings;    /* as they were given; NULL: none */
    struct rw_lg_config next; /* while they are read again */
    char name[RW_LG_NAME];
    char folder
        [256]; /* the working directory at the start, which paths in settings are relative to; "": unknown */
    struct rw_lg_collector collector;
    struct rw_lg_appender appenders[RW_LG_APPENDERS];
    unsigned n_appenders;
    struct rw_lg_appender old[RW_LG_APPENDERS]; /* while the settings are read again */
    unsigned n_old;
    pthread_t threads[RW_LG_APPENDERS], collector_thread;
    unsigned n_threads;
    bool collecting; /* the collector's thread runs */
    /* Under `turn`. */
    bool stop_collector, stop_appenders;
    uint64_t asked,
        answered; /* flushes: the journal's end, when the collector has been everywhere */
    _Atomic uint64_t want;
    uint64_t rescued; /* records of earlier processes */
    /* Of appenders that the settings have no longer: their counts stay in the sums. */
    uint64_t gone_written, gone_failed;
    pthread_t care_thread;
    bool cares; /* the thread of care.c runs */
    _Atomic bool stop_care;
    _Atomic int64_t care_ns;
    struct rollway_logger *own; /* for what the logger itself has to say */
    int64_t adopt_ns;           /* when to look for leftovers again; 0: never */
    int64_t tell_ns;
    uint64_t told[ROLLWAY_LEVELS];
};

struct rw_lg_process {
    pthread_mutex_t admin, turn;
    pthread_cond_t moved;        /* the journal; for appenders */
    pthread_cond_t ask;          /* for the collector */
    pthread_cond_t progress;     /* of appenders, and answers of the collector */
    struct rw_lg_engine *engine; /* NULL: not started */
    uint32_t generations;
    /* Under `admin`: maps of earlier starts (retired.c). */
    struct rw_lg_map retired[RW_LG_RETIRED];
    unsigned n_retired;
};
extern struct rw_lg_process rw_lg_process;

/* ---- engine.c ---- */

/* What is done once in the life of the process. */
void rw_lg_once(void);
/* NULL too in a child that has not logged yet: what is there is its parent's. */
struct rw_lg_engine *rw_lg_running(void);
/* Reads the settings again, with `admin` held. On errors, with words, the old ones stay. */
RW_MUST int rw_lg_reload(struct rw_lg_engine *e, struct rw_err *err);

/* ---- care.c: signals and the file of the metrics; with `admin` held ---- */

void rw_lg_care_init(void);
/* Starts the thread when there is something for it to do. */
RW_MUST int rw_lg_care_start(struct rw_lg_engine *e);
void rw_lg_care_stop(struct rw_lg_engine *e);
/* Takes this signal, 0 gives it back. */
RW_MUST int rw_lg_care_signal(int number);

/* ---- metrics.c ---- */

RW_MUST int rw_lg_metrics_write(const char *path);

/* ---- work.c ---- */

void *rw_lg_collector_run(void *engine);
void *rw_lg_appender_run(void *appender);
uint64_t rw_lg_floor(const struct rw_lg_engine *e);
/* Leftovers of earlier processes; `what` is one of adopt.h. With `turn` held. */
void rw_lg_leftovers(struct rw_lg_engine *e, void (*what)(struct rw_lg_adoption *a));
/* Waits until all that is there now is written by all appenders. RW_E_TIMEOUT. */
int rw_lg_flush(struct rw_lg_engine *e, int64_t deadline_ns);
struct timespec rw_lg_until(int64_t mono_ns);
static inline struct rw_lg_shared *rw_lg_engine_header(const struct rw_lg_engine *e)
{
    return rw_lg_header(e->collector.map);
}

/* ---- launch.c ---- */

/* From e->config to a running logger. */
RW_MUST int rw_lg_launch(struct rw_lg_engine *e, struct rw_err *err);
/* Whether the settings of appender i are such as its sink takes; open: and whether it can be opened. */
RW_MUST int rw_lg_try_sink(const struct rw_lg_config *c, unsigned i, bool open, struct rw_err *err);
RW_MUST int rw_lg_start_sinks(const struct rw_lg_config *c, struct rw_lg_sink *sinks[],
                              struct rw_err *err);
/* Takes the sinks, also when it fails. */
RW_MUST int rw_lg_start_appenders(struct rw_lg_engine *e, struct rw_lg_sink *sinks[],
                                  struct rw_err *err);
/* A thread that takes no signals. RW_E_LIMIT. */
RW_MUST int rw_lg_start_thread(pthread_t *thread, void *(*run)(void *), void *arg);
RW_MUST int rw_lg_start_appender_threads(struct rw_lg_engine *e);
void rw_lg_stop_appenders(struct rw_lg_engine *e);
void rw_lg_stop_threads(struct rw_lg_engine *e);
/* False: one hangs in its destination. It is left to itself, with all that it uses. */
bool rw_lg_join_appenders(struct rw_lg_engine *e, int64_t deadline_ns);
void rw_lg_engine_free(struct rw_lg_engine *e);

/* ---- retired.c ---- */

/* Gives the memory of a start that was closed back, as soon as nobody can be looking at it. */
void rw_lg_retire(struct rw_lg_map *m);

/* ---- settings.c ---- */

/* Copies what the program gave. */
RW_MUST int rw_lg_keep_options(struct rw_lg_engine *e, const struct rollway_logger_options *o,
                               struct rw_err *err);
/* Everything that says how to log: the file, the program's own settings, the environment. */
RW_MUST int rw_lg_read_settings(struct rw_lg_engine *e, struct rw_lg_config *c, struct rw_err *err);
