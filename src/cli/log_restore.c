/*
 * rollway log restore: logs back from a backup (log_backup.c).
 *
 * - Every file is compared with the manifest before anything is written.
 * - A log is put together in a hidden directory beside its place, opened once, which makes the indexes,
 *   compared with the manifest, made durable, and only then gets its name. What is interrupted leaves no
 *   directory that opens as a log.
 * - A data directory is no broker's until all is there: its meta.properties says so meanwhile, in a way
 *   that a broker refuses.
 * - Recovery point and start are known before anybody opens a restored log: damage that was in the source
 *   is kept with what lies behind it, and what was deleted stays deleted.
 */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "cli/backup_files.h"
#include "cli/log_beside.h"
#include "cli/log_common.h"
#include "log/checkpoint.h"
#include "log/log.h"
#include "os/os.h"

#define LOCK_NAME  ".lock"
#define CLEAN_NAME ".kafka_cleanshutdown"
#define UNFINISHED                                                                                 \
    "# An unfinished restore: rollway log restore does it again.\nversion=unfinished\n"

struct restore {
    struct rw_backup_copy copy;
    struct rw_cli *cli;
    struct rw_backup backup;
    struct rw_path from;  /* the directory of the manifest */
    struct rw_path place; /* of what is restored, without links in what leads there */
    bool broker;          /* the checkpoints belong into the directory above the logs */
};

static int fail(struct restore *r, const char *what, int code)
{
    if (code == RW_E_CANCELED)
        return rw_cli_fail(r->cli, RW_EXIT_INTERRUPTED, NULL, "interrupted: %s was not restored",
                           what);
    return rw_cli_fail(r->cli, rw_cli_exit_of(code), NULL, "restore of %s: %s %s", what,
                       rw_code_text(code), rw_os_last_error());
}

/* ---- the backup is what it says ---- */

static int check_files(struct restore *r, const char *dir, const struct rw_backup_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        char name[80];
        int rc = rw_backup_check_file(&r->copy, dir, &files->at[i]);
        if (rc == RW_E_CANCELED)
            return fail(r, r->place.s, rc);
        rw_backup_stored_name(&files->at[i], name);
        if (rc)
            return rw_cli_fail(r->cli, RW_EXIT_UNHEALTHY, "make a new backup; nothing was restored",
                               "%s/%s is not what the manifest says: %s", dir, name,
                               rc == RW_E_CORRUPT ? "the checksum or size differs"
                                                  : rw_code_text(rc));
    }
    return RW_EXIT_OK;
}

static int place_of(const struct restore *r, const struct rw_backup_log *log, struct rw_path *ret)
{
    if (r->backup.data)
        return rw_path_join(ret, r->from.s, log->name, NULL);
    *ret = r->from;
    return RW_OK;
}

static int check_backup(struct restore *r, const struct rw_backup_log *only)
{
    int exit_code = only ? RW_EXIT_OK : check_files(r, r->from.s, &r->backup.files);
    for (size_t i = 0; i < r->backup.n && !exit_code; i++) {
        struct rw_path dir;
        const struct rw_backup_log *log = &r->backup.logs[i];
        if (only && log != only)
            continue;
        if (place_of(r, log, &dir))
            return fail(r, log->name, RW_E_TOO_BIG);
        exit_code = check_files(r, dir.s, &log->files);
    }
    return exit_code;
}

/* ---- one log ---- */

/* Opens what was copied, which makes the indexes, and looks whether it is what was backed up. */
static int open_copy(const char *dir, const struct rw_backup_log *want)
{
    struct rw_log_config config;
    struct rw_log *log;
    const struct rw_log_open_args args = {
        .clean = true, .recovery_point = want->recovery, .start_offset = want->start};
    rw_log_config_init(&config);
    int rc = rw_log_open(rw_os_env(), dir, &config, &args, &log);
    if (rc)
        return rc;
    bool same = rw_log_start(log) == want->start &&
                (rw_log_end(log) == want->end ||
                 (want->recovery > want->end && rw_log_end(log) >= want->recovery));
    rc = rw_log_close(log, true);
    return !rc && !same ? RW_E_CORRUPT : rc;
}

