/*
 * The three forms of a diagnostic line.
 *
 *   text    2026-11-22T15:40:01.123Z WARN  log       truncated a torn batch  dir=/x offset=42
 *   logfmt  ts=... level=warn logger=log msg="truncated a torn batch" dir=/x offset=42
 *   JSON    {"ts":"...","level":"warn","logger":"log","msg":"...","dir":"/x","offset":42}
 *
 * Invariant: one line stays one line, whatever bytes the fields hold, so that nobody can forge a line
 * by choosing a topic's or a client's name.
 */
#include "base/diag.h"

#include <inttypes.h>
#include <string.h>
#include "base/code.h"
#include "base/datetime.h"
#include "base/json.h"

#define RESET "\x1b[0m"
#define DIM   "\x1b[2m"

static const char *colour_of(enum rw_level level)
{
    static const char *const colours[] = {DIM,        DIM,        "\x1b[32m",
                                          "\x1b[33m", "\x1b[31m", "\x1b[1;31m"};
    return colours[level];
}

static const char *upper_name(enum rw_level level)
{
    static const char *const names[] = {"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR", "FATAL"};
    return names[level];
}

/* Bare when it is one plain word; else quoted with the escapes of JSON. */
static void add_word(struct rw_buf *out, const char *s)
{
    bool plain = *s != 0;
    for (const char *c = s; *c; c++)
        if ((uint8_t)*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' || (uint8_t)*c >= 0x7f)
            plain = false;
    if (plain) {
        rw_buf_add_str(out, s);
        return;
    }
    rw_buf_add_u8(out, '"');
    rw_json_escape(out, s, strlen(s));
    rw_buf_add_u8(out, '"');
}

static void add_value(struct rw_buf *out, const struct rw_kv *kv)
{
    switch (kv->kind) {
    case RW_KV_STR:
        add_word(out, kv->v.s);
        break;
    case RW_KV_INT:
        rw_buf_printf(out, "%" PRId64, kv->v.i);
        break;
    case RW_KV_UINT:
        rw_buf_printf(out, "%" PRIu64, kv->v.u);
        break;
    case RW_KV_DOUBLE:
        rw_buf_printf(out, "%g", kv->v.d);
        break;
    case RW_KV_BOOL:
        rw_buf_add_str(out, kv->v.i ? "true" : "false");
        break;
    case RW_KV_CODE:
        add_word(out, rw_code_text((int)kv->v.i));
        break;
    }
}

static void add_fields(struct rw_buf *out, bool colour, int node, const struct rw_diag_line *line)
{
    if (node >= 0)
        rw_buf_printf(out, " %snode=%s%d", colour ? DIM : "", colour ? RESET : "", node);
    for (size_t i = 0; i < line->n_fields; i++) {
        rw_buf_printf(out, " %s%s=%s", colour ? DIM : "", line->fields[i].key, colour ? RESET : "");
        add_value(out, &line->fields[i]);
    }
    rw_buf_add_u8(out, '\n');
}

static void format_text(struct rw_buf *out, bool colour, const char *time, int node,
                        const struct rw_diag_line *line)
{
    rw_buf_printf(out, "%s%s%s %s%s%s %-10s ", colour ? DIM : "", time, colour ? RESET : "",
                  colour ? colour_of(line->level) : "", upper_name(line->level),
                  colour ? RESET : "", line->logger);
    rw_json_escape(out, line->msg, strlen(line->msg));
    add_fields(out, colour, node, line);
}

static void format_logfmt(struct rw_buf *out, const char *time, int node,
                          const struct rw_diag_line *line)
{
    rw_buf_printf(out, "ts=%s level=%s logger=", time, rw_level_name(line->level));
    add_word(out, line->logger);
    rw_buf_add_str(out, " msg=");
    add_word(out, line->msg);
    add_fields(out, false, node, line);
}

static void json_value(struct rw_json *j, const struct rw_kv *kv)
{
    switch (kv->kind) {
    case RW_KV_STR:
        rw_json_cstr(j, kv->key, kv->v.s);
        break;
    case RW_KV_INT:
        rw_json_int(j, kv->key, kv->v.i);
        break;
    case RW_KV_UINT:
        rw_json_uint(j, kv->key, kv->v.u);
        break;
    case RW_KV_DOUBLE:
        rw_json_double(j, kv->key, kv->v.d);
        break;
    case RW_KV_BOOL:
        rw_json_bool(j, kv->key, kv->v.i != 0);
        break;
    case RW_KV_CODE:
        rw_json_cstr(j, kv->key, rw_code_text((int)kv->v.i));
        break;
    }
}

static void format_json(struct rw_buf *out, const char *time, int node,
                        const struct rw_diag_line *line)
{
    struct rw_json j;
    rw_json_init(&j, out, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "ts", time);
    rw_json_cstr(&j, "level", rw_level_name(line->level));
    rw_json_cstr(&j, "logger", line->logger);
    rw_json_cstr(&j, "msg", line->msg);
    if (node >= 0) {
        rw_json_int(&j, "node", node);
    }
    for (size_t i = 0; i < line->n_fields; i++) {
        json_value(&j, &line->fields[i]);
    }
    rw_json_end(&j);
    rw_buf_add_u8(out, '\n');
}

void rw_diag_format_line(struct rw_buf *out, enum rw_diag_format format, bool colour,
                         int64_t now_ms, int node, const struct rw_diag_line *line)
{
    char time[RW_TIME_SIZE];
    rw_time_format(time, now_ms);
    switch (format) {
    case RW_DIAG_TEXT:
        format_text(out, colour, time, node, line);
        break;
    case RW_DIAG_LOGFMT:
        format_logfmt(out, time, node, line);
        break;
    case RW_DIAG_JSON:
        format_json(out, time, node, line);
        break;
    }
}
