/*
 * A shard: one event loop on one thread, which owns its connections and the partitions hashed to
 * it. Shards share nothing that changes; they talk by messages. There is no lock in this folder.
 *
 * Message: embed struct rw_msg, set run, rw_shard_send(). It belongs to the receiver until run() is
 * called on the receiver's thread; the usual answer is to send the same struct back with another
 * run. Messages from one shard to another arrive in order. A message to the own shard goes the same
 * way (so that order does not depend on the number of shards) and wakes nobody.
 */
#pragma once

#include "env/env.h"
#include "env/jobs.h"
#include "env/loop.h"
#include "env/net.h"

struct rw_broker;
struct rw_shard;
struct rw_config;
struct rw_service;

/* Pieces of a shard; each is the business of one file. */
struct rw_conns;      /* conn.c */
struct rw_memory;     /* memory.c */
struct rw_metrics;    /* metrics.c: this shard's own counters */
struct rw_partitions; /* partitions.c */
struct rw_waits;      /* wait.c */
struct rw_view;       /* the metadata image this shard works with */

struct rw_msg {
    struct rw_post post; /* mailbox.c's */
    struct rw_shard *to; /* set by send */
    void (*run)(struct rw_shard *self, struct rw_msg *m);
};

struct rw_shard {
    struct rw_broker *broker;
    const struct rw_env *env; /* the broker's */
    struct rw_loop *loop;
    /* The broker's, with what was set while it runs; changes between turns. On the shard's thread only:
     * workers read what does not change from broker->config. */
    const struct rw_config *config;
    int index;
    struct rw_memory *memory;
    struct rw_metrics *metrics;
    struct rw_conns *conns;
    /* Set by the service's start(), NULL before; see service.h. */
    struct rw_partitions *partitions;
    struct rw_waits *waits;
    struct rw_view *view;
    /* Flushers that wait for the end of the turn; flusher.c. */
    struct rw_link flushes_due;
    struct rw_hook flush_hook;
    /* Start and stop; server.c. */
    struct rw_msg life;
};

/* What all shards share. Constant from the start of the loops to their end, but for `node`, whose
 * inside is the service's business. */
struct rw_broker {
    const struct rw_env *env;
    struct rw_net *net;
    struct rw_jobs *jobs;
    const struct rw_config *config;
    const struct rw_service *service;
    struct rw_shard **shards;
    int n_shards;
    int64_t started_us;           /* monotonic */
    const char *data_dir;         /* whose free space is shown; NULL: none */
    struct rw_acceptor *acceptor; /* shard 0's */
    uint16_t *ports;              /* of the listeners, as the system gave them */
    void *node;                   /* the service's broker-wide state, set by its open() */
};

/* ---- made by server.c, while the loop does not run (shard.c) ---- */

struct rw_limits;

/* RW_E_NOMEM. */
RW_MUST int rw_shard_new(struct rw_broker *b, int index, struct rw_loop *loop,
                         const struct rw_limits *limits, struct rw_shard **ret_shard);
/* All connections must be gone. s may be NULL. */
void rw_shard_free(struct rw_shard *s);

/* ---- messages (mailbox.c); from any thread ---- */

void rw_shard_send(struct rw_shard *to, struct rw_msg *m);

/* ---- time: this turn's, in the units of the caller ---- */

static inline int64_t rw_shard_now_us(const struct rw_shard *s)
{
    return rw_loop_now_us(s->loop);
}

static inline int64_t rw_shard_wall_ms(const struct rw_shard *s)
{
    return rw_wall_ms(s->env->clock);
}

/* ---- timers: rw_timer_start_in(s->loop, &t, us) and friends of env/loop.h ---- */

/* ---- jobs: job->work on a worker, job->done on this shard ---- */

static inline void rw_shard_submit(struct rw_shard *s, enum rw_job_class class, struct rw_job *job)
{
    rw_jobs_submit(s->broker->jobs, class, s->loop, job);
}
