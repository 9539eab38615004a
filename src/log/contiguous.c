/*
 * The mark of a log without gaps between its offsets: an empty file, whose making and going are durable before
 * what they stand for (state.h). Whether it counts is decided where the log is loaded.
 */
#include "log/state.h"

#include "log/checkpoint.h"

bool rw_log_is_marked_contiguous(const struct rw_log *log)
{
    struct rw_path path;
    struct rw_stat st;
    return rw_path_join(&path, log->dir, RW_CONTIGUOUS_NAME, NULL) == RW_OK &&
           log->env->vfs->ops->stat(log->env->vfs, path.s, &st) == RW_OK;
}

int rw_log_mark_contiguous(struct rw_log *log)
{
    struct rw_path path;
    struct rw_file *f = NULL;
    int rc = rw_path_join(&path, log->dir, RW_CONTIGUOUS_NAME, NULL);
    if (!rc)
        rc = rw_vfs_open(log->env->vfs, path.s, RW_OPEN_WRITE | RW_OPEN_CREATE, &f);
    if (!rc)
        rc = log->env->vfs->ops->sync_dir(log->env->vfs, log->dir);
    rw_file_close(f);
    log->contiguous = !rc;
    return rc;
}

int rw_log_unmark_contiguous(struct rw_log *log)
{
    struct rw_path path;
    if (!log->contiguous)
        return RW_OK;
    int rc = rw_path_join(&path, log->dir, RW_CONTIGUOUS_NAME, NULL);
    if (!rc)
        rc = rw_file_remove(log->env, path.s);
    if (!rc)
        rc = log->env->vfs->ops->sync_dir(log->env->vfs, log->dir);
    if (!rc)
        log->contiguous = false;
    return rc;
}
