/*
 * Fields, and the names that loggers have for the same things. What the usual names are is this file's business alone: parsers keep
 * the names that they find.
 */
#include "pipe/record.h"

#include <stdlib.h>
#include <strings.h>
#include "base/json_scan.h"
#include "base/mem.h"
#include "pipe/json.h"

enum { NUMBER_MAX = 64 };

static const char *const level_names[] = {"level",    "lvl",       "severity",
                                          "loglevel", "log.level", NULL};
static const char *const time_names[] = {"time", "ts", "timestamp", "@timestamp", "date", NULL};
static const char *const message_names[] = {"message", "msg", "@message", "log", NULL};

void rw_pipe_record_init(struct rw_pipe_record *r)
{
    *r = (struct rw_pipe_record){.fields = NULL};
    rw_arena_init(&r->arena, RW_PIPE_MEMORY_MAX);
}

void rw_pipe_record_deinit(struct rw_pipe_record *r)
{
    rw_free(r->fields);
    rw_arena_deinit(&r->arena);
    r->fields = NULL;
    r->n = r->cap = 0;
}

void rw_pipe_record_clear(struct rw_pipe_record *r)
{
    r->n = 0;
    rw_arena_reset(&r->arena);
}

int rw_pipe_record_add(struct rw_pipe_record *r, struct rw_str name, enum rw_pipe_kind kind,
                       struct rw_str text)
{
    if (r->n == RW_PIPE_FIELDS_MAX)
        return RW_E_TOO_BIG;
    struct rw_pipe_field *fields = rw_array_grow(r->fields, r->n, &r->cap, sizeof(*fields));
    if (!fields)
        return RW_E_NOMEM;
    r->fields = fields;
    fields[r->n++] = (struct rw_pipe_field){name, {kind, text}};
    return RW_OK;
}

int rw_pipe_record_add_bare(struct rw_pipe_record *r, struct rw_str name, struct rw_str text)
{
    enum rw_pipe_kind kind = RW_PIPE_STRING;
    if (rw_str_is(text, "true") || rw_str_is(text, "false"))
        kind = RW_PIPE_BOOL;
    else if (rw_str_is(text, "null"))
        kind = RW_PIPE_NULL;
    else if (rw_json_is_number(text))
        kind = RW_PIPE_NUMBER;
    return rw_pipe_record_add(r, name, kind, text);
}

static bool is_one_of(struct rw_str name, const char *const *names)
{
    for (; *names; names++)
        if (rw_str_is(name, *names))
            return true;
    return false;
}

bool rw_pipe_is_level(struct rw_str name)
{
    return is_one_of(name, level_names);
}

bool rw_pipe_is_time(struct rw_str name)
{
    return is_one_of(name, time_names);
}

static bool find(const struct rw_pipe_record *r, struct rw_str name, struct rw_pipe_value *ret)
{
    for (size_t i = 0; i < r->n; i++)
        if (rw_str_eq(r->fields[i].name, name)) {
            *ret = r->fields[i].value;
            return true;
        }
    return false;
}

static bool find_usual(const struct rw_pipe_record *r, const char *const *names,
                       struct rw_pipe_value *ret)
{
    for (; *names; names++)
        if (find(r, rw_str(*names), ret))
            return true;
    return false;
}

/* "a.b.c": each dot may be the one where the name of an object ends. */
static bool find_nested(struct rw_pipe_record *r, struct rw_str name, struct rw_pipe_value *ret)
{
    struct rw_pipe_value outer;
    for (int32_t i = 1; i + 1 < name.n; i++) {
        if (name.p[i] != '.' || !find(r, (struct rw_str){name.p, i}, &outer) ||
            outer.kind != RW_PIPE_NESTED)
            continue;
        struct rw_str rest = {name.p + i + 1, name.n - i - 1};
        if (rw_pipe_json_member(outer.text, rest, &r->arena, ret))
            return true;
    }
    return false;
}

bool rw_pipe_record_get(struct rw_pipe_record *r, struct rw_str name, struct rw_pipe_value *ret)
{
    if (find(r, name, ret) || find_nested(r, name, ret))
        return true;
    return (rw_str_is(name, "level") && find_usual(r, level_names, ret)) ||
           (rw_str_is(name, "time") && find_usual(r, time_names, ret)) ||
           (rw_str_is(name, "message") && find_usual(r, message_names, ret));
}

int rw_pipe_level(struct rw_str text)
{
    static const struct {
        const char *name;
        int rank;
    } levels[] = {{"trace", 0},   {"verbose", 0},       {"debug", 1},  {"dbg", 1},
                  {"info", 2},    {"informational", 2}, {"notice", 3}, {"warn", 4},
                  {"warning", 4}, {"error", 5},         {"err", 5},    {"critical", 6},
                  {"crit", 6},    {"alert", 7},         {"fatal", 8},  {"emerg", 8},
                  {"panic", 8},   {"emergency", 8}};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (text.n == (int32_t)strlen(levels[i].name) &&
            strncasecmp(text.p, levels[i].name, (size_t)text.n) == 0)
            return levels[i].rank;
    return -1;
}

/* ---- numbers ---- */

bool rw_pipe_number(struct rw_str text, double *ret_number)
{
    char copy[NUMBER_MAX];
    if (text.n <= 0 || text.n >= NUMBER_MAX || !rw_json_is_number(text))
        return false;
    memcpy(copy, text.p, (size_t)text.n);
    copy[text.n] = 0;
    *ret_number = strtod(copy, NULL);
    return true;
}
