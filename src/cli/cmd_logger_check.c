/* rollway logger check: what a file of settings means, with what it does not say filled in, and a line as each appender would write it. */
#include "cli/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/human.h"
#include "base/mem.h"
#include "log/checkpoint.h"
#include "logger/config.h"
#include "logger/process.h"
#include "os/os.h"
#include "os/task.h"

#define SAMPLE_NS INT64_C(1795362001123456000)

enum { SIZE_MAX_FILE = 1024 * 1024 };

struct check {
    struct rw_cli *cli;
    const char *path;
    struct rw_lg_config config;
    struct rw_buf *out;
    int warnings;
};

static void name(struct check *c, const char *word)
{
    rw_buf_printf(c->out, "  %-12s ", word);
}

static void bytes(struct check *c, int64_t n)
{
    char text[RW_HUMAN_SIZE];
    rw_buf_add_str(c->out, rw_human_bytes(text, (uint64_t)n));
}

static void ms(struct check *c, int64_t n)
{
    char text[RW_HUMAN_SIZE];
    rw_buf_add_str(c->out, rw_human_ms(text, n));
}

static void warn(struct check *c, const char *text)
{
    name(c, "note");
    rw_buf_printf(c->out, "%s\n", text);
    c->warnings++;
}

/* "drop; error, fatal: block for 100ms": the policy of most levels first. */
static void overflow(struct check *c, const enum rw_lg_overflow policy[], const int64_t wait_ns[])
{
    static const char *const names[] = {
        [RW_LG_DROP_NEW] = "drop what comes",
        [RW_LG_DROP_OLD] = "drop the oldest",
        [RW_LG_BLOCK] = "wait",
        [RW_LG_BREAKER] = "wait while it is slow, drop the oldest while it is away"};
    for (unsigned l = 0; l < RW_LG_LEVELS; l++) {
        if (l > 0 && policy[l] == policy[l - 1] && wait_ns[l] == wait_ns[l - 1])
            continue;
        rw_buf_add_str(c->out, l > 0 ? "; from " : "");
        rw_buf_add_str(c->out, l > 0 ? rw_lg_level_name(l) : "");
        rw_buf_add_str(c->out, l > 0 ? " on " : "");
        rw_buf_add_str(c->out, names[policy[l]]);
        if (policy[l] == RW_LG_BLOCK && wait_ns[l] >= 0) {
            rw_buf_add_str(c->out, " for ");
            ms(c, wait_ns[l] / 1000000);
            rw_buf_add_str(c->out, " at most");
        }
    }
    rw_buf_add_u8(c->out, '\n');
}

/* ---- the process ---- */

static void levels(struct check *c)
{
    const struct rw_lg_config *g = &c->config;
    int all = ROLLWAY_INFO;
    for (unsigned i = 0; i < g->n_levels; i++)
        if (!g->levels[i].name[0])
            all = g->levels[i].level;
    name(c, "level");
    rw_buf_printf(c->out, "%s", rw_lg_level_name((unsigned)all));
    for (unsigned i = 0; i < g->n_levels; i++)
        if (g->levels[i].name[0])
            rw_buf_printf(c->out, "; %s: %s", g->levels[i].name,
                          rw_lg_level_name((unsigned)g->levels[i].level));
    rw_buf_add_u8(c->out, '\n');
}

static void limits(struct check *c)
{
    for (unsigned i = 0; i < c->config.n_limits; i++) {
        const struct rw_lg_limit_rule *l = &c->config.limits[i];
        name(c, l->sample ? "sample" : "limit");
        if (l->sample)
            rw_buf_printf(c->out, "%s: one of %u\n", l->pattern, l->sample);
        else
            rw_buf_printf(c->out, "%s: %.6g a second, %.6g at once\n", l->pattern,
                          1e9 / (double)l->each_ns, (double)l->at_once_ns / (double)l->each_ns);
    }
}

/* False, with errno: no file could be made in the folder of the rings, which only the default one is made for. */
static bool has_room_for_rings(const struct rw_lg_config *g)
{
    struct stat st;
    if (strcmp(g->dir, "none") == 0)
        return true;
    if (stat(g->dir, &st) != 0)
        return false;
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    return access(g->dir, W_OK | X_OK) == 0;
}

static void process(struct check *c)
{
    const struct rw_lg_config *g = &c->config;
    rw_buf_printf(c->out, "the program %s\n", g->name);
    levels(c);
    limits(c);
    name(c, "calls");
    rw_buf_add_str(c->out, g->sync ? "return when their record is written and synced\n"
                                   : "return when their record is in the thread's ring\n");
    name(c, "rings");
    bytes(c, g->ring_bytes);
    rw_buf_add_str(c->out, " for each thread, ");
    bytes(c, g->memory_bytes);
    rw_buf_printf(c->out, " in all, in %s\n", strcmp(g->dir, "none") ? g->dir : "memory");
    name(c, "a full ring");
    overflow(c, g->overflow, g->wait_ns);
    name(c, "journal");
    bytes(c, g->journal_bytes);
    rw_buf_add_str(c->out, " for what waits for the slowest appender\n");
    if (g->reload_signal) {
        name(c, "reload");
        rw_buf_printf(c->out, "at SIG%s\n", sigabbrev_np(g->reload_signal));
    }
    if (g->metrics_path[0]) {
        name(c, "metrics");
        rw_buf_printf(c->out, "%s, every ", g->metrics_path);
        ms(c, g->metrics_ms);
        rw_buf_add_u8(c->out, '\n');
    }
    if (!has_room_for_rings(g))
        warn(c,
             "the rings can not be there, as it looks from here, and the program would not start");
    if (strcmp(g->dir, "none") == 0)
        warn(c, "without a file of rings, what was not written is lost when the program is killed");
}

