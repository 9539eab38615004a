/* Directories of logs and opening them: shared by `rollway log ...`. */
#include "cli/log_common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "os/os.h"

struct gather {
    bool (*want)(const char *name);
    struct log_names *names;
};

static int add_name(void *arg, const char *name)
{
    struct gather *g = arg;
    struct log_names *l = g->names;
    if (!g->want(name))
        return RW_OK;
    char **at = rw_array_grow(l->at, l->n, &l->cap, sizeof(*at));
    if (!at)
        return RW_E_NOMEM;
    l->at = at;
    l->at[l->n] = rw_strdup(name);
    return l->at[l->n] ? (l->n++, RW_OK) : RW_E_NOMEM;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int rw_log_names(const char *dir, bool (*want)(const char *name), struct log_names *ret)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct gather g = {want, ret};
    *ret = (struct log_names){0};
    int rc = vfs->ops->list(vfs, dir, add_name, &g);
    if (rc)
        rw_log_names_free(ret);
    else if (ret->n)
        qsort(ret->at, ret->n, sizeof(*ret->at), compare);
    return rc;
}

void rw_log_names_free(struct log_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        rw_free(names->at[i]);
    rw_free(names->at);
    *names = (struct log_names){0};
}

bool rw_log_name_is_segment(const char *name)
{
    int64_t base;
    const char *suffix;
    return rw_name_parse(name, &base, &suffix) && strcmp(suffix, RW_SUFFIX_LOG) == 0;
}

bool rw_log_is_log_dir(const char *dir)
{
    struct log_names names;
    if (rw_log_names(dir, rw_log_name_is_segment, &names))
        return false;
    bool some = names.n > 0;
    rw_log_names_free(&names);
    return some;
}

static bool any_name(const char *name)
{
    return name[0] != '.' && !rw_name_ends(name, "-delete");
}

int rw_log_each_dir(struct rw_cli *cli, const char *dir,
                    int (*each)(struct rw_cli *cli, const char *dir, void *arg), void *arg)
{
    struct log_names names;
    if (rw_log_is_log_dir(dir))
        return each(cli, dir, arg);
    int rc = rw_log_names(dir, any_name, &names);
    if (rc)
        return rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error());
    int worst = RW_EXIT_OK;
    size_t found = 0;
    for (size_t i = 0; i < names.n && !rw_cli_interrupted(); i++) {
        struct rw_path path;
        if (rw_path_join(&path, dir, names.at[i], NULL) || !rw_log_is_log_dir(path.s))
            continue;
        found++;
        int exit_code = each(cli, path.s, arg);
        if (exit_code > worst)
            worst = exit_code;
    }
    rw_log_names_free(&names);
    if (!found)
        return rw_cli_fail(cli, RW_EXIT_NOT_FOUND,
                           "a log is a directory with files like 00000000000000000000.log",
                           "%s holds no log", dir);
    return rw_cli_interrupted() ? RW_EXIT_INTERRUPTED : worst;
}

int rw_log_cli_fail(struct rw_cli *cli, const struct rollway_log *log, int code)
{
    const char *hint = code == ROLLWAY_E_LOCKED
                           ? "stop the broker or program that has it open, then try again"
                           : NULL;
    const char *text = rollway_log_error(log);
    return rw_cli_fail(cli, rw_cli_exit_of(code), hint, "%s",
                       *text ? text : rollway_strerror(code));
}

struct rollway_log *rw_log_cli_open(struct rw_cli *cli, const char *dir,
                                    const struct rollway_log_options *options, int *ret_exit)
{
    struct rollway_log *log = NULL;
    int rc = rollway_log_open(dir, options, &log);
    *ret_exit = RW_EXIT_OK;
    if (rc == ROLLWAY_E_CORRUPT && options && options->no_cut)
        *ret_exit =
            rw_cli_fail(cli, RW_EXIT_UNHEALTHY,
                        "rollway log verify says where; rollway log truncate cuts the end off",
                        "%s", rollway_log_error(NULL));
    else if (rc)
        *ret_exit = rw_log_cli_fail(cli, NULL, rc);
    uint64_t cut = rc ? 0 : rollway_log_cut_bytes(log);
    /* Not a note: --quiet must not hide that records are gone. */
    if (cut)
        fprintf(stderr,
                "%s: %" PRIu64 " bytes from offset %" PRId64
                " on were damaged or left unfinished by a crash: they were cut off\n",
                dir, cut, rollway_log_end_offset(log));
    return log;
}
