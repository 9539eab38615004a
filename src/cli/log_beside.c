/*
 * What lies beside a log. A broker keeps start and recovery point of all its partitions in the data
 * directory, a line for each; a log of its own keeps them in its directory, where the one line is its
 * own whatever it is called. Reads only, and never waits for who has the log open.
 */
#include "cli/log_beside.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "log/checkpoint.h"
#include "os/os.h"

struct wanted {
    const char *topic; /* NULL: whatever is there */
    int32_t partition;
    int64_t offset;
};

static int see_line(void *arg, char *line)
{
    struct wanted *w = arg;
    int32_t partition;
    int64_t offset;
    int rc = rw_checkpoint_line(line, &partition, &offset);
    if (!rc && (!w->topic || (partition == w->partition && strcmp(line, w->topic) == 0)))
        w->offset = offset;
    return rc;
}

static int64_t checkpoint(const char *dir, const char *name, const char *topic, int32_t partition)
{
    struct wanted w = {topic, partition, -1};
    struct rw_path path;
    struct rw_buf text;
    rw_buf_init(&text);
    if (rw_path_join(&path, dir, name, NULL) || rw_file_load(rw_os_env(), path.s, &text) ||
        rw_checkpoint_parse((const char *)text.p, text.n, see_line, &w))
        w.offset = -1;
    rw_buf_deinit(&text);
    return w.offset;
}

bool rw_log_is_data_dir(const char *dir)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_path path;
    struct rw_stat st;
    return rw_path_join(&path, dir, RW_IDENTITY_NAME, NULL) == RW_OK &&
           vfs->ops->stat(vfs, path.s, &st) == RW_OK;
}

int rw_log_beside_read(const char *dir, struct rw_log_beside *ret)
{
    char topic[sizeof(ret->real.s)];
    int32_t partition = 0;
    static_assert(sizeof(ret->real.s) >= PATH_MAX, "realpath() writes as much");
    if (!realpath(dir, ret->real.s))
        return rw_os_fail(errno, "open", dir);
    int rc = rw_path_parent(&ret->parent, ret->real.s);
    if (rc)
        return rc;
    const char *slash = strrchr(ret->real.s, '/');
    ret->name = slash ? slash + 1 : ret->real.s;
    int64_t start = checkpoint(ret->real.s, RW_START_NAME, NULL, 0);
    int64_t recovery = checkpoint(ret->real.s, RW_RECOVERY_NAME, NULL, 0);
    ret->high_watermark = -1;
    ret->partition =
        rw_log_is_data_dir(ret->parent.s) && rw_name_partition(ret->name, topic, &partition);
    if (ret->partition) {
        const char *parent = ret->parent.s;
        int64_t other = checkpoint(parent, RW_START_NAME, topic, partition);
        start = other > start ? other : start;
        recovery = checkpoint(parent, RW_RECOVERY_NAME, topic, partition);
        ret->high_watermark = checkpoint(parent, RW_HIGH_WATERMARK_NAME, topic, partition);
    }
    ret->start = start > 0 ? start : 0;
    ret->recovery = recovery > 0 ? recovery : 0;
    return RW_OK;
}

/* ---- noting ---- */

struct noting {
    struct rw_buf lines; /* "topic partition offset\n" of other logs */
    int n;
    const char *topic;
    int32_t partition;
};

static int keep_line(void *arg, char *line)
{
    struct noting *s = arg;
    int32_t partition;
    int64_t offset;
    int rc = rw_checkpoint_line(line, &partition, &offset);
    if (rc || (partition == s->partition && strcmp(line, s->topic) == 0))
        return rc;
    rw_buf_printf(&s->lines, "%s %" PRId32 " %" PRId64 "\n", line, partition, offset);
    s->n++;
    return RW_OK;
}

static int load_lines(const char *path, struct noting *s)
{
    struct rw_buf text;
    rw_buf_init(&text);
    int rc = rw_file_load(rw_os_env(), path, &text);
    if (!rc)
        rc = rw_checkpoint_parse((const char *)text.p, text.n, keep_line, s);
    rw_buf_deinit(&text);
    return rc == RW_E_NOT_FOUND ? RW_OK : rc;
}

int rw_log_note(const char *data_dir, const char *checkpoint, const char *name, int64_t offset)
{
    char topic[512];
    struct rw_path path;
    struct rw_buf text;
    struct noting s = {.topic = topic};
    if (strlen(name) >= sizeof(topic))
        return RW_E_TOO_BIG;
    if (!rw_name_partition(name, topic, &s.partition)) {
        /* A log of its own may be called anything; a line is three words. */
        snprintf(topic, sizeof(topic), "%s", name);
        for (char *c = topic; *c; c++)
            if (*c == ' ' || *c == '\n')
                *c = '_';
    }
    rw_buf_init(&text);
    rw_buf_init(&s.lines);
    int rc = rw_path_join(&path, data_dir, checkpoint, NULL);
    if (!rc)
        rc = load_lines(path.s, &s);
    rw_buf_printf(&text, "0\n%d\n", s.n + 1);
    rw_buf_add(&text, s.lines.p, s.lines.n);
    rw_buf_printf(&text, "%s %" PRId32 " %" PRId64 "\n", topic, s.partition, offset);
    if (!rc)
        rc = text.failed || s.lines.failed
                 ? RW_E_NOMEM
                 : rw_file_replace(rw_os_env(), path.s, text.p, text.n, true);
    rw_buf_deinit(&s.lines);
    rw_buf_deinit(&text);
    return rc;
}
