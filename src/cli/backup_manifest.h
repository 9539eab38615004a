/*
 * The manifest of a backup: what it holds, and how to know that it is whole.
 *
 *     rollway-backup 2
 *     made <Unix ms>
 *     data                                    the logs of a directory; else one log
 *     file <name> <bytes> <crc32c in hex>     of the directory itself: meta.properties
 *     log <name>                              the directory's name; what follows is about it
 *     start <offset>                          first record that counts
 *     end <offset>                            offset of the next record
 *     recovery <offset>                       below it, damage is kept, not cut off
 *     high-watermark <offset>                 where the source had one
 *     damaged <n>                             stretches that were damaged when they were copied
 *     file <name> <bytes> <crc32c in hex>
 *     ...
 *     checksum <crc32c in hex>                of all lines above
 *
 * A file lies in the backup as <name>.<crc32c in hex>, so that a newer copy has another name, and the
 * files of the manifest that is there stay what it says until a newer one has taken its place.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/code.h"

#define RW_BACKUP_MANIFEST "rollway-backup.manifest"

struct rw_backup_file {
    char name[64];
    uint64_t size;
    uint32_t crc;
};

struct rw_backup_files {
    struct rw_backup_file *at;
    size_t n, cap;
};

struct rw_backup_log {
    char name[256];
    int64_t start, end, recovery;
    int64_t high_watermark; /* -1: none */
    uint64_t damaged;
    struct rw_backup_files files;
};

struct rw_backup {
    bool data;
    int64_t made_ms;
    struct rw_backup_files files;
    struct rw_backup_log *logs;
    size_t n, cap;
};

RW_MUST int rw_backup_add_file(struct rw_backup_files *files, const struct rw_backup_file *file);
/* Takes over log->files, also on failure. */
RW_MUST int rw_backup_add_log(struct rw_backup *b, const struct rw_backup_log *log);
const struct rw_backup_log *rw_backup_find(const struct rw_backup *b, const char *name);
void rw_backup_log_deinit(struct rw_backup_log *log);
void rw_backup_deinit(struct rw_backup *b);

/* <name>.<crc>: what a file is called in the backup. */
void rw_backup_stored_name(const struct rw_backup_file *file, char ret_name[80]);
/* Is it a name of that kind, or one of a copy that was not finished? */
bool rw_backup_is_stored_name(const char *name);

/* RW_E_UNSUPPORTED: another version. RW_E_CORRUPT: not what was written. *ret_backup needs
 * rw_backup_deinit() in any case. */
RW_MUST int rw_backup_parse(const char *text, size_t n, struct rw_backup *ret_backup);
void rw_backup_print(struct rw_buf *out, const struct rw_backup *b);
