/*
 * rollway log backup: consistent copies of logs, only what is new, with a manifest (backup_manifest.h).
 *
 *     DEST/rollway-backup.manifest
 *     DEST/00000000000000000000.log.89abcdef         of one log
 *     DEST/t-0/00000000000000000000.log.89abcdef     of the logs of a directory
 *
 * - A backup may run beside a writer: of each log it takes what was whole when it came to it.
 * - The manifest is replaced last, and no file that it names is touched before: whatever interrupts a
 *   backup, the one before stays what it was. What no manifest names is removed by the next one.
 * - Nothing is believed unseen: a segment that is in the backup already is compared byte by byte, and
 *   every batch is checked. Damage is copied as it is, told, and leads to exit status 8.
 *
 * Indexes are not copied: rollway log restore makes them again.
 */
#include "cli/commands.h"

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
#include "log/scan.h"
#include "os/os.h"

#define LOCK_NAME   ".rollway-backup.lock"
#define TRIES_MAX   10
#define DAMAGE_MAX  1000 /* places at the end of a log */
#define METADATA_AT "__cluster_metadata-0"

struct backup {
    struct rw_backup_copy copy;
    struct rw_cli *cli;
    const char *dest;
    struct rw_backup before, now;
};

/* ---- one log ---- */

struct plan {
    struct rw_log_beside beside;
    struct log_names segments;
    uint64_t last_size; /* of the last segment: how much of its file counts */
    int64_t start, end;
    uint64_t damaged;
    bool tail; /* the rest of the last segment can not be read, and counts */
};

static bool same_names(const struct log_names *a, const struct log_names *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; i < a->n && same; i++)
        same = strcmp(a->at[i], b->at[i]) == 0;
    return same;
}

/* Opens the log such that its segments are those in names: a writer may add and remove some just then. */
static int open_steady(const char *dir, const struct rw_log_open_args *args,
                       struct log_names *ret_names, struct rw_log **ret_log)
{
    struct rw_log_config config;
    rw_log_config_init(&config);
    for (int i = 0; i < TRIES_MAX; i++) {
        struct log_names before, after;
        struct rw_log *log = NULL;
        int rc = rw_log_names(dir, rw_log_name_is_segment, &before);
        if (rc)
            return rc;
        int opened = rw_log_open(rw_os_env(), dir, &config, args, &log);
        rc = rw_log_names(dir, rw_log_name_is_segment, &after);
        bool steady = !rc && before.n && same_names(&before, &after);
        if (!rc)
            rw_log_names_free(&after);
        if (!opened && steady && rw_log_segments(log) == before.n) {
            *ret_names = before;
            *ret_log = log;
            return RW_OK;
        }
        rw_log_names_free(&before);
        (void)rw_log_close(log, false); /* read-only: nothing to lose */
        if (rc || (opened && steady))
            return rc ? rc : opened;
    }
    return RW_E_AGAIN;
}

/* How much of the last segment's file holds whole batches. The last one may be damaged where its place
 * was to be found: then the file is copied as it lies. */
static int find_last_size(struct plan *p, struct rw_log *log, struct rw_file *f, int64_t base)
{
    struct rw_log_range range;
    p->last_size = 0;
    if (p->end <= base)
        return RW_OK;
    int rc = rw_log_read(log, p->end - 1, INT64_MAX, 1, true, &range);
    if (rc == RW_E_CORRUPT)
        return f->ops->size(f, &p->last_size);
    if (rc)
        return rc;
    p->last_size = range.at + range.n;
    rw_log_range_release(&range);
    return RW_OK;
}

/* Is there anything behind that: zeros, an append in progress, the rest of one that failed, or damage
 * with intact batches behind it (*ret_intact: the first one's offset, else -1)? */
