/*
 * rollway logger rescue: what processes that are gone have left in their rings and spools, printed. Looking changes nothing: files of rings
 * are copied under a shared lock, spools are opened read-only. A file is removed only when all that is in it was printed.
 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/human.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/log_common.h"
#include "cli/table.h"
#include "cli/when.h"
#include "logger/config.h"
#include "logger/rescue.h"
#include "logger/spool.h"
#include "os/os.h"
#include "os/shared.h"
#include "os/task.h"

#define FLUSH_AT (256u << 10)

/* What was found in one place. */
struct found {
    const char *kind; /* "rings", "spool" */
    const char *application;
    uint32_t pid; /* 0: not known */
    bool alive;
    int64_t records, oldest_ms, newest_ms;
    uint64_t bytes, damaged;
};

struct rescue {
    struct rw_cli *cli;
    struct rw_lg_format format;
    bool list, all, remove, json;
    int level;
    const char *appender;
    char *line;
    size_t line_cap;
    struct rw_table table;
    struct rw_json j;
    int exit_code;
    int places;
};

static void fail(struct rescue *r, int exit_code, const char *hint, const char *text)
{
    r->exit_code = rw_cli_fail(r->cli, exit_code, hint, "%s", text);
}

/* ---- the list ---- */

static void time_cell(struct rw_table *t, int64_t records, int64_t ms)
{
    char text[RW_TIME_TEXT];
    if (records > 0)
        rw_table_cell(t, "%s", rw_format_time(ms, text));
    else
        rw_table_cell_n(t, NULL, -1);
}

static void list_one(struct rescue *r, const char *path, const struct found *f)
{
    if (r->json) {
        rw_json_object(&r->j, NULL);
        rw_json_cstr(&r->j, "path", path);
        rw_json_cstr(&r->j, "kind", f->kind);
        rw_json_cstr(&r->j, "application", f->application);
        if (f->pid)
            rw_json_int(&r->j, "pid", f->pid);
        else
            rw_json_null(&r->j, "pid");
        rw_json_bool(&r->j, "alive", f->alive);
        rw_json_int(&r->j, "records", f->records);
        if (f->records > 0) {
            rw_json_int(&r->j, "oldest_ms", f->oldest_ms);
            rw_json_int(&r->j, "newest_ms", f->newest_ms);
        }
        rw_json_uint(&r->j, "bytes", f->bytes);
        rw_json_uint(&r->j, "damaged", f->damaged);
        rw_json_end(&r->j);
        return;
    }
    char size[RW_HUMAN_SIZE];
    struct rw_table *t = &r->table;
    rw_table_cell(t, "%s", path);
    rw_table_cell(t, "%s", f->kind);
    rw_table_cell(t, "%s", f->application);
    if (f->pid)
        rw_table_cell(t, "%u", f->pid);
    else
        rw_table_cell_n(t, NULL, -1);
    rw_table_cell(t, "%s", f->alive ? "yes" : "no");
    if (f->records < 0)
        rw_table_cell_n(t, NULL, -1);
    else
        rw_table_cell(t, "%" PRId64, f->records);
    time_cell(t, f->records, f->oldest_ms);
    time_cell(t, f->records, f->newest_ms);
    rw_table_cell(t, "%s", rw_human_bytes(size, f->bytes));
}

static void count(struct found *f, int64_t ms)
{
    if (f->records == 0 || ms < f->oldest_ms)
        f->oldest_ms = ms;
    if (f->records == 0 || ms > f->newest_ms)
        f->newest_ms = ms;
    f->records++;
}

/* ---- rings ---- */

/* A bit for the cursor of --appender; 0: all of them have to be past a record before it is left out. */
static int appender_bit(struct rescue *r, const struct rw_lg_map *map, uint8_t *ret_bit)
{
    const struct rw_lg_shared *h = rw_lg_header(map);
    *ret_bit = 0;
    if (!r->appender)
        return RW_OK;
    for (unsigned i = 0; i < RW_LG_APPENDERS; i++)
        if (strncmp(h->cursors[i].name, r->appender, RW_LG_NAME) == 0)
            *ret_bit = (uint8_t)(1u << i);
    return *ret_bit ? RW_OK : RW_E_NOT_FOUND;
}

