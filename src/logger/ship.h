/*
 * The shipper: sends what is in spools to the partitions' leaders, in order, once where the broker can tell.
 *
 * A batch gets its identity when it is sent: producer id and epoch of the lane, and as sequence number its offset in the lane minus `base`.
 * So the same batch always has the same bytes while the identity lasts, and a broker that has it says DUPLICATE_SEQUENCE_NUMBER. The
 * identity is stored in the lane's file `shipped`, synced, before the first batch under it is sent; how far the broker has it is stored
 * there so often that never more than RW_LG_WINDOW batches behind it were ever sent: as many as a broker remembers.
 *
 * After any doubt (a connection broke, the process was killed) batches go one at a time until those in doubt are answered. When
 * the broker says OUT_OF_ORDER_SEQUENCE_NUMBER to one in doubt, those behind it are asked for: a sequence number is only taken after the one
 * before it, so when one is a duplicate, all before it are stored. When none is, the broker has forgotten the producer: a new identity, and
 * what was in doubt may be there twice (counted).
 *
 * One thread (ship_thread.c) calls step(); no lock but the spools'. The clock, chance, files and connections come with `env` and `dialer`.
 */
#pragma once

#include <stdatomic.h>
#include "client/cluster.h"
#include "logger/backoff.h"
#include "logger/spool.h"

enum { RW_LG_WINDOW = 5, RW_LG_WORDS = 64 };

enum rw_lg_target { RW_LG_BY_SERVICE, RW_LG_BY_THREAD, RW_LG_BY_NUMBER };

struct rw_lg_ship_options {
    char brokers[512];
    char client_id[128];
    char service[RW_LG_WORDS];  /* the application */
    char appender[RW_LG_WORDS]; /* for reports */
    enum rw_lg_target target;
    int32_t partition; /* RW_LG_BY_NUMBER */
    int16_t acks;
    int64_t request_timeout_us;
    int64_t breaker_failures;
};

/* What is under way of a lane. */
struct rw_lg_flight {
    int64_t next; /* to be sent */
    struct {
        int64_t first, end;
    } sent[RW_LG_WINDOW];
    unsigned n;
    struct rw_conn *conn; /* that they were sent on */
    unsigned doubtful;    /* batches from `acked` on that may be stored already */
    unsigned unsaved;     /* acknowledged since `shipped` was stored */
    bool draining;        /* after a failure: nothing is sent until the rest is answered */
    int16_t refused;      /* for good: what the broker said about the batch at `acked` */
    int64_t refused_end;
};

struct rw_lg_ship_counts {
    _Atomic uint64_t shipped;  /* lines that the broker has */
    _Atomic uint64_t twice;    /* of these: may be there twice */
    _Atomic uint64_t dead;     /* in a dead-letter topic or file */
    _Atomic uint64_t failures; /* attempts that failed and are made again */
    _Atomic uint64_t lost;     /* damaged in the spool, or refused and nowhere to be put */
};

struct rw_lg_ship {
    const struct rw_env *env;
    struct rw_dialer *dialer;
    struct rw_lg_ship_options o;
    struct rw_cluster *cluster;
    struct rw_lg_breaker breaker;
    struct rw_lg_spool *spools[RW_LG_SPOOLS];
    unsigned n_spools;
    unsigned in_flight; /* batches of all lanes */
    bool plain;         /* without identities: acks is not all, or the broker has none */
    bool stale;         /* metadata are asked for before the next send */
    bool told;          /* that the broker is away */
    struct rw_arena arena;
    struct rw_buf batch, scratch;
    struct rw_lg_ship_counts counts;
};

RW_MUST int rw_lg_ship_init(struct rw_lg_ship *s, const struct rw_env *env,
                            struct rw_dialer *dialer, const struct rw_lg_ship_options *options);
void rw_lg_ship_deinit(struct rw_lg_ship *s);
/* The spool's lanes are shipped from now on. RW_E_LIMIT. */
RW_MUST int rw_lg_ship_add(struct rw_lg_ship *s, struct rw_lg_spool *spool);
/* Nothing of it may be under way. */
void rw_lg_ship_remove(struct rw_lg_ship *s, struct rw_lg_spool *spool);
/* True when all of it is shipped and nothing of it under way. */
bool rw_lg_ship_is_done(const struct rw_lg_spool *spool);
/* Sends and takes answers, for some milliseconds at most when all is well. Returns in how many microseconds it wants to be called again, when
 * nothing new comes before; -1: only then. */
int64_t rw_lg_ship_step(struct rw_lg_ship *s);
/* Stores how far everything is. */
void rw_lg_ship_save(struct rw_lg_ship *s);

/* ---- between its files ---- */

/* Calls each() for every lane; stops at an error. */
int rw_lg_ship_lanes(struct rw_lg_ship *s,
                     int (*each)(struct rw_lg_ship *s, struct rw_lg_lane *l,
                                 struct rw_client_err *err),
                     struct rw_client_err *err);
/* A try has failed: when the next may be, and what people are told. */
void rw_lg_ship_failed(struct rw_lg_ship *s, const struct rw_client_err *err);
/* ship_answers.c: takes one answer, or finds that it is overdue. */
void rw_lg_ship_receive(struct rw_lg_ship *s);
/* What was under way on the connection comes back. It is closed by who calls. */
void rw_lg_ship_lost(struct rw_lg_ship *s, struct rw_conn *c);
int64_t rw_lg_ship_acked(const struct rw_lg_lane *l);
unsigned rw_lg_ship_lanes_of(struct rw_lg_spool *spool, struct rw_lg_lane *lanes[RW_LG_LANES]);
/* ship_prepare.c: all that has to be asked before the lane can be sent: topic, partition, identity, what to do with a batch that was refused. Nothing
 * is under way. */
bool rw_lg_ship_is_ready(struct rw_lg_ship *s, struct rw_lg_lane *l);
RW_MUST int rw_lg_ship_prepare(struct rw_lg_ship *s, struct rw_lg_lane *l,
                               struct rw_client_err *err);
/* ship_dead.c: the record at `acked` was refused for good. It is somewhere else, or counted as lost. */
void rw_lg_ship_bury(struct rw_lg_ship *s, struct rw_lg_lane *l, int16_t error);
