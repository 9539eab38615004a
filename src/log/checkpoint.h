/*
 * Small files that are replaced as a whole: written to "<path>.tmp", synced, renamed over the old
 * one, directory synced. A reader (or a crash) sees the old or the new content, never a mixture.
 */
#pragma once

#include "base/buf.h"
#include "base/code.h"
#include "env/env.h"

/* Largest file that rw_file_load() takes in; snapshots and checkpoints are far below. */
#define RW_SMALL_FILE_MAX (256u << 20)

/* `durable` false leaves out both syncs: for files that carry their own checksum and can be rebuilt. */
RW_MUST int rw_file_replace(const struct rw_env *env, const char *path, const void *p, size_t n,
                            bool durable);
/* Appends the whole file to out. RW_E_NOT_FOUND, RW_E_TOO_BIG. */
RW_MUST int rw_file_load(const struct rw_env *env, const char *path, struct rw_buf *out);
/* Removes a file; one that is not there is fine. */
RW_MUST int rw_file_remove(const struct rw_env *env, const char *path);

/*
 * Kafka's text checkpoints: a version line, a count line, then that many lines.
 *
 *     0
 *     2
 *     <line>
 *     <line>
 *
 * Calls each() with every line, NUL-terminated. RW_E_CORRUPT: wrong version, wrong count, or each()
 * refused a line (returned non-zero).
 */
RW_MUST int rw_checkpoint_parse(const char *text, size_t n, int (*each)(void *arg, char *line),
                                void *arg);
/* Takes a line "topic partition offset" apart: it ends behind the topic then. RW_E_CORRUPT: it is none. */
RW_MUST int rw_checkpoint_line(char *line, int32_t *ret_partition, int64_t *ret_offset);
