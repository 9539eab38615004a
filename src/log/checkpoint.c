/*
 * Whole-file replacement and the text form of Kafka's checkpoints. Knows nothing of what the offsets
 * in them mean.
 */
#include "log/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log/path.h"

static int write_new(const struct rw_env *env, const char *path, const void *p, size_t n,
                     bool durable)
{
    struct rw_file *f;
    int rc = rw_vfs_open(env->vfs, path, RW_OPEN_WRITE | RW_OPEN_CREATE | RW_OPEN_TRUNC, &f);
    if (rc)
        return rc;
    if (n)
        rc = rw_file_write_at(f, 0, p, n);
    if (!rc && durable)
        rc = f->ops->sync_data(f);
    rw_file_close(f);
    return rc;
}

int rw_file_replace(const struct rw_env *env, const char *path, const void *p, size_t n,
                    bool durable)
{
    struct rw_path tmp, dir;
    size_t length = strlen(path);
    if (length + sizeof(RW_SUFFIX_TMP) > sizeof(tmp.s))
        return RW_E_TOO_BIG;
    memcpy(tmp.s, path, length);
    memcpy(tmp.s + length, RW_SUFFIX_TMP, sizeof(RW_SUFFIX_TMP));
    int rc = rw_path_parent(&dir, path);
    if (!rc)
        rc = write_new(env, tmp.s, p, n, durable);
    if (!rc)
        rc = env->vfs->ops->rename(env->vfs, tmp.s, path);
    if (rc) {
        /* Best effort: a leftover is removed at the next open as well. */
        (void)env->vfs->ops->unlink(env->vfs, tmp.s);
        return rc;
    }
    return durable ? env->vfs->ops->sync_dir(env->vfs, dir.s) : RW_OK;
}

int rw_file_load(const struct rw_env *env, const char *path, struct rw_buf *out)
{
    struct rw_file *f;
    int rc = rw_vfs_open(env->vfs, path, RW_OPEN_READ, &f);
    if (rc)
        return rc;
    uint64_t size;
    rc = f->ops->size(f, &size);
    if (!rc && size > RW_SMALL_FILE_MAX)
        rc = RW_E_TOO_BIG;
    if (!rc && size > 0) {
        size_t got, before = out->n;
        uint8_t *p = rw_buf_extend(out, (size_t)size);
        rc = p ? rw_file_read_at(f, 0, p, (size_t)size, &got) : RW_E_NOMEM;
        if (!rc)
            out->n = before + got;
    }
    rw_file_close(f);
    return rc;
}

int rw_file_remove(const struct rw_env *env, const char *path)
{
    int rc = env->vfs->ops->unlink(env->vfs, path);
    return rc == RW_E_NOT_FOUND ? RW_OK : rc;
}

/* Takes one line off the text; NULL at the end. A last line without its newline is not a line: it
 * may be the rest of a torn write. */
static char *take_line(char **at)
{
    char *start = *at, *end = strchr(start, '\n');
    if (!end)
        return NULL;
    *end = 0;
    *at = end + 1;
    return start;
}

static int parse_lines(char *text, int (*each)(void *arg, char *line), void *arg)
{
    char *at = text;
    const char *version = take_line(&at), *count = version ? take_line(&at) : NULL;
    if (!count || strcmp(version, "0") != 0)
        return RW_E_CORRUPT;
    char *end;
    long n = strtol(count, &end, 10);
    if (*end || end == count || n < 0)
        return RW_E_CORRUPT;
    for (long i = 0; i < n; i++) {
        char *line = take_line(&at);
        if (!line)
            return RW_E_CORRUPT;
        int rc = each(arg, line);
        if (rc)
            return rc == RW_E_NOMEM ? rc : RW_E_CORRUPT;
    }
    return *at ? RW_E_CORRUPT : RW_OK;
}

int rw_checkpoint_parse(const char *text, size_t n, int (*each)(void *arg, char *line), void *arg)
{
    if (n && memchr(text, 0, n))
        return RW_E_CORRUPT;
    char *copy = rw_alloc(n + 1);
    if (!copy)
        return RW_E_NOMEM;
    if (n)
        memcpy(copy, text, n);
    copy[n] = 0;
    int rc = parse_lines(copy, each, arg);
    rw_free(copy);
    return rc;
}

int rw_checkpoint_line(char *line, int32_t *ret_partition, int64_t *ret_offset)
{
    char *end, *space = strchr(line, ' ');
    if (!space || space == line)
        return RW_E_CORRUPT;
    errno = 0;
    long partition = strtol(space + 1, &end, 10);
    if (*end != ' ' || partition < 0 || partition > INT32_MAX)
        return RW_E_CORRUPT;
    const char *number = end + 1;
    long long offset = strtoll(number, &end, 10);
    if (end == number || *end || offset < 0 || errno)
        return RW_E_CORRUPT;
    *space = 0;
    *ret_partition = (int32_t)partition;
    *ret_offset = offset;
    return RW_OK;
}