static int look_behind(struct plan *p, struct rw_file *f, uint64_t *ret_rest, int64_t *ret_intact)
{
    uint64_t size;
    bool zeros = true;
    int rc = f->ops->size(f, &size);
    if (!rc && size > p->last_size)
        rc = rw_scan_is_zero(f, p->last_size, size, &zeros);
    if (rc || zeros)
        return rc;
    struct rw_scan scan;
    rw_scan_init(&scan, f, p->last_size, size, NULL, RW_BACKUP_CHUNK);
    rw_scan_expect(&scan, p->end, INT64_MAX, false);
    rc = rw_scan_resync(&scan);
    if (rc == 1)
        rc = rw_scan_next(&scan);
    if (rc == 1)
        *ret_intact = scan.batch.base_offset;
    rw_scan_deinit(&scan);
    *ret_rest = size - p->last_size;
    return rc == 1 ? RW_OK : rc;
}

/* Where the log ends. What can not be read counts when the log was known to go on behind it: it is
 * damaged then, not unfinished. */
static int measure(struct plan *p, struct rw_log *log, int64_t *ret_intact)
{
    const char *last = p->segments.at[p->segments.n - 1];
    int64_t base = 0;
    const char *suffix;
    struct rw_path path;
    struct rw_file *f;
    uint64_t all = 0, rest = 0;
    p->end = rw_log_end(log);
    p->damaged = 0;
    int rc = rw_name_parse(last, &base, &suffix) ? RW_OK : RW_E_INVAL;
    if (!rc)
        rc = rw_path_join(&path, p->beside.real.s, last, NULL);
    if (!rc)
        rc = rw_vfs_open(rw_os_env()->vfs, path.s, RW_OPEN_READ, &f);
    if (rc)
        return rc;
    rc = find_last_size(p, log, f, base);
    if (!rc)
        rc = look_behind(p, f, &rest, ret_intact);
    rw_file_close(f);
    if (!rc)
        rc = rw_log_rest(log, &all);
    p->tail = rest && p->beside.recovery > p->end;
    if (p->tail)
        p->last_size += rest;
    /* Of the other segments everything is copied; what is no batch there is damage. */
    p->damaged = (p->tail ? 1 : 0) + (all > rest ? 1u : 0u);
    return rc;
}

static bool stop(void *arg)
{
    (void)arg;
    return rw_cli_interrupted();
}

static int make_plan(const char *dir, struct plan *p)
{
    struct rw_log *log = NULL;
    struct rw_log_verify v = {.stop = stop};
    *p = (struct plan){0};
    int rc = rw_log_beside_read(dir, &p->beside);
    struct rw_log_open_args args = {
        .read_only = true, .clean = true, .recovery_point = p->beside.recovery};
    int64_t intact = 0;
    for (int i = 0; i < DAMAGE_MAX && !rc && intact >= 0; i++) {
        (void)rw_log_close(log, false); /* read-only: nothing to lose */
        rw_log_names_free(&p->segments);
        log = NULL;
        intact = -1;
        rc = open_steady(p->beside.real.s, &args, &p->segments, &log);
        if (!rc)
            rc = measure(p, log, &intact);
        /* Damage, and not in what is being written: what lies behind it counts. */
        args.recovery_point = intact;
    }
    if (!rc)
        rc = rw_log_verify(log, &v);
    if (!rc) {
        p->start = rw_log_start(log) > p->beside.start ? rw_log_start(log) : p->beside.start;
        p->start = p->start > p->end ? p->end : p->start;
        p->damaged += v.bad_batches;
    }
    (void)rw_log_close(log, false);
    return rc;
}

/* What a directory has besides segments that records alone do not say. */
static bool is_state(const char *name)
{
    int64_t offset;
    const char *suffix;
    return strcmp(name, RW_EPOCHS_NAME) == 0 || strcmp(name, RW_METADATA_NAME) == 0 ||
           strcmp(name, RW_CONTIGUOUS_NAME) == 0 ||
           (rw_name_parse(name, &offset, &suffix) && strcmp(suffix, RW_SUFFIX_SNAPSHOT) == 0);
}

static int store(struct backup *b, const char *from, const char *to, const char *name,
                 uint64_t size, struct rw_backup_files *files, size_t *ret_copied)
{
    struct rw_backup_file f = {.size = size};
    bool copied = false;
    if (strlen(name) >= sizeof(f.name))
        return RW_E_TOO_BIG;
    memcpy(f.name, name, strlen(name) + 1);
    int rc = rw_backup_store(&b->copy, from, to, &f, &copied);
    if (!rc)
        rc = rw_backup_add_file(files, &f);
    *ret_copied += !rc && copied;
    return rc;
}

