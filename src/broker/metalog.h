/*
 * The metadata log on disk: the records of __cluster_metadata-0, and snapshots, so that neither the log
 * nor the time it takes to read it grows for ever.
 *
 * A snapshot holds the records that rebuild the image as it was at an offset; what lies below that offset
 * in the log is deleted. Name and form are those of Apache Kafka: <offset>-<epoch>.checkpoint beside the
 * segments, record batches between a header and a footer.
 *
 * Blocking; one caller at a time. No shards, no threads: metadata.c runs it.
 */
#pragma once

#include "batch/batch.h"
#include "log/log.h"
#include "meta/records.h"

struct rw_metalog {
    const struct rw_env *env;
    char *dir;
    struct rw_log *log;
    struct rw_builder builder;
    struct rw_slice batch; /* the last one that was built, in builder */
    int64_t snapshot;      /* offset of the newest one; 0: there is none */
    uint64_t since;        /* bytes of records that are not in it */
};

/* Opens or creates <root>/__cluster_metadata-0. ret_batches: all batches to be applied in order, those of
 * the snapshot (with its control batches) first. What is in them is durable. RW_E_CORRUPT: the log goes
 * on after a snapshot that is damaged or missing. */
RW_MUST int rw_metalog_open(struct rw_metalog *m, const struct rw_env *env, const char *root,
                            bool clean, struct rw_buf *ret_batches);
/* m may have failed to open. */
int rw_metalog_close(struct rw_metalog *m);

/* Makes one batch of the records and appends it: m->batch, until the next call. It is durable after the
 * next rw_log_flush(m->log). RW_E_FULL: the log goes on; rw_log_state() says otherwise for the rest. */
RW_MUST int rw_metalog_append(struct rw_metalog *m, const struct rw_meta_records *list,
                              int64_t now_ms);
/* Everything in the log is durable and in the image: writes it down, and deletes the records that it
 * stands for. After a failure everything is as it was before, or there is a snapshot and the records
 * go with the next one. */
RW_MUST int rw_metalog_snapshot(struct rw_metalog *m, const struct rw_meta *meta, int64_t now_ms);
