/*
 * rollway log backup and rollway log restore: consistent copies of a log, segment by segment, with a
 * manifest of sizes and checksums.
 *
 *     rollway-backup 1
 *     end <offset> start <offset>
 *     file <name> <bytes> <crc32c in hex>
 *
 * A backup may run beside a writer: it takes what was whole when it began. Segments that are in the
 * destination already, as the manifest says, are not copied again. The manifest is replaced last, so
 * that an interrupted backup leaves the previous one valid.
 */
#include "cli/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "cli/log_common.h"
#include "cli/log_starts.h"
#include "cli/progress.h"
#include "log/checkpoint.h"
#include "log/log.h"
#include "os/os.h"

#define MANIFEST "rollway-backup.manifest"
#define CHUNK    (1u << 20)

struct entry {
    char name[64];
    uint64_t size;
    uint32_t crc;
};

struct manifest {
    int64_t start, end;
    struct entry *at;
    size_t n, cap;
};

static int add_entry(struct manifest *m, const struct entry *e)
{
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 16;
        struct entry *at = rw_realloc_array(m->at, cap, sizeof(*at));
        if (!at)
            return RW_E_NOMEM;
        m->at = at;
        m->cap = cap;
    }
    m->at[m->n++] = *e;
    return RW_OK;
}

/* Names come from a file: nothing that leads out of the directory is taken. */
static bool name_is_plain(const char *name)
{
    return name[0] && name[0] != '.' && !strchr(name, '/');
}

static int parse_line(struct manifest *m, const char *line)
{
    struct entry e;
    if (sscanf(line, "file %63s %" SCNu64 " %" SCNx32, e.name, &e.size, &e.crc) == 3)
        return name_is_plain(e.name) ? add_entry(m, &e) : RW_E_CORRUPT;
    /* Version 0.1.0 wrote no start. */
    return sscanf(line, "end %" SCNd64 " start %" SCNd64, &m->end, &m->start) >= 1 ? RW_OK
                                                                                   : RW_E_CORRUPT;
}

static int parse_manifest(struct manifest *m, const char *text, size_t n)
{
    static const char head[] = "rollway-backup 1\n";
    if (n < sizeof(head) - 1 || memcmp(text, head, sizeof(head) - 1) != 0)
        return RW_E_UNSUPPORTED;
    int rc = RW_OK;
    for (size_t at = sizeof(head) - 1; at < n && !rc;) {
        char line[200];
        const char *end = memchr(text + at, '\n', n - at);
        size_t size = end ? (size_t)(end - text) - at : n - at;
        if (!end || size >= sizeof(line))
            return RW_E_CORRUPT;
        memcpy(line, text + at, size);
        line[size] = 0;
        rc = parse_line(m, line);
        at += size + 1;
    }
    return rc;
}

static int load_manifest(const char *dir, struct manifest *m)
{
    struct rw_path path;
    struct rw_buf text;
    *m = (struct manifest){.end = -1};
    rw_buf_init(&text);
    int rc = rw_path_join(&path, dir, MANIFEST, NULL);
    if (!rc)
        rc = rw_file_load(rw_os_env(), path.s, &text);
    if (!rc)
        rc = parse_manifest(m, (const char *)text.p, text.n);
    rw_buf_deinit(&text);
    return rc;
}

static int save_manifest(const char *dir, const struct manifest *m)
{
    struct rw_path path;
    struct rw_buf text;
    rw_buf_init(&text);
    rw_buf_printf(&text, "rollway-backup 1\nend %" PRId64 " start %" PRId64 "\n", m->end, m->start);
    for (size_t i = 0; i < m->n; i++)
        rw_buf_printf(&text, "file %s %" PRIu64 " %08" PRIx32 "\n", m->at[i].name, m->at[i].size,
                      m->at[i].crc);
    int rc = rw_path_join(&path, dir, MANIFEST, NULL);
    if (!rc)
        rc = text.failed ? RW_E_NOMEM : rw_file_replace(rw_os_env(), path.s, text.p, text.n, true);
    rw_buf_deinit(&text);
    return rc;
}

static const struct entry *find_entry(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->at[i].name, name) == 0)
            return &m->at[i];
    return NULL;
}

struct copy {
    struct rw_cli *cli;
    struct rw_progress progress;
    uint64_t done;
    uint8_t *chunk;
};

