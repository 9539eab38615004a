/*
 * One request, many partitions: the items of a request are grouped by the shard that owns their
 * partition, one message ("leg") goes to each of these shards, works there or waits there, and comes
 * back; when all legs are back the request goes on where it came from.
 *
 * A leg that waits (for a sync, for new records) is called back by rw_fan_stop(): because the time is
 * up, because another leg has enough, or because the connection died. Memory is the request's arena;
 * a leg and its items belong to the owner's shard from start until they are back.
 */
#pragma once

#include "broker/request.h"
#include "broker/shard.h"

struct rw_partition;
struct rw_fan;

/* Embed as first member. */
struct rw_fan_item {
    struct rw_fan_item *next;
    struct rw_uuid topic_id;
    int32_t index;                  /* of the partition */
    int32_t leader_epoch;           /* what the client believes; -1: it does not say */
    int16_t error;                  /* Kafka's */
    bool reads;                     /* the leg's job works on it: see rw_fan_leg_read() */
    struct rw_partition *partition; /* set by rw_fan_resolve(), valid on the owner's shard */
};

struct rw_fan_leg {
    struct rw_fan *fan;
    struct rw_msg go, stop;
    struct rw_fan_item *first, *last;
    int shard;
    bool answered; /* the owner's */
    void *state;   /* the owner's, in the request's arena */
    /* Of rw_fan_leg_read(): */
    struct rw_job job;
    struct rw_shard *owner;
    bool reading;
    void (*read)(struct rw_fan_leg *leg);
    void (*then)(struct rw_shard *owner, struct rw_fan_leg *leg);
};

struct rw_fan {
    struct rw_request *req;
    struct rw_fan_leg *legs; /* one per shard; those without items are not used */
    int waiting;             /* messages that are not back */
    bool stopped;            /* this round's waiting legs were told to end */
    bool given_up;           /* the time is up or the connection is gone: no other round */
    bool first_ends;         /* the first leg that comes back ends the others; set before start */
    struct rw_timer timer;
    /* On the owner's shard: works on leg's items; rw_fan_leg_done() at once or later. */
    void (*run)(struct rw_shard *owner, struct rw_fan_leg *leg);
    /* On the owner's shard, when the leg waits: end it with what there is and call
     * rw_fan_leg_done(). NULL when run() never waits. */
    void (*halt)(struct rw_shard *owner, struct rw_fan_leg *leg);
    /* On the request's shard, when all legs are back. */
    void (*done)(struct rw_fan *fan);
    /* Of rw_fan_each(). */
    void (*work)(struct rw_fan *fan, struct rw_fan_item *item);
    void (*look)(struct rw_fan *fan, struct rw_fan_item *item);
    void (*answer)(struct rw_fan *fan, struct rw_fan_item *item);
    void (*finish)(struct rw_fan *fan); /* instead of rw_request_done(); NULL: that */
};

/* The fan must lie in the request's arena. RW_E_NOMEM. */
RW_MUST int rw_fan_init(struct rw_fan *f, struct rw_request *req);
void rw_fan_add(struct rw_fan *f, struct rw_fan_item *item);
/* Makes an item of `size` bytes, all zero but its base, and adds it. NULL: no memory. */
void *rw_fan_new_item(struct rw_fan *f, size_t size, struct rw_uuid topic_id, int32_t index,
                      int32_t leader_epoch);
/* Sends the legs. timeout_us < 0: none. done() may be called before this returns. Sets req->cancel. */
void rw_fan_start(struct rw_fan *f, int64_t timeout_us);
/* Ends waiting legs; done() follows. Does nothing when it was called before in this round. */
void rw_fan_stop(struct rw_fan *f);
/* For another round with the same items: after done(). */
void rw_fan_again(struct rw_fan *f, int64_t timeout_us);
void rw_fan_leg_done(struct rw_shard *owner, struct rw_fan_leg *leg);
/* Reading that may wait for the disk: read() runs as a job and may use the logs of the items with `reads`
 * set (the [R] functions; a partition that is deleted meanwhile outlives it), then() on the owner's shard
 * again, where `reads` is false. A leg that reads is not halted: it ends by itself. */
void rw_fan_leg_read(struct rw_shard *owner, struct rw_fan_leg *leg,
                     void (*read)(struct rw_fan_leg *leg),
                     void (*then)(struct rw_shard *owner, struct rw_fan_leg *leg));

/* For items that are independent and never wait. work(): on the owner's shard, for every item whose
 * partition is there; may set item->error. answer(): on the request's shard, for every item; then the
 * request is done. Starts like rw_fan_start(). look(): in a job, for the items whose `reads` work() has
 * set; may be NULL. */
void rw_fan_each(struct rw_fan *f, void (*work)(struct rw_fan *fan, struct rw_fan_item *item),
                 void (*look)(struct rw_fan *fan, struct rw_fan_item *item),
                 void (*answer)(struct rw_fan *fan, struct rw_fan_item *item));

/* Finds item->partition; sets item->error when it is not here, not ready, offline, or the client's
 * leader epoch does not fit (P15). */
bool rw_fan_resolve(struct rw_shard *owner, struct rw_fan_item *item);
