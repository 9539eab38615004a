/*
 * A reader of JSON for lines of logs. Strings without escapes are views; others are decoded into the arena. Depth is bounded, so
 * recursion is.
 */
#include "pipe/json.h"

#include "base/utf8.h"

struct reader {
    const char *start, *at, *end;
    struct rw_arena *arena;
    struct rw_err *err;
    unsigned depth;
};

static int wrong(const struct reader *r, const char *what)
{
    return rw_err_set(r->err, RW_E_INVAL, "character %d: %s", (int)(r->at - r->start) + 1, what);
}

static char peek(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n'))
        r->at++;
    return r->at < r->end ? *r->at : 0;
}

static bool take(struct reader *r, char c)
{
    if (peek(r) != c || r->at == r->end)
        return false;
    r->at++;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits at p; -1: there are none. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* The escape behind the backslash at *p: at most four bytes into out, which is never more than it took. Half a surrogate pair
 * is U+FFFD: JavaScript writes such strings, and the line is still worth having. */
static size_t unescape(const char **p, const char *end, uint8_t *out)
{
    static const char letters[] = "btnfr\"\\/", bytes[] = "\b\t\n\f\r\"\\/";
    const char *at = *p;
    if (at == end)
        return 0;
    const char *known = *at ? strchr(letters, *at) : NULL;
    *p = at + 1;
    if (known) {
        *out = (uint8_t)bytes[known - letters];
        return 1;
    }
    int32_t c = *at == 'u' ? hex4(at + 1, end) : -1;
    if (c < 0)
        return 0;
    *p = at + 5;
    if (c >= 0xd800 && c < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        int32_t low = hex4(*p + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            *p += 6;
        }
    }
    size_t n = rw_utf8_put(out, (uint32_t)c);
    return n ? n : rw_utf8_put(out, 0xfffd);
}

/* What stands between the quotes, with its escapes undone. */
static int decode(struct reader *r, const char *p, const char *end, struct rw_str *ret)
{
    uint8_t *out = rw_arena_alloc(r->arena, (size_t)(end - p));
    size_t n = 0;
    if (!out)
        return RW_E_TOO_BIG;
    while (p < end) {
        if (*p != '\\') {
            out[n++] = (uint8_t)*p++;
            continue;
        }
        const char *escape = p++;
        size_t more = unescape(&p, end, out + n);
        if (more == 0) {
            r->at = escape;
            return wrong(r, "this is no escape of JSON");
        }
        n += more;
    }
    *ret = (struct rw_str){(const char *)out, (int32_t)n};
    return RW_OK;
}

static int string(struct reader *r, struct rw_str *ret)
{
    if (!take(r, '"'))
        return wrong(r, "a string was expected");
    const char *from = r->at;
    bool escapes = false;
    while (r->at < r->end && *r->at != '"') {
        if ((uint8_t)*r->at < 0x20)
            return wrong(r, "control characters are escaped in JSON");
        if (*r->at == '\\') {
            escapes = true;
            r->at++;
        }
        if (r->at < r->end)
            r->at++;
    }
    if (r->at == r->end)
        return wrong(r, "a string is not closed");
    const char *end = r->at;
    *ret = (struct rw_str){from, (int32_t)(end - from)};
    if (escapes) {
        int rc = decode(r, from, end, ret);
        if (rc)
            return rc;
    }
    r->at = end + 1;
    return RW_OK;
}

static int value(struct reader *r, struct rw_pipe_value *ret);

/* From the bracket on. Members and elements are checked and forgotten. */
static int nested(struct reader *r, bool object)
{
    struct rw_pipe_value skipped;
    struct rw_str name;
    char close = object ? '}' : ']';
    if (++r->depth > RW_PIPE_DEPTH_MAX)
        return wrong(r, "nested too deeply");
    r->at++;
    if (!take(r, close)) {
        do {
            int rc = object ? string(r, &name) : RW_OK;
            if (!rc && object && !take(r, ':'))
                rc = wrong(r, "a colon was expected");
            if (!rc)
                rc = value(r, &skipped);
            if (rc)
                return rc;
        } while (take(r, ','));
        if (!take(r, close))
            return wrong(r, object ? "a comma or } was expected" : "a comma or ] was expected");
    }
    r->depth--;
    return RW_OK;
}

static int value(struct reader *r, struct rw_pipe_value *ret)
{
    char c = peek(r);
    const char *from = r->at;
    if (c == '"') {
        ret->kind = RW_PIPE_STRING;
        return string(r, &ret->text);
    }
    if (c == '{' || c == '[') {
        int rc = nested(r, c == '{');
        *ret = (struct rw_pipe_value){RW_PIPE_NESTED, {from, (int32_t)(r->at - from)}};
        return rc;
    }
    const char *p = from;
    while (p < r->end && *p && !strchr(" \t\r\n,:{}[]\"", *p))
        p++;
    struct rw_str word = {from, (int32_t)(p - from)};
    if (rw_str_is(word, "true") || rw_str_is(word, "false"))
        ret->kind = RW_PIPE_BOOL;
    else if (rw_str_is(word, "null"))
        ret->kind = RW_PIPE_NULL;
    else if (rw_pipe_is_number(word))
        ret->kind = RW_PIPE_NUMBER;
    else
        return wrong(r, "a value was expected");
    ret->text = word;
    r->at = p;
    return RW_OK;
}

static int member(struct reader *r, struct rw_str *ret_name, struct rw_pipe_value *ret_value)
{
    int rc = string(r, ret_name);
    if (!rc && !take(r, ':'))
        rc = wrong(r, "a colon was expected");
    return rc ? rc : value(r, ret_value);
}

int rw_pipe_json_object(struct rw_str text, struct rw_pipe_record *record, struct rw_err *err)
{
    struct reader r = {text.p, text.p, text.p + text.n, &record->arena, err, 1};
    struct rw_str name;
    struct rw_pipe_value v;
    if (!take(&r, '{'))
        return wrong(&r, "an object was expected");
    if (!take(&r, '}')) {
        do {
            int rc = member(&r, &name, &v);
            if (!rc)
                rc = rw_pipe_record_add(record, name, v.kind, v.text);
            if (rc == RW_E_TOO_BIG)
                return rw_err_set(err, rc, "more than %d fields, or too much of them",
                                  RW_PIPE_FIELDS_MAX);
            if (rc)
                return rc;
        } while (take(&r, ','));
        if (!take(&r, '}'))
            return wrong(&r, "a comma or } was expected");
    }
    peek(&r);
    return r.at == r.end ? RW_OK : wrong(&r, "something follows the object");
}

static bool lookup(struct rw_str object, struct rw_str name, struct rw_arena *arena,
                   struct rw_pipe_value *ret)
{
    struct reader r = {object.p, object.p, object.p + object.n, arena, NULL, 1};
    struct rw_str is;
    if (!take(&r, '{') || take(&r, '}'))
        return false;
    do {
        if (member(&r, &is, ret))
            return false;
        if (rw_str_eq(is, name))
            return true;
    } while (take(&r, ','));
    return false;
}

bool rw_pipe_json_member(struct rw_str object, struct rw_str name, struct rw_arena *arena,
                         struct rw_pipe_value *ret)
{
    struct rw_pipe_value v;
    /* Levels down by the name's first part, for as long as there are dots. */
    for (;;) {
        if (lookup(object, name, arena, &v)) {
            *ret = v;
            return true;
        }
        const char *dot = name.n > 0 ? memchr(name.p, '.', (size_t)name.n) : NULL;
        if (!dot || !lookup(object, (struct rw_str){name.p, (int32_t)(dot - name.p)}, arena, &v) ||
            v.kind != RW_PIPE_NESTED)
            return false;
        object = v.text;
        name = (struct rw_str){dot + 1, name.n - (int32_t)(dot - name.p) - 1};
    }
}
