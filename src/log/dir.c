/*
 * A data directory: its lock, its identity, the clean-shutdown mark and the checkpoints beside the
 * partitions. The checkpoints are read once at open; from then on `checkpoints` is what the files say,
 * under the mutex, which is held while a file is written: the order of the writes is that of the values.
 */
#include "log/dir.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "log/checkpoint.h"
#include "log/path.h"

#define LOCK_NAME     ".lock"
#define IDENTITY_NAME "meta.properties"
#define CLEAN_NAME    ".kafka_cleanshutdown"

static const char *const checkpoint_names[] = {
    [RW_CHECKPOINT_RECOVERY_POINT] = "recovery-point-offset-checkpoint",
    [RW_CHECKPOINT_LOG_START] = "log-start-offset-checkpoint",
    [RW_CHECKPOINT_HIGH_WATERMARK] = "replication-offset-checkpoint",
};

struct line {
    char *topic;
    int32_t partition;
    int64_t offset;
};

struct lines {
    struct line *at;
    size_t n, cap;
};

struct rw_log_dir {
    const struct rw_env *env;
    char *path;
    struct rw_file *lock;
    struct rw_log_dir_identity identity;
    bool clean;
    struct rw_mutex *mutex;
    struct lines checkpoints[RW_COUNT(checkpoint_names)]; /* [L] */
    uint64_t generation;                                  /* [L] */
};

/* ---- identity ---- */

/* Value of "key=value" in a properties text, NUL-terminated into ret. */
static bool property(const char *text, const char *key, char *ret, size_t ret_size)
{
    size_t n = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) != 0 || line[n] != '=')
            continue;
        const char *value = line + n + 1;
        size_t size = strcspn(value, "\r\n");
        if (size >= ret_size)
            return false;
        memcpy(ret, value, size);
        ret[size] = 0;
        return true;
    }
    return false;
}

static int parse_identity(const char *text, struct rw_log_dir_identity *ret_identity)
{
    char version[16], node[16], directory[64];
    struct rw_log_dir_identity id = {.node_id = -1};
    if (!property(text, "version", version, sizeof(version)) || strcmp(version, "1") != 0)
        return RW_E_UNSUPPORTED;
    if (!property(text, "cluster.id", id.cluster_id, sizeof(id.cluster_id)) ||
        !property(text, "node.id", node, sizeof(node)))
        return RW_E_CORRUPT;
    char *end;
    long n = strtol(node, &end, 10);
    if (*end || end == node || n < 0 || n > INT32_MAX)
        return RW_E_CORRUPT;
    id.node_id = (int32_t)n;
    /* Directories of older Kafka versions have no id yet. */
    if (property(text, "directory.id", directory, sizeof(directory)) &&
        !rw_uuid_parse(rw_str(directory), &id.directory_id))
        return RW_E_CORRUPT;
    *ret_identity = id;
    return RW_OK;
}

static int write_identity(struct rw_log_dir *d)
{
    struct rw_path path;
    struct rw_buf text;
    char id[RW_UUID_TEXT_SIZE];
    rw_uuid_format(d->identity.directory_id, id);
    rw_buf_init(&text);
    rw_buf_printf(&text, "version=1\ncluster.id=%s\nnode.id=%" PRId32 "\ndirectory.id=%s\n",
                  d->identity.cluster_id, d->identity.node_id, id);
    int rc = rw_path_join(&path, d->path, IDENTITY_NAME, NULL);
    if (!rc)
        rc = text.failed ? RW_E_NOMEM : rw_file_replace(d->env, path.s, text.p, text.n, true);
    rw_buf_deinit(&text);
    return rc;
}

static int load_identity(struct rw_log_dir *d, const struct rw_log_dir_identity *want,
                         struct rw_err *err)
{
    struct rw_path path;
    struct rw_buf text;
    rw_buf_init(&text);
    int rc = rw_path_join(&path, d->path, IDENTITY_NAME, NULL);
    if (!rc)
        rc = rw_file_load(d->env, path.s, &text);
    if (rc == RW_E_NOT_FOUND && want) {
        d->identity = *want;
        rc = write_identity(d);
        if (rc)
            rw_err_set(err, rc, "cannot write %s: %s", path.s, rw_code_text(rc));
    } else if (rc) {
        rw_err_set(err, rc, "cannot read %s: %s", path.s, rw_code_text(rc));
    } else {
        rc = parse_identity(rw_buf_cstr(&text), &d->identity);
        if (rc)
            rw_err_set(err, rc, "%s is not a version 1 identity file", path.s);
        else if (want && d->identity.node_id != want->node_id)
            rc = rw_err_set(err, RW_E_INVAL,
                            "%s belongs to node %" PRId32 ", this is node %" PRId32
                            ": wrong directory or wrong node.id",
                            d->path, d->identity.node_id, want->node_id);
    }
    rw_buf_deinit(&text);
    return rc;
}