/* Copies e->size bytes (to == NULL: reads only) and sets e->crc. */
static int copy_bytes(struct copy *c, struct rw_file *from, struct rw_file *to, struct entry *e)
{
    uint32_t crc = 0;
    for (uint64_t at = 0; at < e->size;) {
        size_t want = e->size - at < CHUNK ? (size_t)(e->size - at) : CHUNK, got = 0;
        int rc = rw_file_read_at(from, at, c->chunk, want, &got);
        if (!rc && got != want)
            rc = RW_E_SHORT;
        if (!rc && to)
            rc = rw_file_write_at(to, at, c->chunk, want);
        if (!rc && rw_cli_interrupted())
            rc = RW_E_CANCELED;
        if (rc)
            return rc;
        crc = rw_crc32c(crc, c->chunk, want);
        at += want;
        c->done += want;
        rw_progress_update(&c->progress, (int64_t)c->done, (int64_t)c->done, rw_progress_now());
    }
    e->crc = crc;
    return RW_OK;
}

static int copy_file(struct copy *c, const char *from_dir, const char *to_dir, struct entry *e)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_path from, to;
    struct rw_file *in = NULL, *out = NULL;
    int rc = rw_path_join(&from, from_dir, e->name, NULL);
    if (!rc)
        rc = rw_path_join(&to, to_dir ? to_dir : from_dir, e->name, NULL);
    if (!rc)
        rc = rw_vfs_open(vfs, from.s, RW_OPEN_READ, &in);
    if (!rc && to_dir)
        rc = rw_vfs_open(vfs, to.s, RW_OPEN_WRITE | RW_OPEN_CREATE | RW_OPEN_TRUNC, &out);
    if (!rc)
        rc = copy_bytes(c, in, out, e);
    if (!rc && out)
        rc = out->ops->sync_data(out);
    rw_file_close(out);
    rw_file_close(in);
    return rc;
}

static bool size_is(const char *dir, const char *name, uint64_t size)
{
    struct rw_path path;
    struct rw_stat st;
    struct rw_vfs *vfs = rw_os_env()->vfs;
    return rw_path_join(&path, dir, name, NULL) == RW_OK &&
           vfs->ops->stat(vfs, path.s, &st) == RW_OK && st.size == size;
}

static int make_dir(const char *dir)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_path parent;
    int rc = vfs->ops->mkdir(vfs, dir);
    if (rc == RW_E_EXISTS)
        return RW_OK;
    if (!rc)
        rc = rw_path_parent(&parent, dir);
    return rc ? rc : vfs->ops->sync_dir(vfs, parent.s);
}

/* ---- backup ---- */

/* Where the log begins by what its owner says: records below were deleted, whatever the files hold. */
static int find_start(const char *dir, int64_t *ret_start)
{
    struct rollway_log *log;
    const struct rollway_log_options options = {
        .size = sizeof(options), .must_exist = 1, .read_only = 1};
    int rc = rollway_log_open(dir, &options, &log);
    if (rc)
        return rc;
    *ret_start = rollway_log_start_offset(log);
    return rollway_log_close(log);
}

/* What belongs into the backup, with sizes as of now. Segments are named by the log as it was opened,
 * so that one that is rolled meanwhile is not taken half. */
static int plan(const char *dir, struct manifest *ret)
{
    struct rw_log_config config;
    struct rw_log *log;
    struct log_names names;
    const struct rw_log_open_args args = {.read_only = true, .clean = true};
    static const char *const small[] = {RW_EPOCHS_NAME, RW_METADATA_NAME};
    rw_log_config_init(&config);
    int rc = rw_log_names(dir, rw_log_name_is_segment, &names);
    if (rc)
        return rc;
    rc = rw_log_open(rw_os_env(), dir, &config, &args, &log);
    if (rc) {
        rw_log_names_free(&names);
        return rc;
    }
    uint64_t left = rw_log_bytes(log);
    ret->end = rw_log_end(log);
    size_t n = names.n;
    if (rw_log_segments(log) < n)
        n = rw_log_segments(log);
    for (size_t i = 0; i < n && !rc; i++) {
        struct entry e = {.size = left};
        struct rw_path path;
        struct rw_stat st;
        snprintf(e.name, sizeof(e.name), "%s", names.at[i]);
        rc = rw_path_join(&path, dir, e.name, NULL);
        if (!rc)
            rc = rw_os_env()->vfs->ops->stat(rw_os_env()->vfs, path.s, &st);
        if (!rc && i + 1 < n && st.size < e.size)
            e.size = st.size;
        left -= e.size;
        if (!rc)
            rc = add_entry(ret, &e);
    }
    for (size_t i = 0; i < sizeof(small) / sizeof(small[0]) && !rc; i++) {
        struct entry e = {0};
        struct rw_path path;
        struct rw_stat st;
        snprintf(e.name, sizeof(e.name), "%s", small[i]);
        if (rw_path_join(&path, dir, e.name, NULL) == RW_OK &&
            rw_os_env()->vfs->ops->stat(rw_os_env()->vfs, path.s, &st) == RW_OK) {
            e.size = st.size;
            rc = add_entry(ret, &e);
        }
    }
    rw_log_names_free(&names);
    int closed = rw_log_close(log, false);
    if (!rc)
        rc = find_start(dir, &ret->start);
    return rc ? rc : closed;
}

