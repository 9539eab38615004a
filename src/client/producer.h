/*
 * The producer: collects records into batches per partition and sends them to the leaders, several
 * requests at a time, with retries that neither lose, nor repeat, nor reorder (idempotent, KIP-98).
 *
 * It has no thread: work is done inside send, poll and flush. A program that has nothing to send calls
 * poll now and then, so that batches leave when their linger time is over. Not thread-safe.
 */
#pragma once

#include "batch/batch.h"
#include "client/cluster.h"

/* One finished batch. Batches of one partition are reported in the order in which they were sent. */
struct rw_delivery {
    const char *topic;
    int32_t partition;
    int64_t first_number; /* of its first record among all records sent to this partition, from 0 */
    int64_t base_offset;  /* -1: not known (failed, acks=0, or written by an earlier try) */
    int32_t count;
    size_t bytes;
    int code;                        /* RW_OK, or why it failed */
    const struct rw_client_err *err; /* NULL when fine */
};

struct rw_producer_options {
    int16_t acks; /* -1 all, 1, 0 */
    enum rw_codec codec;
    int level;
    int64_t linger_us;
    size_t batch_bytes;   /* a batch is sent when it is this large (uncompressed) */
    size_t buffer_bytes;  /* send waits while more than this has not been acknowledged */
    size_t request_bytes; /* most of one request */
    int in_flight;        /* requests under way per broker, at most 5 when idempotent */
    int64_t delivery_timeout_us;
    bool idempotent;
    void (*delivered)(void *arg, const struct rw_delivery *d); /* may be NULL */
    void *arg;
};

struct rw_producer;

void rw_producer_options_init(struct rw_producer_options *o);
RW_MUST int rw_producer_new(struct rw_cluster *cluster, const struct rw_producer_options *options,
                            struct rw_producer **ret_producer);
/* What was not acknowledged is forgotten without a report: flush first. NULL is fine. */
void rw_producer_free(struct rw_producer *p);

#define RW_PARTITION_AUTO                                                                          \
    (-1) /* by the key's hash, or for records without a key any, batch by batch */

/* Copies the record (timestamp < 0: now). May wait when the buffer is full. Errors are those that
 * concern this record (RW_E_NOT_FOUND: no such topic or partition, RW_E_TOO_BIG) or all of them. */
RW_MUST int rw_producer_send(struct rw_producer *p, const char *topic, int32_t partition,
                             const struct rw_record *record, const struct rw_record_header *headers,
                             size_t n_headers, struct rw_client_err *err);
/* Sends what is due and takes answers, waiting up to timeout_us when there is nothing to do. */
RW_MUST int rw_producer_poll(struct rw_producer *p, int64_t timeout_us, struct rw_client_err *err);
/* Sends everything and waits until all is acknowledged or failed. RW_E_CANCELED. */
RW_MUST int rw_producer_flush(struct rw_producer *p, struct rw_client_err *err);
/* Microseconds until poll has something to send; -1: nothing is waiting. */
int64_t rw_producer_due_us(const struct rw_producer *p);
/* Totals since the start. */
int64_t rw_producer_acked(const struct rw_producer *p);
int64_t rw_producer_failed(const struct rw_producer *p);
