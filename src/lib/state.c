/*
 * What a log keeps beside its segments. A broker keeps these files in the data directory for all
 * partitions, and there the library keeps them for a partition too; a log of its own has them in it:
 *
 *   .lock                              locked by the writer
 *   recovery-point-offset-checkpoint   Kafka's format; a log of its own has one line
 *   log-start-offset-checkpoint        the same
 *   .kafka_cleanshutdown               a data directory, after all of it was closed cleanly
 *   .rollway-clean                     a log of its own, after a clean close: "0", "1", "<end> <bytes>"
 *
 * .rollway-clean names the end and the size of the log: when another program appended meanwhile, it
 * does not fit and is worth nothing.
 */
#include "lib/lib.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "log/checkpoint.h"
#include "log/path.h"

#define LOCK_NAME     ".lock"
#define CLEAN_NAME    ".rollway-clean"
#define RECOVERY_NAME "recovery-point-offset-checkpoint"
#define START_NAME    "log-start-offset-checkpoint"

static int lock_own(struct rollway_log *log)
{
    struct rw_path path;
    struct rw_file *f;
    int rc = rw_path_join(&path, log->home, LOCK_NAME, NULL);
    if (!rc)
        rc = rw_vfs_open(log->env->vfs, path.s, RW_OPEN_WRITE | RW_OPEN_CREATE, &f);
    if (rc)
        return rollway_fail_code(log, rc, path.s);
    rc = f->ops->lock(f);
    if (rc) {
        rw_file_close(f);
        return rc == RW_E_LOCKED
                   ? rollway_fail(log, rc, "%s is locked: another process writes this log", path.s)
                   : rollway_fail_code(log, rc, path.s);
    }
    log->lock = f;
    return RW_OK;
}

int rollway_lock(struct rollway_log *log)
{
    struct rw_err err = {0};
    if (!log->is_partition)
        return lock_own(log);
    int rc = rw_log_dir_open(log->env, log->home, NULL, &log->parent, &err);
    return rc ? rollway_fail(log, rc, "%s", err.text) : RW_OK;
}

void rollway_unlock(struct rollway_log *log, bool clean)
{
    /* The other partitions are as clean as they were. */
    rw_log_dir_close(log->parent, clean && log->parent && rw_log_dir_was_clean(log->parent));
    rw_file_close(log->lock);
    log->parent = NULL;
    log->lock = NULL;
}

/* ---- checkpoints ---- */

struct wanted {
    char topic[512];
    int32_t partition;
    size_t lines;
    int64_t offset, last; /* of the line that was wanted, of the last one; -1: there is none */
};

static int see_line(void *arg, char *line)
{
    struct wanted *w = arg;
    int32_t partition;
    int rc = rw_checkpoint_line(line, &partition, &w->last);
    if (rc)
        return rc;
    w->lines++;
    if (partition == w->partition && strcmp(line, w->topic) == 0)
        w->offset = w->last;
    return RW_OK;
}

/* Topic and partition as the name of the directory says them. */
static void name_of(const struct rollway_log *log, char topic[512], int32_t *ret_partition)
{
    const char *name = strrchr(log->dir, '/') + 1;
    *ret_partition = 0;
    if (strlen(name) < 512 && rw_name_partition(name, topic, ret_partition))
        return;
    snprintf(topic, 512, "%s", *name ? name : "log");
    for (char *c = topic; *c; c++)
        if (*c == ' ' || *c == '\n')
            *c = '_';
}

/* -1 when there is none or it can not be used: then everything is looked at. */
static int64_t checkpoint(struct rollway_log *log, const char *home, const char *name)
{
    struct wanted w = {.offset = -1, .last = -1};
    struct rw_path path;
    struct rw_buf text;
    name_of(log, w.topic, &w.partition);
    rw_buf_init(&text);
    if (rw_path_join(&path, home, name, NULL) || rw_file_load(log->env, path.s, &text) ||
        rw_checkpoint_parse((const char *)text.p, text.n, see_line, &w))
        w.offset = w.last = -1;
    rw_buf_deinit(&text);
    /* A log of its own has one line, and may have had another name when that was written. */
    return home == log->dir && w.lines == 1 ? w.last : w.offset;
}