static int note(const char *dir, const char *name, const struct rw_backup_log *log)
{
    int rc = rw_log_note(dir, RW_RECOVERY_NAME, name, log->recovery);
    return rc ? rc : rw_log_note(dir, RW_START_NAME, name, log->start);
}

/* Puts the log together in `dir`, which nobody knows of yet. */
static int fill(struct restore *r, const struct rw_backup_log *log, const char *dir,
                const char *name)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_path from;
    int rc = rw_backup_remove_dir(dir);
    if (!rc)
        rc = rw_backup_make_dir(dir);
    if (!rc)
        rc = place_of(r, log, &from);
    for (size_t i = 0; i < log->files.n && !rc; i++)
        rc = rw_backup_fetch(&r->copy, from.s, dir, &log->files.at[i]);
    if (!rc)
        rc = open_copy(dir, log);
    if (!rc && !r->broker)
        rc = note(dir, name, log);
    return rc ? rc : vfs->ops->sync_dir(vfs, dir);
}

static void tell(struct restore *r, const struct rw_backup_log *log, const char *dest)
{
    struct rw_json j;
    if (!rw_cli_json(r->cli)) {
        rw_cli_note(r->cli, "%s: restored, offsets %" PRId64 " to %" PRId64, dest, log->start,
                    log->end);
        return;
    }
    rw_json_init(&j, rw_cli_out(r->cli), 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "log", dest);
    rw_json_int(&j, "start_offset", log->start);
    rw_json_int(&j, "end_offset", log->end);
    rw_json_int(&j, "damaged", (int64_t)log->damaged);
    rw_json_end(&j);
    rw_buf_add_u8(rw_cli_out(r->cli), '\n');
}

static int restore_log(struct restore *r, const struct rw_backup_log *log, const char *parent,
                       const char *name)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_path dest, hidden;
    char hidden_name[300];
    snprintf(hidden_name, sizeof(hidden_name), ".%.255s.restoring", name);
    int rc = rw_path_join(&dest, parent, name, NULL);
    if (!rc)
        rc = rw_path_join(&hidden, parent, hidden_name, NULL);
    if (rc)
        return fail(r, name, rc);
    rc = fill(r, log, hidden.s, name);
    if (!rc)
        rc = vfs->ops->rename(vfs, hidden.s, dest.s);
    int exit_code = rc ? fail(r, dest.s, rc) : RW_EXIT_OK;
    if (rc)
        rc = rw_backup_remove_dir(hidden.s); /* what stays is in nobody's way */
    else
        rc = vfs->ops->sync_dir(vfs, parent);
    if (!exit_code && rc)
        exit_code = fail(r, dest.s, rc);
    if (exit_code)
        return exit_code;
    tell(r, log, dest.s);
    if (!log->damaged)
        return RW_EXIT_OK;
    return rw_cli_fail(r->cli, RW_EXIT_UNHEALTHY, NULL,
                       "%s: restored with the damage that the source had, in places: %" PRIu64,
                       dest.s, log->damaged);
}

/* ---- one log, wherever it is wanted ---- */

/* Nobody may have the data directory open: what is noted there would be overwritten. */
static int lock_data_dir(struct restore *r, const char *dir, struct rw_file **ret_lock)
{
    struct rw_path path;
    int rc = rw_path_join(&path, dir, LOCK_NAME, NULL);
    if (!rc)
        rc = rw_vfs_open(rw_os_env()->vfs, path.s, RW_OPEN_WRITE | RW_OPEN_CREATE, ret_lock);
    if (!rc)
        rc = (*ret_lock)->ops->lock(*ret_lock);
    if (rc == RW_E_LOCKED)
        return rw_cli_fail(r->cli, RW_EXIT_EXISTS, "stop the broker, then try again",
                           "a broker has %s open", dir);
    return rc ? fail(r, dir, rc) : RW_EXIT_OK;
}

