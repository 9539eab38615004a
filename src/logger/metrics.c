/*
 * The statistics as Prometheus text, exposition format 0.0.4: HELP, TYPE and samples of each family together. And as a file for node_exporter's
 * textfile collector, which takes its place in one rename.
 */
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "env/env.h"
#include "logger/out.h"
#include "logger/process.h"
#include "logger/view.h"
#include "os/os.h"

static void family(struct rw_lg_out *o, const char *name, const char *type, const char *help)
{
    rw_lg_put_lit(o, "# HELP ");
    rw_lg_put_cstr(o, name);
    rw_lg_put_char(o, ' ');
    rw_lg_put_cstr(o, help);
    rw_lg_put_lit(o, "\n# TYPE ");
    rw_lg_put_cstr(o, name);
    rw_lg_put_char(o, ' ');
    rw_lg_put_cstr(o, type);
    rw_lg_put_char(o, '\n');
}

static void put_label(struct rw_lg_out *o, const char *name, const char *value)
{
    rw_lg_put_cstr(o, name);
    rw_lg_put_lit(o, "=\"");
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            rw_lg_put_char(o, '\\');
        rw_lg_put_char(o, *value);
    }
    rw_lg_put_char(o, '"');
}

/* NULL: without this label. */
static void sample(struct rw_lg_out *o, const char *name, const char *appender, const char *level,
                   uint64_t value)
{
    rw_lg_put_cstr(o, name);
    if (appender || level)
        rw_lg_put_char(o, '{');
    if (appender)
        put_label(o, "appender", appender);
    if (appender && level)
        rw_lg_put_char(o, ',');
    if (level)
        put_label(o, "level", level);
    if (appender || level)
        rw_lg_put_char(o, '}');
    rw_lg_put_char(o, ' ');
    rw_lg_put_uint(o, value);
    rw_lg_put_char(o, '\n');
}

static void put_process(struct rw_lg_out *o)
{
    struct rollway_logger_stats s = {.size = sizeof(s)};
    rollway_logger_get_stats(&s);
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } all[] = {
        {"rollway_logger_accepted_total", "counter", "Records that were taken from the rings.",
         s.accepted},
        {"rollway_logger_suppressed_total", "counter", "Records held back by limits and samples.",
         s.suppressed},
        {"rollway_logger_blocked_total", "counter", "Calls that had to wait.", s.blocked},
        {"rollway_logger_truncated_total", "counter", "Records that were cut.", s.truncated},
        {"rollway_logger_rescued_total", "counter", "Records of a process that was killed.",
         s.rescued},
        {"rollway_logger_rings", "gauge", "Rings in use.", s.rings},
        {"rollway_logger_ring_peak_bytes", "gauge", "Most bytes that waited in one ring.",
         s.ring_bytes_peak},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        family(o, all[i].name, all[i].type, all[i].help);
        sample(o, all[i].name, NULL, NULL, all[i].value);
    }
    family(o, "rollway_logger_blocked_seconds_total", "counter", "How long calls have waited.");
    rw_lg_put_lit(o, "rollway_logger_blocked_seconds_total ");
    rw_lg_put_double(o, (double)s.blocked_ns / 1e9);
    rw_lg_put_char(o, '\n');
    family(o, "rollway_logger_dropped_total", "counter",
           "Records that a full ring had no room for.");
    for (unsigned l = 0; l < ROLLWAY_LEVELS; l++)
        sample(o, "rollway_logger_dropped_total", NULL, rw_lg_level_name(l), s.dropped[l]);
}

struct metric {
    const char *name, *type, *help;
    size_t at; /* in the struct; of a uint64_t */
    bool of_broker;
};
#define AT(field) offsetof(struct rollway_logger_appender_stats, field)

