/*
 * The runtime of the metadata log. Every shard has its own image (rw_view), changed by the same records
 * in the same order. Changes are decided on shard 0, appended to the log __cluster_metadata-0, made
 * durable, and then carried through all shards, one after the other; only when the last shard has them
 * (and has opened the logs of new partitions) the change is answered. One change at a time.
 *
 * When enough was written (metadata.log.max.record.bytes.between.snapshots), a job makes a snapshot between two
 * changes.
 *
 * This is the seam at which a consensus engine replaces "append and sync" later: decide, commit, apply.
 */
#pragma once

#include <stdatomic.h>
#include "broker/flusher.h"
#include "broker/metalog.h"
#include "broker/partitions.h"
#include "log/dir.h"
#include "meta/decide.h"

struct rw_view {
    struct rw_meta meta;
    struct rw_config *config; /* the shard's, when something was set while brokers ran; else NULL */
    struct rw_arena scratch;  /* decoding */
    /* The block of producer ids that this shard hands out. */
    int64_t next_producer_id, producer_ids_end;
    /* Auto-creations that were refused: when one was told last, and how many were not since. */
    int64_t refusals_from_us;
    uint64_t refusals_untold;
};

/* A change on its way to shard 0 and back. Memory: the caller's, usually the request's arena. */
struct rw_change {
    struct rw_msg msg;
    struct rw_link link;
    struct rw_shard *origin;
    struct rw_meta_records list; /* its arena is set by the caller */
    /* On shard 0: fills list from the image (and the answer); RW_OK or an error that is the change's
     * result. An empty list is fine: nothing is written. */
    int (*decide)(struct rw_change *c, const struct rw_meta *meta,
                  const struct rw_meta_policy *policy);
    /* On origin. code: RW_OK when everything is durable and applied everywhere; RW_E_AGAIN when it is,
     * but logs of new partitions wait for space, open files or memory: nothing is to be done for them. */
    void (*done)(struct rw_change *c);
    int code;
};

/* Shard 0's. */
struct rw_controller {
    struct rw_broker *broker;
    struct rw_metalog store;
    struct rw_flusher flusher;
    struct rw_meta_policy policy;
    struct rw_link queue;      /* struct rw_change */
    struct rw_change *current; /* NULL: idle */
    struct rw_msg tour;        /* visits all shards with the last batch of `store` */
    int at;                    /* shard that the tour is at */
    struct rw_batch_open opening;
    bool unopened;      /* some of the new logs wait for space, open files or memory */
    size_t removed;     /* topics whose directories were not gone before this tour */
    unsigned undeleted; /* node->undeleted then */
    bool leftovers;     /* at the start some directories of removed topics could not be deleted */
    bool busy;          /* a job makes a snapshot: changes wait */
    struct rw_job job;
    int job_code;
    void (*stopped)(struct rw_shard *zero);
    int code;                   /* log failed: every later change gets this */
    struct rw_buf boot;         /* all batches found at start, until every shard has its image */
    atomic_int shards_to_start; /* that read `boot` */
};

/* Submits from the origin's shard; done() comes later, always. */
void rw_metadata_submit(struct rw_shard *s, struct rw_change *c);

/* On the starting thread: opens and reads the log, deletes the directories of topics whose deletion was
 * committed but not finished, registers this broker. */
RW_MUST int rw_controller_open(struct rw_controller *c, struct rw_broker *b, bool was_clean,
                               struct rw_log_dir *dir, struct rw_err *ret_err);
/* On shard 0: stopped(), at once or later, when no job refers to the log any more. */
void rw_controller_stop(struct rw_controller *c, void (*stopped)(struct rw_shard *zero));
/* After all shards have stopped. Code: whether everything is on disk. */
int rw_controller_close(struct rw_controller *c);

/* On each shard: makes the image from what was read at open. */
RW_MUST int rw_view_start(struct rw_shard *s, struct rw_controller *c);
void rw_view_stop(struct rw_shard *s);
