/*
 * Partition directories that should not be there: the broker died between the commit of a topic's
 * deletion and the removal of its files. Their topic id is among the removed ones, so that a topic of
 * the same name, made later, never meets old records. Directories that belong to nothing in the
 * metadata log are left alone and named: somebody may have put them there. What can not be deleted is
 * named too, and tried again at the next start: it is no reason not to start.
 */
#include "base/mem.h"
#include "broker/metadata_private.h"

struct leftovers {
    const struct rw_env *env;
    const struct rw_meta *meta;
    char **dirs; /* to delete */
    size_t n;
};

static bool belongs(const struct rw_meta *meta, struct rw_uuid id, int32_t partition)
{
    const struct rw_meta_topic *t = rw_meta_topic_by_id(meta, id);
    return t && partition < t->n_partitions;
}

static int look_at(void *arg, const char *topic, int32_t partition, const char *path)
{
    struct leftovers *l = arg;
    struct rw_uuid id;
    if (strcmp(topic, "__cluster_metadata") == 0)
        return RW_OK;
    /* Without an id the directory was just made: opening it writes one. */
    int rc = rw_log_dir_topic_id(l->env, path, &id);
    if (rc == RW_E_NOT_FOUND || (rc == RW_OK && belongs(l->meta, id, partition)))
        return RW_OK;
    if (rc || !rw_meta_was_removed(l->meta, id)) {
        rw_diag(l->env->diag, RW_WARN, "broker", "directory of an unknown topic, left alone",
                rw_kv_str("dir", path));
        return RW_OK;
    }
    char **grown = rw_realloc_array(l->dirs, l->n + 1, sizeof(*grown));
    if (grown)
        l->dirs = grown;
    char *copy = grown ? rw_strdup(path) : NULL;
    if (!copy)
        return RW_E_NOMEM;
    l->dirs[l->n++] = copy;
    return RW_OK;
}

static bool destroy(const struct rw_env *env, const char *path)
{
    int rc = rw_log_remove(env, path);
    rw_diag(env->diag, rc ? RW_WARN : RW_INFO, "broker",
            rc ? "could not delete what is left of a topic" : "deleted what was left of a topic",
            rw_kv_str("dir", path), rw_kv_code("result", rc));
    return rc == RW_OK;
}

int rw_leftovers_remove(const struct rw_env *env, const struct rw_meta *meta,
                        struct rw_log_dir *dir, bool *ret_kept)
{
    struct leftovers l = {.env = env, .meta = meta};
    int rc = rw_log_dir_partitions(dir, look_at, &l);
    *ret_kept = false;
    for (size_t i = 0; i < l.n; i++) {
        if (rc == RW_OK && !destroy(l.env, l.dirs[i]))
            *ret_kept = true;
        rw_free(l.dirs[i]);
    }
    rw_free(l.dirs);
    return rc;
}
