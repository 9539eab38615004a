/* Finding dead letters: topics by their name, logs in spools by where they lie. */
#include "cli/dead_places.h"

#include <string.h>
#include "os/os.h"

void rw_dead_places_deinit(struct rw_dead_places *p)
{
    rw_name_list_deinit(&p->topics);
    rw_name_list_deinit(&p->dirs);
}

const char *rw_dead_dir(const struct rw_dead_places *p, int i)
{
    return p->dirs.n ? p->dirs.v[i] : NULL;
}

static bool wanted(const struct rw_cli *cli, const char *topic)
{
    int n = rw_cli_operand_count(cli);
    for (int i = 0; i < n; i++)
        if (strcmp(rw_cli_operand(cli, i), topic) == 0)
            return true;
    return n == 0;
}

static bool any(const char *name)
{
    return name[0] != '.';
}

/* <dir>/<topic>.dlq-0 */
static int add_logs(struct rw_cli *cli, const char *dir, struct rw_dead_places *to)
{
    struct log_names names;
    int rc = rw_log_names(dir, any, &names);
    if (rc)
        return rc == RW_E_NOT_FOUND ? RW_OK : rc;
    for (size_t i = 0; i < names.n && !rc; i++) {
        char topic[256];
        int32_t number;
        struct rw_path path;
        if (strlen(names.at[i]) >= sizeof(topic) ||
            !rw_name_partition(names.at[i], topic, &number) || !wanted(cli, topic) ||
            rw_path_join(&path, dir, names.at[i], NULL) || !rw_log_is_log_dir(path.s))
            continue;
        rc = rw_name_list_add(&to->topics, topic);
        if (!rc)
            rc = rw_name_list_add(&to->dirs, path.s);
    }
    rw_log_names_free(&names);
    return rc;
}

/* A spool, or a directory of spools. */
static int from_spool(struct rw_cli *cli, const char *dir, struct rw_dead_places *to)
{
    struct rw_path path;
    struct log_names names;
    int rc = rw_log_names(dir, any, &names);
    if (rc)
        return rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error());
    rc = rw_path_join(&path, dir, "dead", NULL);
    if (!rc)
        rc = add_logs(cli, path.s, to);
    for (size_t i = 0; i < names.n && !rc; i++) {
        struct rw_path spool;
        if (rw_path_join(&spool, dir, names.at[i], NULL) ||
            rw_path_join(&path, spool.s, "dead", NULL) || strcmp(names.at[i], "dead") == 0)
            continue;
        rc = add_logs(cli, path.s, to);
        rc = rc == RW_E_IO ? RW_OK : rc; /* a file, and no directory */
    }
    rw_log_names_free(&names);
    return rc ? rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "%s: %s", dir, rw_code_text(rc))
              : RW_EXIT_OK;
}

static int from_cluster(struct rw_cli_client *c, struct rw_dead_places *to)
{
    struct rw_name_list all = {NULL, 0};
    int exit_code = rw_cli_topics(c, 0, false, false, &all);
    bool named = rw_cli_operand_count(c->cli) > 0;
    for (int i = 0; i < all.n && !exit_code; i++)
        if ((named || rw_name_ends(all.v[i], RW_DLQ_SUFFIX)) &&
            rw_name_list_add(&to->topics, all.v[i]) != RW_OK)
            exit_code = rw_cli_fail(c->cli, RW_EXIT_FAILED, NULL, "out of memory");
    rw_name_list_deinit(&all);
    return exit_code;
}

int rw_dead_places(struct rw_cli_client *c, struct rw_dead_places *ret)
{
    const char *spool = rw_cli_string(c->cli, "spool", NULL);
    int exit_code = spool ? from_spool(c->cli, spool, ret) : from_cluster(c, ret);
    if (!exit_code && ret->topics.n == 0 && rw_cli_operand_count(c->cli) > 0)
        return rw_cli_fail(c->cli, RW_EXIT_NOT_FOUND, "rollway dlq list --spool DIR shows all",
                           "no such dead letters in %s", spool ? spool : "the cluster");
    if (!exit_code && ret->topics.n == 0)
        rw_cli_note(c->cli, "no dead letters%s: topics of them have names that end in %s",
                    spool ? " there" : "", RW_DLQ_SUFFIX);
    return exit_code;
}
