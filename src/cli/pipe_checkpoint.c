/* Loading and replacing the file of a pipe's progress. */
#include "cli/pipe_checkpoint.h"

#include <stdio.h>
#include <string.h>
#include "log/checkpoint.h"
#include "os/os.h"

void rw_pipe_checkpoint_init(struct rw_pipe_checkpoint *c)
{
    memset(c, 0, sizeof(*c));
    c->lock.fd = c->output_lock.fd = -1;
    rw_pipe_progress_init(&c->progress);
    rw_buf_init(&c->text);
}

void rw_pipe_checkpoint_deinit(struct rw_pipe_checkpoint *c)
{
    rw_os_append_close(&c->lock);
    rw_os_append_close(&c->output_lock);
    rw_buf_deinit(&c->text);
    rw_pipe_progress_deinit(&c->progress);
}

/* Beside the checkpoint of that name. `held` is a lock that this pipe has already, or NULL. */
static int lock(const char *checkpoint, const struct rw_os_append *held,
                struct rw_os_append *ret_lock, struct rw_err *err)
{
    char path[RW_PIPE_PATH + 32];
    if (snprintf(path, sizeof(path), "%s.lock", checkpoint) >= (int)sizeof(path))
        return rw_err_set(err, RW_E_TOO_BIG, "%s: the path is too long", checkpoint);
    int rc = rw_os_append_open(path, 0640, ret_lock);
    if (rc)
        return rw_err_set(err, rc, "%s: %s", path, rw_os_last_error());
    if (held && held->device == ret_lock->device && held->inode == ret_lock->inode)
        return RW_OK;
    return rw_os_append_lock(ret_lock, 0) ? RW_E_LOCKED : RW_OK;
}

int rw_pipe_checkpoint_lock_output(struct rw_pipe_checkpoint *c, const char *file,
                                   struct rw_err *ret_err)
{
    char path[RW_PIPE_PATH + 16];
    if (snprintf(path, sizeof(path), "%s.checkpoint", file) >= (int)sizeof(path))
        return rw_err_set(ret_err, RW_E_TOO_BIG, "%s: the path is too long", file);
    int rc = lock(path, &c->lock, &c->output_lock, ret_err);
    return rc == RW_E_LOCKED ? rw_err_set(ret_err, rc, "another pipe is writing to %s", file) : rc;
}

static int take(struct rw_pipe_checkpoint *c, const char *topic, struct rw_err *err)
{
    struct rw_str text = {(const char *)c->text.p, (int32_t)c->text.n};
    int rc = c->text.n > INT32_MAX ? RW_E_CORRUPT : rw_pipe_progress_read(text, &c->progress);
    if (rc == RW_E_UNSUPPORTED)
        return rw_err_set(err, rc, "the checkpoint %s is of a later version of rollway", c->path);
    if (rc == RW_E_NOMEM)
        return rw_err_set(err, rc, "out of memory");
    if (rc)
        return rw_err_set(err, RW_E_CORRUPT,
                          "%s is no checkpoint of a pipe, or damaged; without it the pipe begins "
                          "anew",
                          c->path);
    if (strcmp(c->progress.topic, topic) != 0)
        return rw_err_set(err, RW_E_INVAL, "%s is the checkpoint of a pipe from %s, not from %s",
                          c->path, c->progress.topic, topic);
    return RW_OK;
}

int rw_pipe_checkpoint_open(struct rw_pipe_checkpoint *c, const char *path, const char *topic,
                            struct rw_err *ret_err)
{
    if (snprintf(c->path, sizeof(c->path), "%s", path) >= (int)sizeof(c->path) - 8)
        return rw_err_set(ret_err, RW_E_TOO_BIG, "%s: the path is too long", path);
    int rc = lock(c->path, NULL, &c->lock, ret_err);
    if (rc == RW_E_LOCKED)
        return rw_err_set(ret_err, rc, "another pipe is running with the checkpoint %s", c->path);
    if (rc)
        return rc;
    rw_buf_clear(&c->text);
    rc = rw_file_load(rw_os_env(), path, &c->text);
    if (!rc)
        return take(c, topic, ret_err);
    if (rc != RW_E_NOT_FOUND)
        return rw_err_set(ret_err, rc, "%s: %s", path, rw_code_text(rc));
    int n = snprintf(c->progress.topic, sizeof(c->progress.topic), "%s", topic);
    return n < (int)sizeof(c->progress.topic)
               ? RW_OK
               : rw_err_set(ret_err, RW_E_TOO_BIG, "%s: no topic has so long a name", topic);
}

int rw_pipe_checkpoint_store(struct rw_pipe_checkpoint *c, struct rw_err *ret_err)
{
    if (!c->path[0])
        return RW_OK;
    rw_buf_clear(&c->text);
    rw_pipe_progress_write(&c->progress, &c->text);
    int rc = c->text.failed ? RW_E_NOMEM
                            : rw_file_replace(rw_os_env(), c->path, c->text.p, c->text.n, true);
    return rc ? rw_err_set(ret_err, rc, "the checkpoint %s: %s", c->path, rw_code_text(rc)) : RW_OK;
}
