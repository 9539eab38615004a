/*
 * partition.metadata: ties the directory to a topic id (KIP-516).
 *
 *     version: 0
 *     topic_id: <22 characters of base64>
 */
#include "log/dir.h"
#include "log/state.h"

#include <string.h>

#include "log/checkpoint.h"

static const char version_line[] = "version: 0\n";
static const char id_field[] = "topic_id: ";

static int parse(struct rw_str text, struct rw_uuid *ret_topic_id)
{
    const size_t head = sizeof(version_line) - 1, field = sizeof(id_field) - 1;
    size_t n = (size_t)text.n;
    if (n < head || memcmp(text.p, version_line, head) != 0)
        return RW_E_UNSUPPORTED;
    if (n < head + field || memcmp(text.p + head, id_field, field) != 0)
        return RW_E_CORRUPT;
    const char *id = text.p + head + field;
    size_t left = n - head - field;
    const char *end = memchr(id, '\n', left);
    size_t size = end ? (size_t)(end - id) : left;
    return rw_uuid_parse((struct rw_str){id, (int32_t)size}, ret_topic_id) ? RW_OK : RW_E_CORRUPT;
}

int rw_partition_meta_load(const struct rw_env *env, const char *dir, struct rw_uuid *ret_topic_id)
{
    struct rw_path path;
    struct rw_buf text;
    rw_buf_init(&text);
    int rc = rw_path_join(&path, dir, RW_METADATA_NAME, NULL);
    if (!rc)
        rc = rw_file_load(env, path.s, &text);
    if (!rc)
        rc = text.n > 4096
                 ? RW_E_CORRUPT
                 : parse((struct rw_str){(const char *)text.p, (int32_t)text.n}, ret_topic_id);
    rw_buf_deinit(&text);
    return rc;
}

int rw_partition_meta_write(const struct rw_env *env, const char *dir, struct rw_uuid topic_id)
{
    struct rw_path path;
    int rc = rw_path_join(&path, dir, RW_METADATA_NAME, NULL);
    if (rc)
        return rc;
    char id[RW_UUID_TEXT_SIZE];
    rw_uuid_format(topic_id, id);
    struct rw_buf text;
    rw_buf_init(&text);
    rw_buf_printf(&text, "%s%s%s", version_line, id_field, id);
    rc = text.failed ? RW_E_NOMEM : rw_file_replace(env, path.s, text.p, text.n, true);
    rw_buf_deinit(&text);
    return rc;
}

int rw_log_dir_topic_id(const struct rw_env *env, const char *path, struct rw_uuid *ret_topic_id)
{
    return rw_partition_meta_load(env, path, ret_topic_id);
}
