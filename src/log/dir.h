/*
 * A data directory that holds many partitions' logs (Kafka's log.dirs entry): lock, identity,
 * clean-shutdown mark and the checkpoints that live beside the partitions.
 *
 *   .lock                              taken for writing
 *   meta.properties                    version=1, cluster.id, node.id, directory.id
 *   .kafka_cleanshutdown               present only after a clean close
 *   recovery-point-offset-checkpoint   everything below is on disk
 *   log-start-offset-checkpoint
 *   replication-offset-checkpoint      high watermarks
 *   <topic>-<partition>/               one log each
 *
 * Checkpoints are text (version, count, lines "topic partition offset"), written to a temporary file,
 * synced, renamed, directory synced. One owner; the functions on checkpoints from any of its threads.
 */
#pragma once

#include "log/log.h"

struct rw_log_dir;

struct rw_log_dir_identity {
    char cluster_id[64];
    int32_t node_id;
    struct rw_uuid directory_id;
};

enum rw_checkpoint {
    RW_CHECKPOINT_RECOVERY_POINT,
    RW_CHECKPOINT_LOG_START,
    RW_CHECKPOINT_HIGH_WATERMARK
};

struct rw_checkpoint_entry {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/* Creates the directory (and its parents) when missing, locks it, reads or writes the identity: a new
 * directory gets `want`; an existing one must agree on node_id (RW_E_INVAL) and its identity comes
 * back. `want` NULL: whose it is does not matter, but it must be one (RW_E_NOT_FOUND). RW_E_LOCKED:
 * another process owns it. ret_err gets words a person can act on. */
RW_MUST int rw_log_dir_open(const struct rw_env *env, const char *path,
                            const struct rw_log_dir_identity *want, struct rw_log_dir **ret_dir,
                            struct rw_err *ret_err);
void rw_log_dir_identity(const struct rw_log_dir *d, struct rw_log_dir_identity *ret_identity);
const char *rw_log_dir_path(const struct rw_log_dir *d);
/* True when the last owner shut down cleanly. The mark is removed by open. */
bool rw_log_dir_was_clean(const struct rw_log_dir *d);
/* -1 when the checkpoint has no line for it. */
int64_t rw_log_dir_checkpoint(const struct rw_log_dir *d, enum rw_checkpoint which,
                              const char *topic, int32_t partition);
/* Changes one line of the stored file, durably; does nothing when it says that already. offset -1: no
 * line. What was collected for a file before this call is outdated: see below. */
RW_MUST int rw_log_dir_set_checkpoint(struct rw_log_dir *d, enum rw_checkpoint which,
                                      const char *topic, int32_t partition, int64_t offset);
/* Moves with every rw_log_dir_set_checkpoint(). */
uint64_t rw_log_dir_generation(const struct rw_log_dir *d);
/* As rw_log_dir_write_checkpoint(), when the generation is still the one at which the entries were
 * collected; RW_E_AGAIN and nothing written otherwise. */
RW_MUST int rw_log_dir_write_collected(struct rw_log_dir *d, enum rw_checkpoint which,
                                       const struct rw_checkpoint_entry *entries, size_t n,
                                       uint64_t generation);
RW_MUST int rw_log_dir_write_checkpoint(struct rw_log_dir *d, enum rw_checkpoint which,
                                        const struct rw_checkpoint_entry *entries, size_t n);
/* Calls each() for every partition directory, after removing leftovers of unfinished deletions. */
RW_MUST int rw_log_dir_partitions(struct rw_log_dir *d,
                                  int (*each)(void *arg, const char *topic, int32_t partition,
                                              const char *path),
                                  void *arg);
/* The topic id in a partition directory's partition.metadata. RW_E_NOT_FOUND: it has none. */
RW_MUST int rw_log_dir_topic_id(const struct rw_env *env, const char *path,
                                struct rw_uuid *ret_topic_id);
/* Removes what an unfinished rw_log_remove() left under the second name. (remove.c) */
RW_MUST int rw_log_remove_rest(const struct rw_env *env, const char *dir);
/* clean: leaves the clean-shutdown mark (every log was closed cleanly). d may be NULL. */
void rw_log_dir_close(struct rw_log_dir *d, bool clean);
