/*
 * The spool: where lines wait on disk until the broker has them. Always the first stop of the broker appender, so that a chunk is done
 * when it is here.
 *
 *   <spool.dir>/<application>-<appender>/         owned by whoever holds the lock on .lock; a second process has
 *                                                 <application>-<appender>.1 and so on
 *       intent                                    what the last chunk was to add to which lane (slot.h)
 *       <topic>-<number>/                         a lane: a log of our own (log/log.h) and
 *           shipped                               how far the broker has it, and under which identity (slot.h)
 *
 * A lane is a sequence of lines whose order is kept. A chunk may add batches to several of them: `intent` is written before, and
 * who opens the spool after a kill takes away what an unfinished chunk has left, so that a chunk is in it whole or not at all.
 *
 * Locks: `lock` is held to write, to trim and to read the positions below it. The shipper reads batches without it.
 */
#pragma once

#include <pthread.h>
#include "batch/batch.h"
#include "log/log.h"
#include "logger/sink.h"
#include "logger/slot.h"

enum {
    RW_LG_LANES = 16,        /* of one spool */
    RW_LG_THREAD_LANES = 8,  /* that threads are spread over */
    RW_LG_TOPIC = 250,       /* with its NUL */
    RW_LG_SPOOL_PATH = 1024, /* with its NUL */
    RW_LG_BOOT = 16
};

enum rw_lg_spool_overflow { RW_LG_SPOOL_DROP_OLDEST, RW_LG_SPOOL_DROP_NEWEST, RW_LG_SPOOL_BLOCK };

struct rw_lg_spool_options {
    char dir[512]; /* the spool.dir of the settings */
    char name[160];
    int64_t bytes; /* most of all lanes */
    enum rw_lg_spool_overflow overflow;
};

/* The record in `shipped`. */
struct rw_lg_shipped {
    int64_t acked;       /* the broker has everything below, or it was given up */
    int64_t producer_id; /* -1: none */
    int64_t base;        /* the offset whose sequence number is 0 */
    int64_t split_until; /* batches below go record by record: the broker found one too large */
    int32_t partition;   /* of the identity */
    int16_t epoch, unused;
    uint8_t boot[RW_LG_BOOT]; /* of the machine, when it was written */
};

struct rw_lg_lane {
    struct rw_lg_spool *spool;
    char topic[RW_LG_TOPIC];
    int32_t number;
    struct rw_log *log;
    struct rw_lg_slot slot;
    /* Under spool->lock. */
    struct rw_lg_shipped at;
    int64_t ready;               /* whole chunks end here: nothing behind it is sent */
    struct rw_lg_flight *flight; /* the shipper's (ship.h); NULL: none yet */
};

struct rw_lg_intent {
    uint64_t number; /* of the chunk; counted through the life of the spool */
    uint64_t undone; /* the last one that was taken away after a kill */
    uint8_t boot[RW_LG_BOOT];
    uint32_t n;
    uint32_t unused;
    struct {
        uint32_t topic; /* crc32c of its name */
        int32_t number;
        int64_t before, after;
    } lanes[RW_LG_LANES];
};
_Static_assert(sizeof(struct rw_lg_intent) <= RW_LG_SLOT_PAYLOAD, "fits a slot");

struct rw_lg_spool {
    const struct rw_env *env;
    struct rw_lg_spool_options o;
    char path[RW_LG_SPOOL_PATH];
    uint8_t boot[RW_LG_BOOT];
    struct rw_file *held; /* the lock */
    struct rw_lg_slot slot;
    uint64_t id; /* of the file `intent`: which spool it is, whatever its name */
    pthread_mutex_t lock;
    /* Under `lock`. */
    struct rw_lg_intent intent;
    struct rw_lg_lane *lanes[RW_LG_LANES];
    unsigned n_lanes;
    uint64_t dropped; /* lines, by the limit */
};

/* A batch on its way into the spool. */
struct rw_lg_spooled {
    struct rw_lg_lane *lane;
    struct rw_buf bytes;
    struct rw_batch header; /* of these bytes */
    int32_t count;
};

/* Opens the first of <name>, <name>.1 ... that nobody has. RW_E_PERM, RW_E_FULL, RW_E_LOCKED (all are taken) ... with words. */
RW_MUST int rw_lg_spool_open(const struct rw_env *env, const struct rw_lg_spool_options *options,
                             struct rw_lg_spool **ret_spool, struct rw_err *ret_err);
/* Opens number n (0: <name>), when it is there, nobody has it, and something waits in it. NOT_FOUND otherwise. */
RW_MUST int rw_lg_spool_adopt(const struct rw_env *env, const struct rw_lg_spool_options *options,
                              unsigned n, struct rw_lg_spool **ret_spool);
enum { RW_LG_SPOOLS = 64 };
void rw_lg_spool_close(struct rw_lg_spool *s);
/* The lane of that name, made when it is not there. */
RW_MUST int rw_lg_spool_lane(struct rw_lg_spool *s, const char *topic, int32_t number,
                             struct rw_lg_lane **ret_lane);
/* True when chunk `number` of the spool with this id is in it: whoever has it, or had it. */
bool rw_lg_spool_has(const struct rw_env *env, const struct rw_lg_spool_options *options,
                     uint64_t id, uint64_t number);
/* How many lines the limit has cost so far. Takes `lock`. */
uint64_t rw_lg_spool_dropped(struct rw_lg_spool *s);
/* Bytes of all lanes. `lock` is held. */
uint64_t rw_lg_spool_bytes(const struct rw_lg_spool *s);

/* ---- spool_write.c ---- */

/* The chunk: all batches or none. *ret_dropped: the limit was reached, and it was thrown away instead (RW_OK). RW_E_FULL: the
 * policy is to wait. RW_E_IO ... */
RW_MUST int rw_lg_spool_write(struct rw_lg_spool *s, struct rw_lg_spooled *batches, size_t n,
                              bool *ret_dropped);

/* Gives back the space of what the broker has. `lock` is held, or nobody else is there. */
void rw_lg_spool_tidy(struct rw_lg_spool *s);

/* ---- spool_lane.c ---- */

RW_MUST int rw_lg_lane_open(struct rw_lg_spool *s, const char *topic, int32_t number,
                            struct rw_lg_lane **ret_lane);
void rw_lg_lane_close(struct rw_lg_lane *l);
/* The settings of its log. */
void rw_lg_lane_config(const struct rw_lg_lane *l, struct rw_log_config *ret_config);
/* Stores `shipped` and takes away what nobody needs any more. `lock` is held. */
RW_MUST int rw_lg_lane_save(struct rw_lg_lane *l, bool sync);
/*
 * The batch that holds `offset`, ready to be sent, in `out`: from that record on, and only that one when `single`. *ret_end: the offset
 * behind it. RW_E_CORRUPT: damaged; *ret_end is where it goes on.
 */
RW_MUST int rw_lg_lane_read(struct rw_lg_lane *l, int64_t offset, bool single,
                            struct rw_buf *scratch, struct rw_buf *out, int64_t *ret_end);
/* Takes chunks away that were not finished: back to this end. */
RW_MUST int rw_lg_lane_cut(struct rw_lg_lane *l, int64_t end);
