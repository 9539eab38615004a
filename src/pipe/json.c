/* A line of JSON as fields. Strings without escapes are views; others are decoded into the arena. */
#include "pipe/json.h"

#include "base/json_scan.h"

/* RW_E_TOO_BIG: the arena has had enough. */
static int text_of(const struct rw_json_value *v, struct rw_arena *arena, struct rw_str *ret)
{
    *ret = v->text;
    if (v->kind != RW_JSON_STRING || !v->escapes)
        return RW_OK;
    uint8_t *out = rw_arena_alloc(arena, (size_t)v->text.n);
    if (!out)
        return RW_E_TOO_BIG;
    *ret = (struct rw_str){(const char *)out, (int32_t)rw_json_decode(v->text, out, NULL)};
    return RW_OK;
}

static int value_of(const struct rw_json_value *v, struct rw_arena *arena,
                    struct rw_pipe_value *ret)
{
    static const enum rw_pipe_kind kinds[] = {
        [RW_JSON_NULL] = RW_PIPE_NULL,     [RW_JSON_BOOL] = RW_PIPE_BOOL,
        [RW_JSON_NUMBER] = RW_PIPE_NUMBER, [RW_JSON_STRING] = RW_PIPE_STRING,
        [RW_JSON_OBJECT] = RW_PIPE_NESTED, [RW_JSON_ARRAY] = RW_PIPE_NESTED};
    ret->kind = kinds[v->kind];
    return text_of(v, arena, &ret->text);
}

int rw_pipe_json_object(struct rw_str text, struct rw_pipe_record *record, struct rw_err *err)
{
    struct rw_json_scan s = rw_json_scan(text, err);
    struct rw_json_value name, v;
    int rc;
    while ((rc = rw_json_next_member(&s, &name, &v)) == RW_OK) {
        struct rw_str name_text;
        struct rw_pipe_value value;
        rc = text_of(&name, &record->arena, &name_text);
        if (!rc)
            rc = value_of(&v, &record->arena, &value);
        if (!rc)
            rc = rw_pipe_record_add(record, name_text, value.kind, value.text);
        if (rc == RW_E_TOO_BIG)
            return rw_err_set(err, rc, "more than %d fields, or too much of them",
                              RW_PIPE_FIELDS_MAX);
        if (rc)
            return rc;
    }
    return rc == RW_E_NOT_FOUND ? rw_json_end_of_text(&s) : rc;
}

/* The member of the object that `s` goes into. */
static bool lookup(struct rw_json_scan s, struct rw_str name, struct rw_arena *arena,
                   struct rw_json_value *ret)
{
    struct rw_json_value is;
    struct rw_str is_text;
    while (rw_json_next_member(&s, &is, ret) == RW_OK)
        if (text_of(&is, arena, &is_text) == RW_OK && rw_str_eq(is_text, name))
            return true;
    return false;
}

bool rw_pipe_json_member(struct rw_str object, struct rw_str name, struct rw_arena *arena,
                         struct rw_pipe_value *ret)
{
    struct rw_json_scan s = rw_json_scan(object, NULL);
    struct rw_json_value v;
    /* Levels down by the name's first part, for as long as there are dots. */
    while (!lookup(s, name, arena, &v)) {
        const char *dot = name.n > 0 ? memchr(name.p, '.', (size_t)name.n) : NULL;
        struct rw_str first = {name.p, dot ? (int32_t)(dot - name.p) : 0};
        if (!dot || !lookup(s, first, arena, &v) || v.kind != RW_JSON_OBJECT)
            return false;
        s = rw_json_inside(&s, &v);
        name = (struct rw_str){dot + 1, name.n - first.n - 1};
    }
    return value_of(&v, arena, ret) == RW_OK;
}
