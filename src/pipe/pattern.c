/* Lines by example: text, and fields between it. A field ends at the first place where the text behind it stands, so matching is linear. */
#include "base/mem.h"
#include "pipe/parse.h"

enum { PARTS_MAX = 256 };

/* A field (or none, at the beginning) and the text behind it. */
struct part {
    struct rw_str field; /* n == -1: none; "_": forgotten */
    struct rw_str text;
};

struct rw_pipe_pattern {
    struct rw_arena arena;
    struct part parts[PARTS_MAX];
    int n;
};

static bool is_name(struct rw_str s)
{
    for (int32_t i = 0; i < s.n; i++) {
        char c = s.p[i], low = (char)(c | 32);
        if (!((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') ||
              (c && strchr("_.-@", c) != NULL)))
            return false;
    }
    return s.n > 0;
}

/* Literal text from *at up to the next field, escapes undone. */
static int literal(struct rw_pipe_pattern *p, struct rw_str text, int32_t *at, struct rw_str *ret)
{
    char *out = rw_arena_alloc(&p->arena, (size_t)(text.n - *at) + 1);
    int32_t n = 0;
    if (!out)
        return RW_E_NOMEM;
    while (*at < text.n && text.p[*at] != '<') {
        if (text.p[*at] == '\\' && *at + 1 < text.n && strchr("<\\", text.p[*at + 1]))
            ++*at;
        out[n++] = text.p[(*at)++];
    }
    *ret = (struct rw_str){out, n};
    return RW_OK;
}

static int compile(struct rw_pipe_pattern *p, struct rw_str text, struct rw_err *err)
{
    int32_t at = 0;
    int fields = 0;
    p->parts[0].field = RW_STR_NULL;
    int rc = literal(p, text, &at, &p->parts[0].text);
    for (p->n = 1; !rc && at < text.n; p->n++) {
        const char *close = memchr(text.p + at, '>', (size_t)(text.n - at));
        if (p->n == PARTS_MAX)
            return rw_err_set(err, RW_E_INVAL, "more than %d fields", PARTS_MAX - 1);
        if (!close)
            return rw_err_set(err, RW_E_INVAL, "character %d: < is not closed (\\< is a bracket)",
                              at + 1);
        struct part *part = &p->parts[p->n];
        part->field = (struct rw_str){text.p + at + 1, (int32_t)(close - text.p) - at - 1};
        if (!is_name(part->field))
            return rw_err_set(err, RW_E_INVAL, "character %d: <%.*s> is no field's name", at + 1,
                              (int)part->field.n, part->field.p);
        at = (int32_t)(close - text.p) + 1;
        rc = literal(p, text, &at, &part->text);
        if (!rc && part->text.n == 0 && at < text.n)
            return rw_err_set(err, RW_E_INVAL, "character %d: text must stand between two fields",
                              at + 1);
        fields++;
    }
    if (!rc && !fields)
        return rw_err_set(err, RW_E_INVAL, "a pattern has fields: <name>");
    return rc;
}

int rw_pipe_pattern_new(struct rw_str text, struct rw_pipe_pattern **ret, struct rw_err *err)
{
    struct rw_pipe_pattern *p = rw_zalloc(sizeof(*p));
    if (!p)
        return RW_E_NOMEM;
    rw_arena_init(&p->arena, 0);
    char *copy = rw_arena_cstr(&p->arena, text); /* names are views into it */
    int rc = copy ? compile(p, (struct rw_str){copy, text.n}, err) : RW_E_NOMEM;
    if (rc) {
        rw_pipe_pattern_free(p);
        return rc;
    }
    *ret = p;
    return RW_OK;
}

void rw_pipe_pattern_free(struct rw_pipe_pattern *p)
{
    if (!p)
        return;
    rw_arena_deinit(&p->arena);
    rw_free(p);
}

/* Where `what` stands first in [at, end), NULL: nowhere. */
static const char *search(const char *at, const char *end, struct rw_str what)
{
    while (end - at >= what.n) {
        const char *p = memchr(at, what.p[0], (size_t)(end - at - what.n) + 1);
        if (!p || memcmp(p, what.p, (size_t)what.n) == 0)
            return p;
        at = p + 1;
    }
    return NULL;
}

int rw_pipe_parse_pattern(const struct rw_pipe_pattern *p, struct rw_str line,
                          struct rw_pipe_record *r, struct rw_err *err)
{
    const char *at = line.p, *end = line.p + line.n;
    struct rw_str begin = p->parts[0].text;
    if (line.n < begin.n || (begin.n > 0 && memcmp(at, begin.p, (size_t)begin.n) != 0))
        return rw_err_set(err, RW_E_INVAL, "character 1: \"%.*s\" was expected",
                          begin.n < 40 ? (int)begin.n : 40, begin.p);
    at += begin.n;
    for (int i = 1; i < p->n; i++) {
        const struct part *part = &p->parts[i];
        const char *to = part->text.n ? search(at, end, part->text) : end;
        if (!to)
            return rw_err_set(err, RW_E_INVAL, "character %d: no \"%.*s\" behind <%.*s>",
                              (int)(at - line.p) + 1, part->text.n < 40 ? (int)part->text.n : 40,
                              part->text.p, (int)part->field.n, part->field.p);
        int rc = RW_OK;
        if (!rw_str_is(part->field, "_"))
            rc = rw_pipe_record_add_bare(r, part->field, (struct rw_str){at, (int32_t)(to - at)});
        if (rc)
            return rc;
        at = to + part->text.n;
    }
    return RW_OK;
}