static const struct metric metrics[] = {
    {"rollway_logger_appender_written_total", "counter", "Records given to the destination.",
     AT(written), false},
    {"rollway_logger_appender_failed_total", "counter", "Records that were given up.", AT(failed),
     false},
    {"rollway_logger_appender_lost_total", "counter",
     "Records that were written and given up later.", AT(lost), false},
    {"rollway_logger_appender_bytes_total", "counter", "Bytes written.", AT(bytes), false},
    {"rollway_logger_appender_writes_total", "counter", "Writes.", AT(writes), false},
    {"rollway_logger_appender_errors_total", "counter", "Attempts that failed.", AT(errors), false},
    {"rollway_logger_appender_waiting", "gauge", "Records taken and not yet written.", AT(waiting),
     false},
    {"rollway_logger_appender_waiting_bytes", "gauge", "Bytes of the journal that wait.",
     AT(waiting_bytes), false},
    {"rollway_logger_appender_sent_total", "counter", "Records that the broker has.", AT(sent),
     true},
    {"rollway_logger_appender_sent_twice_total", "counter",
     "Records that the broker may have twice.", AT(sent_twice), true},
    {"rollway_logger_appender_retried_total", "counter", "Attempts to send that failed.",
     AT(retried), true},
    {"rollway_logger_appender_dead_total", "counter", "Records in the dead-letter topic.", AT(dead),
     true},
    {"rollway_logger_appender_spooled_bytes", "gauge", "Bytes in the spool.", AT(spooled_bytes),
     true},
};

static void put_appenders(struct rw_lg_out *o, const struct rollway_logger_appender_stats *s,
                          unsigned n)
{
    for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]) && n; m++) {
        family(o, metrics[m].name, metrics[m].type, metrics[m].help);
        for (unsigned i = 0; i < n; i++) {
            uint64_t value;
            memcpy(&value, (const char *)&s[i] + metrics[m].at, sizeof(value));
            if (!metrics[m].of_broker || strcmp(s[i].type, "broker") == 0)
                sample(o, metrics[m].name, s[i].name, NULL, value);
        }
    }
    if (!n)
        return;
    family(o, "rollway_logger_appender_dropped_total", "counter",
           "Records that were dropped because the journal was full.");
    for (unsigned i = 0; i < n; i++)
        for (unsigned l = 0; l < ROLLWAY_LEVELS; l++)
            sample(o, "rollway_logger_appender_dropped_total", s[i].name, rw_lg_level_name(l),
                   s[i].dropped[l]);
    family(o, "rollway_logger_appender_breaker", "gauge", "0 closed, 1 open, 2 half open.");
    for (unsigned i = 0; i < n; i++)
        sample(o, "rollway_logger_appender_breaker", s[i].name, NULL, (uint64_t)s[i].breaker);
}

size_t rollway_logger_metrics(char *out, size_t size)
{
    struct rollway_logger_appender_stats s[RW_LG_APPENDERS];
    struct rw_lg_out o = {out, size ? size - 1 : 0, 0};
    unsigned n = 0;
    for (; n < RW_LG_APPENDERS; n++) {
        s[n].size = sizeof(s[n]);
        if (rollway_logger_get_appender_stats(n, &s[n]))
            break;
    }
    put_process(&o);
    put_appenders(&o, s, n);
    if (size)
        out[o.n < o.cap ? o.n : o.cap] = 0;
    return o.n;
}

static int write_whole(const char *path, const char *text, size_t n)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    char temporary[600];
    if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
        return RW_E_TOO_BIG;
    struct rw_file *f;
    int rc = rw_vfs_open(vfs, temporary, RW_OPEN_WRITE | RW_OPEN_CREATE | RW_OPEN_TRUNC, &f);
    if (rc)
        return rc;
    rc = rw_file_write_at(f, 0, text, n);
    rw_file_close(f);
    return rc ? rc : vfs->ops->rename(vfs, temporary, path);
}

int rw_lg_metrics_write(const char *path)
{
    size_t n = rollway_logger_metrics(NULL, 0), room = n + 4096;
    char *text = rw_alloc(room);
    if (!text)
        return RW_E_NOMEM;
    n = rollway_logger_metrics(text, room);
    int rc = n < room ? write_whole(path, text, n) : RW_E_AGAIN;
    rw_free(text);
    return rc;
}