/* ---- appenders ---- */

static void line(struct check *c, struct rw_lg_format *format)
{
    static const struct rw_lg_field fields[] = {
        {.key = "user", .key_n = 4, .value = {.type = ROLLWAY_T_INT_, .bits = 5}},
        {.key = "path", .key_n = 4, .value = {.type = ROLLWAY_T_CSTR_, .p = "/a b", .n = 4}}};
    struct rw_lg_view v = {.time_ns = SAMPLE_NS,
                           .level = ROLLWAY_INFO,
                           .logger = "orders",
                           .logger_n = 6,
                           .message = "order accepted",
                           .message_n = 14,
                           .file = "src/orders.c",
                           .function = "accept",
                           .line = 12,
                           .thread = 4711,
                           .n_fields = 2};
    char text[2048];
    struct rw_lg_out o = {text, sizeof(text), 0};
    memcpy(v.fields, fields, sizeof(fields));
    rw_lg_format_line(format, &o, &v);
    name(c, "a line");
    rw_buf_add(c->out, text, o.n < sizeof(text) ? o.n : sizeof(text));
}

/* A name, as the program gives it to rollway_logger_add_formatter(). */
static bool is_formatter(const char *format)
{
    return format[0] && !strchr(format, '%') && strcmp(format, "json") != 0 &&
           strcmp(format, "logfmt") != 0;
}

static const char *setting(const struct rw_lg_config_appender *a, const char *key)
{
    for (unsigned i = 0; i < a->n_settings; i++)
        if (strcmp(a->settings[i].key, key) == 0)
            return a->settings[i].value;
    return "";
}

/* What is no mistake, but perhaps not meant. */
static void remarks(struct check *c, const struct rw_lg_config_appender *a)
{
    if (a->o.overflow[ROLLWAY_FATAL] == RW_LG_BLOCK && a->o.wait_ns[ROLLWAY_FATAL] < 0 &&
        c->config.overflow[ROLLWAY_FATAL] == RW_LG_BLOCK && c->config.wait_ns[ROLLWAY_FATAL] < 0)
        warn(c, "the program waits for as long as this destination is away");
    if (is_formatter(a->format))
        warn(c, "the format must be one that the program brings along: json and logfmt are those "
                "of the library, a pattern has a %");
    if (strcmp(a->type, "callback") == 0)
        warn(c, "the program must bring the callback along");
    for (const struct rw_lg_config_appender *b = c->config.appenders; b < a; b++)
        if (strcmp(a->type, "file") == 0 && strcmp(b->type, "file") == 0 &&
            strcmp(setting(a, "path"), setting(b, "path")) == 0)
            warn(c, "another appender writes to this file too, and they do not know each other");
}

static void appender(struct check *c, struct rw_lg_config_appender *a)
{
    rw_buf_printf(c->out, "appender %s: %s\n", a->o.name, a->type);
    name(c, "takes");
    rw_buf_printf(c->out, "from %s on", rw_lg_level_name((unsigned)a->o.level));
    for (unsigned i = 0; i < a->o.n_loggers; i++)
        rw_buf_printf(c->out, "%s%s", i ? ", " : ", of ", a->o.loggers[i]);
    rw_buf_add_u8(c->out, '\n');
    for (unsigned i = 0; i < a->n_settings; i++) {
        name(c, a->settings[i].key);
        rw_buf_printf(c->out, "%s\n", a->settings[i].value);
    }
    name(c, "writes");
    rw_buf_add_str(c->out, "after ");
    ms(c, a->o.flush_ms);
    rw_buf_add_str(c->out, ", ");
    bytes(c, a->o.flush_bytes);
    rw_buf_printf(c->out, ", %lld records, or one of %s\n", (long long)a->o.flush_records,
                  rw_lg_level_name((unsigned)a->o.flush_level));
    name(c, "is behind");
    overflow(c, a->o.overflow, a->o.wait_ns);
    name(c, "breaker");
    rw_buf_printf(c->out, "after %lld failures; then an attempt every ",
                  (long long)a->o.breaker_failures);
    ms(c, a->o.breaker_pause_ms);
    rw_buf_add_str(c->out, " at most\n");
    if (a->o.format.kind != RW_LG_CUSTOM && strcmp(a->type, "syslog") &&
        strcmp(a->type, "journald") && strcmp(a->type, "callback"))
        line(c, &a->o.format);
    remarks(c, a);
}