static int restore_single(struct restore *r, const struct rw_backup_log *log)
{
    struct rw_path parent;
    struct rw_file *lock = NULL;
    char topic[300];
    int32_t partition;
    const char *slash = strrchr(r->place.s, '/'), *name = slash ? slash + 1 : r->place.s;
    int rc = rw_path_parent(&parent, r->place.s);
    if (rc || !*name || strlen(name) > 255)
        return fail(r, r->place.s, rc ? rc : RW_E_INVAL);
    r->broker = rw_log_is_data_dir(parent.s) && rw_name_partition(name, topic, &partition);
    int exit_code = r->broker ? lock_data_dir(r, parent.s, &lock) : RW_EXIT_OK;
    if (!exit_code && r->broker) {
        struct rw_path clean;
        rc = rw_path_join(&clean, parent.s, CLEAN_NAME, NULL);
        if (!rc) /* that mark was not about this log */
            rc = rw_file_remove(rw_os_env(), clean.s);
        if (!rc)
            rc = note(parent.s, name, log);
        exit_code = rc ? fail(r, parent.s, rc) : RW_EXIT_OK;
    }
    if (!exit_code)
        exit_code = restore_log(r, log, parent.s, name);
    rw_file_close(lock);
    return exit_code;
}

/* ---- a data directory ---- */

/* One of the data directory's checkpoints: what `offset` says of each log; negative: no line. */
static int write_checkpoint(struct restore *r, const char *name,
                            int64_t (*offset)(const struct rw_backup_log *log))
{
    struct rw_buf lines, text;
    struct rw_path path;
    int n = 0;
    rw_buf_init(&lines);
    rw_buf_init(&text);
    for (size_t i = 0; i < r->backup.n; i++) {
        char topic[sizeof(r->backup.logs[i].name)];
        int32_t partition;
        int64_t v = offset(&r->backup.logs[i]);
        if (v < 0 || !rw_name_partition(r->backup.logs[i].name, topic, &partition))
            continue;
        rw_buf_printf(&lines, "%s %" PRId32 " %" PRId64 "\n", topic, partition, v);
        n++;
    }
    rw_buf_printf(&text, "0\n%d\n", n);
    rw_buf_add(&text, lines.p, lines.n);
    int rc = rw_path_join(&path, r->place.s, name, NULL);
    if (!rc)
        rc = lines.failed || text.failed
                 ? RW_E_NOMEM
                 : rw_file_replace(rw_os_env(), path.s, text.p, text.n, true);
    rw_buf_deinit(&lines);
    rw_buf_deinit(&text);
    return rc;
}

static int64_t start_of(const struct rw_backup_log *log)
{
    return log->start;
}

static int64_t recovery_of(const struct rw_backup_log *log)
{
    return log->recovery;
}

static int64_t high_watermark_of(const struct rw_backup_log *log)
{
    return log->high_watermark;
}

static int begin_data_dir(struct restore *r)
{
    struct rw_path path;
    int rc = rw_path_join(&path, r->place.s, RW_IDENTITY_NAME, NULL);
    if (!rc)
        rc = rw_file_replace(rw_os_env(), path.s, UNFINISHED, sizeof(UNFINISHED) - 1, true);
    if (!rc && r->broker)
        rc = write_checkpoint(r, RW_RECOVERY_NAME, recovery_of);
    if (!rc && r->broker)
        rc = write_checkpoint(r, RW_START_NAME, start_of);
    if (!rc && r->broker)
        rc = write_checkpoint(r, RW_HIGH_WATERMARK_NAME, high_watermark_of);
    return rc;
}

