/* Counts what Linux lists for the process. It takes a microsecond or so for each: not for every request. */
#include "broker/files.h"

static int count_one(void *arg, const char *name)
{
    (void)name;
    ++*(uint64_t *)arg;
    return RW_OK;
}

int rw_open_files(const struct rw_env *env, uint64_t *ret_n)
{
    uint64_t n = 0;
    int rc = env->vfs->ops->list(env->vfs, "/proc/self/fd", count_one, &n);
    if (rc == RW_OK)
        *ret_n = n;
    return rc;
}
