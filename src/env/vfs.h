/*
 * Files. Plain blocking calls: whoever must not block runs them in a job. Every function may be
 * called from any thread, also on the same file. Implementations: os/vfs_posix.c and sim/disk.c;
 * each embeds struct rw_vfs and struct rw_file as first members.
 *
 * Errors are RW_E_NOT_FOUND, RW_E_EXISTS (also: a directory that is not empty), RW_E_PERM,
 * RW_E_FULL, RW_E_LIMIT, RW_E_IO, RW_E_LOCKED, RW_E_INVAL (a directory where a file is wanted),
 * RW_E_NOMEM. After sync_data or sync_full failed, the file's pages are in an unknown state (the
 * kernel marks them clean): the caller must not sync the same file again and believe a success.
 * Both implementations keep failing for that handle.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/code.h"

struct rw_vfs;
struct rw_file;

enum rw_open_flags {
    RW_OPEN_READ = 0,
    RW_OPEN_WRITE = 1,  /* read and write */
    RW_OPEN_CREATE = 2, /* create when missing (mode 0644) */
    RW_OPEN_EXCL = 4,   /* with CREATE: RW_E_EXISTS when it is there */
    RW_OPEN_TRUNC = 8
};

struct rw_iov {
    const void *p;
    size_t n;
};

struct rw_stat {
    uint64_t size;
    uint64_t allocated; /* bytes of disk space taken (st_blocks * 512) */
    int64_t mtime_ms;
    uint64_t id; /* of the file, whatever its name: no two that exist or are open have the same */
    bool is_dir;
};

struct rw_space {
    uint64_t total;     /* bytes of the file system */
    uint64_t available; /* bytes an unprivileged writer may still take */
};

struct rw_vfs_ops {
    int (*open)(struct rw_vfs *v, const char *path, unsigned flags, struct rw_file **ret_file);
    void (*close)(struct rw_file *f);
    /* Reads until n bytes or the end of the file; *ret_n < n only at the end. */
    int (*read_at)(struct rw_file *f, uint64_t at, void *p, size_t n, size_t *ret_n);
    /* Writes all of it or fails. After a failure any prefix may have been written. */
    int (*write_at)(struct rw_file *f, uint64_t at, const struct rw_iov *iov, size_t n_iov);
    /* fdatasync: content and size are on stable storage when it returns RW_OK. */
    int (*sync_data)(struct rw_file *f);
    /* fsync. */
    int (*sync_full)(struct rw_file *f);
    int (*truncate)(struct rw_file *f, uint64_t size);
    /* Reserves disk space for [0, size) without changing the file's size (fallocate KEEP_SIZE).
     * RW_E_UNSUPPORTED where the file system can not; RW_E_FULL. */
    int (*reserve)(struct rw_file *f, uint64_t size);
    int (*size)(struct rw_file *f, uint64_t *ret_size);
    /* Maps [0, n) read-only; bytes past the end of the file must not be touched until written.
     * What write_at stored is visible through the map. Unmap before close. */
    int (*map)(struct rw_file *f, size_t n, const void **ret_p);
    void (*unmap)(struct rw_file *f, const void *p, size_t n);
    /* Exclusive advisory lock, released by close or death. RW_E_LOCKED when another owner has it.
     */
    int (*lock)(struct rw_file *f);
    /* Hints, never fail: content in [at, at+n) will be / will not be needed. */
    void (*advise)(struct rw_file *f, uint64_t at, uint64_t n, bool will_need);
    /* True when [at, at+n) is in the page cache, so that sending it will not wait for the disk.
     * Cheap, and no promise: pages go, and where the system does not count them it is a sample. When it
     * is not there, asking may start to read it. */
    bool (*is_cached)(struct rw_file *f, uint64_t at, uint64_t n);

    int (*rename)(struct rw_vfs *v, const char *from, const char *to);
    int (*unlink)(struct rw_vfs *v, const char *path);
    int (*mkdir)(struct rw_vfs *v, const char *path); /* one level; RW_E_EXISTS */
    int (*rmdir)(struct rw_vfs *v, const char *path);
    /* Makes creations, renames and removals inside `path` durable. */
    int (*sync_dir)(struct rw_vfs *v, const char *path);
    /* Calls each() for every entry but "." and "..", in no order; stops when it returns non-zero
     * and returns that. */
    int (*list)(struct rw_vfs *v, const char *path, int (*each)(void *arg, const char *name),
                void *arg);
    int (*stat)(struct rw_vfs *v, const char *path, struct rw_stat *ret_stat);
    int (*space)(struct rw_vfs *v, const char *path, struct rw_space *ret_space);
};

struct rw_vfs {
    const struct rw_vfs_ops *ops;
};

struct rw_file {
    const struct rw_vfs_ops *ops;
    struct rw_vfs *vfs;
};

RW_MUST static inline int rw_vfs_open(struct rw_vfs *v, const char *path, unsigned flags,
                                      struct rw_file **ret_file)
{
    return v->ops->open(v, path, flags, ret_file);
}

/* f may be NULL. */
static inline void rw_file_close(struct rw_file *f)
{
    if (f)
        f->ops->close(f);
}

RW_MUST static inline int rw_file_read_at(struct rw_file *f, uint64_t at, void *p, size_t n,
                                          size_t *ret_n)
{
    return f->ops->read_at(f, at, p, n, ret_n);
}

RW_MUST static inline int rw_file_write_at(struct rw_file *f, uint64_t at, const void *p, size_t n)
{
    struct rw_iov iov = {p, n};
    return f->ops->write_at(f, at, &iov, 1);
}
