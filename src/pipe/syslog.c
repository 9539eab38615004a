/*
 * Syslog lines. RFC 5424: <PRI>1 TIME HOST APP PROCID MSGID [ID name="value"] MESSAGE, with "-" for what is not known. Everything else
 * that begins with <PRI> is what RFC 3164 describes and what programs make of it: a time, a host, and TAG[PID]:, each of which may be
 * missing. Files of syslog daemons have no <PRI>; then facility and level are missing.
 *
 * Fields: facility, level, time, host, app, pid, msgid, ID.name of structured data, message.
 */
#include "pipe/parse.h"

struct reader {
    const char *start, *at, *end;
    struct rw_pipe_record *r;
    struct rw_err *err;
};

static int wrong(const struct reader *in, const char *what)
{
    return rw_err_set(in->err, RW_E_INVAL, "character %d: %s", (int)(in->at - in->start) + 1, what);
}

static int add(struct reader *in, const char *name, const char *from, const char *to)
{
    return rw_pipe_record_add(in->r, rw_str(name), RW_PIPE_STRING,
                              (struct rw_str){from, (int32_t)(to - from)});
}

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

/* <0> to <191>; not there: nothing is taken. */
static int priority(struct reader *in)
{
    static const char *const facilities[] = {
        "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
        "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
        "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
    static const char *const levels[] = {"emerg", "alert",  "crit", "error",
                                         "warn",  "notice", "info", "debug"};
    const char *p = in->at + 1;
    unsigned v = 0;
    if (in->at == in->end || *in->at != '<')
        return RW_OK;
    for (; is_digit(p, in->end) && p < in->at + 4; p++)
        v = v * 10 + (unsigned)(*p - '0');
    if (p == in->at + 1 || p == in->end || *p != '>' || v > 191)
        return wrong(in, "<PRI> is a number between 0 and 191");
    in->at = p + 1;
    int rc = rw_pipe_record_add(in->r, RW_STR_LIT("facility"), RW_PIPE_STRING,
                                rw_str(facilities[v / 8]));
    return rc ? rc
              : rw_pipe_record_add(in->r, RW_STR_LIT("level"), RW_PIPE_STRING,
                                   rw_str(levels[v % 8]));
}

/* ---- RFC 5424 ---- */

/* A word and the blank behind it. "-" is no value. */
static int word(struct reader *in, const char *name)
{
    const char *from = in->at;
    while (in->at < in->end && *in->at != ' ')
        in->at++;
    const char *to = in->at;
    if (to == from)
        return wrong(in, "a word was expected");
    if (in->at < in->end)
        in->at++;
    return to == from + 1 && *from == '-' ? RW_OK : add(in, name, from, to);
}

/* The value behind its opening quote: \" \\ and \] are escapes. */
static int parameter_value(struct reader *in, struct rw_str *ret)
{
    const char *from = in->at;
    bool escapes = false;
    while (in->at < in->end && *in->at != '"') {
        if (*in->at == '\\' && in->at + 1 < in->end) {
            escapes = true;
            in->at++;
        }
        in->at++;
    }
    if (in->at == in->end)
        return wrong(in, "a quote is not closed");
    *ret = (struct rw_str){from, (int32_t)(in->at - from)};
    in->at++;
    if (!escapes)
        return RW_OK;
    char *out = rw_arena_alloc(&in->r->arena, (size_t)ret->n);
    int32_t n = 0;
    if (!out)
        return RW_E_TOO_BIG;
    for (int32_t i = 0; i < ret->n; i++) {
        if (ret->p[i] == '\\' && i + 1 < ret->n && strchr("\"\\]", ret->p[i + 1]))
            i++;
        out[n++] = ret->p[i];
    }
    *ret = (struct rw_str){out, n};
    return RW_OK;
}

/* name="value", as the field ID.name. */
static int parameter(struct reader *in, struct rw_str id)
{
    const char *from = in->at;
    struct rw_str v;
    while (in->at < in->end && *in->at != '=' && *in->at != ' ' && *in->at != ']' && *in->at != '"')
        in->at++;
    int32_t n = (int32_t)(in->at - from);
    if (n == 0 || in->end - in->at < 2 || in->at[0] != '=' || in->at[1] != '"')
        return wrong(in, "name=\"value\" was expected");
    in->at += 2;
    int rc = parameter_value(in, &v);
    if (rc)
        return rc;
    char *name = rw_arena_alloc(&in->r->arena, (size_t)(id.n + 1 + n));
    if (!name)
        return RW_E_TOO_BIG;
    memcpy(name, id.p, (size_t)id.n);
    name[id.n] = '.';
    memcpy(name + id.n + 1, from, (size_t)n);
    return rw_pipe_record_add(in->r, (struct rw_str){name, id.n + 1 + n}, RW_PIPE_STRING, v);
}

static int structured(struct reader *in)
{
    if (in->at < in->end && *in->at == '-') {
        in->at++;
        return RW_OK;
    }
    if (in->at == in->end || *in->at != '[')
        return wrong(in, "[ or - was expected: structured data");
    while (in->at < in->end && *in->at == '[') {
        const char *from = ++in->at;
        while (in->at < in->end && *in->at != ' ' && *in->at != ']')
            in->at++;
        struct rw_str id = {from, (int32_t)(in->at - from)};
        while (in->at < in->end && *in->at == ' ') {
            in->at++;
            int rc = parameter(in, id);
            if (rc)
                return rc;
        }
        if (in->at == in->end || *in->at != ']')
            return wrong(in, "] was expected");
        in->at++;
    }
    return RW_OK;
}

static int rfc5424(struct reader *in)
{
    static const char *const names[] = {"time", "host", "app", "pid", "msgid"};
    for (int i = 0; i < 5; i++) {
        int rc = word(in, names[i]);
        if (rc)
            return rc;
    }
    int rc = structured(in);
    if (rc)
        return rc;
    if (in->at < in->end && *in->at != ' ')
        return wrong(in, "a blank was expected behind structured data");
    if (in->at < in->end)
        in->at++;
    if (in->end - in->at >= 3 && memcmp(in->at, "\xef\xbb\xbf", 3) == 0)
        in->at += 3;
    return add(in, "message", in->at, in->end);
}

/* ---- RFC 3164 ---- */

/* "Nov 23 06:32:30 ", "Nov  3 06:32:30.123 ": where it ends, or p. */
static const char *bsd_time(const char *p, const char *end)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (end - p < 15)
        return p;
    bool month = false;
    for (int i = 0; i < 36; i += 3)
        month |= memcmp(p, months + i, 3) == 0;
    if (!month || p[3] != ' ' || (p[4] != ' ' && !is_digit(p + 4, end)) || !is_digit(p + 5, end) ||
        p[6] != ' ' || p[9] != ':' || p[12] != ':')
        return p;
    for (int i = 7; i < 15; i++)
        if (i != 9 && i != 12 && !is_digit(p + i, end))
            return p;
    const char *to = p + 15;
    while (to < end && *to != ' ' && *to != ':')
        to++;
    return to;
}

