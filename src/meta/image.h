/*
 * The cluster metadata as one broker (one shard) knows it: topics, partitions, settings, brokers,
 * producer ids. Built by nothing but rw_meta_apply() from the records of the metadata log, so that the
 * same records give the same image everywhere, live and at replay. Not thread-safe: each shard has its
 * own.
 */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "base/slice.h"
#include "base/uuid.h"

#define RW_META_NO_LEADER (-1)

struct rw_meta_partition {
    int32_t leader;
    int32_t leader_epoch;
    int32_t partition_epoch;
    int32_t n_replicas, n_isr;
    int32_t *replicas, *isr;
};

struct rw_meta_topic {
    struct rw_uuid id;
    char *name;
    int32_t n_partitions;
    struct rw_meta_partition *partitions;
    size_t n_configs;
    struct rw_pair *configs; /* the topic's own, canonical, in order of their setting */
};

struct rw_meta_broker {
    int32_t id;
    int64_t epoch; /* moves with every start after an unclean stop */
    char *host;    /* of the first endpoint */
    int32_t port;
    char *rack; /* NULL: none */
};

#define RW_META_ALL_BROKERS (-1)

/* Settings that one broker, or all of them, got while they ran. */
struct rw_meta_broker_configs {
    int32_t id; /* RW_META_ALL_BROKERS: the cluster's defaults */
    size_t n_configs;
    struct rw_pair *configs; /* as a topic's */
};

struct rw_meta {
    struct rw_map by_name, by_id;
    struct rw_map by_folded; /* by name, '.' and '_' being the same */
    size_t n_brokers;
    struct rw_meta_broker *brokers; /* by id */
    size_t n_broker_configs;
    struct rw_meta_broker_configs *broker_configs; /* in order of their first setting */
    int64_t next_producer_id;
    size_t n_partitions; /* over all topics */
    size_t n_removed;    /* ids of deleted topics: their directories may still have to go */
    size_t cap_removed;
    struct rw_uuid *removed; /* in order of their deletion */
};

void rw_meta_init(struct rw_meta *m);
void rw_meta_deinit(struct rw_meta *m);

/* NULL when there is none. */
struct rw_meta_topic *rw_meta_topic(const struct rw_meta *m, struct rw_str name);
/* One whose name differs from this at most in '.' and '_'. NULL: none. */
struct rw_meta_topic *rw_meta_topic_like(const struct rw_meta *m, struct rw_str name);
struct rw_meta_topic *rw_meta_topic_by_id(const struct rw_meta *m, struct rw_uuid id);
bool rw_meta_was_removed(const struct rw_meta *m, struct rw_uuid id);
/* The directories of all but the first `keep` removed topics are gone. */
void rw_meta_forget_removed(struct rw_meta *m, size_t keep);
const struct rw_meta_broker *rw_meta_broker(const struct rw_meta *m, int32_t id);
/* NULL: it has none. */
const struct rw_meta_broker_configs *rw_meta_broker_configs(const struct rw_meta *m, int32_t id);
/* All topics in order of their names, in the arena. NULL with *ret_n == 0 when there are none, NULL with
 * *ret_n > 0 when memory is refused. */
struct rw_meta_topic **rw_meta_topics(const struct rw_meta *m, struct rw_arena *arena,
                                      size_t *ret_n);

/* ---- change ---- */

enum rw_meta_change_kind {
    RW_META_TOPIC_CREATED,
    RW_META_PARTITION_CREATED,
    RW_META_TOPIC_CONFIGURED,
    RW_META_TOPIC_REMOVED,
    RW_META_BROKERS_CONFIGURED
};

/* What a record did, for who runs partitions. */
struct rw_meta_change {
    enum rw_meta_change_kind kind;
    struct rw_uuid topic_id;
    int32_t partition; /* PARTITION_CREATED: which; TOPIC_REMOVED: how many there were */
};

struct rw_meta_delta {
    struct rw_meta_change *changes;
    size_t n, cap;
};

void rw_meta_delta_deinit(struct rw_meta_delta *d);

/* Applies one record (type: enum rw_record_type_id, m: its struct). Strings are copied. Records that
 * this part does not care about, and changes to things that are gone, do nothing. The only error is
 * RW_E_NOMEM: the image is then not to be used any more. delta may be NULL. */
RW_MUST int rw_meta_apply(struct rw_meta *meta, int16_t type, const void *m,
                          struct rw_meta_delta *delta);
