/*
 * What the files of the producer share: its records, and the way of a batch from the queue over an
 * answer to its end.
 */
#pragma once

#include "base/list.h"
#include "client/producer.h"

#define SPARE_BUFFERS 64

struct part {
    struct rw_topic *topic;
    int32_t index;
    struct rw_builder builder; /* the open batch; empty when count == 0 */
    int64_t opened_us;
    struct rw_link queue; /* closed batches by serial */
    int in_flight;
    bool retrying; /* a batch came back: one at a time until it is through */
    /* From this serial on nothing is stored, nor will be, under the identity of now: its first batch is
     * surely not stored and is never sent under it again. INT64_MAX: none. */
    int64_t broken_at;
    int32_t next_sequence;
    int64_t next_serial, next_number;
    struct rw_client_err why; /* a batch came back the last time */
};

struct batch {
    struct rw_link link; /* in part->queue or request->batches */
    struct part *part;
    struct rw_buf bytes;
    int32_t count;
    int64_t serial, first_number;
    int64_t created_us;
    bool unknown; /* it was sent, and no answer told that it was not stored */
    bool doubted; /* unknown, and the broker has no place for its sequence number any more */
};

struct request {
    struct rw_link batches;
    size_t bytes;
};

struct topic_parts {
    struct rw_topic *topic;
    struct part **parts; /* by partition; NULL until used */
    int32_t n_parts;
    int32_t sticky; /* where records without a key go until the batch is full; -1: choose */
};

struct rw_producer {
    struct rw_cluster *cluster;
    struct rw_producer_options options;
    struct topic_parts *topics;
    int n_topics;
    struct topic_parts *last; /* most records go where the one before went */
    int64_t producer_id;
    int16_t producer_epoch;
    bool renew;
    size_t buffered;           /* bytes of closed batches that are not acknowledged */
    int n_queued, n_in_flight; /* batches */
    int64_t acked, failed;
    int64_t retry_at_us; /* nothing is sent before */
    int failures;        /* in a row, for the backoff */
    bool stale;          /* refresh metadata before the next send */
    struct rw_buf spare[SPARE_BUFFERS];
    int n_spare;
    struct rw_arena arena;
    struct rw_client_err last_err; /* why nothing could be sent the last time */
};

static inline int64_t rw_producer_now(const struct rw_producer *p)
{
    return rw_cluster_now(p->cluster);
}

static inline struct batch *batch_of(struct rw_link *link)
{
    return RW_CONTAINER(link, struct batch, link);
}

/* Not known to be missing in the log: it must not get another identity. */
static inline bool may_be_stored(const struct batch *b)
{
    return b->unknown && b->serial < b->part->broken_at;
}

/* ---- producer.c ---- */

/* Puts a batch where its serial belongs; new ones go to the end. */
void rw_producer_enqueue(struct rw_producer *p, struct batch *b);
/* The end of a batch that is in no list: report, account, free. */
void rw_producer_finish(struct rw_producer *p, struct batch *b, int64_t base_offset, int code,
                        const struct rw_client_err *err);

/* ---- producer_answers.c ---- */

/* The batches of a request are answered (m NULL: acks=0, none will come); frees the request. */
void rw_producer_take_answer(struct rw_producer *p, struct request *r,
                             const struct rw_produce_response *m);
/* Takes one answer; a connection that breaks brings back what was under way on it. */
int rw_producer_receive(struct rw_producer *p, struct rw_conn *c, struct rw_client_err *err);
void rw_producer_lost_connection(struct rw_producer *p, struct rw_conn *c,
                                 const struct rw_client_err *err);
/* For rw_cluster.lost. */
void rw_producer_broker_left(void *arg, struct rw_conn *c);
/* Takes back what an overdue answer holds up. Else the time when that would be, INT64_MAX: never. */
int64_t rw_producer_check_overdue(struct rw_producer *p, struct rw_conn *c);
void rw_producer_delay_retry(struct rw_producer *p);
/* Gives up a batch that is in no list, because its time is over. */
void rw_producer_give_up_late(struct rw_producer *p, struct batch *b);
/* Gives up what stays in doubt because nothing is left that could tell. */
void rw_producer_give_up_doubted(struct rw_producer *p, struct part *part);
