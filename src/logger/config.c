/* Reading settings. Each has a function; keys with a name in them ("level.net", "appender.file.path") are matched by their beginning. */
#include "logger/config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/properties.h"
#include "base/units.h"
#include "logger/consumers.h"

void rw_lg_config_init(struct rw_lg_config *c)
{
    memset(c, 0, sizeof(*c));
    c->ring_bytes = 1024 * 1024;
    c->journal_bytes = 16 * 1024 * 1024;
    c->memory_bytes = 256 * 1024 * 1024;
    c->poll_us = 1000;
    c->metrics_ms = 15000;
    for (int i = 0; i < RW_LG_LEVELS; i++) {
        c->overflow[i] = i >= ROLLWAY_ERROR ? RW_LG_BLOCK : RW_LG_DROP_NEW;
        c->wait_ns[i] = 100000000;
    }
}

int rw_lg_level_parse(struct rw_str text)
{
    static const char *const names[] = {"trace", "debug", "info", "warn", "error", "fatal", "off"};
    for (int i = 0; i <= ROLLWAY_OFF; i++)
        if ((size_t)text.n == strlen(names[i]) &&
            strncasecmp(text.p, names[i], (size_t)text.n) == 0)
            return i;
    return -1;
}

struct reader {
    struct rw_lg_config *config;
    const char *from;
    int line;
    struct rw_err *err;
};

static int wrong(struct reader *r, struct rw_str key, const char *what)
{
    return rw_err_set(r->err, RW_E_INVAL, "%s, line %d: %.*s: %s", r->from, r->line, (int)key.n,
                      key.p, what);
}

static int wrong_value(struct reader *r, struct rw_str key, struct rw_str value, const char *what)
{
    int shown = value.n < 60 ? (int)value.n : 60;
    return rw_err_set(r->err, RW_E_INVAL, "%s, line %d: %.*s: must be %s, not \"%.*s\"", r->from,
                      r->line, (int)key.n, key.p, what, shown, value.p);
}

static int read_text(struct reader *r, struct rw_str key, struct rw_str value, char *to,
                     size_t size)
{
    if ((size_t)value.n >= size)
        return wrong(r, key, "too long");
    memcpy(to, value.p, (size_t)value.n);
    to[value.n] = 0;
    return RW_OK;
}

static int read_level(struct reader *r, struct rw_str key, struct rw_str value, int *to)
{
    *to = rw_lg_level_parse(value);
    return *to < 0 ? wrong_value(r, key, value, "trace, debug, info, warn, error, fatal or off")
                   : RW_OK;
}

static int read_bytes(struct reader *r, struct rw_str key, struct rw_str value, int64_t least,
                      int64_t most, int64_t *to)
{
    int64_t v;
    if (!rw_units_parse_bytes(value, &v) || v < least || v > most) {
        char what[96];
        snprintf(what, sizeof(what), "a size from %lld to %lld bytes", (long long)least,
                 (long long)most);
        return wrong_value(r, key, value, what);
    }
    *to = v;
    return RW_OK;
}

static int read_ms(struct reader *r, struct rw_str key, struct rw_str value, int64_t *to)
{
    int64_t v;
    if (!rw_units_parse_ms(value, &v) || v < 0 || v > 86400000)
        return wrong_value(r, key, value, "a time up to a day, as in 100ms or 5s");
    *to = v;
    return RW_OK;
}

static int read_bool(struct reader *r, struct rw_str key, struct rw_str value, bool *to)
{
    *to = rw_str_is(value, "true");
    return *to || rw_str_is(value, "false") ? RW_OK : wrong_value(r, key, value, "true or false");
}

/* ---- the process ---- */

static int read_level_rule(struct reader *r, struct rw_str key, struct rw_str name,
                           struct rw_str value)
{
    struct rw_lg_config *c = r->config;
    unsigned i = 0;
    while (i < c->n_levels && !rw_str_is(name, c->levels[i].name))
        i++;
    if (i == RW_LG_LEVEL_RULES)
        return wrong(r, key, "too many levels");
    int rc = read_text(r, key, name, c->levels[i].name, sizeof(c->levels[i].name));
    if (!rc)
        rc = read_level(r, key, value, &c->levels[i].level);
    if (!rc && i == c->n_levels)
        c->n_levels++;
    return rc;
}