/* ---- checkpoints ---- */

static void lines_clear(struct lines *l)
{
    for (size_t i = 0; i < l->n; i++)
        rw_free(l->at[i].topic);
    l->n = 0;
}

static int lines_add(struct lines *l, const char *topic, int32_t partition, int64_t offset)
{
    struct line *at = rw_array_grow(l->at, l->n, &l->cap, sizeof(*at));
    if (!at)
        return RW_E_NOMEM;
    l->at = at;
    char *copy = rw_strdup(topic);
    if (!copy)
        return RW_E_NOMEM;
    l->at[l->n++] = (struct line){copy, partition, offset};
    return RW_OK;
}

static int parse_line(void *arg, char *line)
{
    int32_t partition;
    int64_t offset;
    int rc = rw_checkpoint_line(line, &partition, &offset);
    return rc ? rc : lines_add(arg, line, partition, offset);
}

/* A checkpoint that is missing or damaged is not fatal: recovery then looks at everything. */
static int load_checkpoint(struct rw_log_dir *d, enum rw_checkpoint which)
{
    struct rw_path path;
    struct rw_buf text;
    rw_buf_init(&text);
    int rc = rw_path_join(&path, d->path, checkpoint_names[which], NULL);
    if (!rc)
        rc = rw_file_load(d->env, path.s, &text);
    if (!rc)
        rc = rw_checkpoint_parse((const char *)text.p, text.n, parse_line, &d->checkpoints[which]);
    if (rc == RW_E_CORRUPT) {
        rw_diag(d->env->diag, RW_WARN, "log", "a checkpoint is damaged and ignored",
                rw_kv_str("path", path.s));
        lines_clear(&d->checkpoints[which]);
    }
    rw_buf_deinit(&text);
    return rc == RW_E_NOT_FOUND || rc == RW_E_CORRUPT ? RW_OK : rc;
}

/* Taking the mutex changes nothing that a caller of a const function could see. */
static void lock(const struct rw_log_dir *d)
{
    d->env->sync->lock(d->env->sync, d->mutex);
}

static void unlock(const struct rw_log_dir *d)
{
    d->env->sync->unlock(d->env->sync, d->mutex);
}

static struct line *find_line(const struct lines *l, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].partition == partition && strcmp(l->at[i].topic, topic) == 0)
            return &l->at[i];
    return NULL;
}

int64_t rw_log_dir_checkpoint(const struct rw_log_dir *d, enum rw_checkpoint which,
                              const char *topic, int32_t partition)
{
    lock(d);
    const struct line *line = find_line(&d->checkpoints[which], topic, partition);
    int64_t offset = line ? line->offset : -1;
    unlock(d);
    return offset;
}

uint64_t rw_log_dir_generation(const struct rw_log_dir *d)
{
    lock(d);
    uint64_t generation = d->generation;
    unlock(d);
    return generation;
}

/* [L] Writes the lines, which then are what the file says; takes them over in any case. */
static int replace_lines(struct rw_log_dir *d, enum rw_checkpoint which, struct lines *lines)
{
    struct rw_path path;
    struct rw_buf text;
    rw_buf_init(&text);
    rw_buf_printf(&text, "0\n%zu\n", lines->n);
    for (size_t i = 0; i < lines->n; i++)
        rw_buf_printf(&text, "%s %" PRId32 " %" PRId64 "\n", lines->at[i].topic,
                      lines->at[i].partition, lines->at[i].offset);
    int rc = rw_path_join(&path, d->path, checkpoint_names[which], NULL);
    if (!rc)
        rc = text.failed ? RW_E_NOMEM : rw_file_replace(d->env, path.s, text.p, text.n, true);
    rw_buf_deinit(&text);
    struct lines gone = *lines;
    if (!rc) {
        gone = d->checkpoints[which];
        d->checkpoints[which] = *lines;
    }
    lines_clear(&gone);
    rw_free(gone.at);
    return rc;
}

int rw_log_dir_set_checkpoint(struct rw_log_dir *d, enum rw_checkpoint which, const char *topic,
                              int32_t partition, int64_t offset)
{
    struct lines changed = {0};
    int rc = RW_OK;
    lock(d);
    d->generation++;
    const struct lines *now = &d->checkpoints[which];
    const struct line *line = find_line(now, topic, partition);
    if ((line ? line->offset : -1) != offset) {
        for (size_t i = 0; i < now->n && !rc; i++)
            if (&now->at[i] != line)
                rc = lines_add(&changed, now->at[i].topic, now->at[i].partition, now->at[i].offset);
        if (!rc && offset >= 0)
            rc = lines_add(&changed, topic, partition, offset);
        if (!rc) {
            rc = replace_lines(d, which, &changed);
        } else {
            lines_clear(&changed);
            rw_free(changed.at);
        }
    }
    unlock(d);
    return rc;
}

