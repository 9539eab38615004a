/*
 * A disk in memory that forgets what was not synced: the second implementation of env/vfs.h.
 *
 * The model is meaner than ext4 with data=ordered:
 * - write_at and truncate change the current state; sync_data and sync_full make one file's content
 *   and size durable, but not its name.
 * - create, mkdir, rename, unlink and rmdir become durable by sync_dir of the directory (for rename:
 *   of either one, as a whole), together with earlier operations on the same names.
 * - At a power cut every unsynced write is kept, dropped, or torn by 512-byte sectors, where a missing
 *   sector inside a grown file reads as zeros; every unsynced name operation is kept or dropped,
 *   unless an earlier one on the same name was dropped.
 * - A failed sync drops what it should have written: some of it is durable, the rest never will be,
 *   though reading still shows it, and later syncs through other handles succeed.
 * - Advice that content is not needed makes the next read come from the disk (but for what was written and
 *   not synced): it shows what a failed sync lost. A disk may ignore it: see keeps_cache.
 *
 * All of it follows from the seed. One thread. Paths are absolute; the root directory exists.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "env/vfs.h"

struct rw_sim_disk;

struct rw_sim_disk_options {
    uint64_t capacity; /* bytes; 0: without limit */
    bool keeps_cache;  /* advice is ignored, as tmpfs and others do */
};

enum rw_sim_op {
    RW_SIM_OP_OPEN, /* that creates or truncates; others are not counted */
    RW_SIM_OP_READ,
    RW_SIM_OP_WRITE,
    RW_SIM_OP_SYNC,
    RW_SIM_OP_TRUNCATE,
    RW_SIM_OP_RESERVE,
    RW_SIM_OP_RENAME,
    RW_SIM_OP_UNLINK,
    RW_SIM_OP_MKDIR,
    RW_SIM_OP_RMDIR,
    RW_SIM_OP_SYNC_DIR,
    RW_SIM_OP_COUNT
};

/* What shall go wrong. Counts start at the rw_sim_disk_arm() that set them, at 1; 0: never. */
struct rw_sim_faults {
    uint64_t cut_at;  /* power fails in the n-th operation that can change something (no reads):
                         it may have taken effect, it and all later ones fail with RW_E_IO */
    uint64_t read_at; /* the n-th read, write, sync fails with RW_E_IO */
    uint64_t write_at;
    uint64_t sync_at;
    uint64_t full_at;   /* the n-th write, reserve or creating open fails with RW_E_FULL */
    bool sync_lies;     /* planted bug: file syncs answer RW_OK and do nothing */
    bool sync_dir_lies; /* the same for directories */
};

/* NULL when out of memory. Not injected: allocation failures inside the disk are assertions. */
struct rw_sim_disk *rw_sim_disk_new(uint64_t seed, const struct rw_sim_disk_options *options);
void rw_sim_disk_free(struct rw_sim_disk *d);
struct rw_vfs *rw_sim_disk_vfs(struct rw_sim_disk *d);

void rw_sim_disk_arm(struct rw_sim_disk *d, const struct rw_sim_faults *faults);
/* True after cut_at was reached and before rw_sim_disk_restart(). */
bool rw_sim_disk_is_cut(const struct rw_sim_disk *d);
/* Cuts the power (when it is still on) and switches it on again: what is there now is one of the
 * states that the rules above allow, chosen by `seed`. Disarms. Every file must have been closed. */
void rw_sim_disk_restart(struct rw_sim_disk *d, uint64_t seed);

/* After a cut: it was only the process that died. The cache is as it was and still unsynced. */
void rw_sim_disk_revive(struct rw_sim_disk *d);

/* Flips bits of one stored byte, now and durably: RW_E_NOT_FOUND, RW_E_RANGE. */
RW_MUST int rw_sim_disk_rot(struct rw_sim_disk *d, const char *path, uint64_t at, uint8_t mask);
void rw_sim_disk_set_capacity(struct rw_sim_disk *d, uint64_t capacity);

struct rw_sim_disk_stats {
    uint64_t changes; /* operations counted by cut_at, since the disk was made */
    uint64_t ops[RW_SIM_OP_COUNT];
    uint64_t used; /* bytes */
    uint64_t
        trace; /* hash of every operation with its arguments and result: equal for equal runs */
};

void rw_sim_disk_stats(const struct rw_sim_disk *d, struct rw_sim_disk_stats *ret_stats);

/* Called before each counted operation, for tests that want to see them. May be NULL. */
void rw_sim_disk_watch(struct rw_sim_disk *d,
                       void (*watch)(void *arg, enum rw_sim_op op, const char *path), void *arg);