/* False: no memory. */
static bool print_view(struct rescue *r, const struct rw_lg_view *v)
{
    for (;;) {
        struct rw_lg_out o = {r->line, r->line_cap, 0};
        rw_lg_format_line(&r->format, &o, v);
        if (o.n <= o.cap) {
            rw_buf_add(rw_cli_out(r->cli), o.p, o.n);
            return !rw_cli_out(r->cli)->failed;
        }
        char *grown = rw_realloc(r->line, o.n);
        if (!grown)
            return false;
        r->line = grown;
        r->line_cap = o.n;
    }
}

/* Reads all of it; prints unless it is a list. */
static int read_rings(struct rescue *r, struct rw_lg_rescue *rings, struct found *f)
{
    struct rw_lg_knowledge known = {.map = &rings->map};
    const struct rw_lg_entry *e;
    uint8_t done, bit;
    int64_t ns;
    int rc = appender_bit(r, &rings->map, &bit);
    struct rw_lg_view *v = rw_alloc(sizeof(*v));
    if (!v)
        rc = RW_E_NOMEM;
    while (!rc && (e = rw_lg_rescue_next(rings, &ns, &done))) {
        if (done & bit)
            continue;
        if (!rw_lg_view(&known, e, ns, v)) {
            rings->lost++;
            continue;
        }
        if (v->level < r->level)
            continue;
        count(f, ns / 1000000);
        if (!r->list && !print_view(r, v))
            rc = RW_E_NOMEM;
        if (rw_cli_out(r->cli)->n >= FLUSH_AT && rw_cli_flush(r->cli) != RW_OK)
            rc = RW_E_IO;
        if (rw_cli_interrupted())
            rc = RW_E_CANCELED;
    }
    f->damaged = rings->lost;
    rw_lg_knowledge_deinit(&known);
    rw_free(v);
    return rc;
}

/* The name in a file whose process lives, or that makes no sense, from the name of the file: <application>.<pid>.<n>.rings. */
static void names_of_file(const char *path, char application[RW_LG_NAME], uint32_t *ret_pid)
{
    const char *slash = strrchr(path, '/');
    snprintf(application, RW_LG_NAME, "%s", slash ? slash + 1 : path);
    char *dot = NULL;
    for (int i = 0; i < 3 && (dot = strrchr(application, '.')); i++) {
        *ret_pid = i == 2 ? (uint32_t)strtoul(dot + 1, NULL, 10) : 0;
        *dot = 0;
    }
}

/* On its way to a disk as far as that can be; a pipe or a terminal can not. */
static bool is_out(struct rescue *r)
{
    return rw_cli_flush(r->cli) == RW_OK &&
           (fdatasync(STDOUT_FILENO) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP);
}

static void rings_are_read(struct rescue *r, const char *path, struct rw_lg_rescue *rings,
                           const struct found *f, int rc)
{
    bool fine = rc == RW_OK && !f->damaged;
    if (rc == RW_E_NOT_FOUND)
        fail(r, RW_EXIT_NOT_FOUND, NULL, "no such appender there");
    else if (rc == RW_E_NOMEM)
        fail(r, RW_EXIT_FAILED, NULL, "out of memory");
    else if (rc)
        r->exit_code = rc == RW_E_CANCELED ? RW_EXIT_INTERRUPTED : RW_EXIT_FAILED;
    if (f->damaged)
        r->exit_code =
            rw_cli_fail(r->cli, RW_EXIT_UNHEALTHY, NULL,
                        "%s: damaged: %" PRIu64 " records, or what is behind them, can not be read",
                        path, f->damaged);
    if (r->remove && fine && is_out(r)) {
        rw_lg_rescue_close(rings, true);
        return;
    }
    if (r->remove)
        rw_cli_note(r->cli, "%s: not removed", path);
    rw_lg_rescue_close(rings, false);
}

