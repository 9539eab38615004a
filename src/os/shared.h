/*
 * Memory that is mapped shared from a file, writable: what a process leaves there is still there after it was killed. The
 * file is locked by its creator (flock), so that others can tell whether it still lives.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/code.h"

struct rw_os_shared {
    int fd; /* -1: memory of this process alone */
    uint8_t *p;
    size_t n;
};

/* Creates the file `path` (mode 0600; RW_E_EXISTS: try another name) with n bytes that take no space yet, locks and maps it. path NULL: no
 * file. */
RW_MUST int rw_os_shared_create(const char *path, size_t n, struct rw_os_shared *ret_shared);
/* Maps all of a file that is there. RW_E_LOCKED: its creator lives. RW_E_SHORT: smaller than `least`. */
RW_MUST int rw_os_shared_open(const char *path, size_t least, struct rw_os_shared *ret_shared);
/* What is in such a file now, in memory of this process: nothing in the file changes, and nobody is kept from it for longer than the
 * copy takes. Holes take no memory. Errors as of rw_os_shared_open(). */
RW_MUST int rw_os_shared_copy(const char *path, size_t least, struct rw_os_shared *ret_shared);
/* In a child after fork(): the memory is the parent's business, and so is the lock, which an open descriptor and a mapping would keep.
 * The addresses stay, with zeros behind them; with keep_mapped the memory stays as well. */
void rw_os_shared_forget(struct rw_os_shared *s, bool keep_mapped);
/* Gives lock and descriptor back; the memory stays mapped. */
void rw_os_shared_let_go(struct rw_os_shared *s);
/* Removes a file that begins with zeros, or has no bytes: its creator was killed before it wrote anything. Not when he lives. */
void rw_os_shared_tidy(const char *path);
void rw_os_shared_close(struct rw_os_shared *s);
/* Makes pages of [at, at+n) available for writing. False: there is no space; touching them would be fatal. */
bool rw_os_shared_populate(struct rw_os_shared *s, size_t at, size_t n);
/* Gives pages of [at, at+n) back; they read as zeros then. */
void rw_os_shared_release(struct rw_os_shared *s, size_t at, size_t n);