/* "drop", "drop_oldest", "block", "block 100ms", for one level or all; and "breaker" of appenders. */
static int read_overflow(struct reader *r, struct rw_str key, struct rw_str level_name,
                         struct rw_str value, struct rw_lg_appender_options *o)
{
    enum rw_lg_overflow overflow = RW_LG_DROP_NEW;
    int64_t wait_ms = -1;
    if (rw_str_is(value, "drop_oldest"))
        overflow = RW_LG_DROP_OLD;
    else if (o && rw_str_is(value, "breaker"))
        overflow = RW_LG_BREAKER;
    else if (rw_str_is(value, "block"))
        overflow = RW_LG_BLOCK;
    else if (value.n > 6 && memcmp(value.p, "block ", 6) == 0 &&
             rw_units_parse_ms((struct rw_str){value.p + 6, value.n - 6}, &wait_ms) && wait_ms >= 0)
        overflow = RW_LG_BLOCK;
    else if (!rw_str_is(value, "drop"))
        return wrong_value(r, key, value,
                           o ? "drop, drop_oldest, block, block with a time, as in \"block "
                               "100ms\", or breaker"
                             : "drop, drop_oldest, block, or block with a time, as in \"block "
                               "100ms\"");
    int level = level_name.n > 0 ? rw_lg_level_parse(level_name) : 0;
    if (level < 0 || level >= ROLLWAY_OFF)
        return wrong(r, key, "no such level");
    for (int i = level; i < (level_name.n > 0 ? level + 1 : RW_LG_LEVELS); i++) {
        (o ? o->overflow : r->config->overflow)[i] = overflow;
        (o ? o->wait_ns : r->config->wait_ns)[i] = wait_ms < 0 ? -1 : wait_ms * 1000000;
    }
    return RW_OK;
}

static int read_mode(struct reader *r, struct rw_str key, struct rw_str value)
{
    r->config->sync = rw_str_is(value, "sync");
    return r->config->sync || rw_str_is(value, "async")
               ? RW_OK
               : wrong_value(r, key, value, "sync or async");
}

static int read_poll(struct reader *r, struct rw_str key, struct rw_str value)
{
    int64_t ms = 0;
    int rc = read_ms(r, key, value, &ms);
    if (!rc && (ms < 1 || ms > 1000))
        rc = wrong_value(r, key, value, "from 1ms to 1s");
    if (!rc)
        r->config->poll_us = ms * 1000;
    return rc;
}

static int read_signal(struct reader *r, struct rw_str key, struct rw_str value)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"none", 0}, {"SIGHUP", SIGHUP}, {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (rw_str_is(value, signals[i].name)) {
            r->config->reload_signal = signals[i].number;
            return RW_OK;
        }
    return wrong(r, key, "must be SIGHUP, SIGUSR1, SIGUSR2 or none");
}

static int read_metrics_interval(struct reader *r, struct rw_str key, struct rw_str value)
{
    int rc = read_ms(r, key, value, &r->config->metrics_ms);
    return !rc && r->config->metrics_ms < 100 ? wrong(r, key, "must be at least 100ms") : rc;
}

/* "100/s", "100/s burst 500"; and "1/100" of a sample. */
static int read_limit(struct reader *r, struct rw_str key, struct rw_str pattern,
                      struct rw_str value, bool sample)
{
    struct rw_lg_config *c = r->config;
    struct rw_lg_limit_rule rule = {.sample = 0};
    if (sample ? !rw_lg_limit_parse_sample(value, &rule) : !rw_lg_limit_parse_rate(value, &rule))
        return wrong(r, key,
                     sample ? "must be one of so many, as in 1/100"
                            : "must be a rate, as in 100/s, 10/m, or \"100/s burst 500\"");
    int rc = read_text(r, key, pattern, rule.pattern, sizeof(rule.pattern));
    unsigned i = 0;
    while (i < c->n_limits &&
           (!rw_str_is(pattern, c->limits[i].pattern) || (c->limits[i].sample > 0) != sample))
        i++;
    if (i == RW_LG_LIMITS)
        return wrong(r, key, "too many limits");
    c->limits[i] = rule;
    c->n_limits += i == c->n_limits;
    return rc;
}

