/*
 * The logger of the process: there is one, since call sites and threads are the process's own.
 *
 * `rw_lg_now` is what every call looks at; it changes only at start, close and fork. `generation` is 0 while nothing runs;
 * each start has another one (1..255), which call sites and threads carry, so that what they remember of an earlier start is seen
 * to be stale without anybody going round to tell them.
 */
#pragma once

#include <pthread.h>
#include "base/code.h"
#include "logger/clock.h"
#include "logger/record.h"
#include "logger/shared.h"
#include "os/ticks.h"
#include "rollway/logger.h"

enum { RW_LG_AHEAD = 384 };

/* BREAKER: only of appenders; waits while the breaker is closed, drops the oldest while it is open. */
enum rw_lg_overflow { RW_LG_DROP_NEW, RW_LG_DROP_OLD, RW_LG_BLOCK, RW_LG_BREAKER };

struct rw_lg_now {
    _Atomic uint32_t generation;
    _Atomic uint32_t sync; /* each call waits until its record is written */
};
extern struct rw_lg_now rw_lg_now;

/* What the calling side needs to know. Set before generation, constant while it holds. */
struct rw_lg_caller {
    struct rw_lg_map map;
    enum rw_lg_overflow overflow[RW_LG_LEVELS];
    int64_t wait_ns[RW_LG_LEVELS]; /* for BLOCK; -1: without limit */
};
extern struct rw_lg_caller rw_lg_caller;

/* What no ring can count. */
struct rw_lg_counts {
    _Atomic uint64_t dropped[RW_LG_LEVELS];
    _Atomic uint64_t suppressed;
};
extern struct rw_lg_counts rw_lg_counts;
void rw_lg_counts_reset(void); /* at a start: statistics are those of one engine */

/* ---- rings.c ---- */

/* Field by field what a thread has; in thread-local storage of the first block, so that reaching it is one instruction. */
struct rw_lg_self {
    struct rw_lg_ring
        *quick; /* the ring, when nothing has to be done for a call but to write to it (quick.c) */
    uint32_t generation; /* of the ring */
    uint8_t left;        /* the thread is ending: no ring any more */
    uint8_t acquiring;   /* a signal that comes now has to do without */
    uint8_t collects;    /* the collector's thread: would wait for itself */
    uint8_t common; /* inside the ring that nobody owns: a signal handler would wait for itself */
    struct rw_lg_ring *ring;
    struct rw_lg_context *context; /* NULL: none */
} __attribute__((aligned(32)));    /* in one cache line */
extern __thread struct rw_lg_self rw_lg_self __attribute__((tls_model("initial-exec")));

/* put.c: the call with all that may come its way. */
void rw_lg_call(struct rollway_site *site, const struct rollway_logger *logger,
                const unsigned long long *values);

/* A ring for this thread; NULL: there is none left, or no memory. */
struct rw_lg_ring *rw_lg_ring_acquire(uint32_t generation);
/* Calls of this generation may use the ring: its owner's, or anybody's for ring 0. */
void rw_lg_ring_enable(struct rw_lg_ring *r, uint32_t generation);
/* Room for `size` bytes at the head of the ring, in one piece; NULL: there is none (yet). Only by who owns the ring. */
void *rw_lg_ring_make_room(struct rw_lg_ring *r, uint32_t size);
static inline void *rw_lg_ring_room(struct rw_lg_ring *r, uint32_t size)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (__builtin_expect(head + size > r->limit, 0))
        return rw_lg_ring_make_room(r, size);
    return r->data + (head & (r->bytes - 1));
}
/* The same, when that said no: by the policy of the level, waits or makes room. NULL: the record is dropped, and counted. */
void *rw_lg_ring_overflow(struct rw_lg_ring *r, uint32_t size, unsigned level);
/* What was put there is a record now. */
static inline void rw_lg_ring_commit(struct rw_lg_ring *r, uint32_t size)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed) + size;
    atomic_store_explicit(&r->head, head, memory_order_release);
    /* The collector's processor had these lines last: they are asked for before they are needed. */
    rw_os_prefetch_write(r->data + ((head + RW_LG_AHEAD) & (r->bytes - 1)));
    if (size > 64) /* otherwise the next record asks for that one */
        rw_os_prefetch_write(r->data + ((head + RW_LG_AHEAD + 64) & (r->bytes - 1)));
}
/* What is put from now on is of this thread. False: there is no room to say so. Only by who owns the ring. */
bool rw_lg_ring_own(struct rw_lg_ring *r, uint32_t thread);
/* After a change of ring or context. */
void rw_lg_self_changed(struct rw_lg_self *self);
/* The calling thread's destructor, run once for each thread that has a ring or a context. */
void rw_lg_self_register(void);
/* Nobody is inside a call any more, or gives up after a while. Call after generation was changed. */
void rw_lg_rings_settle(struct rw_lg_map *m);

/* Frees the thread's context (thread_context.c). */
void rw_lg_context_free(struct rw_lg_self *self);

/* ---- names.c: loggers, levels, switches ---- */

/* Below `of`: the same name, or one that goes on behind a dot. "" is above all. */
bool rw_lg_name_below(const char *name, const char *of);
const char *rw_lg_logger_name(const struct rw_lg_map *m, unsigned id);
/* Levels of the settings: of `name` and those below it; the last one that matches wins. Before start, and by reload. */
struct rw_lg_level_rule {
    char name[RW_LG_NAME];
    int level;
};
void rw_lg_levels_set(const struct rw_lg_level_rule *rules, unsigned n);
/* Writes the names of all loggers into a new map. */
void rw_lg_names_publish(struct rw_lg_map *m);
/* The gate of a call site by the switches that are set. Signal-safe. */
int rw_lg_gate(const struct rollway_site *site);
/* All call sites are new again: generations begin at 1 once more, and nothing runs. */
void rw_lg_sites_forget(void);
/* Around fork(). */
void rw_lg_names_lock(bool lock);

/* ---- direct.c: nothing runs ---- */

void rw_lg_direct(const struct rollway_site *site, const struct rollway_logger *logger,
                  const unsigned long long *values);
void rw_lg_direct_text(const struct rollway_site *site, const struct rollway_logger *logger,
                       const char *message, size_t n);

/* For people: one line on standard error, at most one a second for the same words. code 0: good news. */
void rw_lg_report(const char *words, const char *appender, int code);

/* ---- engine.c ---- */

/* What rings and calls have counted (stats.c). */
void rw_lg_ring_stats(struct rollway_logger_stats *s);

/* In a child after fork(): starts the child's own logger when the parent had one. True: try again. Signal-safe in that it does
 * nothing when somebody is at it. */
bool rw_lg_revive(void);
/* Sync mode: writes what is there, in this thread. */
void rw_lg_write_now(void);