/* A file whose process ended before it had written anything: it begins with zeros, or has no bytes. */
static bool holds_nothing(const char *path)
{
    char head[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    ssize_t n = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
                    ? pread(fd, head, sizeof(head), 0)
                    : -1;
    for (ssize_t i = 0; i < n; i++)
        if (head[i])
            n = -1;
    if (fd >= 0)
        close(fd);
    return n >= 0;
}

/* No file of rings: in words why. */
static void visit_other(struct rescue *r, const char *path, struct found *f, int rc,
                        const char *text)
{
    struct stat st;
    if (rc == RW_E_LOCKED) {
        f->alive = true;
        f->records = -1;
        if (r->list)
            list_one(r, path, f);
        else
            rw_cli_note(r->cli, "%s; it writes what is there itself", text);
    } else if (rc == RW_E_CORRUPT && holds_nothing(path)) {
        if (r->list)
            list_one(r, path, f);
        else
            rw_cli_note(r->cli, "%s: empty, its process ended before it had logged anything", path);
        if (r->remove)
            rw_os_shared_tidy(path);
    } else if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        r->exit_code = rw_cli_fail(r->cli, RW_EXIT_FAILED, NULL,
                                   "%s: a symbolic link, which is not followed", path);
    } else {
        fail(r, rc == RW_E_CORRUPT ? RW_EXIT_UNHEALTHY : rw_cli_exit_of(rc), NULL, text);
    }
}

static void visit_rings(struct rescue *r, const char *path)
{
    struct rw_lg_rescue rings;
    struct rw_err err = {0};
    struct rw_stat st = {.allocated = 0};
    char application[RW_LG_NAME];
    struct found f = {.kind = "rings", .application = application};
    (void)rw_os_env()->vfs->ops->stat(rw_os_env()->vfs, path, &st);
    f.bytes = st.allocated;
    names_of_file(path, application, &f.pid);
    r->places++;
    int rc = r->remove ? rw_lg_rescue_open(path, &rings, &err)
                       : rw_lg_rescue_look(path, r->all, &rings, &err);
    if (rc) {
        visit_other(r, path, &f, rc, err.text);
        return;
    }
    const struct rw_lg_shared *h = rw_lg_header(&rings.map);
    memcpy(application, h->name, sizeof(application)); /* was seen to end */
    f.pid = h->pid;
    rc = read_rings(r, &rings, &f);
    if (r->list)
        list_one(r, path, &f);
    else if (f.records > 0)
        rw_cli_note(r->cli, "%s: %" PRId64 " records of %s, process %u", path, f.records,
                    application, f.pid);
    rings_are_read(r, path, &rings, &f, rc);
}

/* ---- spools ---- */

/* Somebody holds the lock of the spool; looking does not take it. */
static bool spool_alive(const char *dir)
{
    struct rw_path path;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (rw_path_join(&path, dir, ".lock", NULL))
        return false;
    int fd = open(path.s, O_RDONLY | O_CLOEXEC);
    bool held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    if (fd >= 0)
        close(fd);
    return held;
}

static int print_spooled(struct rescue *r, const struct rollway_record *record)
{
    struct rw_buf *out = rw_cli_out(r->cli);
    rw_buf_add(out, record->value, record->value_size);
    rw_buf_add_u8(out, '\n');
    return out->n >= FLUSH_AT ? rw_cli_flush(r->cli) : RW_OK;
}

/* The lines of a lane that the broker does not have. */
static int read_lane(struct rescue *r, const char *dir, struct found *f)
{
    const struct rollway_log_options options = {
        .size = sizeof(options), .read_only = 1, .must_exist = 1};
    struct rw_lg_shipped shipped = {.acked = 0};
    struct rollway_record record;
    struct rollway_cursor *cursor = NULL;
    struct rw_path slot;
    int exit_code;
    if (rw_path_join(&slot, dir, "shipped", NULL) ||
        rw_lg_slot_read(rw_os_env(), slot.s, &shipped, sizeof(shipped)) != RW_OK)
        shipped.acked = 0;
    struct rollway_log *log = rw_log_cli_open(r->cli, dir, &options, &exit_code);
    if (!log)
        return exit_code;
    int64_t from = rollway_log_start_offset(log), end = rollway_log_end_offset(log);
    if (!r->all && shipped.acked > from)
        from = shipped.acked < end ? shipped.acked : end;
    f->bytes += rollway_log_size(log);
    int rc = rollway_cursor_new(log, from, &cursor);
    while (!rc && !rw_cli_interrupted() && (rc = rollway_cursor_next(cursor, &record)) == 1) {
        count(f, record.timestamp_ms);
        rc = r->list ? RW_OK : print_spooled(r, &record);
    }
    if (rc < 0 && !rw_cli_stdout_failed(r->cli))
        exit_code = rw_log_cli_fail(r->cli, log, rc);
    rollway_cursor_free(cursor);
    rc = rollway_log_close(log);
    return !exit_code && rc ? rw_log_cli_fail(r->cli, NULL, rc) : exit_code;
}

