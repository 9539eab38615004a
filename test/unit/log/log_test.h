/*
 * What the tests of the storage engine share: a directory that goes away, the real files
 * environment, batches and readers in one line.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "batch/batch.h"
#include "log/log.h"

struct rw_sim_disk;

struct log_test {
    struct rw_env env;
    struct rw_sim_disk *disk; /* the log lies on it; NULL: in real files */
    char root[64];            /* a new directory of real files */
    char dir[80];             /* root/t-0: where the log goes */
    struct rw_log_config config;
    struct rw_log *log;
};

void log_test_init(struct log_test *t);
/* The same on a new simulated disk (sim/disk.h), which follows from the seed. `keeps_cache`: it takes no
 * advice to give its page cache up. */
void log_test_init_sim(struct log_test *t, uint64_t seed, bool keeps_cache);
/* Closes the log (not cleanly) and removes the directory or the disk. */
void log_test_deinit(struct log_test *t);
/* Opens t->log; recovery_point as in rw_log_open_args. */
int log_test_open(struct log_test *t, bool clean, int64_t recovery_point);
void log_test_close(struct log_test *t, bool clean);
/* Power fails on the simulated disk, and comes back: what is there then follows from the seed. */
void log_test_power_cut(struct log_test *t, uint64_t seed);
void log_test_file(const struct log_test *t, const char *name, char *ret_path, size_t size);

/* One batch with `count` records "v<offset relative>", timestamps from ts on, one ms apart. */
void log_test_batch(struct rw_buf *out, int count, int64_t ts, size_t value_size);
/* Appends such a batch as leader; asserts success. Returns the first offset. */
int64_t log_test_append(struct log_test *t, int count, int64_t ts, size_t value_size);
/* A batch of an idempotent producer (pid -1: of none). */
void log_test_producer_batch(struct rw_buf *out, int64_t pid, int16_t epoch, int32_t sequence,
                             int count, size_t value_size);
/* Appends one. */
int log_test_produce(struct log_test *t, int64_t pid, int16_t epoch, int32_t sequence, int count,
                     struct rw_append_info *ret_info);
/* Reads from offset on with small and large limits and counts the records up to the end; asserts that
 * offsets ascend and every batch is intact. Returns the offset after the last one. */
int64_t log_test_read_all(struct log_test *t, int64_t offset, int64_t *ret_records);