static int store_state(struct backup *b, const struct plan *p, const char *to,
                       struct rw_backup_log *log, size_t *ret_copied)
{
    struct log_names names;
    int rc = rw_log_names(p->beside.real.s, is_state, &names);
    if (rc)
        return rc;
    for (size_t i = 0; i < names.n && !rc; i++) {
        int64_t offset;
        const char *suffix;
        /* Producers' state of the future: from before a truncation, or of records not copied here. */
        if (rw_name_parse(names.at[i], &offset, &suffix) && offset > p->end)
            continue;
        rc = store(b, p->beside.real.s, to, names.at[i], UINT64_MAX, &log->files, ret_copied);
        if (rc == RW_E_NOT_FOUND && !b->copy.target_failed)
            rc = RW_OK; /* the writer has a newer one */
    }
    rw_log_names_free(&names);
    return rc;
}

static int64_t base_of(const char *name)
{
    int64_t base = 0;
    const char *suffix;
    return rw_name_parse(name, &base, &suffix) ? base : 0;
}

static int store_segments(struct backup *b, const struct plan *p, const char *to,
                          struct rw_backup_log *log, size_t *ret_copied)
{
    const struct log_names *names = &p->segments;
    for (size_t i = 0; i < names->n; i++) {
        bool last = i + 1 == names->n;
        if (!last && base_of(names->at[i + 1]) <= log->start)
            continue; /* deleted, and only not removed yet */
        int rc = store(b, p->beside.real.s, to, names->at[i], last ? p->last_size : UINT64_MAX,
                       &log->files, ret_copied);
        if (rc == RW_E_NOT_FOUND && !b->copy.target_failed && !last) {
            /* Retention was faster: the log begins behind it now. */
            log->files.n = 0;
            if (base_of(names->at[i + 1]) > log->start)
                log->start = base_of(names->at[i + 1]);
            continue;
        }
        if (rc)
            return rc;
    }
    return log->start <= log->end ? RW_OK : RW_E_AGAIN;
}

/* Where the files of that log lie in the backup. */
static int place_of(const char *dest, const struct rw_backup *b, const char *name,
                    struct rw_path *ret)
{
    if (b->data)
        return rw_path_join(ret, dest, name, NULL);
    int n = snprintf(ret->s, sizeof(ret->s), "%s", dest);
    return n >= 0 && (size_t)n < sizeof(ret->s) ? RW_OK : RW_E_TOO_BIG;
}

static void tell(struct backup *b, const char *dir, const struct rw_backup_log *log, size_t copied)
{
    struct rw_json j;
    if (!rw_cli_json(b->cli)) {
        rw_cli_note(b->cli, "%s: offsets %" PRId64 " to %" PRId64 ", %zu of %zu files copied to %s",
                    dir, log->start, log->end, copied, log->files.n, b->dest);
        return;
    }
    rw_json_init(&j, rw_cli_out(b->cli), 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "log", dir);
    rw_json_cstr(&j, "backup", b->dest);
    rw_json_int(&j, "start_offset", log->start);
    rw_json_int(&j, "end_offset", log->end);
    rw_json_int(&j, "files", (int64_t)log->files.n);
    rw_json_int(&j, "copied", (int64_t)copied);
    rw_json_int(&j, "damaged", (int64_t)log->damaged);
    rw_json_end(&j);
    rw_buf_add_u8(rw_cli_out(b->cli), '\n');
}

static int copy_log(struct backup *b, const struct plan *p, struct rw_backup_log *log,
                    size_t *ret_copied)
{
    struct rw_path to;
    struct rw_vfs *vfs = rw_os_env()->vfs;
    snprintf(log->name, sizeof(log->name), "%s", p->beside.name);
    int rc = place_of(b->dest, &b->now, log->name, &to);
    if (!rc)
        rc = rw_backup_make_dir(to.s);
    b->copy.target_failed = rc != RW_OK;
    if (!rc)
        rc = store_segments(b, p, to.s, log, ret_copied);
    if (!rc)
        rc = store_state(b, p, to.s, log, ret_copied);
    if (rc)
        return rc;
    rc = vfs->ops->sync_dir(vfs, to.s);
    b->copy.target_failed = rc != RW_OK;
    return rc;
}