/* "2026-11-23T06:32:30+00:00 ", as rsyslog and systemd write: where it ends, or p. */
static const char *iso_time(const char *p, const char *end)
{
    if (end - p < 19 || !is_digit(p, end) || p[4] != '-' || p[7] != '-' || p[10] != 'T' ||
        p[13] != ':')
        return p;
    while (p < end && *p != ' ')
        p++;
    return p;
}

/* TAG[PID]: or TAG:, without a blank in it. */
static int tag(struct reader *in)
{
    const char *p = in->at, *pid = NULL;
    while (p < in->end && *p != ' ' && *p != ':' && *p != '[')
        p++;
    const char *name_end = p;
    if (p == in->at || p == in->end || *p == ' ')
        return RW_OK;
    if (*p == '[') {
        pid = ++p;
        while (p < in->end && *p != ']' && *p != ' ')
            p++;
        if (p + 1 >= in->end || *p != ']' || p[1] != ':')
            return RW_OK;
    }
    int rc = add(in, "app", in->at, name_end);
    if (!rc && pid)
        rc = add(in, "pid", pid, p);
    in->at = p + (pid ? 2 : 1);
    if (in->at < in->end && *in->at == ' ')
        in->at++;
    return rc;
}

static int rfc3164(struct reader *in, bool priority)
{
    const char *to = bsd_time(in->at, in->end);
    if (to == in->at)
        to = iso_time(in->at, in->end);
    if (to == in->at && !priority)
        return wrong(in, "neither <PRI> nor a time");
    if (to > in->at) {
        int rc = add(in, "time", in->at, to);
        if (rc)
            return rc;
        in->at = to < in->end ? to + 1 : to;
        while (in->at < in->end && *in->at == ' ')
            in->at++;
        /* A word that does not end as a tag does is the host. */
        const char *p = in->at;
        while (p < in->end && *p != ' ')
            p++;
        if (p < in->end && p > in->at && p[-1] != ':') {
            rc = add(in, "host", in->at, p);
            if (rc)
                return rc;
            in->at = p + 1;
        }
    }
    int rc = tag(in);
    return rc ? rc : add(in, "message", in->at, in->end);
}

int rw_pipe_parse_syslog(struct rw_str line, struct rw_pipe_record *r, struct rw_err *err)
{
    struct reader in = {line.p, line.p, line.p + line.n, r, err};
    int rc = priority(&in);
    if (rc)
        return rc;
    bool has_priority = in.at > in.start;
    if (has_priority && in.end - in.at >= 2 && in.at[0] == '1' && in.at[1] == ' ') {
        in.at += 2;
        rc = rfc5424(&in);
    } else {
        rc = rfc3164(&in, has_priority);
    }
    return rc == RW_E_TOO_BIG
               ? rw_err_set(err, rc, "more than %d fields, or too much of them", RW_PIPE_FIELDS_MAX)
               : rc;
}
