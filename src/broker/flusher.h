/*
 * Group commit for one log: all that asked during a sync are served by the next one, which starts
 * as soon as the running one ends. One flusher per log, on the shard that owns the partition.
 */
#pragma once

#include "broker/shard.h"
#include "log/log.h"

struct rw_flusher {
    struct rw_shard *shard;
    struct rw_log *log;
    /* Called on the shard when a sync ended: everything below `durable` is on stable storage. An
     * error is final: the log is offline, or the broker stops. May request again; must not free the
     * flusher. */
    void (*flushed)(struct rw_flusher *f, int code, int64_t durable);
    bool wanted;   /* somebody asked since the running sync began */
    bool running;  /* a job is under way: the flusher and the log must stay */
    bool failed;   /* a sync failed: no more requests are allowed */
    bool canceled; /* the log is about to be closed */
    /* private */
    struct rw_job job;
    struct rw_link link;
    struct rw_timer again; /* armed while it waits for a descriptor; `running` is set then */
    int tries;             /* that found none, in a row */
    int code;
    int64_t durable, began_us, ended_us;
};

void rw_flusher_init(struct rw_flusher *f, struct rw_shard *s, struct rw_log *log,
                     void (*flushed)(struct rw_flusher *f, int code, int64_t durable));
/* Makes everything appended so far durable, soon: the sync starts at the end of this turn, so that
 * all appends of the turn share it. */
void rw_flusher_request(struct rw_flusher *f);
/* True when no job is under way and none is due: the log may be closed. */
bool rw_flusher_idle(const struct rw_flusher *f);
/* Forgets a request that has not started. A running sync still ends with flushed(). */
void rw_flusher_cancel(struct rw_flusher *f);

/* The shard's end-of-turn hook (shard.c registers it). */
bool rw_flushers_begin_due(struct rw_hook *h);
