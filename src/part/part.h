/*
 * One replica of one partition, as a step machine: an event comes in, the state moves, and what has to
 * be done in the world comes out. Pure: no clock, no I/O, no allocation.
 *
 * Words (Kafka's): start = log start offset, end = log end offset (offset of the next record), durable
 * = everything below is on stable storage, high watermark = what consumers may see, last stable offset
 * = what read_committed consumers may see.
 *
 * Invariants, asserted after every step: start <= high watermark <= end; last stable offset <= high
 * watermark; durable <= end; the high watermark and the leader epoch never go back, except by
 * RW_PART_OPENED and RW_PART_TRUNCATED.
 *
 * The rule of the durability policy: under a durable policy (flush.messages = 1) nothing is seen or
 * acknowledged that a crash could take back, so the high watermark is bounded by `durable`; otherwise
 * by the end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum rw_part_role {
    RW_PART_CLOSED, /* not opened yet */
    RW_PART_LEADER, /* takes writes */
    RW_PART_OFFLINE /* its log failed; nothing but a restart helps */
};

struct rw_part {
    enum rw_part_role role;
    int32_t leader_epoch;
    int64_t start, end, durable;
    int64_t high_watermark;
    int64_t first_unstable; /* first offset of the earliest open transaction; INT64_MAX: none */
    bool durable_policy;
};

enum rw_part_event_kind {
    RW_PART_OPENED,    /* start, end, durable, checkpoint, durable_policy */
    RW_PART_LEAD,      /* leader_epoch: this replica leads from now on */
    RW_PART_APPENDED,  /* end */
    RW_PART_FLUSHED,   /* durable */
    RW_PART_TRIMMED,   /* start: retention or DeleteRecords moved it */
    RW_PART_TRUNCATED, /* end: records were taken away */
    RW_PART_POLICY,    /* durable_policy changed */
    RW_PART_FAILED     /* the log is offline */
};

struct rw_part_event {
    enum rw_part_event_kind kind;
    int64_t start, end, durable;
    int64_t checkpoint; /* high watermark from the checkpoint file, -1: none */
    int32_t leader_epoch;
    bool durable_policy;
};

/* What the step changed; the shell acts on it. */
struct rw_part_out {
    bool acked_moved;    /* parked produce requests may be ready */
    bool readable_moved; /* parked fetches may be ready */
    bool start_moved;    /* readers below the start must be told */
    bool failed;         /* answer everything that is parked with an error */
    bool flush_wanted;   /* acknowledgements or readers wait for a sync */
};

void rw_part_init(struct rw_part *p);
void rw_part_step(struct rw_part *p, const struct rw_part_event *event,
                  struct rw_part_out *ret_out);

/* Produce requests are answered when their last offset lies below this. */
int64_t rw_part_acked(const struct rw_part *p);
int64_t rw_part_last_stable(const struct rw_part *p);
/* First offset that a reader may not have. */
int64_t rw_part_readable(const struct rw_part *p, bool read_committed);

enum rw_part_epoch {
    RW_EPOCH_FINE,
    RW_EPOCH_FENCED, /* the client's is older: it must refresh its metadata */
    RW_EPOCH_UNKNOWN /* the client's is newer: we have not heard of it yet */
};

/* What a client believes to be the leader epoch; -1: it does not say. */
enum rw_part_epoch rw_part_check_epoch(const struct rw_part *p, int32_t current_leader_epoch);