static int copy_all(struct copy *c, const char *dir, const char *dest, struct manifest *now,
                    const struct manifest *before, size_t *ret_copied)
{
    int rc = RW_OK;
    for (size_t i = 0; i < now->n && !rc; i++) {
        struct entry *e = &now->at[i];
        const struct entry *old = find_entry(before, e->name);
        bool segment = rw_log_name_is_segment(e->name);
        if (segment && old && old->size == e->size && size_is(dest, e->name, e->size)) {
            e->crc = old->crc;
            continue;
        }
        rc = copy_file(c, dir, dest, e);
        *ret_copied += rc == RW_OK;
    }
    return rc ? rc : rw_os_env()->vfs->ops->sync_dir(rw_os_env()->vfs, dest);
}

/* Files of the previous backup that the log no longer has (retention). After the new manifest. */
static int remove_stale(const char *dest, const struct manifest *now, const struct manifest *before)
{
    int rc = RW_OK;
    for (size_t i = 0; i < before->n && !rc; i++) {
        struct rw_path path;
        if (find_entry(now, before->at[i].name))
            continue;
        rc = rw_path_join(&path, dest, before->at[i].name, NULL);
        if (!rc)
            rc = rw_file_remove(rw_os_env(), path.s);
    }
    return rc;
}

static int backup_dir(struct rw_cli *cli, const char *dir, void *arg)
{
    const char *dest = arg;
    struct manifest now = {0}, before;
    struct rw_path below;
    /* Several logs: each gets a directory of its own. */
    if (!rw_log_is_log_dir(rw_cli_operand(cli, 0))) {
        const char *slash = strrchr(dir, '/');
        if (make_dir(dest) || rw_path_join(&below, dest, slash ? slash + 1 : dir, NULL))
            return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "%s", rw_os_last_error());
        dest = below.s;
    }
    struct copy c = {.cli = cli, .chunk = rw_alloc(CHUNK)};
    size_t copied = 0;
    int rc = c.chunk ? make_dir(dest) : RW_E_NOMEM;
    int known = rc ? rc : load_manifest(dest, &before);
    if (known) {
        rw_free(rc ? NULL : before.at);
        before = (struct manifest){0};
    }
    if (!rc && known != RW_OK && known != RW_E_NOT_FOUND)
        rw_cli_note(cli, "%s: the manifest can not be used; everything is copied", dest);
    if (!rc)
        rc = plan(dir, &now);
    uint64_t total = 0;
    for (size_t i = 0; i < now.n; i++)
        total += now.at[i].size;
    rw_progress_start(&c.progress, cli, "bytes", (int64_t)total);
    if (!rc)
        rc = copy_all(&c, dir, dest, &now, &before, &copied);
    rw_progress_end(&c.progress);
    if (!rc)
        rc = save_manifest(dest, &now);
    if (!rc)
        rc = remove_stale(dest, &now, &before);
    if (!rc)
        rw_cli_note(cli, "%s: %zu of %zu files copied to %s, end offset %" PRId64, dir, copied,
                    now.n, dest, now.end);
    rw_free(now.at);
    rw_free(before.at);
    rw_free(c.chunk);
    if (rc == RW_E_CANCELED)
        return RW_EXIT_INTERRUPTED;
    return rc ? rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "backup of %s: %s %s", dir,
                            rw_code_text(rc), rw_os_last_error())
              : RW_EXIT_OK;
}

static int run_backup(struct rw_cli *cli)
{
    union {
        const char *in;
        void *arg;
    } dest = {.in = rw_cli_operand(cli, 1)};
    return rw_log_each_dir(cli, rw_cli_operand(cli, 0), backup_dir, dest.arg);
}

/* ---- restore ---- */

static int check_backup(struct copy *c, struct rw_cli *cli, const char *dir, struct manifest *m)
{
    for (size_t i = 0; i < m->n; i++) {
        struct entry e = m->at[i];
        int rc = copy_file(c, dir, NULL, &e);
        if (rc == RW_E_CANCELED)
            return RW_EXIT_INTERRUPTED;
        if (rc || e.crc != m->at[i].crc)
            return rw_cli_fail(cli, RW_EXIT_UNHEALTHY, "make a new backup; nothing was restored",
                               "%s/%s is not what the manifest says: %s", dir, e.name,
                               rc ? rw_code_text(rc) : "the checksum differs");
    }
    return RW_EXIT_OK;
}

