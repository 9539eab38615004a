/* Formatters by name, and what they share. */
#include "logger/format.h"

#include "logger/event.h"

const char *rw_lg_level_colour(unsigned level)
{
    static const char *const colours[] = {"\x1b[90m", "\x1b[36m", "\x1b[32m",
                                          "\x1b[33m", "\x1b[31m", "\x1b[1;31m"};
    return level < RW_LG_LEVELS ? colours[level] : "";
}

void rw_lg_put_level(const struct rw_lg_format *f, struct rw_lg_out *o, unsigned level, bool upper)
{
    static const char *const names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
    if (f->colour)
        rw_lg_put_cstr(o, rw_lg_level_colour(level));
    rw_lg_put(o, upper && level < RW_LG_LEVELS ? names[level] : rw_lg_level_name(level),
              rw_lg_level_length(level));
    if (f->colour)
        rw_lg_put_cstr(o, RW_LG_NO_COLOUR);
}

int rw_lg_format_init(const char *text, struct rw_lg_format *ret_format, struct rw_err *ret_err)
{
    struct rw_lg_format f = {.kind = RW_LG_PATTERN};
    if (!strcmp(text, "logfmt")) {
        f.kind = RW_LG_LOGFMT;
    } else if (!strcmp(text, "json")) {
        f.kind = RW_LG_JSON;
    } else {
        size_t n = strlen(text);
        if (!strchr(text, '%'))
            return rw_err_set(
                ret_err, RW_E_INVAL,
                "format: \"%.100s\" is neither logfmt nor json nor a pattern (with %%m)", text);
        if (n >= sizeof(f.text))
            return rw_err_set(ret_err, RW_E_INVAL, "pattern: longer than %zu bytes",
                              sizeof(f.text) - 1);
        memcpy(f.text, text, n + 1);
        int rc = rw_lg_format_pattern_init(&f, ret_err);
        if (rc)
            return rc;
    }
    *ret_format = f;
    return RW_OK;
}

void rw_lg_format_line(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v)
{
    size_t room = o->n < o->cap ? o->cap - o->n : 0;
    switch (f->kind) {
    case RW_LG_LOGFMT:
        rw_lg_format_logfmt(f, o, v);
        break;
    case RW_LG_JSON:
        rw_lg_format_json(f, o, v);
        break;
    case RW_LG_PATTERN:
        rw_lg_format_pattern(f, o, v);
        break;
    case RW_LG_CUSTOM:
        o->n +=
            f->custom(f->custom_arg, &(struct rollway_event){v}, room ? o->p + o->n : NULL, room);
        break;
    }
}