/* [L] */
static int write_entries(struct rw_log_dir *d, enum rw_checkpoint which,
                         const struct rw_checkpoint_entry *entries, size_t n)
{
    struct lines lines = {0};
    int rc = RW_OK;
    for (size_t i = 0; i < n && !rc; i++)
        rc = lines_add(&lines, entries[i].topic, entries[i].partition, entries[i].offset);
    if (!rc)
        return replace_lines(d, which, &lines);
    lines_clear(&lines);
    rw_free(lines.at);
    return rc;
}

int rw_log_dir_write_checkpoint(struct rw_log_dir *d, enum rw_checkpoint which,
                                const struct rw_checkpoint_entry *entries, size_t n)
{
    lock(d);
    int rc = write_entries(d, which, entries, n);
    unlock(d);
    return rc;
}

int rw_log_dir_write_collected(struct rw_log_dir *d, enum rw_checkpoint which,
                               const struct rw_checkpoint_entry *entries, size_t n,
                               uint64_t generation)
{
    lock(d);
    int rc = d->generation == generation ? write_entries(d, which, entries, n) : RW_E_AGAIN;
    unlock(d);
    return rc;
}

/* ---- partitions ---- */

struct walk {
    struct rw_log_dir *d;
    struct lines found; /* topic, partition; the offset is not used */
    struct lines doomed;
};

static int see_name(void *arg, const char *name)
{
    struct walk *w = arg;
    char topic[512];
    int32_t partition;
    struct rw_path path;
    struct rw_stat st;
    if (strlen(name) >= sizeof(topic))
        return RW_OK;
    bool doomed = rw_name_ends(name, "-delete");
    if (!doomed && !rw_name_partition(name, topic, &partition))
        return RW_OK;
    int rc = rw_path_join(&path, w->d->path, name, NULL);
    if (!rc)
        rc = w->d->env->vfs->ops->stat(w->d->env->vfs, path.s, &st);
    if (rc || !st.is_dir)
        return rc;
    return doomed ? lines_add(&w->doomed, name, 0, 0) : lines_add(&w->found, topic, partition, 0);
}

/* The rest of a deletion that did not end. It is in nobody's way: what can not go stays. */
static void remove_doomed(struct rw_log_dir *d, const char *name)
{
    struct rw_path path;
    int rc = rw_path_join(&path, d->path, name, NULL);
    if (!rc)
        rc = rw_log_remove_rest(d->env, path.s);
    if (rc)
        rw_diag(d->env->diag, RW_WARN, "log", "could not delete what is left of a deleted log",
                rw_kv_str("dir", name), rw_kv_code("error", rc));
}

int rw_log_dir_partitions(struct rw_log_dir *d,
                          int (*each)(void *arg, const char *topic, int32_t partition,
                                      const char *path),
                          void *arg)
{
    struct walk w = {.d = d};
    int rc = d->env->vfs->ops->list(d->env->vfs, d->path, see_name, &w);
    for (size_t i = 0; i < w.doomed.n && !rc; i++)
        remove_doomed(d, w.doomed.at[i].topic);
    for (size_t i = 0; i < w.found.n && !rc; i++) {
        struct rw_path path;
        int n = snprintf(path.s, sizeof(path.s), "%s/%s-%" PRId32, d->path, w.found.at[i].topic,
                         w.found.at[i].partition);
        rc = n > 0 && (size_t)n < sizeof(path.s) ? RW_OK : RW_E_TOO_BIG;
        if (!rc)
            rc = each(arg, w.found.at[i].topic, w.found.at[i].partition, path.s);
    }
    lines_clear(&w.found);
    lines_clear(&w.doomed);
    rw_free(w.found.at);
    rw_free(w.doomed.at);
    return rc;
}

/* ---- open and close ---- */

static int make_dirs(const struct rw_env *env, const char *path)
{
    struct rw_stat st;
    struct rw_path parent;
    int rc = env->vfs->ops->stat(env->vfs, path, &st);
    if (rc == RW_OK)
        return st.is_dir ? RW_OK : RW_E_EXISTS;
    if (rc != RW_E_NOT_FOUND)
        return rc;
    rc = rw_path_parent(&parent, path);
    if (!rc && strcmp(parent.s, path) != 0)
        rc = make_dirs(env, parent.s);
    if (!rc)
        rc = env->vfs->ops->mkdir(env->vfs, path);
    if (rc == RW_E_EXISTS)
        rc = RW_OK;
    return rc ? rc : env->vfs->ops->sync_dir(env->vfs, parent.s);
}

