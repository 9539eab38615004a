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
    if (!rc && !c->dir[0])
        rc = rw_os_run_dir(c->dir, sizeof(c->dir));
    return rc ? rc : rw_lg_config_finish(c, err);
}

int rw_lg_keep_options(struct rw_lg_engine *e, const struct rollway_logger_options *o)
{
    snprintf(e->name, sizeof(e->name), "%s", o && o->name ? o->name : rw_os_program());
    for (char *p = e->name; *p; p++)
        if (*p == '/')
            *p = '_'; /* it is part of a file's name */
    if (o && o->file && !(e->file = rw_strdup(o->file)))
        return RW_E_NOMEM;
    return o && o->settings && !(e->settings = rw_strdup(o->settings)) ? RW_E_NOMEM : RW_OK;
}
