/*
 * The real environment: struct rw_env on top of POSIX. This header is the files part (static
 * library `os_files`: no event loop, no libuv), which is all that the embeddable log needs. Linux
 * only.
 *
 *   struct rw_env env = *rw_os_env();
 *   env.diag = ...;                      a sink of your own, or rw_os_diag_new()
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "base/levels.h"
#include "env/env.h"

/* Clock, random numbers, files, mutexes. No diagnostics (diag is NULL) and no fault points: copy
 * the struct and fill them in. Stateless, static storage, thread-safe. */
const struct rw_env *rw_os_env(void);

/* ---- files (vfs_posix.c) ---- */

/* The descriptor behind a file opened through rw_os_env()->vfs, for sendfile and its like; -1 when
 * the file belongs to another vfs. Stays the file's own. */
int rw_os_file_fd(const struct rw_file *f);

/* A new descriptor (or -1), moved away from 0, 1 and 2 when a program has closed those: what it prints would go there. Close-on-exec;
 * errno is kept. -1 when there is none to be had: then `fd` is closed. */
int rw_os_fd_apart(int fd);

/* The working directory. RW_E_TOO_BIG, and what the system says. */
RW_MUST int rw_os_working_dir(char *ret, size_t n);

/* Where `path` really is: absolute, without symbolic links, "." and "..". ret: room for n bytes.
 * RW_E_TOO_BIG when it does not fit, and what the system says. */
RW_MUST int rw_os_real_path(const char *path, char *ret, size_t n);
/* True when something is mounted there: a file system, or (a bind mount) a directory that has another path,
 * too. False also where the system does not tell (Linux before 5.8). */
bool rw_os_is_mounted(const char *path);

/* ---- errors (error.c) ---- */

/* The one place where errno becomes a code. Never RW_OK. */
int rw_os_code(int err);

/*
 * What the last failed file operation of this thread was about, for people: "open /var/x:
 * Permission denied". "" when nothing failed yet. Valid until the next failure on the same thread.
 */
const char *rw_os_last_error(void);

/* Remembers errno `err` of `op` on `path` (may be NULL) for rw_os_last_error(); returns its code.
 */
int rw_os_fail(int err, const char *op, const char *path);

/* ---- diagnostics to stderr (diag_stderr.c) ---- */

struct rw_os_diag_options {
    enum rw_level min_level;
    enum rw_diag_format format; /* ignored when `auto_format` */
    bool auto_format;           /* text on a terminal, JSON otherwise */
    int colour;                 /* 1 always, 0 never, -1: terminal, NO_COLOR unset, TERM not dumb */
    int node;                   /* node id shown in each line; -1: none */
    int priorities; /* 1: "<6>" and so on before each line, as the journal wants it; 0 never;
                                   -1: when fd leads to the journal ($JOURNAL_STREAM) */
    int fd;         /* where lines go; 2 is stderr. Not closed. */
};

/* INFO, automatic format and colour, no node, stderr. */
void rw_os_diag_options_init(struct rw_os_diag_options *o);

/*
 * A thread-safe sink. Each line is one write(2) of a whole line. A message that repeats (same
 * level, logger and words) is written at most RW_OS_DIAG_BURST times in RW_OS_DIAG_WINDOW_MS;
 * what was held back is counted and told once the window is over. FATAL is never held back.
 * RW_E_NOMEM.
 */
RW_MUST int rw_os_diag_new(const struct rw_os_diag_options *options, struct rw_diag **ret_diag);
/* Changes which lines are wanted. From any thread. */
void rw_os_diag_set_levels(struct rw_diag *d, const struct rw_levels *levels);
/* Tells what is still held back, then frees. d may be NULL. */
void rw_os_diag_free(struct rw_diag *d);

#define RW_OS_DIAG_BURST     10
#define RW_OS_DIAG_WINDOW_MS 10000

/* Makes failed assertions say so on stderr before the program aborts. For programs, not libraries.
 */
void rw_os_assert_to_stderr(void);