/* ---- appenders ---- */

static struct rw_lg_config_appender *appender(struct rw_lg_config *c, struct rw_str name)
{
    for (unsigned i = 0; i < c->n_appenders; i++)
        if (rw_str_is(name, c->appenders[i].o.name))
            return &c->appenders[i];
    if (c->n_appenders == RW_LG_APPENDERS || name.n <= 0 || name.n >= RW_LG_NAME)
        return NULL;
    struct rw_lg_config_appender *a = &c->appenders[c->n_appenders++];
    memset(a, 0, sizeof(*a));
    memcpy(a->o.name, name.p, (size_t)name.n);
    a->o.level = ROLLWAY_TRACE;
    a->o.flush_ms = 5000;
    a->o.flush_bytes = 10 * 1024 * 1024;
    a->o.flush_records = 1000;
    a->o.consumers = 1;
    a->o.flush_level = ROLLWAY_ERROR;
    for (int i = 0; i < RW_LG_LEVELS; i++)
        a->o.overflow[i] = RW_LG_DROP_OLD;
    a->o.breaker_failures = 5;
    a->o.breaker_pause_ms = 5000;
    return a;
}

/* Names of loggers, with commas between. */
static int read_loggers(struct reader *r, struct rw_str key, struct rw_str value,
                        struct rw_lg_appender_options *o)
{
    o->n_loggers = 0;
    for (int32_t at = 0; at < value.n;) {
        int32_t end = at;
        while (end < value.n && value.p[end] != ',')
            end++;
        int32_t from = at, to = end;
        while (from < to && value.p[from] == ' ')
            from++;
        while (to > from && value.p[to - 1] == ' ')
            to--;
        if (o->n_loggers == RW_LG_RULES)
            return wrong(r, key, "too many loggers");
        int rc = read_text(r, key, (struct rw_str){value.p + from, to - from},
                           o->loggers[o->n_loggers++], RW_LG_NAME);
        if (rc)
            return rc;
        at = end + 1;
    }
    return RW_OK;
}

static int read_count(struct reader *r, struct rw_str key, struct rw_str value, int64_t *to)
{
    return rw_units_parse_int(value, to) && *to > 0
               ? RW_OK
               : wrong_value(r, key, value, "a number above 0");
}

static int read_consumers(struct reader *r, struct rw_str key, struct rw_str value, int64_t *to)
{
    return rw_units_parse_int(value, to) && *to > 0 && *to <= RW_LG_CONSUMERS_MAX
               ? RW_OK
               : wrong_value(r, key, value, "a number from 1 to 16");
}

static int read_colour(struct reader *r, struct rw_str key, struct rw_str value,
                       struct rw_lg_config_appender *a)
{
    static const char *const names[] = {"auto", "always", "never"};
    for (unsigned i = 0; i < 3; i++)
        if (rw_str_is(value, names[i])) {
            a->colour = (enum rw_lg_colour)i;
            return RW_OK;
        }
    return wrong_value(r, key, value, "auto, always or never");
}

static int keep_setting(struct reader *r, struct rw_str key, struct rw_str name,
                        struct rw_str value, struct rw_lg_config_appender *a)
{
    unsigned i = 0;
    while (i < a->n_settings && !rw_str_is(name, a->settings[i].key))
        i++;
    if (i == RW_LG_SINK_SETTINGS)
        return wrong(r, key, "too many settings");
    int rc = read_text(r, key, name, a->settings[i].key, sizeof(a->settings[i].key));
    if (!rc)
        rc = read_text(r, key, value, a->settings[i].value, sizeof(a->settings[i].value));
    a->settings[i].from = r->from;
    a->settings[i].line = r->line;
    if (!rc && i == a->n_settings)
        a->n_settings++;
    return rc;
}

