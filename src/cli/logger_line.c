/* What stands before a message that goes to syslog. The forms are those of logger(1), which scripts and receivers know. */
#include "cli/logger_line.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct name {
    const char *name;
    int value;
};

/* The first name of a value is the one that is shown. */
static const struct name facilities[] = {
    {"kern", 0},     {"user", 1},      {"mail", 2},    {"daemon", 3},  {"auth", 4},
    {"security", 4}, {"syslog", 5},    {"lpr", 6},     {"news", 7},    {"uucp", 8},
    {"cron", 9},     {"authpriv", 10}, {"ftp", 11},    {"local0", 16}, {"local1", 17},
    {"local2", 18},  {"local3", 19},   {"local4", 20}, {"local5", 21}, {"local6", 22},
    {"local7", 23},  {NULL, 0}};
static const struct name levels[] = {{"emerg", 0},  {"panic", 0}, {"alert", 1},   {"crit", 2},
                                     {"err", 3},    {"error", 3}, {"warning", 4}, {"warn", 4},
                                     {"notice", 5}, {"info", 6},  {"debug", 7},   {NULL, 0}};

/* By name, or by number: that of a facility is the one of syslog.h, eight times its value. */
static int value_of(const struct name *names, const char *text, size_t n, int unit)
{
    long number = -1;
    if (n && isdigit((unsigned char)text[0])) {
        char *end;
        number = strtol(text, &end, 10);
        if (end != text + n)
            return -1;
    }
    for (; names->name; names++)
        if (number == (long)names->value * unit ||
            (strlen(names->name) == n && strncasecmp(names->name, text, n) == 0))
            return names->value;
    return -1;
}

static const char *name_of(const struct name *names, int value)
{
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return "unknown";
}

const char *rw_syslog_facility_name(int priority)
{
    return name_of(facilities, priority >> 3);
}

const char *rw_syslog_level_name(int priority)
{
    return name_of(levels, priority & RW_SYSLOG_LEVEL);
}

int rw_syslog_priority(const char *text, int *ret_priority, struct rw_err *ret_err)
{
    const char *dot = strchr(text, '.'), *level_name = dot ? dot + 1 : text;
    int facility = dot ? value_of(facilities, text, (size_t)(dot - text), 8) : 1;
    int level = value_of(levels, level_name, strlen(level_name), 1);
    if (facility < 0)
        return rw_err_set(ret_err, RW_E_INVAL, "unknown facility name: %.*s", (int)(dot - text),
                          text);
    if (level < 0)
        return rw_err_set(ret_err, RW_E_INVAL, "unknown priority name: %s", level_name);
    *ret_priority = (facility ? facility : 1) << 3 | level;
    return RW_OK;
}

/* ---- heads ---- */

static void add_old_time(struct rw_buf *out, const struct tm *t)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    rw_buf_printf(out, "%s %2d %02d:%02d:%02d", months[t->tm_mon % 12], t->tm_mday, t->tm_hour,
                  t->tm_min, t->tm_sec);
}

static void add_new_time(struct rw_buf *out, const struct tm *t, long microseconds)
{
    long minutes = t->tm_gmtoff / 60, distance = minutes < 0 ? -minutes : minutes;
    rw_buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%06ld%c%02ld:%02ld", t->tm_year + 1900,
                  t->tm_mon + 1, t->tm_mday, t->tm_hour, t->tm_min, t->tm_sec, microseconds,
                  minutes < 0 ? '-' : '+', distance / 60, distance % 60);
}

static void add_tag(struct rw_buf *out, const char *tag, int pid)
{
    rw_buf_add_str(out, tag);
    if (pid)
        rw_buf_printf(out, "[%d]", pid);
    rw_buf_add_str(out, ": ");
}

static int add_rfc5424(struct rw_buf *out, const struct rw_syslog_head *h, struct rw_err *err)
{
    if (strlen(h->tag) > 48)
        return rw_err_set(err, RW_E_INVAL, "tag '%s' is too long", h->tag);
    if (!h->no_host && strlen(h->host) > 255)
        return rw_err_set(err, RW_E_INVAL, "hostname '%s' is too long", h->host);
    rw_buf_printf(out, "<%d>1 ", h->priority);
    if (h->no_time)
        rw_buf_add_u8(out, '-');
    else
        add_new_time(out, &h->time, h->microseconds);
    rw_buf_printf(out, " %s %s ", h->no_host ? "-" : h->host, h->tag);
    if (h->pid)
        rw_buf_printf(out, "%d", h->pid);
    else
        rw_buf_add_u8(out, '-');
    rw_buf_printf(out, " %s %s ", h->msgid ? h->msgid : "-", h->data);
    return RW_OK;
}

int rw_syslog_head(struct rw_buf *out, const struct rw_syslog_head *h, struct rw_err *ret_err)
{
    if (h->form == RW_SYSLOG_RFC5424)
        return add_rfc5424(out, h, ret_err);
    rw_buf_printf(out, "<%d>", h->priority);
    add_old_time(out, &h->time);
    rw_buf_add_u8(out, ' ');
    if (h->form == RW_SYSLOG_LOCAL) {
        add_tag(out, h->tag, h->pid);
        return RW_OK;
    }
    char tag[201];
    size_t n = strnlen(h->tag, sizeof(tag) - 1);
    memcpy(tag, h->tag, n);
    tag[n] = 0;
    rw_buf_add(out, h->host, strcspn(h->host, "."));
    rw_buf_add_u8(out, ' ');
    add_tag(out, tag, h->pid);
    return RW_OK;
}

/* ---- structured data ---- */

static bool name_valid(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] > '~' || strchr("=]\"", p[i]))
            return false;
    return n > 0 && n <= 32;
}

bool rw_syslog_data_id_valid(const char *id)
{
    const char *at = strchr(id, '@');
    if (!at)
        return strcmp(id, "timeQuality") == 0 || strcmp(id, "origin") == 0 ||
               strcmp(id, "meta") == 0;
    size_t digits = strspn(at + 1, "0123456789");
    return name_valid(id, (size_t)(at - id)) && digits > 0 &&
           at[1 + strspn(at + 1, "0123456789.")] == 0;
}

bool rw_syslog_data_param_valid(const char *param)
{
    const char *p = strstr(param, "=\"");
    if (!p || !name_valid(param, (size_t)(p - param)))
        return false;
    for (p += 2; *p && *p != '"'; p++) {
        if (*p == ']')
            return false;
        if (*p == '\\' && (p[1] == '"' || p[1] == '\\' || p[1] == ']'))
            p++;
    }
    return p[0] == '"' && p[1] == 0;
}