/* Keeps what the backup before has of a log that can not be read. */
static int keep_before(struct backup *b, const char *name)
{
    const struct rw_backup_log *old = rw_backup_find(&b->before, name);
    if (!old)
        return RW_OK;
    struct rw_backup_log copy = *old;
    copy.files = (struct rw_backup_files){0};
    int rc = RW_OK;
    for (size_t i = 0; i < old->files.n && !rc; i++)
        rc = rw_backup_add_file(&copy.files, &old->files.at[i]);
    if (!rc)
        return rw_backup_add_log(&b->now, &copy);
    rw_backup_log_deinit(&copy);
    return rc;
}

static int report(struct backup *b, const char *dir, int code)
{
    if (code == RW_E_CANCELED)
        return rw_cli_fail(b->cli, RW_EXIT_INTERRUPTED,
                           b->before.n ? "the backup that was there before is as it was" : NULL,
                           "interrupted; done again, the command goes on");
    return rw_cli_fail(b->cli, rw_cli_exit_of(code),
                       b->before.n ? "the backup that was there before is as it was" : NULL,
                       "backup of %s: %s %s", dir, rw_code_text(code), rw_os_last_error());
}

static int take_plan(struct backup *b, const char *dir, const struct plan *p)
{
    struct rw_backup_log log = {.start = p->start,
                                .end = p->end,
                                .recovery = p->tail ? p->beside.recovery : p->end,
                                .high_watermark = p->beside.high_watermark,
                                .damaged = p->damaged};
    size_t copied = 0;
    if (log.high_watermark > log.end)
        log.high_watermark = log.end;
    if (strlen(p->beside.name) >= sizeof(log.name) || strchr(p->beside.name, '\n'))
        return RW_E_INVAL;
    int rc = copy_log(b, p, &log, &copied);
    if (rc) {
        rw_backup_log_deinit(&log);
        return rc;
    }
    tell(b, dir, &log, copied);
    return rw_backup_add_log(&b->now, &log);
}

/* *ret_fatal: no more logs are tried, and the backup before stays what counts. */
static int backup_log(struct backup *b, const char *dir, bool *ret_fatal)
{
    struct plan p;
    int rc = RW_E_AGAIN;
    for (int i = 0; i < TRIES_MAX && rc == RW_E_AGAIN; i++) {
        b->copy.target_failed = false;
        rc = make_plan(dir, &p);
        if (!rc)
            rc = take_plan(b, dir, &p);
        rw_log_names_free(&p.segments);
    }
    if (!rc && p.damaged)
        return rw_cli_fail(b->cli, RW_EXIT_UNHEALTHY, "rollway log verify shows where",
                           "%s: copied with its damage, in places: %" PRIu64, dir, p.damaged);
    if (!rc)
        return RW_EXIT_OK;
    if (b->now.data && rc == RW_E_NOT_FOUND && !b->copy.target_failed && !rw_log_is_log_dir(dir))
        return RW_EXIT_OK; /* deleted meanwhile */
    int exit_code = report(b, dir, rc);
    *ret_fatal = !b->now.data || b->copy.target_failed || rc == RW_E_CANCELED || rc == RW_E_NOMEM;
    if (!*ret_fatal && keep_before(b, p.beside.name ? p.beside.name : dir))
        *ret_fatal = true;
    return exit_code;
}

/* ---- which logs ---- */

static bool may_be_log(const char *name)
{
    return name[0] != '.' && !rw_name_ends(name, "-delete");
}

/* Committed offsets and transactions before the records that they are about, topics after them: what
 * comes later may know more than what came before, never less. */
static int rank(const char *name)
{
    if (strcmp(name, METADATA_AT) == 0)
        return 2;
    return strncmp(name, "__", 2) == 0 ? 0 : 1;
}