static bool begins(struct rw_str key, const char *with, struct rw_str *ret_rest)
{
    int32_t n = (int32_t)strlen(with);
    if (key.n <= n || memcmp(key.p, with, (size_t)n) != 0)
        return false;
    *ret_rest = (struct rw_str){key.p + n, key.n - n};
    return true;
}

/* What becomes of records when it can not write, and colour. Anything else is for the sink. */
static int read_appender_policy(struct reader *r, struct rw_str key, struct rw_str s,
                                struct rw_str value, struct rw_lg_config_appender *a)
{
    struct rw_str level;
    if (rw_str_is(s, "overflow"))
        return read_overflow(r, key, RW_STR_LIT(""), value, &a->o);
    if (begins(s, "overflow.", &level))
        return read_overflow(r, key, level, value, &a->o);
    if (rw_str_is(s, "colour") || rw_str_is(s, "color"))
        return read_colour(r, key, value, a);
    if (rw_str_is(s, "breaker.pause"))
        return read_ms(r, key, value, &a->o.breaker_pause_ms);
    if (!rw_str_is(s, "breaker.failures"))
        return keep_setting(r, key, s, value, a);
    int rc = read_count(r, key, value, &a->o.breaker_failures);
    if (!rc && a->o.breaker_failures > 1000000)
        rc = wrong(r, key, "must be from 1 to 1000000");
    return rc;
}

static int read_appender(struct reader *r, struct rw_str key, struct rw_str rest,
                         struct rw_str value)
{
    const char *dot = memchr(rest.p, '.', (size_t)rest.n);
    if (!dot)
        return wrong(r, key, "must be appender.<name>.<setting>");
    struct rw_str name = {rest.p, (int32_t)(dot - rest.p)}, s = {dot + 1, rest.n - name.n - 1};
    struct rw_lg_config_appender *a = appender(r->config, name);
    if (!a)
        return wrong(r, key, "too many appenders, or not a name for one");
    if (rw_str_is(s, "type"))
        return read_text(r, key, value, a->type, sizeof(a->type));
    if (rw_str_is(s, "level"))
        return read_level(r, key, value, &a->o.level);
    if (rw_str_is(s, "loggers"))
        return read_loggers(r, key, value, &a->o);
    if (rw_str_is(s, "format"))
        return read_text(r, key, value, a->format, sizeof(a->format));
    if (rw_str_is(s, "site"))
        return read_bool(r, key, value, &a->site);
    if (rw_str_is(s, "thread"))
        return read_bool(r, key, value, &a->thread);
    if (rw_str_is(s, "consumers"))
        return read_consumers(r, key, value, &a->o.consumers);
    if (rw_str_is(s, "flush.interval"))
        return read_ms(r, key, value, &a->o.flush_ms);
    if (rw_str_is(s, "flush.bytes"))
        return read_bytes(r, key, value, 1, 1 << 30, &a->o.flush_bytes);
    if (rw_str_is(s, "flush.records"))
        return read_count(r, key, value, &a->o.flush_records);
    if (rw_str_is(s, "flush.level"))
        return read_level(r, key, value, &a->o.flush_level);
    return read_appender_policy(r, key, s, value, a);
}

