/* What partitions.c (life), partition.c (service) and retention.c share. */
#pragma once

#include "base/map.h"
#include "broker/partitions.h"
#include "broker/rebuild.h"
#include "log/pressure.h"

/* pressure.c */
struct rw_disk_watch {
    struct rw_shard *shard;
    struct rw_timer timer;
    struct rw_job job;
    bool busy; /* a measurement is under way */
    int code;
    struct rw_space space;
    struct rw_pressure pressure;
    struct rw_pressure_config config;
    int64_t retained_us; /* when retention was forced last */
    int64_t measured_us; /* when the last measurement ended */
    bool refuse;
    int32_t throttle_ms;
};

/* precheck.c: topics' rules, as far as this shard received batches for them. */
struct rw_precheck {
    struct rw_map topics;
    struct rw_records scratch;
    struct rw_rebuilders rebuilders; /* compression.type */
};

struct rw_partitions {
    struct rw_shard *shard;
    struct rw_map map;
    struct rw_link to_open; /* in order */
    struct rw_link
        no_room;    /* could not be opened for want of space, open files or memory: once more */
    size_t opening; /* queued and running */
    int running;    /* open jobs under way */
    size_t closing;
    struct rw_timer retention;
    struct rw_disk_watch disk;
    struct rw_precheck precheck;
    /* appends.c: partitions with batches to be written, and the message that writes them. */
    struct rw_link appends_due;
    struct rw_msg append_turn;
    void (*stopped)(struct rw_shard *s);
};

/* Steps the state machine and does what comes out. */
void rw_partition_step(struct rw_partition *p, const struct rw_part_event *event);
/* After the log was opened (or not: code). On the shard. */
void rw_partition_opened(struct rw_partition *p, int code);
/* The end of its log may have moved: starts what the durability policy asks for, wakes readers. */
void rw_partition_appended(struct rw_partition *p);
/* Applies changed settings. */
void rw_partition_configure(struct rw_partition *p, const struct rw_topic_config *config);
/* Tells everybody who waits; they find the state changed. */
void rw_partition_wake_all(struct rw_partition *p);
/* Out of service: ends once no sync and no job refers to it. */
void rw_partition_retire(struct rw_partition *p, bool destroy);
/* Called whenever a job or a sync ended while it is CLOSING. */
void rw_partition_retire_next(struct rw_partition *p);

/* A topic's settings changed, or it is gone. */
void rw_precheck_forget(struct rw_precheck *k, struct rw_uuid topic_id);
void rw_precheck_forget_all(struct rw_precheck *k);
void rw_precheck_deinit(struct rw_precheck *k);

void rw_retention_start(struct rw_partitions *ps);
void rw_retention_now(struct rw_partitions *ps);
void rw_disk_watch_start(struct rw_disk_watch *w, struct rw_shard *s);
/* The thresholds may have changed. */
void rw_disk_watch_configure(struct rw_disk_watch *w);
/* There is space again: opens what could not be opened without. */
void rw_partitions_open_rest(struct rw_partitions *ps);
/* Frees the set and goes on with the stop, when nothing refers to it any more. */
void rw_partitions_stop_end(struct rw_partitions *ps);