static int end_data_dir(struct restore *r)
{
    const struct rw_env *env = rw_os_env();
    struct rw_path path;
    int rc = rw_path_join(&path, r->place.s, RW_IDENTITY_NAME, NULL);
    if (!rc && !r->broker)
        rc = rw_file_remove(env, path.s);
    for (size_t i = 0; i < r->backup.files.n && !rc; i++)
        rc = rw_backup_fetch(&r->copy, r->from.s, r->place.s, &r->backup.files.at[i]);
    return rc ? rc : env->vfs->ops->sync_dir(env->vfs, r->place.s);
}

static int restore_all(struct restore *r)
{
    struct rw_file *lock = NULL;
    int worst = RW_EXIT_OK;
    r->broker = r->backup.files.n > 0;
    int rc = rw_backup_make_dir(r->place.s);
    if (rc)
        return fail(r, r->place.s, rc);
    int exit_code = r->broker ? lock_data_dir(r, r->place.s, &lock) : RW_EXIT_OK;
    if (!exit_code && (rc = begin_data_dir(r)) != RW_OK)
        exit_code = fail(r, r->place.s, rc);
    for (size_t i = 0; i < r->backup.n && !exit_code; i++) {
        const char *name = r->backup.logs[i].name;
        struct rw_path dest;
        /* From a restore that was interrupted. */
        rc = rw_path_join(&dest, r->place.s, name, NULL);
        if (!rc)
            rc = rw_backup_remove_dir(dest.s);
        exit_code = rc ? fail(r, name, rc) : restore_log(r, &r->backup.logs[i], r->place.s, name);
        if (exit_code == RW_EXIT_UNHEALTHY) {
            worst = exit_code;
            exit_code = RW_EXIT_OK;
        }
    }
    if (!exit_code && (rc = end_data_dir(r)) != RW_OK)
        exit_code = fail(r, r->place.s, rc);
    rw_file_close(lock);
    return exit_code ? exit_code : worst;
}

/* ---- where from, and where to ---- */

/* The manifest in BACKUP; or BACKUP is the part of a backup that has one log. */
static int find_backup(struct restore *r, const char *dir, const char **ret_only)
{
    struct rw_log_beside at;
    int rc = rw_log_beside_read(dir, &at);
    if (rc)
        return rc;
    *ret_only = NULL;
    r->from = at.real;
    rc = rw_backup_load(r->from.s, &r->backup);
    if (rc != RW_E_NOT_FOUND)
        return rc;
    r->from = at.parent;
    rc = rw_backup_load(r->from.s, &r->backup);
    if (rc)
        return rc;
    const struct rw_backup_log *log = rw_backup_find(&r->backup, at.name);
    *ret_only = log ? log->name : NULL;
    return log && r->backup.data ? RW_OK : RW_E_NOT_FOUND;
}

static bool is_somebodys(const char *name)
{
    return strcmp(name, "lost+found") != 0;
}

/* Is the directory a restore's that was interrupted? */
static bool is_unfinished(const char *dir)
{
    struct rw_path path;
    struct rw_buf text;
    rw_buf_init(&text);
    bool is = rw_path_join(&path, dir, RW_IDENTITY_NAME, NULL) == RW_OK &&
              rw_file_load(rw_os_env(), path.s, &text) == RW_OK &&
              text.n == sizeof(UNFINISHED) - 1 && memcmp(text.p, UNFINISHED, text.n) == 0;
    rw_buf_deinit(&text);
    return is;
}

static int check_place(struct restore *r, const char *dest)
{
    struct log_names names;
    int rc = rw_log_names(dest, is_somebodys, &names);
    if (rc)
        return fail(r, dest, rc);
    bool empty = names.n == 0;
    rw_log_names_free(&names);
    if (empty || is_unfinished(dest))
        return RW_EXIT_OK;
    return rw_cli_fail(r->cli, RW_EXIT_EXISTS, "give a directory that does not exist yet",
                       rw_log_is_log_dir(dest) ? "%s holds a log already" : "%s is not empty",
                       dest);
}

