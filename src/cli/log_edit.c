/* rollway log reindex and rollway log truncate: repairs by hand, on logs that nobody has open. */
#include "cli/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "cli/log_common.h"
#include "os/os.h"

static bool is_index(const char *name)
{
    int64_t base;
    const char *suffix;
    return rw_name_parse(name, &base, &suffix) &&
           (strcmp(suffix, RW_SUFFIX_INDEX) == 0 || strcmp(suffix, RW_SUFFIX_TIMEINDEX) == 0);
}

static int remove_indexes(const char *dir, size_t *ret_n)
{
    struct log_names names;
    struct rw_vfs *vfs = rw_os_env()->vfs;
    int rc = rw_log_names(dir, is_index, &names);
    for (size_t i = 0; i < names.n && !rc; i++) {
        struct rw_path path;
        rc = rw_path_join(&path, dir, names.at[i], NULL);
        if (!rc)
            rc = vfs->ops->unlink(vfs, path.s);
    }
    *ret_n = names.n;
    rw_log_names_free(&names);
    return rc;
}

/* Opening for writing makes sure that nobody else writes, and makes the indexes that are missing.
 * Records are not to be touched: a log that has something to cut off is left as it is. */
static int reindex_dir(struct rw_cli *cli, const char *dir, void *arg)
{
    const struct rollway_log_options options = {
        .size = sizeof(options), .must_exist = 1, .durability = ROLLWAY_DURABLE_OS, .no_cut = 1};
    int exit_code;
    size_t n = 0;
    (void)arg;
    struct rollway_log *log = rw_log_cli_open(cli, dir, &options, &exit_code);
    if (!log)
        return exit_code;
    int rc = rollway_log_close(log);
    if (rc)
        return rw_log_cli_fail(cli, NULL, rc);
    rc = remove_indexes(dir, &n);
    if (rc)
        return rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error());
    log = rw_log_cli_open(cli, dir, &options, &exit_code);
    if (!log)
        return exit_code;
    rc = rollway_log_close(log);
    if (rc)
        return rw_log_cli_fail(cli, NULL, rc);
    rw_cli_note(cli, "%s: %zu index files made again", dir, n);
    return RW_EXIT_OK;
}

static int run_reindex(struct rw_cli *cli)
{
    return rw_log_each_dir(cli, rw_cli_operand(cli, 0), reindex_dir, NULL);
}

static int run_truncate(struct rw_cli *cli)
{
    const char *dir = rw_cli_operand(cli, 0);
    const struct rollway_log_options options = {
        .size = sizeof(options), .must_exist = 1, .durability = ROLLWAY_DURABLE_OS};
    int exit_code;
    if (!rw_cli_has(cli, "to"))
        return rw_cli_usage(cli, "--to OFFSET says where to cut");
    int64_t to = rw_cli_int(cli, "to", 0);
    struct rollway_log *log = rw_log_cli_open(cli, dir, &options, &exit_code);
    if (!log)
        return exit_code;
    int64_t end = rollway_log_end_offset(log);
    char question[256];
    snprintf(question, sizeof(question), "Remove offsets %" PRId64 " to %" PRId64 " of %.120s?", to,
             end - 1, dir);
    bool ask = to < end && !rw_cli_has(cli, "yes");
    exit_code = ask ? rw_cli_confirm(cli, question) : RW_EXIT_OK;
    if (exit_code != RW_EXIT_OK) {
        int closed = rollway_log_close(log);
        return closed ? rw_log_cli_fail(cli, NULL, closed) : exit_code;
    }
    int rc = rollway_log_truncate(log, to);
    exit_code = rc ? rw_log_cli_fail(cli, log, rc) : RW_EXIT_OK;
    rc = rollway_log_close(log);
    if (!exit_code && rc)
        exit_code = rw_log_cli_fail(cli, NULL, rc);
    if (!exit_code)
        rw_cli_note(cli, "%s: the next offset is %" PRId64 ", it was %" PRId64, dir, to, end);
    return exit_code;
}

static const struct rw_example reindex_examples[] = {
    {"rollway log reindex events-0", "make the indexes of one log again"},
    {NULL, NULL},
};

const struct rw_command rw_cmd_log_reindex = {
    .name = "log reindex",
    .operands = "DIR",
    .operands_complete = "dir",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "make the indexes of logs again from their records",
    .text = "Nobody may have the log open for writing. Reading works without indexes, only slower; "
            "they "
            "are also made again by themselves when they are found missing or wrong. Records are "
            "never touched: a log of which something would have to be cut off (a crash left it "
            "unfinished, or it is damaged) is left as it is, and the exit status is 8.",
    .examples = reindex_examples,
    .local = true,
    .run = run_reindex,
};

static const struct rw_option truncate_options[] = {
    {"to", 0, RW_OPT_INT, "OFFSET", "remove this offset and everything after it", NULL},
    {"yes", 'y', RW_OPT_FLAG, NULL, "do not ask", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL},
};

static const struct rw_example truncate_examples[] = {
    {"rollway log truncate --to 1000 events-0", "keep offsets below 1000"},
    {NULL, NULL},
};

const struct rw_command rw_cmd_log_truncate = {
    .name = "log truncate",
    .operands = "DIR",
    .operands_complete = "dir",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "remove the end of a log",
    .text =
        "Removes OFFSET and everything after it, from records and indexes. The next record that is "
        "appended gets OFFSET. Asks first.",
    .options = truncate_options,
    .examples = truncate_examples,
    .local = true,
    .run = run_truncate,
};
