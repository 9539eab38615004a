/*
 * The consumer without groups: partitions are assigned by hand, records come in the order of each
 * partition. Fetches are long polls; while records of one answer are handed out the next fetch is
 * already under way. Records are decoded in place.
 *
 * No thread: work is done inside next. Not thread-safe.
 */
#pragma once

#include "batch/batch.h"
#include "client/cluster.h"

struct rw_consumer_options {
    int32_t max_wait_ms; /* a fetch waits this long for data */
    int32_t min_bytes;
    int32_t max_bytes; /* of one answer */
    int32_t partition_max_bytes;
    bool read_committed;
    bool control_records; /* hand out transaction markers too */
    bool check_crcs;
};

/* Partition `i` in the order of rw_consumer_assign(). */
struct rw_consumer_partition {
    const char *topic;
    int32_t partition;
    int64_t position;       /* offset of the next record to be handed out */
    int64_t high_watermark; /* of the last answer; -1: none yet */
    int64_t last_stable_offset, log_start_offset;
    bool paused;
};

struct rw_consumed {
    int i; /* which partition */
    const struct rw_consumer_partition *partition;
    struct rw_record record; /* views: valid until the next call */
    const struct rw_batch *batch;
};

struct rw_consumer;

void rw_consumer_options_init(struct rw_consumer_options *o);
RW_MUST int rw_consumer_new(struct rw_cluster *cluster, const struct rw_consumer_options *options,
                            struct rw_consumer **ret_consumer);
void rw_consumer_free(struct rw_consumer *c); /* NULL is fine */
/* offset: of the first record wanted. The place in the order is the number of earlier calls. */
RW_MUST int rw_consumer_assign(struct rw_consumer *c, const char *topic, int32_t partition,
                               int64_t offset, struct rw_client_err *err);
int rw_consumer_count(const struct rw_consumer *c);
const struct rw_consumer_partition *rw_consumer_partition(const struct rw_consumer *c, int i);
/* A paused partition is not fetched and what is buffered of it is dropped. */
void rw_consumer_pause(struct rw_consumer *c, int i);
/* 1: *ret is set. 0: nothing within timeout_us. RW_E_RANGE: a position outside the log (err names it);
 * RW_E_CORRUPT, RW_E_CANCELED and others. */
RW_MUST int rw_consumer_next(struct rw_consumer *c, int64_t timeout_us, struct rw_consumed *ret,
                             struct rw_client_err *err);
/* True when the next call returns a record without waiting. */
bool rw_consumer_has_buffered(const struct rw_consumer *c);

/* ---- offsets (client/offsets.c) ---- */

#define RW_OFFSET_EARLIEST (-2)
#define RW_OFFSET_LATEST   (-1)

/* Asks for the offset that belongs to a time stamp (ms) or to EARLIEST or LATEST, for partitions
 * [0, n) of one topic; ret_offsets[i] is -1 when no record is that young. partitions[i] may name any
 * partitions of the topic. */
RW_MUST int rw_list_offsets(struct rw_cluster *c, struct rw_topic *topic, const int32_t *partitions,
                            int n, int64_t timestamp, bool read_committed, int64_t *ret_offsets,
                            struct rw_client_err *err);
