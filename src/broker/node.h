/*
 * What the broker has once, not per shard: the data directory, the metadata log and its writer (on
 * shard 0), the checkpoints. rw_broker.node points to it.
 */
#pragma once

#include <stdatomic.h>
#include "broker/address.h"
#include "broker/metadata.h"
#include "broker/partitions.h"
#include "log/dir.h"

enum { RW_CHECKPOINTS = 3 }; /* files; enum rw_checkpoint */
enum { RW_API_VERSIONS_LAST = 4 };

/* Numbers of many partitions, for the checkpoint files. */
struct rw_checkpoint_set {
    struct rw_arena arena; /* names */
    struct rw_checkpoint_entry *entries[RW_CHECKPOINTS];
    size_t n, cap;
    bool failed; /* incomplete: not to be written */
};

struct rw_node {
    struct rw_broker *broker;
    struct rw_log_dir *dir;
    struct rw_log_dir_identity identity; /* constant after open */
    bool was_clean;
    struct rw_addresses *addresses;
    atomic_uint undeleted; /* logs of removed topics that could not be deleted */
    atomic_bool unclean;   /* something was not closed as it should: leave no clean-shutdown mark */
    struct rw_controller controller;      /* shard 0's; `boot` is read by every shard's start */
    struct rw_checkpointer *checkpointer; /* shard 0's */
    struct rw_checkpoint_set *finals;     /* per shard: its logs as they were closed */
    void (**stops)(struct rw_shard *s);   /* per shard: the runtime's continuation of stop */
    /* What ApiVersions answers, as bytes, by version; constant after open. */
    struct rw_buf api_versions[RW_API_VERSIONS_LAST + 1];
};

/* api/api_versions.c: fills n->api_versions. RW_E_NOMEM. */
RW_MUST int rw_node_encode_api_versions(struct rw_node *n);

/* Sets the partition's recovery point, log start and high watermark from the checkpoints. Only while
 * shards start: nobody writes checkpoints yet. */
void rw_node_recovery_of(const struct rw_node *n, struct rw_partition *p);
/* From any thread. */
void rw_node_unclean(struct rw_node *n);

/* ---- checkpoint.c, on shard 0 ---- */

RW_MUST int rw_checkpointer_start(struct rw_shard *s);
void rw_checkpointer_stop(struct rw_shard *s, void (*stopped)(struct rw_shard *s));

/* Somebody who may answer only when the log start offsets are on disk. */
struct rw_checkpoint_wait {
    struct rw_msg msg;
    struct rw_link link;
    struct rw_shard *origin;
    int code;
    void (*done)(struct rw_checkpoint_wait *w); /* on origin; always later */
};

/* From any shard: writes the log start offsets as they are now, or later. */
void rw_checkpoint_starts(struct rw_shard *s, struct rw_checkpoint_wait *w);

void rw_checkpoint_add(struct rw_checkpoint_set *set, const char *topic, int32_t partition,
                       const int64_t offsets[RW_CHECKPOINTS]);
void rw_checkpoint_set_deinit(struct rw_checkpoint_set *set);
/* The numbers with which the partition's log is to be found again. */
void rw_partition_checkpoint(const struct rw_partition *p, int64_t ret_offsets[RW_CHECKPOINTS]);
/* wanted: bits by enum rw_checkpoint. generation: of the directory, before the set was collected.
 * Blocks. The first failure, which was reported; RW_E_AGAIN: outdated, nothing written. */
int rw_checkpoint_write(struct rw_broker *b, const struct rw_checkpoint_set *set, unsigned wanted,
                        uint64_t generation);