/* Reads what rollway_logger_start() would take: no more than a megabyte of a regular file. */
static int load_file(struct check *c, struct rw_buf *text)
{
    struct stat st;
    int rc = stat(c->path, &st) != 0 ? rw_os_fail(errno, "read", c->path) : RW_OK;
    if (!rc && !S_ISREG(st.st_mode))
        return rw_cli_fail(c->cli, RW_EXIT_FAILED, NULL, "%s: %s, not a file of settings", c->path,
                           S_ISDIR(st.st_mode) ? "a directory" : "a pipe or device");
    if (!rc)
        rc = st.st_size < SIZE_MAX_FILE ? rw_file_load(rw_os_env(), c->path, text) : RW_E_TOO_BIG;
    return rc ? rw_cli_fail(c->cli, rw_cli_exit_of(rc), NULL, "%s: %s", c->path, rw_code_text(rc))
              : RW_OK;
}

static int no_callback(void *arg, const struct rollway_event *event)
{
    (void)arg;
    (void)event;
    return 0;
}

static size_t no_formatter(void *arg, const struct rollway_event *event, char *out, size_t size)
{
    (void)arg;
    (void)event;
    (void)out;
    (void)size;
    return 0;
}

/* Functions that only the program has: stand-ins of these names, so that the rest can be looked at. */
static int stand_in(struct rw_lg_config *g)
{
    int rc = RW_OK;
    for (unsigned i = 0; !rc && i < g->n_appenders; i++) {
        struct rw_lg_config_appender *a = &g->appenders[i];
        for (unsigned j = 0; !rc && strcmp(a->type, "callback") == 0 && j < a->n_settings; j++)
            if (strcmp(a->settings[j].key, "callback") == 0)
                rc = rollway_logger_add_callback(a->settings[j].value, no_callback, NULL);
        if (!rc && is_formatter(a->format))
            rc = rollway_logger_add_formatter(a->format, no_formatter, NULL);
    }
    return rc;
}

static int load(struct check *c, struct rw_buf *text)
{
    struct rw_err err = {.text = ""};
    int rc = load_file(c, text);
    if (rc)
        return rc;
    rw_lg_config_init(&c->config);
    snprintf(c->config.name, sizeof(c->config.name), "%s",
             rw_cli_string(c->cli, "name", "program"));
    rc = rw_lg_config_add(&c->config, rw_slice(text->p, text->n), c->path, &err);
    if (!rc && !c->config.dir[0])
        rc = rw_os_run_dir(c->config.dir, sizeof(c->config.dir));
    if (!rc)
        rc = stand_in(&c->config);
    if (!rc)
        rc = rw_lg_config_finish(&c->config, &err);
    if (!rc && rw_cli_has(c->cli, "open") && !has_room_for_rings(&c->config))
        return rw_cli_fail(c->cli, RW_EXIT_FAILED, NULL, "the file of the rings in %s: %s",
                           c->config.dir, strerror(errno));
    for (unsigned i = 0; !rc && i < c->config.n_appenders; i++)
        rc = rw_lg_try_sink(&c->config, i, rw_cli_has(c->cli, "open"), &err);
    return rc ? rw_cli_fail(c->cli, RW_EXIT_FAILED, NULL, "%s",
                            err.text[0] ? err.text : rw_code_text(rc))
              : RW_EXIT_OK;
}

static int run(struct rw_cli *cli)
{
    struct check *c = rw_zalloc(sizeof(*c));
    struct rw_buf text;
    if (!c)
        return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    rw_buf_init(&text);
    c->cli = cli;
    c->path = rw_cli_operand(cli, 0);
    c->out = rw_cli_out(cli);
    int exit_code = load(c, &text);
    if (exit_code == RW_EXIT_OK) {
        process(c);
        for (unsigned i = 0; i < c->config.n_appenders; i++)
            appender(c, &c->config.appenders[i]);
        rw_cli_note(cli, "%s is fine%s", c->path, c->warnings ? ", but see the notes" : "");
    }
    rw_buf_deinit(&text);
    rw_free(c);
    return exit_code;
}

static const struct rw_option options[] = {
    {"open", 0, RW_OPT_FLAG, NULL, "open the appenders as well: files and spools are made", NULL},
    {"name", 0, RW_OPT_STRING, "NAME", "of the program that reads it", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example examples[] = {
    {"rollway logger check /etc/app/logger.conf", "what it says, and what it leaves out"},
    {"rollway logger check --open logger.conf", "whether its files can be written, too"},
    {NULL, NULL}};

const struct rw_command rw_cmd_logger_check = {
    .name = "logger check",
    .operands = "FILE",
    .operands_complete = "file",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "explain a file of settings of the logging library",
    .text = "What the settings mean, with the values of those that the file leaves out, and a line "
            "as each appender would write it. What is wrong is told with its line, and the exit "
            "status is 1.\n"
            "\n"
            "The environment (ROLLWAY_LOG) is not looked at. Formatters and callbacks that a "
            "program brings along are not known here: that they are needed is a note.",
    .options = options,
    .examples = examples,
    .local = true,
    .run = run,
};
