/*
 * What a pipe remembers: how far it has read, and how long its file was then. As text, with a checksum:
 *
 *     rollway-pipe 1
 *     topic NAME ID
 *     file DEVICE INODE LENGTH TAIL TAILCRC
 *     offset PARTITION NEXT
 *     crc 8HEXDIGITS
 *
 * TAIL bytes before LENGTH have that CRC32C: it is the same file still. "file" is there for output to a file only, "offset" once for each partition. The checksum (CRC32C) is of everything before its line. Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/code.h"
#include "base/slice.h"

enum {
    RW_PIPE_PARTITIONS_MAX = 100001,
    RW_PIPE_TOPIC = 256,
    RW_PIPE_TOPIC_ID = 40,
    RW_PIPE_TAIL = 4096
};

struct rw_pipe_progress {
    char topic[RW_PIPE_TOPIC];
    char topic_id[RW_PIPE_TOPIC_ID]; /* "-": the broker has none */
    bool has_file;
    uint64_t device, inode, length, tail, tail_crc;
    int64_t *offsets; /* of the next record, by partition; -1: nothing is known */
    int n;
};

void rw_pipe_progress_init(struct rw_pipe_progress *p);
void rw_pipe_progress_deinit(struct rw_pipe_progress *p);
/* RW_E_NOMEM; RW_E_TOO_BIG: no topic has so many partitions. */
RW_MUST int rw_pipe_progress_set(struct rw_pipe_progress *p, int32_t partition, int64_t next);
int64_t rw_pipe_progress_get(const struct rw_pipe_progress *p, int32_t partition); /* -1 */
void rw_pipe_progress_write(const struct rw_pipe_progress *p, struct rw_buf *out);
/* Into one that was just initialized. RW_E_CORRUPT, RW_E_UNSUPPORTED (a later version), RW_E_NOMEM. */
RW_MUST int rw_pipe_progress_read(struct rw_str text, struct rw_pipe_progress *ret_progress);