/* Opens what was restored, which makes the indexes, compares the end, and deletes again what was deleted. */
static int open_restored(struct rw_cli *cli, const char *dest, const struct manifest *m)
{
    int exit_code;
    const struct rollway_log_options options = {
        .size = sizeof(options), .must_exist = 1, .durability = ROLLWAY_DURABLE_OS};
    struct rollway_log *log = rw_log_cli_open(cli, dest, &options, &exit_code);
    if (!log)
        return exit_code;
    int64_t got = rollway_log_end_offset(log);
    int rc = m->start > rollway_log_start_offset(log) && m->start <= got
                 ? rollway_log_trim(log, m->start)
                 : RW_OK;
    if (rc)
        exit_code = rw_log_cli_fail(cli, log, rc);
    rc = rollway_log_close(log);
    if (exit_code || rc)
        return exit_code ? exit_code : rw_log_cli_fail(cli, NULL, rc);
    if (got < m->end)
        return rw_cli_fail(cli, RW_EXIT_UNHEALTHY, NULL,
                           "%s ends at offset %" PRId64 ", the backup ended at %" PRId64, dest, got,
                           m->end);
    rw_cli_note(cli, "%s: restored up to offset %" PRId64, dest, got);
    return RW_EXIT_OK;
}

/* *ret_start: where the restored log begins. */
static int restore_one(struct rw_cli *cli, const char *dir, const char *dest, int64_t *ret_start)
{
    struct manifest m;
    struct copy c = {.cli = cli, .chunk = rw_alloc(CHUNK)};
    int rc = c.chunk ? load_manifest(dir, &m) : RW_E_NOMEM;
    if (rc) {
        rw_free(c.chunk);
        return rw_cli_fail(cli, rw_cli_exit_of(rc),
                           "only what `rollway log backup` made can be restored",
                           "%s/" MANIFEST ": %s", dir, rw_code_text(rc));
    }
    int exit_code = RW_EXIT_OK;
    if (rw_log_is_log_dir(dest))
        exit_code = rw_cli_fail(cli, RW_EXIT_EXISTS, "give a directory that does not exist yet",
                                "%s holds a log already", dest);
    uint64_t total = 0;
    for (size_t i = 0; i < m.n; i++)
        total += m.at[i].size * 2;
    rw_progress_start(&c.progress, cli, "bytes", (int64_t)total);
    if (!exit_code)
        exit_code = check_backup(&c, cli, dir, &m);
    if (!exit_code)
        rc = make_dir(dest);
    for (size_t i = 0; i < m.n && !rc && !exit_code; i++)
        rc = copy_file(&c, dir, dest, &m.at[i]);
    rw_progress_end(&c.progress);
    if (rc && !exit_code)
        exit_code = rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "restore to %s: %s %s", dest,
                                rw_code_text(rc), rw_os_last_error());
    if (!exit_code)
        exit_code = open_restored(cli, dest, &m);
    if (!exit_code)
        *ret_start = m.start;
    rw_free(m.at);
    rw_free(c.chunk);
    return exit_code;
}

static int restore_below(struct rw_cli *cli, const char *dir, void *arg)
{
    const char *slash = strrchr(dir, '/'), *name = slash ? slash + 1 : dir;
    struct rw_path dest;
    int64_t start = 0;
    if (rw_log_is_log_dir(rw_cli_operand(cli, 0)))
        return restore_one(cli, dir, arg, &start);
    int rc = make_dir(arg);
    if (!rc)
        rc = rw_path_join(&dest, arg, name, NULL);
    int exit_code = rc ? RW_EXIT_OK : restore_one(cli, dir, dest.s, &start);
    if (!rc && !exit_code && start > 0)
        rc = rw_log_starts_set(arg, name, start);
    return rc ? rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error()) : exit_code;
}

static int run_restore(struct rw_cli *cli)
{
    union {
        const char *in;
        void *arg;
    } dest = {.in = rw_cli_operand(cli, 1)};
    return rw_log_each_dir(cli, rw_cli_operand(cli, 0), restore_below, dest.arg);
}

static const struct rw_example backup_examples[] = {
    {"rollway log backup /var/lib/rollway /backup/monday", "all logs of a data directory"},
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
    .text = "May run beside a broker: what was whole when it began is copied. Checksums go into "
            "DEST/" MANIFEST ". Indexes and the state of idempotent producers are left out: "
            "restoring makes them again from the records.",
    .examples = backup_examples,
    .local = true,
    .run = run_backup,
};

static const struct rw_example restore_examples[] = {
    {"rollway log restore /backup/events-0 events-0", "verify the backup, then copy it back"},
    {NULL, NULL},
};

const struct rw_command rw_cmd_log_restore = {
    .name = "log restore",
    .operands = "BACKUP DIR",
    .operands_complete = "dir",
    .operands_min = 2,
    .operands_max = 2,
    .summary = "bring logs back from a backup",
    .text = "Every file is checked against the manifest before the first is copied. DIR must not "
            "hold a log. Indexes and the state of idempotent producers are made again from the "
            "records: a producer none of whose records is left begins anew. Records that had been "
            "deleted stay deleted.",
    .examples = restore_examples,
    .local = true,
    .run = run_restore,
};
