/*
 * The partitions of a shard: their logs, and the replica state machine (part/) wired to them. Everything
 * here runs on the owning shard's thread, except the jobs that open, close, sync and delete logs.
 *
 * Which shard owns a partition follows from the topic's id and the partition's number alone.
 */
#pragma once

#include "broker/config.h"
#include "broker/flusher.h"
#include "broker/shard.h"
#include "meta/image.h"
#include "part/part.h"

struct rw_topic_metrics;
struct rw_rebuilders;

enum rw_partition_state {
    RW_PARTITION_OPENING, /* a job opens or recovers the log */
    RW_PARTITION_OPEN,    /* in service, or offline: part.role says which */
    RW_PARTITION_CLOSING  /* out of the table; a job closes or deletes the log */
};

/* Somebody who waits for a partition to move on. wake() may remove and free the waiter. */
struct rw_waiter {
    struct rw_link link;
    int64_t offset; /* producers: woken when everything below is acknowledged */
    void (*wake)(struct rw_waiter *w);
};

struct rw_partition {
    struct rw_shard *shard;
    struct rw_uuid topic_id;
    int32_t index;
    enum rw_partition_state state;
    char *topic;
    struct rw_topic_config config;
    struct rw_part part;
    struct rw_log *log; /* NULL until opened, and when opening failed */
    struct rw_flusher flusher;
    struct rw_timer flush_timer;      /* flush.ms */
    int64_t synced_to;                /* end offset when the last sync was asked for */
    struct rw_link starters;          /* struct rw_waiter, until the log is open */
    struct rw_link appends;           /* struct rw_partition_append, in order */
    struct rw_link due;               /* in partitions.appends_due */
    struct rw_link acks;              /* struct rw_waiter, in order of their offsets */
    struct rw_link readers;           /* struct rw_waiter */
    struct rw_topic_metrics *metrics; /* NULL: not counted */
    /* One job at a time: open, delete old files, close, destroy. */
    struct rw_job job;
    bool busy;
    unsigned held; /* jobs of requests that read the log */
    bool destroy;  /* closing: delete the directory */
    bool hurry;    /* the job that deletes old files: all of them now */
    bool is_new;   /* made by a change, not found at start: stale checkpoints do not count */
    bool clean;    /* at start: the last shutdown was clean */
    int64_t recovery_point, start_checkpoint, hw_checkpoint;
    int32_t leader_epoch;         /* from the image */
    int code;                     /* result of the job */
    struct rw_log_config opening; /* for the job that opens: the settings may change meanwhile */
    struct rw_log *opened;        /* what that job made; `log` is the shard's alone */
    char *dir;
    struct rw_link link;         /* queue of those to open */
    struct rw_batch_open *batch; /* who waits for it to be open; NULL: nobody */
};

/* Who waits for a number of partitions to be opened or deleted. */
struct rw_batch_open {
    size_t left;
    bool unopened; /* some could not be opened yet, and are tried again */
    void (*done)(struct rw_batch_open *b);
};

/* Makes the shard's (empty) set. */
RW_MUST int rw_partitions_new(struct rw_shard *s);
/* Takes in the whole image at start; logs are opened by jobs, one after the other per slot. */
RW_MUST int rw_partitions_start(struct rw_shard *s, const struct rw_meta *meta);
/* Takes in a change that was applied to `meta`. batch->done() is called, from here or later, when
 * every new partition of this shard is open and every removed one is off the disk. RW_E_NOMEM: the shard misses partitions now. */
RW_MUST int rw_partitions_apply(struct rw_shard *s, const struct rw_meta *meta,
                                const struct rw_meta_delta *delta, struct rw_batch_open *batch);
/* Closes all logs; stopped() when nothing is left and the set is freed. */
void rw_partitions_stop(struct rw_shard *s, void (*stopped)(struct rw_shard *s));
/* Partitions of this shard that are not open yet. */
size_t rw_partitions_opening(const struct rw_shard *s);
bool rw_partitions_stopping(const struct rw_shard *s);
/* Walks the open ones: start with *at = 0, NULL ends. */
struct rw_partition *rw_partitions_next(const struct rw_shard *s, size_t *at);

