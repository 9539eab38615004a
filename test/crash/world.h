/*
 * The storage engine on a simulated disk, beside a model that remembers what was appended and what
 * was promised. The workload is a random walk under a seed; after a crash the model says which logs
 * may come back.
 */
#pragma once

#include <stdbool.h>
#include "base/buf.h"
#include "log/dir.h"
#include "log/log.h"
#include "sim/env.h"

#define WORLD_PRODUCERS 3
#define WORLD_TOGETHER  6 /* batches in one call */
#define WORLD_DIR       "/data"
#define WORLD_LOG       WORLD_DIR "/t-0"

struct entry {
    int64_t first, last;
    int64_t base_ts; /* records are one millisecond apart */
    int64_t pid;     /* -1: no producer */
    int32_t sequence;
    int32_t epoch;
    uint8_t *bytes; /* as they must lie in the file */
    size_t n;
};

struct model {
    struct entry *entries; /* in offset order, also those below the start */
    size_t n, cap;
    int64_t promised;    /* everything below was flushed: it must be there */
    int64_t start_least; /* the start never goes below (it was checkpointed) ... */
    int64_t start_most;  /* ... nor above (nobody asked for more) */
    int64_t cut_least;   /* a truncation that did not report back: the log may end here; -1: none */
};

struct world {
    struct rw_sim_env e;
    struct rw_sim_rand choice; /* what the workload does; apart from the disk's luck */
    struct rw_log_config config;
    struct rw_log_dir *dir;
    struct rw_log *log;
    struct model m;
    int32_t epoch;
    int64_t last_ts;
    int64_t high_water; /* for retention; below or at the promised offset */
    bool flush_each;
    bool together; /* several batches are appended in one call */
    char why[400]; /* the violation found; "" when none */
};

void world_init(struct world *w, uint64_t seed);
void world_deinit(struct world *w);

/* Opens directory and log from what is on the disk. A code of the engine. */
int world_open(struct world *w);
/* What another process sees that opens the log to read, before anybody repairs it: whatever is torn, it
 * must see all that was promised. False and w->why when it does not. */
bool world_look(struct world *w);
/* Closes what is open. clean: with the clean-shutdown mark. */
int world_close(struct world *w, bool clean);
/* One random operation; the model follows. A code of the engine. */
int world_step(struct world *w);

/* Compares the opened log with the model: false and w->why when it breaks a promise. Afterwards the
 * model is what the log holds. */
bool world_check(struct world *w);

/* Remembers the first violation; returns false. */
bool world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One batch as the producer sends it. */
int world_build(struct world *w, struct rw_buf *out, struct entry *e, int32_t count);
/* Sequence that the producer has to use next, from the entries of the model. */
int32_t world_next_sequence(const struct world *w, int64_t pid);
/* Drops model entries at and above the offset. */
void world_model_truncate(struct world *w, int64_t offset);