static bool is_lane(const char *name)
{
    char topic[256];
    int32_t number;
    return strlen(name) < sizeof(topic) && rw_name_partition(name, topic, &number);
}

static void visit_spool(struct rescue *r, const char *dir)
{
    struct log_names lanes;
    const char *slash = strrchr(dir, '/');
    struct found f = {.kind = "spool", .application = slash ? slash + 1 : dir};
    f.alive = spool_alive(dir);
    r->places++;
    int rc = rw_log_names(dir, is_lane, &lanes);
    if (rc) {
        fail(r, rw_cli_exit_of(rc), NULL, rw_os_last_error());
        return;
    }
    if (r->remove)
        rw_cli_note(r->cli, "%s: not removed: the next start ships what is in a spool", dir);
    for (size_t i = 0; i < lanes.n && !rw_cli_interrupted(); i++) {
        struct rw_path path;
        if (rw_path_join(&path, dir, lanes.at[i], NULL) || !rw_log_is_log_dir(path.s))
            continue;
        int exit_code = read_lane(r, path.s, &f);
        r->exit_code = exit_code ? exit_code : r->exit_code;
    }
    rw_log_names_free(&lanes);
    if (r->list)
        list_one(r, dir, &f);
    else if (f.records > 0)
        rw_cli_note(r->cli, "%s: %" PRId64 " lines that no broker has%s", dir, f.records,
                    f.alive ? "; its process is alive and ships them" : "");
}

/* ---- places ---- */

static bool is_rings(const char *name)
{
    return rw_name_ends(name, ".rings");
}

static bool no_dot(const char *name)
{
    return name[0] != '.';
}

static bool is_spool(const char *dir)
{
    struct rw_path path;
    struct rw_stat st;
    return !rw_path_join(&path, dir, "intent", NULL) &&
           rw_os_env()->vfs->ops->stat(rw_os_env()->vfs, path.s, &st) == RW_OK && !st.is_dir;
}

/* Files of rings and spools below a directory; nothing there is fine. */
static int visit_dir(struct rescue *r, const char *dir)
{
    struct log_names names;
    int rc = rw_log_names(dir, no_dot, &names);
    for (size_t i = 0; !rc && i < names.n && !rw_cli_interrupted(); i++) {
        struct rw_path path;
        if (rw_path_join(&path, dir, names.at[i], NULL))
            continue;
        if (is_rings(names.at[i]))
            visit_rings(r, path.s);
        else if (is_spool(path.s))
            visit_spool(r, path.s);
    }
    if (!rc)
        rw_log_names_free(&names);
    return rc;
}

static void visit(struct rescue *r, const char *path)
{
    struct rw_stat st;
    struct rw_vfs *vfs = rw_os_env()->vfs;
    int rc = vfs->ops->stat(vfs, path, &st);
    if (!rc && !st.is_dir)
        visit_rings(r, path);
    else if (!rc && is_spool(path))
        visit_spool(r, path);
    else if (!rc)
        rc = visit_dir(r, path);
    if (rc)
        fail(r, rw_cli_exit_of(rc), NULL, rw_os_last_error());
}

/* Where the rings and spools of this user are. */
static void visit_defaults(struct rescue *r)
{
    char dir[512];
    int rc = rw_os_run_dir(dir, sizeof(dir));
    if (!rc)
        rc = visit_dir(r, dir);
    if (rc)
        fail(r, rw_cli_exit_of(rc), "name the directory", rw_os_last_error());
    if (rw_os_state_dir(dir, sizeof(dir)) == RW_OK)
        (void)visit_dir(r, dir); /* most programs have no spool */
}

/* ---- the command ---- */

static int take_options(struct rescue *r)
{
    struct rw_cli *cli = r->cli;
    struct rw_err err;
    const char *level = rw_cli_string(cli, "level", "trace");
    r->list = rw_cli_has(cli, "list");
    r->all = rw_cli_has(cli, "all");
    r->remove = rw_cli_has(cli, "remove");
    r->json = rw_cli_json(cli);
    r->appender = rw_cli_string(cli, "appender", NULL);
    r->level = rw_lg_level_parse(rw_str(level));
    if (r->level < 0)
        return rw_cli_usage(cli, "--level is trace, debug, info, warn, error or fatal, not \"%s\"",
                            level);
    if (r->remove && (r->list || r->all || r->level > 0 || r->appender))
        return rw_cli_usage(cli, "--remove is for files of which everything is printed: no --list, "
                                 "--all, --level or --appender");
    const char *format = rw_cli_string(cli, "format", r->json ? "json" : "logfmt");
    if (rw_lg_format_init(format, &r->format, &err) != RW_OK)
        return rw_cli_usage(cli, "%s", err.text);
    r->format.site = r->format.thread = rw_cli_has(cli, "site");
    return RW_EXIT_OK;
}