/* *saved: what the file is known to say, durably. */
static int write_checkpoint(struct rollway_log *log, const char *name, int64_t offset,
                            int64_t *saved)
{
    if (*saved == offset)
        return RW_OK;
    char topic[512], text[640];
    int32_t partition;
    struct rw_path path;
    name_of(log, topic, &partition);
    int n = snprintf(text, sizeof(text), "0\n1\n%s %" PRId32 " %" PRId64 "\n", topic, partition,
                     offset);
    *saved = -1;
    int rc = rw_path_join(&path, log->dir, name, NULL);
    if (!rc)
        rc = rw_file_replace(log->env, path.s, text, (size_t)n, true);
    if (!rc)
        *saved = offset;
    return rc;
}

/* What says the same in the partition itself, from when it was a log of its own, no longer counts. */
static int remove_own(struct rollway_log *log)
{
    static const char *const names[] = {RECOVERY_NAME, START_NAME, CLEAN_NAME};
    int rc = RW_OK;
    for (size_t i = 0; i < RW_COUNT(names) && !rc; i++) {
        struct rw_path path;
        rc = rw_path_join(&path, log->dir, names[i], NULL);
        if (!rc)
            rc = rw_file_remove(log->env, path.s);
    }
    return rc;
}

static int save_lines(struct rollway_log *log, int64_t point, int64_t end)
{
    char topic[512];
    int32_t partition;
    struct rw_log_dir *d = log->parent;
    name_of(log, topic, &partition);
    int rc = rw_log_dir_set_checkpoint(d, RW_CHECKPOINT_RECOVERY_POINT, topic, partition, point);
    if (!rc)
        rc = rw_log_dir_set_checkpoint(d, RW_CHECKPOINT_LOG_START, topic, partition,
                                       rw_log_start(log->log));
    if (!rc && rw_log_dir_checkpoint(d, RW_CHECKPOINT_HIGH_WATERMARK, topic, partition) > end)
        rc = rw_log_dir_set_checkpoint(d, RW_CHECKPOINT_HIGH_WATERMARK, topic, partition, end);
    return rc ? rc : remove_own(log);
}

int rollway_save_state(struct rollway_log *log, int64_t below)
{
    int64_t point = rw_log_recovery_point(log->log), end = rw_log_end(log->log);
    if (point > below)
        point = below;
    if (log->is_partition)
        return save_lines(log, point, end < below ? end : below);
    int rc = write_checkpoint(log, RECOVERY_NAME, point, &log->saved_point);
    return rc ? rc : write_checkpoint(log, START_NAME, rw_log_start(log->log), &log->saved_start);
}

/* ---- the mark of a clean close ---- */

struct mark {
    long long end;
    unsigned long long bytes;
};

static int see_mark(void *arg, char *line)
{
    struct mark *m = arg;
    return sscanf(line, "%lld %llu", &m->end, &m->bytes) == 2 ? RW_OK : RW_E_CORRUPT;
}

struct total {
    struct rollway_log *log;
    unsigned long long bytes;
};

static int add_size(void *arg, const char *name)
{
    struct total *t = arg;
    struct rw_path path;
    struct rw_stat st;
    int64_t base;
    const char *suffix;
    if (!rw_name_parse(name, &base, &suffix) || strcmp(suffix, RW_SUFFIX_LOG) != 0)
        return RW_OK;
    int rc = rw_path_join(&path, t->log->dir, name, NULL);
    if (!rc)
        rc = t->log->env->vfs->ops->stat(t->log->env->vfs, path.s, &st);
    if (!rc)
        t->bytes += st.size;
    return rc;
}

int rollway_save_mark(struct rollway_log *log, int64_t end)
{
    struct rw_path path;
    struct total t = {.log = log};
    char text[80];
    if (log->is_partition)
        return RW_OK; /* see rollway_unlock() */
    int rc = log->env->vfs->ops->list(log->env->vfs, log->dir, add_size, &t);
    if (!rc)
        rc = rw_path_join(&path, log->dir, CLEAN_NAME, NULL);
    int n = snprintf(text, sizeof(text), "0\n1\n%" PRId64 " %llu\n", end, t.bytes);
    return rc ? rc : rw_file_replace(log->env, path.s, text, (size_t)n, true);
}