static int backup_data_dir(struct backup *b, const char *dir, bool *ret_fatal)
{
    struct log_names names;
    int rc = rw_log_names(dir, may_be_log, &names);
    if (rc)
        return rw_cli_fail(b->cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error());
    int worst = RW_EXIT_OK;
    size_t found = 0, copied = 0;
    for (int r = 0; r <= 2; r++)
        for (size_t i = 0; i < names.n && !*ret_fatal; i++) {
            struct rw_path path;
            if (rank(names.at[i]) != r || rw_path_join(&path, dir, names.at[i], NULL) ||
                !rw_log_is_log_dir(path.s))
                continue;
            found++;
            int exit_code = backup_log(b, path.s, ret_fatal);
            worst = exit_code > worst ? exit_code : worst;
        }
    rw_log_names_free(&names);
    if (!found) {
        *ret_fatal = true;
        return rw_cli_fail(b->cli, RW_EXIT_NOT_FOUND,
                           "a log is a directory with files like 00000000000000000000.log",
                           "%s holds no log", dir);
    }
    if (!*ret_fatal && rw_log_is_data_dir(dir) &&
        (rc = store(b, dir, b->dest, RW_IDENTITY_NAME, UINT64_MAX, &b->now.files, &copied)) != 0) {
        *ret_fatal = true;
        return report(b, dir, rc);
    }
    return worst;
}

/* ---- the backup as a whole ---- */

static bool is_named(const struct rw_backup_files *files, const char *name)
{
    char stored[80];
    for (size_t i = 0; i < files->n; i++) {
        rw_backup_stored_name(&files->at[i], stored);
        if (strcmp(stored, name) == 0)
            return true;
    }
    return false;
}

static int remove_unnamed(const char *dir, const struct rw_backup_files *files)
{
    struct log_names names;
    int rc = rw_log_names(dir, rw_backup_is_stored_name, &names);
    if (rc)
        return rc == RW_E_NOT_FOUND ? RW_OK : rc;
    for (size_t i = 0; i < names.n && !rc; i++) {
        struct rw_path path;
        if (is_named(files, names.at[i]))
            continue;
        rc = rw_path_join(&path, dir, names.at[i], NULL);
        if (!rc)
            rc = rw_file_remove(rw_os_env(), path.s);
    }
    rw_log_names_free(&names);
    return rc;
}

/* What the new manifest does not name. After it was replaced. */
static int remove_stale(struct backup *b)
{
    static const struct rw_backup_files none = {0};
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_path path;
    int rc = b->now.data ? remove_unnamed(b->dest, &b->now.files) : RW_OK;
    for (size_t i = 0; i < b->now.n && !rc; i++) {
        rc = place_of(b->dest, &b->now, b->now.logs[i].name, &path);
        if (!rc)
            rc = remove_unnamed(path.s, &b->now.logs[i].files);
    }
    for (size_t i = 0; i < b->before.n && !rc && b->now.data; i++) {
        if (rw_backup_find(&b->now, b->before.logs[i].name))
            continue;
        rc = place_of(b->dest, &b->now, b->before.logs[i].name, &path);
        if (!rc)
            rc = remove_unnamed(path.s, &none);
        if (!rc)
            (void)vfs->ops->rmdir(vfs, path.s); /* somebody else's files in it may stay */
    }
    return rc;
}

static int lock_dest(struct backup *b, struct rw_file **ret_lock)
{
    struct rw_path path;
    int rc = rw_path_join(&path, b->dest, LOCK_NAME, NULL);
    if (!rc)
        rc = rw_vfs_open(rw_os_env()->vfs, path.s, RW_OPEN_WRITE | RW_OPEN_CREATE, ret_lock);
    if (!rc)
        rc = (*ret_lock)->ops->lock(*ret_lock);
    if (rc == RW_E_LOCKED)
        return rw_cli_fail(b->cli, RW_EXIT_EXISTS, "wait for it", "another backup to %s is running",
                           b->dest);
    return rc ? rw_cli_fail(b->cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error())
              : RW_EXIT_OK;
}

