/*
 * Rotated files of a file appender: their names, and what becomes of them.
 *
 * "app.log" becomes "app.log.20261123T014405.123Z" (UTC), in one rename. Numbers (app.log.1, .2 ...) would mean that each rotation renames
 * every old file: a kill in the middle leaves a gap, two processes get in each other's way, a file that is being compressed or read by a
 * shipper changes its name. Names with times sort by age, never change, and say what is in them: logrotate's "dateext", log4j's
 * filePattern with a date.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/code.h"

enum rw_lg_compress { RW_LG_COMPRESS_NONE, RW_LG_COMPRESS_GZIP, RW_LG_COMPRESS_ZSTD };

struct rw_lg_keep {
    int64_t count, total_bytes, age_ms; /* 0: without limit */
    enum rw_lg_compress compress;
    unsigned mode;
};

enum { RW_LG_PATH = 512, RW_LG_STAMP = 20 };

/* Gives the file at `path` its rotated name; the time is moved on when there is one of this time, or a younger one, already. */
RW_MUST int rw_lg_rotate(const char *path, int64_t now_ms);
/* The rotated file of this inode, if it is there. */
bool rw_lg_rotated_find(const char *path, uint64_t device, uint64_t inode, char *ret_path);

/* Tidies up: compresses, and removes what is too old or too much; in a thread of its own with the lowest priority, which ends when
 * it is done. */
struct rw_lg_tidy {
    char path[RW_LG_PATH];
    struct rw_lg_keep keep;
    pthread_t thread;
    bool started;
    _Atomic bool running, stop, again;
};
void rw_lg_tidy_init(struct rw_lg_tidy *t, const char *path, const struct rw_lg_keep *keep);
/* Starts it; when it runs already, it goes round once more. */
void rw_lg_tidy_start(struct rw_lg_tidy *t);
/* Waits for it; what is half compressed is left for the next time when `stop`. */
void rw_lg_tidy_end(struct rw_lg_tidy *t, bool stop);
/* What the thread does, for tests. */
RW_MUST int rw_lg_tidy_once(struct rw_lg_tidy *t, int64_t now_ms);

/* compress.c: `from` into `to` and durable, its time kept. RW_E_CANCELED when *stop. `to` stays behind on errors. */
RW_MUST int rw_lg_compress_file(const char *from, const char *to, unsigned mode,
                                enum rw_lg_compress how, const _Atomic bool *stop);