static int read_one(void *arg, const struct rw_property *p)
{
    struct reader *r = arg;
    struct rw_lg_config *c = r->config;
    struct rw_str rest, key = p->key, value = p->value;
    r->line = p->line;
    while (value.n > 0 && (value.p[value.n - 1] == ' ' || value.p[value.n - 1] == '\t'))
        value.n--; /* nobody sees it, so nobody means it */
    if (rw_str_is(key, "level"))
        return read_level_rule(r, key, RW_STR_LIT(""), value);
    if (begins(key, "level.", &rest))
        return read_level_rule(r, key, rest, value);
    if (begins(key, "appender.", &rest))
        return read_appender(r, key, rest, value);
    if (rw_str_is(key, "overflow"))
        return read_overflow(r, key, RW_STR_LIT(""), value, NULL);
    if (begins(key, "overflow.", &rest))
        return read_overflow(r, key, rest, value, NULL);
    if (begins(key, "limit.", &rest))
        return read_limit(r, key, rest, value, false);
    if (begins(key, "sample.", &rest))
        return read_limit(r, key, rest, value, true);
    if (rw_str_is(key, "reload"))
        return read_signal(r, key, value);
    if (rw_str_is(key, "metrics.path"))
        return read_text(r, key, value, c->metrics_path, sizeof(c->metrics_path));
    if (rw_str_is(key, "metrics.interval"))
        return read_metrics_interval(r, key, value);
    if (rw_str_is(key, "mode"))
        return read_mode(r, key, value);
    if (rw_str_is(key, "poll"))
        return read_poll(r, key, value);
    if (rw_str_is(key, "rings.dir"))
        return read_text(r, key, value, c->dir, sizeof(c->dir));
    if (rw_str_is(key, "ring.bytes"))
        return read_bytes(r, key, value, 256 * 1024, 1 << 30, &c->ring_bytes);
    if (rw_str_is(key, "journal.bytes"))
        return read_bytes(r, key, value, 1024 * 1024, 1ll << 32, &c->journal_bytes);
    if (rw_str_is(key, "memory.bytes"))
        return read_bytes(r, key, value, 1024 * 1024, 1ll << 36, &c->memory_bytes);
    return wrong(r, key, "no such setting");
}

int rw_lg_config_add(struct rw_lg_config *c, struct rw_slice text, const char *from,
                     struct rw_err *ret_err)
{
    struct rw_err wrong_line = {0}, setting = {0};
    struct reader r = {.config = c, .from = from, .err = &setting};
    int rc = rw_properties_parse(text, read_one, &r, &wrong_line);
    if (!rc)
        return RW_OK;
    if (setting.text[0])
        return rw_err_set(ret_err, rc, "%s", setting.text);
    if (wrong_line.text[0])
        return rw_err_set(ret_err, rc, "%s, %s", from, wrong_line.text);
    return rw_err_set(ret_err, rc, "%s: %s", from, rw_code_text(rc));
}

static int64_t power_of_two(int64_t v)
{
    int64_t p = 1;
    while (p < v)
        p *= 2;
    return p;
}

int rw_lg_config_finish(struct rw_lg_config *c, struct rw_err *ret_err)
{
    if (c->n_appenders == 0) {
        struct rw_lg_config_appender *a = appender(c, RW_STR_LIT("stderr"));
        memcpy(a->type, "console", sizeof("console"));
        a->o.flush_ms = 0;
    }
    for (unsigned i = 0; i < c->n_appenders; i++) {
        struct rw_lg_config_appender *a = &c->appenders[i];
        if (!a->type[0])
            return rw_err_set(ret_err, RW_E_INVAL, "appender.%s.type is missing", a->o.name);
        if (!a->format[0])
            snprintf(a->format, sizeof(a->format), "%s",
                     strcmp(a->type, "broker") == 0 ? "json" : "logfmt");
        a->o.format = (struct rw_lg_format){0};
        struct rw_err err = {0};
        int rc = rw_lg_formatter_find(a->format, &a->o.format)
                     ? RW_OK
                     : rw_lg_format_init(a->format, &a->o.format, &err);
        if (rc)
            return rw_err_set(ret_err, rc, "appender.%s: %s", a->o.name, err.text);
        a->o.format.site = a->site;
        a->o.format.thread = a->thread;
    }
    c->ring_bytes = power_of_two(c->ring_bytes);
    c->journal_bytes = power_of_two(c->journal_bytes);
    if (c->memory_bytes < 2 * c->ring_bytes)
        return rw_err_set(ret_err, RW_E_INVAL, "memory.bytes must be at least twice ring.bytes");
    return RW_OK;
}
