/* Where settings come from: a file, the program, the environment; what comes later wins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "env/env.h"
#include "logger/process.h"
#include "os/os.h"
#include "os/task.h"

enum { FILE_MAX = 1024 * 1024 };

static int read_file(const char *path, struct rw_lg_config *c, struct rw_err *err)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_file *f;
    int rc = rw_vfs_open(vfs, path, RW_OPEN_READ, &f);
    if (rc)
        return rw_err_set(err, rc, "%s: %s", path, rw_code_text(rc));
    char *text = rw_alloc(FILE_MAX);
    size_t n = 0;
    rc = text ? rw_file_read_at(f, 0, text, FILE_MAX, &n) : RW_E_NOMEM;
    rw_file_close(f);
    if (rc || n == FILE_MAX)
        rc = rw_err_set(err, rc ? rc : RW_E_TOO_BIG, "%s: %s", path,
                        rw_code_text(rc ? rc : RW_E_TOO_BIG));
    else
        rc = rw_lg_config_add(c, rw_slice(text, n), path, err);
    rw_free(text);
    return rc;
}

/* "a=b; c=d" is two lines. */
static int read_environment(struct rw_lg_config *c, struct rw_err *err)
{
    const char *sync = getenv("ROLLWAY_LOG_SYNC");
    if (sync && strcmp(sync, "1") == 0)
        c->sync = true;
    const char *given = getenv("ROLLWAY_LOG");
    if (!given)
        return RW_OK;
    char *text = rw_strdup(given);
    if (!text)
        return RW_E_NOMEM;
    for (char *p = text; *p; p++)
        if (*p == ';')
            *p = '\n';
    int rc = rw_lg_config_add(c, rw_slice(text, strlen(text)), "ROLLWAY_LOG", err);
    rw_free(text);
    return rc;
}

/* Daemons change to / after their start: relative paths are those of the start. In the path of a file % is doubled. */
static int from_folder(const struct rw_lg_engine *e, char *path, size_t size, bool percents,
                       struct rw_err *err)
{
    char whole[2 * sizeof(e->folder) + 520];
    size_t n = 0;
    if (path[0] == '/' || !path[0] || !e->folder[0])
        return RW_OK;
    for (const char *p = e->folder; *p; p++) {
        whole[n++] = *p;
        if (*p == '%' && percents)
            whole[n++] = '%';
    }
    snprintf(whole + n, sizeof(whole) - n, "/%s", path);
    if (strlen(whole) >= size)
        return rw_err_set(err, RW_E_TOO_BIG, "%s: the path is too long", whole);
    memcpy(path, whole, strlen(whole) + 1);
    return RW_OK;
}

static int make_absolute(const struct rw_lg_engine *e, struct rw_lg_config *c, struct rw_err *err)
{
    int rc =
        strcmp(c->dir, "none") == 0 ? RW_OK : from_folder(e, c->dir, sizeof(c->dir), false, err);
    for (unsigned i = 0; i < c->n_appenders; i++)
        for (unsigned j = 0; !rc && j < c->appenders[i].n_settings; j++) {
            const char *key = c->appenders[i].settings[j].key;
            bool path = strcmp(key, "path") == 0;
            char *value = c->appenders[i].settings[j].value;
            if (path || strcmp(key, "spool.dir") == 0)
                rc = from_folder(e, value, sizeof(c->appenders[i].settings[j].value), path, err);
        }
    return rc;
}

int rw_lg_read_settings(struct rw_lg_engine *e, struct rw_lg_config *c, struct rw_err *err)
{
    rw_lg_config_init(c);
    snprintf(c->name, sizeof(c->name), "%s", e->name);
    int rc = RW_OK;
    if (e->file)
        rc = read_file(e->file, c, err);
    if (!rc && e->settings)
        rc = rw_lg_config_add(c, rw_slice(e->settings, strlen(e->settings)), "settings", err);
    if (!rc)
        rc = read_environment(c, err);
    if (!rc)
        rc = make_absolute(e, c, err);
    if (!rc && !c->dir[0])
        rc = rw_os_run_dir(c->dir, sizeof(c->dir));
    return rc ? rc : rw_lg_config_finish(c, err);
}

int rw_lg_keep_options(struct rw_lg_engine *e, const struct rollway_logger_options *o,
                       struct rw_err *err)
{
    const size_t first = offsetof(struct rollway_logger_options, settings) + sizeof(o->settings);
    if (o && o->size < first)
        return rw_err_set(err, RW_E_INVAL, "options.size is not set");
    snprintf(e->name, sizeof(e->name), "%s", o && o->name ? o->name : rw_os_program());
    for (char *p = e->name; *p; p++)
        if (*p == '/')
            *p = '_'; /* it is part of a file's name */
    if (rw_os_working_dir(e->folder, sizeof(e->folder)) != RW_OK || strcmp(e->folder, "/") == 0)
        e->folder[0] = 0; /* too long, or removed: paths are taken as they are */
    if (o && o->file) {
        size_t n = strlen(e->folder) + strlen(o->file) + 2;
        e->file = rw_alloc(n);
        if (!e->file)
            return RW_E_NOMEM;
        bool relative = e->folder[0] && o->file[0] && o->file[0] != '/';
        snprintf(e->file, n, "%s%s%s", relative ? e->folder : "", relative ? "/" : "", o->file);
    }
    return o && o->settings && !(e->settings = rw_strdup(o->settings)) ? RW_E_NOMEM : RW_OK;
}