/* When only the process died, between a change of names and the sync of the directory, what is seen now
 * is in the cache alone: nothing may be built on it before it is durable. */
static int sync_names(struct rollway_log *log)
{
    struct rw_path parent;
    struct rw_vfs *vfs = log->env->vfs;
    int rc = vfs->ops->sync_dir(vfs, log->dir);
    if (!rc)
        rc = rw_path_parent(&parent, log->dir);
    if (!rc)
        rc = vfs->ops->sync_dir(vfs, parent.s);
    /* A parent that may not be read was not made by whoever opens logs in it. */
    return rc == RW_E_PERM ? RW_OK : rc;
}

static int take_mark(struct rollway_log *log, struct rw_log_open_args *args)
{
    struct rw_path path;
    struct rw_buf text;
    struct mark m = {0};
    struct total t = {.log = log};
    rw_buf_init(&text);
    int rc = rw_path_join(&path, log->dir, CLEAN_NAME, NULL);
    if (!rc)
        rc = rw_file_load(log->env, path.s, &text);
    if (rc == RW_E_NOT_FOUND) {
        rw_buf_deinit(&text);
        return log->options.read_only ? RW_OK : sync_names(log);
    }
    if (!rc)
        rc = log->env->vfs->ops->list(log->env->vfs, log->dir, add_size, &t);
    if (!rc && rw_checkpoint_parse((const char *)text.p, text.n, see_mark, &m) == RW_OK &&
        m.bytes == t.bytes) {
        args->clean = true;
        args->recovery_point = m.end;
    }
    rw_buf_deinit(&text);
    if (!rc && !log->options.read_only) {
        rc = rw_file_remove(log->env, path.s);
        if (!rc)
            rc = log->env->vfs->ops->sync_dir(log->env->vfs, log->dir);
    }
    return rc;
}

/* The file is replaced whenever it changes. */
static void reload_start(struct rollway_log *log)
{
    const char *home = log->is_partition ? log->home : log->dir;
    struct rw_path path;
    struct rw_stat st;
    if (rw_path_join(&path, home, START_NAME, NULL) ||
        log->env->vfs->ops->stat(log->env->vfs, path.s, &st) ||
        (st.id == log->start_id && st.mtime_ms == log->start_mtime_ms))
        return;
    int64_t start = checkpoint(log, home, START_NAME);
    if (start < 0)
        return;
    log->saved_start = start;
    log->start_id = st.id;
    log->start_mtime_ms = st.mtime_ms;
}

void rollway_pause(struct rollway_log *log)
{
    struct rw_sync *sync = log->env->sync;
    rollway_lock_append(log);
    (void)sync->wait(sync, log->grown, log->append, 1000);
    rollway_unlock_append(log);
}

int rollway_refresh(struct rollway_log *log)
{
    reload_start(log);
    int rc = rw_log_refresh(log->log, log->saved_start);
    atomic_store(&log->cuts, 2 * rw_log_rewinds(log->log));
    return rc;
}

int rollway_load_state(struct rollway_log *log, struct rw_log_open_args *args)
{
    const char *home = log->is_partition ? log->home : log->dir;
    int64_t point = checkpoint(log, home, RECOVERY_NAME);
    int64_t start = checkpoint(log, home, START_NAME);
    /* A broker has not got round to a recovery point, or has never opened the partition: then it was put
     * there with what it had of its own. */
    if (point < 0 && log->is_partition) {
        int64_t own = checkpoint(log, log->dir, START_NAME);
        point = checkpoint(log, log->dir, RECOVERY_NAME);
        if (own > start)
            start = own;
    }
    args->recovery_point = point < 0 ? 0 : point;
    args->start_offset = start < 0 ? 0 : start;
    if (log->options.read_only)
        log->saved_start = args->start_offset;
    int rc;
    if (!log->is_partition)
        rc = take_mark(log, args);
    else if (log->parent && !rw_log_dir_was_clean(log->parent))
        rc = sync_names(log);
    else
        rc = RW_OK;
    if (log->parent)
        args->clean = rw_log_dir_was_clean(log->parent);
    return rollway_fail_code(log, rc, "reading what the last owner left");
}
