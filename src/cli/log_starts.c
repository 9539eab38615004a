/*
 * The checkpoint of log start offsets in a data directory, for `rollway log restore`. Records below the
 * start were deleted on purpose: their segment may still hold them, and they must not come back.
 *
 * A broker writes this file itself while it runs; here nobody has the directory open.
 */
#include "cli/log_starts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "log/checkpoint.h"
#include "log/path.h"
#include "os/os.h"

#define STARTS_NAME "log-start-offset-checkpoint"

struct starts {
    struct rw_buf lines; /* "topic partition offset\n" */
    int n;
    const char *topic;
    int32_t partition;
};

/* Takes over the lines of other partitions. */
static int see_line(void *arg, char *line)
{
    struct starts *s = arg;
    int32_t partition;
    int64_t offset;
    char *space = strchr(line, ' ');
    if (!space || sscanf(space, " %" SCNd32 " %" SCNd64, &partition, &offset) != 2)
        return RW_E_CORRUPT;
    if (partition == s->partition && (size_t)(space - line) == strlen(s->topic) &&
        memcmp(line, s->topic, strlen(s->topic)) == 0)
        return RW_OK;
    rw_buf_printf(&s->lines, "%s\n", line);
    s->n++;
    return RW_OK;
}

static int load(const char *path, struct starts *s)
{
    struct rw_buf text;
    rw_buf_init(&text);
    int rc = rw_file_load(rw_os_env(), path, &text);
    if (!rc)
        rc = rw_checkpoint_parse((const char *)text.p, text.n, see_line, s);
    rw_buf_deinit(&text);
    return rc == RW_E_NOT_FOUND ? RW_OK : rc;
}

int rw_log_starts_set(const char *data_dir, const char *name, int64_t start)
{
    char topic[512];
    struct rw_path path;
    struct rw_buf text;
    struct starts s = {.topic = topic};
    if (strlen(name) >= sizeof(topic) || !rw_name_partition(name, topic, &s.partition))
        return RW_OK;
    rw_buf_init(&text);
    rw_buf_init(&s.lines);
    int rc = rw_path_join(&path, data_dir, STARTS_NAME, NULL);
    if (!rc)
        rc = load(path.s, &s);
    rw_buf_printf(&text, "0\n%d\n", s.n + 1);
    rw_buf_add(&text, s.lines.p, s.lines.n);
    rw_buf_printf(&text, "%s %" PRId32 " %" PRId64 "\n", topic, s.partition, start);
    if (!rc)
        rc = text.failed || s.lines.failed
                 ? RW_E_NOMEM
                 : rw_file_replace(rw_os_env(), path.s, text.p, text.n, true);
    rw_buf_deinit(&s.lines);
    rw_buf_deinit(&text);
    return rc;
}