/* Is there a backup already, and one that this one may follow? */
static int load_before(struct backup *b, const char *dir)
{
    struct rw_log_beside beside;
    int rc = rw_backup_load(b->dest, &b->before);
    if (rc == RW_E_NOT_FOUND)
        return RW_EXIT_OK;
    if (rc == RW_E_CORRUPT) {
        rw_cli_note(b->cli, "%s: the manifest is damaged; everything is copied again", b->dest);
        return RW_EXIT_OK;
    }
    if (!rc && b->before.data == b->now.data) {
        rc = b->now.data ? RW_OK : rw_log_beside_read(dir, &beside);
        if (!rc && (b->now.data || strcmp(b->before.logs[0].name, beside.name) == 0))
            return RW_EXIT_OK;
    }
    if (rc && rc != RW_E_UNSUPPORTED)
        return rw_cli_fail(b->cli, rw_cli_exit_of(rc), NULL, "%s: %s", b->dest, rw_code_text(rc));
    return rw_cli_fail(b->cli, RW_EXIT_EXISTS, "give another directory",
                       rc ? "%s holds a backup that another version made"
                          : "%s holds a backup of something else",
                       b->dest);
}

static int finish(struct backup *b)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    int rc = vfs->ops->sync_dir(vfs, b->dest);
    b->now.made_ms = rw_wall_ms(rw_os_env()->clock);
    if (!rc)
        rc = rw_backup_save(b->dest, &b->now);
    if (!rc)
        rc = remove_stale(b);
    return rc ? report(b, b->dest, rc) : RW_EXIT_OK;
}

static int backup_to(struct backup *b, const char *dir)
{
    struct rw_file *lock = NULL;
    bool fatal = false;
    int exit_code = lock_dest(b, &lock);
    if (!exit_code)
        exit_code = load_before(b, dir);
    if (!exit_code) {
        rw_progress_start(&b->copy.progress, b->cli, "bytes", 0);
        exit_code = b->now.data ? backup_data_dir(b, dir, &fatal) : backup_log(b, dir, &fatal);
        rw_progress_end(&b->copy.progress);
        int last = fatal || !b->now.n ? RW_EXIT_OK : finish(b);
        exit_code = last ? last : exit_code;
    }
    rw_file_close(lock);
    return exit_code;
}

static int run_backup(struct rw_cli *cli)
{
    const char *dir = rw_cli_operand(cli, 0);
    struct backup b = {.cli = cli, .dest = rw_cli_operand(cli, 1)};
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_stat st;
    int rc = vfs->ops->stat(vfs, dir, &st);
    if (rc)
        return rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error());
    if (rw_log_is_log_dir(b.dest) || rw_log_is_data_dir(b.dest))
        return rw_cli_fail(cli, RW_EXIT_EXISTS, "give a directory for backups alone",
                           "%s holds a log", b.dest);
    b.now.data = !rw_log_is_log_dir(dir);
    rc = rw_backup_make_dir(b.dest);
    if (rc)
        return rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error());
    int exit_code = rw_backup_copy_init(&b.copy, cli)
                        ? rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory")
                        : backup_to(&b, dir);
    rw_backup_copy_deinit(&b.copy);
    rw_backup_deinit(&b.before);
    rw_backup_deinit(&b.now);
    return exit_code;
}

static const struct rw_example backup_examples[] = {
    {"rollway log backup /var/lib/rollway /backup/rollway", "all logs of a data directory"},
    {"rollway log backup events-0 /backup/events-0", "again later: copies what is new"},
    {NULL, NULL},
};

const struct rw_command rw_cmd_log_backup = {
    .name = "log backup",
    .operands = "DIR DEST",
    .operands_complete = "dir",
    .operands_min = 2,
    .operands_max = 2,
    .summary = "copy logs, consistently and only what is new",
    .text =
        "DIR is a log or a data directory. May run beside a broker: of each log, what was whole "
        "is copied, with its start, producers, leader epochs, and what the data directory knows of "
        "it.\n"
        "\n"
        "Done again with the same DEST it copies what is new and removes what is gone. Until the "
        "new backup is complete, the one before can be restored. Files are named by what is in "
        "them; DEST/" RW_BACKUP_MANIFEST " says what belongs to the backup, with checksums.\n"
        "\n"
        "Everything is read and checked. What is damaged is copied as it is, with the healthy "
        "records around it; the exit status is 8 then. A log that can not be read is kept as the "
        "last backup has it.",
    .examples = backup_examples,
    .local = true,
    .run = run_backup,
};