/* The same, also those that are not open yet. */
struct rw_partition *rw_partitions_each(const struct rw_shard *s, size_t *at);

/* Adds the shard's partitions to a scrape. RW_E_NOMEM. (measure.c) */
RW_MUST int rw_partitions_measure(struct rw_shard *s, const struct rw_meta *meta,
                                  struct rw_metrics *sum);

int rw_partition_shard(const struct rw_broker *b, struct rw_uuid topic_id, int32_t index);
/* NULL: not on this shard. */
struct rw_partition *rw_partition_find(const struct rw_shard *s, struct rw_uuid topic_id,
                                       int32_t index);
/* Why it can not serve now, as a Kafka error: being opened, deleted, offline. 0: it can. */
int16_t rw_partition_error(const struct rw_partition *p);

/* A job that read the log (held++ before it) has ended. True: the partition was only kept for it. */
bool rw_partition_release(struct rw_partition *p);

/* The disk is so full that nothing may be added to it: appends and new partitions are refused. */
bool rw_partitions_disk_full(const struct rw_shard *s);
/* A write found no space (RW_E_FULL): the free space is measured now, not at its next turn. */
void rw_partitions_found_full(struct rw_shard *s);
/* How long producers' answers are to be throttled, because the disk fills up. 0: not at all. */
int32_t rw_partitions_throttle_ms(const struct rw_shard *s);

/* rw_log_epoch_end() as leader: the current epoch may have written nothing yet, and starts where the log
 * ends. (-1, -1) for epochs to come. */
void rw_partition_epoch_end(const struct rw_partition *p, int32_t epoch, int32_t *ret_epoch,
                            int64_t *ret_end);

/*
 * A producer's batch on its way into the log. Who appends sets append.bytes, n, args.allow_zstd and
 * args.check, and done(), which is called when append.code and append.info hold the answer: the codes of
 * rw_log_append(), RW_E_OFFLINE also when the partition went out of service meanwhile. To give up
 * before that, take `link` out of its list. (appends.c)
 */
struct rw_partition_append {
    struct rw_link link;
    struct rw_append append;
    void (*done)(struct rw_partition_append *a);
};

/* Writes it as leader in the next round of messages, together with what else comes in this one. */
void rw_partition_append(struct rw_partition *p, struct rw_partition_append *a);
/* compression.type: the batch must be rebuilt in this codec (rebuild.h) before it is appended. */
struct rw_recode {
    bool needed;
    enum rw_codec codec;
    int level;
};
/*
 * On the shard that received it, while its bytes are in this core's caches: checks a producer's batch
 * for rw_partition_append() on the owner's shard. NULL (no memory): the owner does it. The result lies
 * in the arena. *ret_recode is always set; not needed when the batch was refused or not checked.
 * (precheck.c)
 */
const struct rw_append_check *rw_partition_precheck(struct rw_shard *s,
                                                    const struct rw_meta_topic *t,
                                                    struct rw_slice bytes, bool allow_zstd,
                                                    struct rw_arena *arena,
                                                    struct rw_recode *ret_recode);
struct rw_rebuilders *rw_partitions_rebuilders(const struct rw_shard *s);
/* DeleteRecords: moves the log start to `offset`. */
RW_MUST int rw_partition_trim(struct rw_partition *p, int64_t offset);
/* True when everything below offset is acknowledged as the policy demands. */
bool rw_partition_is_acked(const struct rw_partition *p, int64_t offset);
/* While it is OPENING. Woken in the order of arrival, when it is open, failed, or on its way out. */
void rw_partition_wait_open(struct rw_partition *p, struct rw_waiter *w);
void rw_partition_wait_acked(struct rw_partition *p, struct rw_waiter *w);
void rw_partition_wait_readable(struct rw_partition *p, struct rw_waiter *w);
/* The log reported a failure: the partition goes offline and everybody who waits is told. */
void rw_partition_failed(struct rw_partition *p, int code);
