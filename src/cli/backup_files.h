/* The files of a backup: copied under another name, synced, renamed; compared; loaded and removed. */
#pragma once

#include "cli/backup_manifest.h"
#include "cli/command.h"
#include "cli/progress.h"

/* One run of rollway log backup or restore. */
struct rw_backup_copy {
    struct rw_cli *cli;
    struct rw_progress progress;
    uint64_t done;
    uint8_t *chunk, *other; /* RW_BACKUP_CHUNK bytes each */
    bool target_failed;     /* the last failure was about writing, not about what was read */
};

#define RW_BACKUP_CHUNK (1u << 20)

RW_MUST int rw_backup_copy_init(struct rw_backup_copy *c, struct rw_cli *cli);
void rw_backup_copy_deinit(struct rw_backup_copy *c);

/*
 * Brings the first file->size bytes (UINT64_MAX: all) of from_dir/<name> into the backup directory
 * to_dir under the name that its content gives it, and fills in size and crc. A file that is there with
 * the same bytes stays: *ret_copied says. RW_E_SHORT, RW_E_AGAIN: it changed while it was read.
 */
RW_MUST int rw_backup_store(struct rw_backup_copy *c, const char *from_dir, const char *to_dir,
                            struct rw_backup_file *file, bool *ret_copied);
/* Is the file in the backup as the manifest says? RW_E_CORRUPT: other bytes. */
RW_MUST int rw_backup_check_file(struct rw_backup_copy *c, const char *dir,
                                 const struct rw_backup_file *file);
/* Copies it out of the backup to to_dir/<name>, synced. RW_E_CORRUPT as above. */
RW_MUST int rw_backup_fetch(struct rw_backup_copy *c, const char *dir, const char *to_dir,
                            const struct rw_backup_file *file);

RW_MUST int rw_backup_load(const char *dir, struct rw_backup *ret_backup);
RW_MUST int rw_backup_save(const char *dir, const struct rw_backup *b);

/* Creates the directory, durably; one that is there is fine. */
RW_MUST int rw_backup_make_dir(const char *dir);
/* Removes a directory with the files in it; one that is not there is fine. */
RW_MUST int rw_backup_remove_dir(const char *dir);