static int find_place(struct restore *r, const char *dest)
{
    struct rw_path parent, real;
    if (realpath(dest, r->place.s))
        return check_place(r, dest);
    if (errno != ENOENT)
        return fail(r, dest, rw_os_fail(errno, "open", dest));
    int rc = rw_path_parent(&parent, dest);
    if (!rc && !realpath(parent.s, real.s))
        rc = rw_os_fail(errno, "open", parent.s);
    if (rc)
        return fail(r, dest, rc);
    size_t n = strlen(dest);
    while (n > 1 && dest[n - 1] == '/')
        n--;
    size_t from = n;
    while (from > 0 && dest[from - 1] != '/')
        from--;
    int length = snprintf(r->place.s, sizeof(r->place.s), "%s/%.*s",
                          strcmp(real.s, "/") == 0 ? "" : real.s, (int)(n - from), dest + from);
    return length > 0 && (size_t)length < sizeof(r->place.s) ? RW_EXIT_OK
                                                             : fail(r, dest, RW_E_TOO_BIG);
}

static int restore_from(struct restore *r, const char *dir, const char *dest)
{
    const char *name;
    int rc = find_backup(r, dir, &name);
    if (rc)
        return rw_cli_fail(r->cli, rw_cli_exit_of(rc == RW_E_CORRUPT ? RW_E_IO : rc),
                           rc == RW_E_UNSUPPORTED
                               ? "it was made by another version of rollway"
                               : "only what `rollway log backup` made can be restored",
                           "%s/" RW_BACKUP_MANIFEST ": %s", dir, rw_code_text(rc));
    const struct rw_backup_log *only = name              ? rw_backup_find(&r->backup, name)
                                       : !r->backup.data ? &r->backup.logs[0]
                                                         : NULL;
    int exit_code = find_place(r, dest);
    if (exit_code)
        return exit_code;
    rw_progress_start(&r->copy.progress, r->cli, "bytes", 0);
    exit_code = check_backup(r, only);
    if (!exit_code)
        exit_code = only ? restore_single(r, only) : restore_all(r);
    rw_progress_end(&r->copy.progress);
    return exit_code;
}

static int run_restore(struct rw_cli *cli)
{
    struct restore r = {.cli = cli};
    int exit_code = rw_backup_copy_init(&r.copy, cli)
                        ? rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory")
                        : restore_from(&r, rw_cli_operand(cli, 0), rw_cli_operand(cli, 1));
    rw_backup_copy_deinit(&r.copy);
    rw_backup_deinit(&r.backup);
    return exit_code;
}

static const struct rw_example restore_examples[] = {
    {"rollway log restore /backup/events-0 events-0", "verify the backup, then copy it back"},
    {"rollway log restore /backup/rollway /var/lib/rollway", "a data directory"},
    {"rollway log restore /backup/rollway/events-0 events-0", "one of its logs"},
    {NULL, NULL},
};

const struct rw_command rw_cmd_log_restore = {
    .name = "log restore",
    .operands = "BACKUP DIR",
    .operands_complete = "dir",
    .operands_min = 2,
    .operands_max = 2,
    .summary = "bring logs back from a backup",
    .text =
        "BACKUP is what rollway log backup made, or the directory of one log in it. Every file is "
        "checked against the manifest before the first is copied. DIR must not exist, or be empty. "
        "Indexes are made again; records that had been deleted stay deleted.\n"
        "\n"
        "A log gets its name when it is complete. A broker does not start on a data directory "
        "until all of it is there; what was interrupted is done again by the same command. A log "
        "that goes into a data directory is noted in its checkpoints, so its broker must not "
        "run.\n"
        "\n"
        "The exit status is 8 when the log was damaged when it was backed up: all that was healthy "
        "is there.",
    .examples = restore_examples,
    .local = true,
    .run = run_restore,
};
