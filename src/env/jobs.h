/*
 * Work that may block, on worker threads; its end comes back to a loop as a message. Each class has
 * its own small pool, so that a slow one never delays another: a compaction must not delay an
 * fsync. Implementations: os/jobs.c (threads, started when first needed) and the simulator.
 */
#pragma once

#include "env/loop.h"

enum rw_job_class {
    RW_JOB_SYNC,       /* fsync, group commit */
    RW_JOB_READ,       /* cold reads */
    RW_JOB_COMPUTE,    /* compression: nothing but the processor */
    RW_JOB_BACKGROUND, /* compaction, deletion, rendering metrics, snapshots */
    RW_JOB_CLASSES
};

/* Zero-initialise, set work and done. Must stay where it is from submit until done() is called. */
struct rw_job {
    void (*work)(struct rw_job *job); /* on a worker thread */
    void (*done)(struct rw_job *job); /* on the loop's thread; may submit the job again */
    struct rw_loop *loop;             /* set by submit */
    struct rw_post post;              /* the implementation's, from here on */
    struct rw_link link;
};

struct rw_jobs;

struct rw_jobs_ops {
    void (*submit)(struct rw_jobs *j, enum rw_job_class class, struct rw_loop *loop,
                   struct rw_job *job);
};

struct rw_jobs {
    const struct rw_jobs_ops *ops;
};

/* From any thread. Jobs of one class start in the order of their submission, several at a time.
 * Never fails: when no worker can be started, the ones there are take it. */
static inline void rw_jobs_submit(struct rw_jobs *j, enum rw_job_class class, struct rw_loop *loop,
                                  struct rw_job *job)
{
    j->ops->submit(j, class, loop, job);
}
