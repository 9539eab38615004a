/*
 * What a log of its own keeps beside its segments. A broker keeps these files in the data directory
 * for all partitions; here the directory has one log, so that they lie in it:
 *
 *   .lock                              locked by the writer
 *   recovery-point-offset-checkpoint   Kafka's format, one line
 *   log-start-offset-checkpoint        the same
 *   .rollway-clean                     after a clean close: "0", "1", "<end> <bytes>"
 *
 * The mark names the end and the size of the log: when another program appended meanwhile, it does not
 * fit and is worth nothing.
 */
#include "lib/lib.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/checkpoint.h"
#include "log/path.h"

#define LOCK_NAME     ".lock"
#define CLEAN_NAME    ".rollway-clean"
#define RECOVERY_NAME "recovery-point-offset-checkpoint"
#define START_NAME    "log-start-offset-checkpoint"

static int lock_file(struct rollway_log *log, const char *dir, struct rw_file **ret_file)
{
    struct rw_path path;
    struct rw_file *f;
    int rc = rw_path_join(&path, dir, LOCK_NAME, NULL);
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
    *ret_file = f;
    return RW_OK;
}

/* Is the directory one of the partitions of a broker's data directory? */
static bool in_data_dir(struct rollway_log *log, struct rw_path *ret_parent)
{
    struct rw_path identity;
    struct rw_stat st;
    return rw_path_parent(ret_parent, log->dir) == RW_OK &&
           rw_path_join(&identity, ret_parent->s, "meta.properties", NULL) == RW_OK &&
           log->env->vfs->ops->stat(log->env->vfs, identity.s, &st) == RW_OK;
}

int rollway_lock(struct rollway_log *log)
{
    struct rw_path parent, mark;
    int rc = lock_file(log, log->dir, &log->lock);
    if (rc || !in_data_dir(log, &parent))
        return rc;
    rc = lock_file(log, parent.s, &log->parent_lock);
    /* What is appended here was not part of the broker's clean shutdown. */
    if (!rc)
        rc = rw_path_join(&mark, parent.s, ".kafka_cleanshutdown", NULL);
    return rc ? rc : rw_file_remove(log->env, mark.s);
}

/* ---- checkpoints ---- */

struct wanted {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

static int see_line(void *arg, char *line)
{
    struct wanted *w = arg;
    char *end, *space = strchr(line, ' ');
    if (!space)
        return RW_E_CORRUPT;
    *space = 0;
    long partition = strtol(space + 1, &end, 10);
    if (*end != ' ')
        return RW_E_CORRUPT;
    long long offset = strtoll(end + 1, &end, 10);
    if (*end || offset < 0)
        return RW_E_CORRUPT;
    if (partition == w->partition && strcmp(line, w->topic) == 0)
        w->offset = offset;
    return RW_OK;
}

/* Topic and partition as the name of the directory says them. */
static void name_of(const struct rollway_log *log, char topic[512], int32_t *ret_partition)
{
    const char *slash = strrchr(log->dir, '/'), *name = slash ? slash + 1 : log->dir;
    *ret_partition = 0;
    if (strlen(name) < 512 && rw_name_partition(name, topic, ret_partition))
        return;
    snprintf(topic, 512, "%s", *name ? name : "log");
    for (char *c = topic; *c; c++)
        if (*c == ' ' || *c == '\n')
            *c = '_';
}

/* 0 when there is none or it can not be used: then everything is looked at. */
static int64_t checkpoint(struct rollway_log *log, const char *dir, const char *name)
{
    char topic[512];
    struct wanted w = {.topic = topic};
    struct rw_path path;
    struct rw_buf text;
    name_of(log, topic, &w.partition);
    rw_buf_init(&text);
    if (rw_path_join(&path, dir, name, NULL) || rw_file_load(log->env, path.s, &text) ||
        rw_checkpoint_parse((const char *)text.p, text.n, see_line, &w))
        w.offset = 0;
    rw_buf_deinit(&text);
    return w.offset;
}

static int write_checkpoint(struct rollway_log *log, const char *name, int64_t offset, bool durable)
{
    char topic[512], text[640];
    int32_t partition;
    struct rw_path path;
    name_of(log, topic, &partition);
    int n = snprintf(text, sizeof(text), "0\n1\n%s %" PRId32 " %" PRId64 "\n", topic, partition,
                     offset);
    int rc = rw_path_join(&path, log->dir, name, NULL);
    return rc ? rc : rw_file_replace(log->env, path.s, text, (size_t)n, durable);
}

int rollway_save_state(struct rollway_log *log, int64_t below, bool durable)
{
    int64_t point = rw_log_recovery_point(log->log);
    int rc = write_checkpoint(log, RECOVERY_NAME, point < below ? point : below, durable);
    return rc ? rc : write_checkpoint(log, START_NAME, rw_log_start(log->log), durable);
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
    int rc = log->env->vfs->ops->list(log->env->vfs, log->dir, add_size, &t);
    if (!rc)
        rc = rw_path_join(&path, log->dir, CLEAN_NAME, NULL);
    int n = snprintf(text, sizeof(text), "0\n1\n%" PRId64 " %llu\n", end, t.bytes);
    return rc ? rc : rw_file_replace(log->env, path.s, text, (size_t)n, true);
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
        struct rw_path parent;
        rw_buf_deinit(&text);
        if (log->options.read_only)
            return RW_OK;
        /* When only the process died, between a change of names and the sync of the directory, what is
         * seen now is in the cache alone: nothing may be built on it before it is durable. */
        rc = log->env->vfs->ops->sync_dir(log->env->vfs, log->dir);
        if (!rc)
            rc = rw_path_parent(&parent, log->dir);
        if (!rc)
            rc = log->env->vfs->ops->sync_dir(log->env->vfs, parent.s);
        /* A parent that may not be read was not made by whoever opens logs in it. */
        return rc == RW_E_PERM ? RW_OK : rc;
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

int rollway_load_state(struct rollway_log *log, struct rw_log_open_args *args)
{
    struct rw_path parent;
    args->recovery_point = checkpoint(log, log->dir, RECOVERY_NAME);
    args->start_offset = checkpoint(log, log->dir, START_NAME);
    if (in_data_dir(log, &parent)) {
        int64_t start = checkpoint(log, parent.s, START_NAME);
        if (start > args->start_offset)
            args->start_offset = start;
    }
    return rollway_fail_code(log, take_mark(log, args), "reading what the last owner left");
}
