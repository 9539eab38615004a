/*
 * The file that outlives the process: rings, journal and dictionary, mapped shared. Whoever finds it without its owner
 * (the owner holds a lock on it) can read what was logged and not yet written (rescue.c). Offsets instead of pointers
 * where the finder reads; host byte order.
 *
 *   header     one page: struct rw_lg_shared
 *   controls   RW_LG_RING_CONTROL bytes for each ring: struct rw_lg_ring
 *   loggers    RW_LG_LOGGERS names of RW_LG_NAME bytes
 *   dictionary call sites (site.h), only ever appended to
 *   journal    what was collected, in the order in which it is written: a ring of bytes with one writer (collector.c) and
 *              a cursor for each appender
 *   rings      ring_bytes each
 *
 * Pages are taken when they are needed, and before they are touched (os/shared.h).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/code.h"
#include "os/shared.h"

enum {
    RW_LG_VERSION = 3,
    RW_LG_NOBODY = 256, /* no generation; nor the 0 of a call site that is not registered */
    RW_LG_APPENDERS = 8,
    RW_LG_LOGGERS = 1024,
    RW_LG_NAME = 64,
    RW_LG_RING_CONTROL = 256,
    RW_LG_LEVELS = 6
};

#define RW_LG_MAGIC "RWRINGS"

/* Ticks to wall clock. `turn` is odd while it is being changed. */
struct rw_lg_clock {
    _Atomic uint32_t turn;
    uint32_t is_tsc;
    uint64_t ticks;
    int64_t wall_ns;
    double ns_per_tick;
};

/* Where an appender is. What it is about to write is noted before, so that after a kill it can be told whether that came to
 * be: `intent` != 0 says that `length` bytes go to `offset` of file `inode`, and stand for the journal up to `upto`. */
struct rw_lg_cursor {
    char name[RW_LG_NAME];
    _Atomic uint64_t done; /* position in the journal up to which everything is written */
    _Atomic uint32_t intent;
    uint32_t hash; /* of the bytes: crc32c */
    uint64_t upto, device, inode, offset, length;
};

/* A ring's control block. Cache lines are kept apart by who writes them. */
struct rw_lg_ring {
    /* The thread that owns the ring. */
    _Alignas(64) _Atomic uint64_t head; /* bytes ever put */
    uint64_t limit;  /* up to here there is room, in one piece, by what was last seen of tail */
    uint8_t *data;   /* of this process */
    uint64_t bytes;  /* of the ring, a power of two */
    uint32_t thread; /* whose records follow, as an OWNER in the ring says */
    uint16_t index;
    _Atomic uint8_t
        busy;    /* a call is inside; a second one on the same thread is a signal handler */
    uint8_t tsc; /* the time of a record is the processor's counter */
    _Atomic uint32_t
        generation; /* of the logger that takes records from it; RW_LG_NOBODY: none any more */
    uint8_t sync;   /* a call waits until its record is written */
    /* Rare things, by the owner as well. */
    _Alignas(64) _Atomic uint64_t dropped[RW_LG_LEVELS];
    _Atomic uint32_t blocked, truncated;
    _Alignas(64) _Atomic uint64_t blocked_ns;
    _Atomic uint32_t used;   /* a thread has it */
    _Atomic uint8_t ready;   /* its pages are there */
    _Atomic uint8_t claimed; /* somebody moves the tail (only where the oldest may be dropped) */
    /* The collector; who has claimed it, where the oldest may be dropped. */
    _Alignas(64) _Atomic uint64_t tail; /* bytes ever taken */
    _Atomic uint64_t taken;             /* records */
    _Atomic uint64_t peak;
    _Atomic uint32_t thread_at_tail;
};
_Static_assert(sizeof(struct rw_lg_ring) == RW_LG_RING_CONTROL, "size of a ring's control block");

struct rw_lg_shared {
    char magic[8];
    uint32_t version, pid;
    char name[RW_LG_NAME];
    uint64_t file_bytes, ring_bytes, journal_bytes, dictionary_bytes;
    uint64_t controls_at, loggers_at, dictionary_at, journal_at, rings_at;
    uint32_t rings, loggers;
    _Atomic uint64_t dictionary_used;
    struct rw_lg_clock clock;
    /* The collector moves entries from rings to the journal in turns: [turn_from, head) is the last one. After a kill
     * between the new head and the new tails, the rings still hold what these entries say (their place tells). */
    _Alignas(64) _Atomic uint64_t head;
    uint64_t turn_from;
    _Alignas(64) struct rw_lg_cursor cursors[RW_LG_APPENDERS];
    _Atomic uint32_t closed; /* everything was written: nothing to rescue */
};
_Static_assert(sizeof(struct rw_lg_shared) <= 4096, "the header is one page");

struct rw_lg_map {
    struct rw_os_shared mem;
    char path[512]; /* "": not in a file; nothing survives a kill */
};

static inline struct rw_lg_shared *rw_lg_header(const struct rw_lg_map *m)
{
    return (struct rw_lg_shared *)(void *)m->mem.p;
}

static inline struct rw_lg_ring *rw_lg_ring(const struct rw_lg_map *m, unsigned i)
{
    return (struct rw_lg_ring *)(void *)(m->mem.p + rw_lg_header(m)->controls_at +
                                         (size_t)i * RW_LG_RING_CONTROL);
}

/* The right to move the tail, for as long as it takes to copy what is there. False: not now. */
static inline bool rw_lg_ring_claim(struct rw_lg_ring *r)
{
    return !atomic_exchange_explicit(&r->claimed, 1, memory_order_acquire);
}
static inline void rw_lg_ring_unclaim(struct rw_lg_ring *r)
{
    atomic_store_explicit(&r->claimed, 0, memory_order_release);
}

struct rw_lg_shape {
    const char *dir; /* NULL: no file */
    const char *name;
    uint64_t ring_bytes, journal_bytes,
        dictionary_bytes; /* powers of two, but for the dictionary */
    uint32_t rings;
};

/* Creates `<dir>/<name>.<pid>.<n>.rings` and maps it. Without a file (dir NULL) in memory of this process. */
RW_MUST int rw_lg_map_new(const struct rw_lg_shape *shape, uint32_t pid, struct rw_lg_map *ret_map,
                          struct rw_err *ret_err);
/* Maps what another process left and checks that it is what it says. LOCKED: its owner lives. */
RW_MUST int rw_lg_map_open(const char *path, struct rw_lg_map *ret_map, struct rw_err *ret_err);
/* The same from a copy in memory: the file stays as it is, and free for whoever takes it over. */
RW_MUST int rw_lg_map_copy(const char *path, struct rw_lg_map *ret_map, struct rw_err *ret_err);
/* Takes the name away. The memory stays for threads that are still inside a call. */
void rw_lg_map_unlink(struct rw_lg_map *m);
void rw_lg_map_free(struct rw_lg_map *m);
/* Gives the pages of journal and rings back. The rest stays mapped: a call may just be looking at its ring. */
void rw_lg_map_retire(struct rw_lg_map *m);
/* Makes the pages of ring i available. False: there is no space. */
bool rw_lg_ring_populate(struct rw_lg_map *m, unsigned i);
/* Gives the pages of ring i back. */
void rw_lg_ring_release(struct rw_lg_map *m, unsigned i);
