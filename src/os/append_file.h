/*
 * Files that are only ever appended to, by one process or by several: every write goes to the end wherever that is by then
 * (O_APPEND), and what must be seen together is done under a lock (flock) of the file itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/code.h"

struct rw_os_append {
    int fd; /* -1: not open */
    bool regular;
    uint64_t device, inode;
};

/* Opens, and creates (with exactly this mode) when it is not there; its folder too, when only that is missing; mode 0: it
 * is not created. Never waits, not
 * for the reader of a pipe either. */
RW_MUST int rw_os_append_open(const char *path, unsigned mode, struct rw_os_append *ret_file);
void rw_os_append_close(struct rw_os_append *f);
/* *ret_n: how much went out, on errors too. RW_E_AGAIN: a pipe that is full. */
RW_MUST int rw_os_append_write(struct rw_os_append *f, const char *p, size_t n, size_t *ret_n);
/* RW_E_IO as well when the descriptor is somebody else's file now: ask before each write. */
RW_MUST int rw_os_append_size(const struct rw_os_append *f, uint64_t *ret_size,
                              int64_t *ret_modified_ms);
RW_MUST int rw_os_append_read(const struct rw_os_append *f, uint64_t at, char *p, size_t n,
                              size_t *ret_n);
RW_MUST int rw_os_append_cut(struct rw_os_append *f, uint64_t size);
/* Its time of change as that of another file, if the system lets us. */
void rw_os_append_date_as(struct rw_os_append *f, const struct rw_os_append *other);
/* Data and what is needed to find it. */
RW_MUST int rw_os_append_sync(struct rw_os_append *f);
/* True while `path` leads to this very file. */
bool rw_os_append_is_at(const struct rw_os_append *f, const char *path);
/* Among processes (and among opens). RW_E_TIMEOUT when somebody holds it for longer than `wait_ms`. */
RW_MUST int rw_os_append_lock(struct rw_os_append *f, int wait_ms);
void rw_os_append_unlock(struct rw_os_append *f);
/* Gives a file another name in one step. RW_E_EXISTS: there is one of this name already, and it stays. */
RW_MUST int rw_os_rename_new(const char *from, const char *to);

/* ---- what lies in a folder ---- */

struct rw_os_listed {
    char *name;
    uint64_t size, device, inode;
};
struct rw_os_listing {
    struct rw_os_listed *files; /* by name */
    size_t n, cap;
};
/* Regular files of `dir` whose names begin with `prefix`. */
RW_MUST int rw_os_list(const char *dir, const char *prefix, struct rw_os_listing *ret_listing);
void rw_os_listing_free(struct rw_os_listing *l);
/* RW_OK too when it was not there. */
int rw_os_remove(const char *path);