static int take_lock(struct rw_log_dir *d, struct rw_err *err)
{
    struct rw_path path;
    int rc = rw_path_join(&path, d->path, LOCK_NAME, NULL);
    if (!rc)
        rc = rw_vfs_open(d->env->vfs, path.s, RW_OPEN_WRITE | RW_OPEN_CREATE, &d->lock);
    if (!rc)
        rc = d->lock->ops->lock(d->lock);
    if (rc == RW_E_LOCKED)
        return rw_err_set(err, rc, "%s is in use by another process (%s is locked)", d->path,
                          path.s);
    return rc ? rw_err_set(err, rc, "cannot lock %s: %s", path.s, rw_code_text(rc)) : RW_OK;
}

/* Looks for the clean-shutdown mark and removes it durably: from now on a crash is a crash. */
static int take_mark(struct rw_log_dir *d)
{
    struct rw_path path;
    struct rw_stat st;
    struct rw_vfs *vfs = d->env->vfs;
    int rc = rw_path_join(&path, d->path, CLEAN_NAME, NULL);
    if (rc)
        return rc;
    rc = vfs->ops->stat(vfs, path.s, &st);
    d->clean = rc == RW_OK;
    if (rc == RW_E_NOT_FOUND)
        return RW_OK;
    if (!rc)
        rc = rw_file_remove(d->env, path.s);
    return rc ? rc : vfs->ops->sync_dir(vfs, d->path);
}

static int open_steps(struct rw_log_dir *d, const struct rw_log_dir_identity *want,
                      struct rw_err *err)
{
    int rc = make_dirs(d->env, d->path);
    if (rc)
        return rw_err_set(err, rc, "cannot create %s: %s", d->path, rw_code_text(rc));
    rc = take_lock(d, err);
    if (!rc)
        rc = load_identity(d, want, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < RW_COUNT(checkpoint_names) && !rc; i++)
        rc = load_checkpoint(d, (enum rw_checkpoint)i);
    if (!rc)
        rc = take_mark(d);
    /* When only the process died, between a rename and the sync of the directory, the names that were
     * read just now are in the cache alone: what is built on them must not see older ones come back. */
    if (!rc && !d->clean)
        rc = d->env->vfs->ops->sync_dir(d->env->vfs, d->path);
    return rc ? rw_err_set(err, rc, "cannot read %s: %s", d->path, rw_code_text(rc)) : RW_OK;
}

static void dir_free(struct rw_log_dir *d)
{
    for (size_t i = 0; i < RW_COUNT(checkpoint_names); i++) {
        lines_clear(&d->checkpoints[i]);
        rw_free(d->checkpoints[i].at);
    }
    rw_file_close(d->lock);
    if (d->mutex)
        d->env->sync->mutex_free(d->env->sync, d->mutex);
    rw_free(d->path);
    rw_free(d);
}

int rw_log_dir_open(const struct rw_env *env, const char *path,
                    const struct rw_log_dir_identity *want, struct rw_log_dir **ret_dir,
                    struct rw_err *ret_err)
{
    struct rw_log_dir *d = rw_zalloc(sizeof(*d));
    if (!d)
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    d->env = env;
    d->path = rw_strdup(path);
    int rc = d->path ? env->sync->mutex_new(env->sync, &d->mutex) : RW_E_NOMEM;
    if (!rc)
        rc = open_steps(d, want, ret_err);
    if (rc) {
        dir_free(d);
        return rc;
    }
    *ret_dir = d;
    return RW_OK;
}

void rw_log_dir_identity(const struct rw_log_dir *d, struct rw_log_dir_identity *ret_identity)
{
    *ret_identity = d->identity;
}

const char *rw_log_dir_path(const struct rw_log_dir *d)
{
    return d->path;
}

bool rw_log_dir_was_clean(const struct rw_log_dir *d)
{
    return d->clean;
}

void rw_log_dir_close(struct rw_log_dir *d, bool clean)
{
    if (!d)
        return;
    struct rw_path path;
    if (clean && rw_path_join(&path, d->path, CLEAN_NAME, NULL) == RW_OK) {
        static const char mark[] = "{\"version\":0,\"brokerEpoch\":-1}";
        int rc = rw_file_replace(d->env, path.s, mark, sizeof(mark) - 1, true);
        if (rc)
            /* Then the next start scans: slower, not wrong. */
            rw_diag(d->env->diag, RW_WARN, "log", "cannot leave the clean-shutdown mark",
                    rw_kv_str("path", path.s), rw_kv_code("error", rc));
    }
    dir_free(d);
}
