/*
 * A log's directory goes away, whatever state it is in: nothing is opened, so that a log that can not be
 * opened can be deleted too. Renamed first, so that one step decides whether it is there; what a crash
 * or an error leaves of the renamed directory is removed when the data directory is opened again.
 */
#include <stdio.h>
#include <string.h>

#include "log/checkpoint.h"
#include "log/dir.h"
#include "log/path.h"

struct removal {
    const struct rw_env *env;
    const char *dir;
    int code; /* the first failure; the others go all the same */
};

/* All but the topic's id: what is left after a crash must not be taken for another topic's. */
static int remove_one(void *arg, const char *name)
{
    struct removal *r = arg;
    struct rw_path path;
    if (strcmp(name, RW_METADATA_NAME) == 0)
        return RW_OK;
    int rc = rw_path_join(&path, r->dir, name, NULL);
    if (!rc)
        rc = rw_file_remove(r->env, path.s);
    if (!r->code)
        r->code = rc;
    return RW_OK;
}

static int remove_dir(const struct rw_env *env, const char *dir, bool in_place)
{
    struct rw_vfs *vfs = env->vfs;
    struct removal r = {env, dir, RW_OK};
    struct rw_path path;
    int rc = vfs->ops->list(vfs, dir, remove_one, &r);
    if (!rc)
        rc = r.code;
    if (!rc && in_place)
        rc = vfs->ops->sync_dir(vfs, dir);
    if (!rc)
        rc = rw_path_join(&path, dir, RW_METADATA_NAME, NULL);
    if (!rc)
        rc = rw_file_remove(env, path.s);
    if (rc == RW_E_NOT_FOUND) /* it never got an id, or lost it the last time */
        rc = RW_OK;
    return rc ? rc : vfs->ops->rmdir(vfs, dir);
}

int rw_log_remove_rest(const struct rw_env *env, const char *dir)
{
    return remove_dir(env, dir, false);
}

int rw_log_remove(const struct rw_env *env, const char *dir)
{
    struct rw_vfs *vfs = env->vfs;
    struct rw_path doomed, parent;
    uint8_t random[16];
    char id[RW_UUID_TEXT_SIZE];
    env->rand->fill(env->rand, random, sizeof(random));
    rw_uuid_format(rw_uuid_v4(random), id);
    int n = snprintf(doomed.s, sizeof(doomed.s), "%s.%s-delete", dir, id);
    int rc = n > 0 && (size_t)n < sizeof(doomed.s) ? RW_OK : RW_E_TOO_BIG;
    if (!rc)
        rc = rw_path_parent(&parent, dir);
    if (!rc)
        rc = vfs->ops->rename(vfs, dir, doomed.s);
    if (rc == RW_E_NOT_FOUND)
        return RW_OK;
    /* On a disk that is full to the last block there may be no room for a longer name. */
    if (rc == RW_E_FULL)
        return remove_dir(env, dir, true);
    if (!rc)
        rc = vfs->ops->sync_dir(vfs, parent.s);
    return rc ? rc : remove_dir(env, doomed.s, false);
}