static void show_list(struct rescue *r)
{
    if (r->json) {
        rw_json_end(&r->j);
        rw_buf_add_u8(rw_cli_out(r->cli), '\n');
    } else if (r->places) {
        rw_table_render(&r->table, rw_cli_plain(r->cli), rw_cli_colour(r->cli, STDOUT_FILENO),
                        rw_cli_out(r->cli));
    }
}

static int run(struct rw_cli *cli)
{
    static const char *const names[] = {"PATH",     "KIND",   "APPLICATION", ">PID",   "ALIVE",
                                        ">RECORDS", "OLDEST", "NEWEST",      ">BYTES", NULL};
    struct rescue *r = rw_zalloc(sizeof(*r));
    if (!r)
        return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    r->cli = cli;
    int exit_code = take_options(r);
    if (!exit_code) {
        rw_table_init(&r->table, names);
        rw_json_init(&r->j, rw_cli_out(cli), 2);
        if (r->list && r->json)
            rw_json_array(&r->j, NULL);
        for (int i = 0; i < rw_cli_operand_count(cli) && !rw_cli_interrupted(); i++)
            visit(r, rw_cli_operand(cli, i));
        if (rw_cli_operand_count(cli) == 0)
            visit_defaults(r);
        if (r->list)
            show_list(r);
        if (!r->places && !r->exit_code)
            rw_cli_note(cli, "nothing was left: no files of rings and no spools there");
        rw_table_deinit(&r->table);
        exit_code = rw_cli_interrupted() ? RW_EXIT_INTERRUPTED : r->exit_code;
    }
    rw_free(r->line);
    rw_free(r);
    return exit_code;
}

static const struct rw_option options[] = {
    {"list", 'l', RW_OPT_FLAG, NULL, "one line for each file: whose, how many records, how old",
     NULL},
    {"all", 'a', RW_OPT_FLAG, NULL,
     "what every appender has written too, as far as it is still there", NULL},
    {"appender", 0, RW_OPT_STRING, "NAME", "what this appender has not written", NULL},
    {"level", 0, RW_OPT_STRING, "LEVEL", "records of at least this level",
     "trace|debug|info|warn|error|fatal"},
    {"format", 'f', RW_OPT_STRING, "FORMAT",
     "logfmt, json, or a pattern, as in the library's settings (default logfmt)", "logfmt|json"},
    {"site", 0, RW_OPT_FLAG, NULL, "with file, line, function and thread", NULL},
    {"remove", 0, RW_OPT_FLAG, NULL, "remove each file of rings when all of it was printed", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example examples[] = {
    {"rollway logger rescue --list", "what there is"},
    {"rollway logger rescue --level warn", "the last words of programs that were killed"},
    {"rollway logger rescue --remove >>rescued.log", "print it, then remove the files"},
    {NULL, NULL}};

const struct rw_command rw_cmd_logger_rescue = {
    .name = "logger rescue",
    .operands = "PATH...",
    .operands_complete = "file",
    .operands_min = 0,
    .operands_max = -1,
    .summary = "print what programs that were killed had logged and not written",
    .text =
        "PATH is a file of rings, a spool of a broker appender, or a directory of them. Default: "
        "$XDG_RUNTIME_DIR/rollway (else /dev/shm/rollway-<uid>) and $XDG_STATE_HOME/rollway (root: "
        "/var/lib/rollway/spool, else ~/.local/state/rollway).\n"
        "\n"
        "Of rings, records are printed that at least one appender has not written (so none that is "
        "missing somewhere is left out), in the order in which they would have been; --appender "
        "asks for one "
        "alone. Of a spool, the lines that the broker has not acknowledged, as they are.\n"
        "\n"
        "Nothing is changed, unless --remove is given, and a process that lives is never "
        "disturbed. Without this "
        "command the next start of the same application writes what is left: that stays so. Damage "
        "is told, "
        "and the exit status is 8.",
    .options = options,
    .examples = examples,
    .local = true,
    .run = run,
};
