/*
 * What a directory is, and so where the things beside its segments lie: lock, recovery point, start
 * offset, mark of a clean close.
 *
 *   a log of its own                           in it
 *   a partition of a data directory            in the data directory, shared with its other partitions
 *   a data directory (it has meta.properties)  it is no log: refused
 *   a broker's partition that is mounted alone unknown where, and who has it open: never written
 *
 * The kernel says where a path leads, so that a symbolic link, "." and a trailing slash are the same
 * log with the same lock.
 */
#include "lib/lib.h"

#include <string.h>

#include "base/mem.h"
#include "log/path.h"
#include "os/os.h"

static bool is_data_dir(struct rollway_log *log, const char *dir)
{
    struct rw_path identity;
    struct rw_stat st;
    return rw_path_join(&identity, dir, "meta.properties", NULL) == RW_OK &&
           log->env->vfs->ops->stat(log->env->vfs, identity.s, &st) == RW_OK;
}

/* A bind mount of a partition shows nothing of the data directory: neither the lock that its broker holds,
 * nor its recovery point. A copy has partition.metadata too, but nothing is mounted on it. */
static bool is_mounted_partition(struct rollway_log *log, const char *dir)
{
    struct rw_path metadata;
    struct rw_stat st;
    return rw_path_join(&metadata, dir, RW_METADATA_NAME, NULL) == RW_OK &&
           log->env->vfs->ops->stat(log->env->vfs, metadata.s, &st) == RW_OK &&
           rw_os_is_mounted(dir);
}

static bool is_partition_name(const char *dir)
{
    char topic[sizeof(struct rw_path)];
    int32_t partition;
    return rw_name_partition(strrchr(dir, '/') + 1, topic, &partition);
}

static int see_name(void *arg, const char *name)
{
    int64_t base;
    const char *suffix;
    if (strcmp(name, RW_EPOCHS_NAME) == 0 || rw_name_parse(name, &base, &suffix))
        *(bool *)arg = true;
    return RW_OK;
}

static int check_exists(struct rollway_log *log)
{
    bool found = false;
    int rc = log->env->vfs->ops->list(log->env->vfs, log->dir, see_name, &found);
    if (rc)
        return rollway_fail_code(log, rc, log->dir);
    return found ? RW_OK : rollway_fail(log, RW_E_NOT_FOUND, "%s holds no log", log->dir);
}

int rollway_find_place(struct rollway_log *log)
{
    struct rw_path real, parent;
    int rc = rw_os_real_path(log->dir, real.s, sizeof(real.s));
    if (!rc)
        rc = rw_path_parent(&parent, real.s);
    if (rc)
        return rollway_fail_code(log, rc, log->dir);
    if (is_data_dir(log, real.s))
        return rollway_fail(log, RW_E_INVAL,
                            "%s is the data directory of a broker: name one of the logs in it",
                            log->dir);
    log->is_partition = is_partition_name(real.s) && is_data_dir(log, parent.s);
    if (!log->is_partition && !log->options.read_only && is_mounted_partition(log, real.s))
        return rollway_fail(
            log, RW_E_INVAL,
            "%s is a broker's partition that is mounted without its data directory, in "
            "which its lock and recovery point are: name it there, or copy it",
            log->dir);
    char *dir = rw_strdup(real.s);
    log->home = rw_strdup(log->is_partition ? parent.s : real.s);
    if (!dir || !log->home) {
        rw_free(dir);
        return rollway_fail(log, RW_E_NOMEM, "out of memory");
    }
    rw_free(log->dir);
    log->dir = dir;
    return log->options.must_exist ? check_exists(log) : RW_OK;
}
