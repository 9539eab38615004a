/*
 * Records as lines. What goes out is valid whatever came in: JSON with text that is not UTF-8 replaced, logfmt with names that need no
 * quotes, and no line end within a line of either.
 */
#include "pipe/format.h"

#include "base/json.h"
#include "base/json_scan.h"

bool rw_pipe_format_named(const char *name, enum rw_pipe_format *ret)
{
    static const char *const names[] = {"raw", "json", "logfmt", "text"};
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum rw_pipe_format)i;
            return true;
        }
    return false;
}

/* Line ends in JSON that was checked stand between values only. */
static void add_nested(struct rw_buf *out, struct rw_str text)
{
    size_t from = out->n;
    rw_buf_add(out, text.p, (size_t)text.n);
    for (size_t i = from; !out->failed && i < out->n; i++)
        if (out->p[i] == '\n' || out->p[i] == '\r')
            out->p[i] = ' ';
}

static void json(const struct rw_pipe_record *r, struct rw_buf *out)
{
    rw_buf_add_u8(out, '{');
    for (size_t i = 0; i < r->n; i++) {
        const struct rw_pipe_field *f = &r->fields[i];
        if (i > 0)
            rw_buf_add_u8(out, ',');
        rw_json_quote(out, f->name.p, (size_t)f->name.n);
        rw_buf_add_u8(out, ':');
        if (f->value.kind == RW_PIPE_STRING)
            rw_json_quote(out, f->value.text.p, (size_t)f->value.text.n);
        else
            add_nested(out, f->value.text);
    }
    rw_buf_add_u8(out, '}');
}

static void add_name(struct rw_buf *out, struct rw_str name)
{
    if (name.n == 0)
        rw_buf_add_u8(out, '_');
    for (int32_t i = 0; i < name.n; i++) {
        uint8_t c = (uint8_t)name.p[i];
        rw_buf_add_u8(out, c <= ' ' || c == '=' || c == '"' || c == 0x7f ? '_' : c);
    }
}

static bool needs_quotes(struct rw_str text)
{
    for (int32_t i = 0; i < text.n; i++) {
        uint8_t c = (uint8_t)text.p[i];
        if (c <= ' ' || c == '=' || c == '"' || c == '\\' || c == 0x7f)
            return true;
    }
    return text.n == 0;
}

static void add_value(struct rw_buf *out, const struct rw_pipe_value *v)
{
    struct rw_str bare = v->text;
    /* Text that looks like a number or a word of JSON is quoted, so that it is text again when it is read. */
    bool looks =
        v->kind == RW_PIPE_STRING && (rw_str_is(bare, "true") || rw_str_is(bare, "false") ||
                                      rw_str_is(bare, "null") || rw_json_is_number(bare));
    if (looks || needs_quotes(bare))
        rw_json_quote(out, bare.p, (size_t)bare.n);
    else
        rw_buf_add(out, bare.p, (size_t)bare.n);
}

static void logfmt(const struct rw_pipe_record *r, struct rw_buf *out)
{
    for (size_t i = 0; i < r->n; i++) {
        if (i > 0)
            rw_buf_add_u8(out, ' ');
        add_name(out, r->fields[i].name);
        rw_buf_add_u8(out, '=');
        add_value(out, &r->fields[i].value);
    }
}

void rw_pipe_format(enum rw_pipe_format format, struct rw_pipe_record *r, struct rw_slice raw,
                    struct rw_buf *out)
{
    struct rw_pipe_value v;
    switch (format) {
    case RW_PIPE_AS_JSON:
        json(r, out);
        return;
    case RW_PIPE_AS_LOGFMT:
        logfmt(r, out);
        return;
    case RW_PIPE_AS_TEXT:
        if (rw_pipe_record_get(r, RW_STR_LIT("message"), &v)) {
            rw_buf_add(out, v.text.p, (size_t)v.text.n);
            return;
        }
        break;
    case RW_PIPE_AS_RAW:
        break;
    }
    rw_buf_add(out, raw.p, raw.n);
}
