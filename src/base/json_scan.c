/* Reading JSON without a tree. What is nested is scanned where it stands, and again when somebody goes inside; depth is bounded, so recursion is. */
#include "base/json_scan.h"

#include <string.h>
#include "base/utf8.h"

struct rw_json_scan rw_json_scan(struct rw_str text, struct rw_err *err)
{
    return (struct rw_json_scan){
        .start = text.p, .at = text.p, .end = text.p + text.n, .err = err, .depth = 1};
}

int rw_json_wrong(const struct rw_json_scan *s, const char *what)
{
    return rw_err_set(s->err, RW_E_INVAL, "character %d: %s", (int)(s->at - s->start) + 1, what);
}

static char peek(struct rw_json_scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'))
        s->at++;
    return s->at < s->end ? *s->at : 0;
}

static bool take(struct rw_json_scan *s, char c)
{
    if (peek(s) != c)
        return false;
    s->at++;
    return true;
}

/* ---- strings ---- */

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

static const char letters[] = "btnfr\"\\/", meanings[] = "\b\t\n\f\r\"\\/";

/* How long the escape at the backslash p is; 0: it is none. */
static unsigned escape_length(const char *p, const char *end)
{
    if (end - p < 2 || !p[1])
        return 0;
    if (strchr(letters, p[1]))
        return 2;
    return p[1] == 'u' && hex4(p + 2, end) >= 0 ? 6 : 0;
}

static int string(struct rw_json_scan *s, struct rw_json_value *ret)
{
    if (!take(s, '"'))
        return rw_json_wrong(s, "a string was expected");
    const char *from = s->at;
    *ret = (struct rw_json_value){.kind = RW_JSON_STRING};
    while (s->at < s->end && *s->at != '"') {
        if ((uint8_t)*s->at < 0x20)
            return rw_json_wrong(s, "control characters are escaped in JSON");
        unsigned n = *s->at == '\\' ? escape_length(s->at, s->end) : 1;
        if (n == 0 && s->end - s->at > 1)
            return rw_json_wrong(s, "this is no escape of JSON");
        ret->escapes |= *s->at == '\\';
        s->at += n ? n : 1;
    }
    if (s->at == s->end)
        return rw_json_wrong(s, "a string is not closed");
    ret->text = (struct rw_str){from, (int32_t)(s->at++ - from)};
    return RW_OK;
}

/* The escape \uXXXX at *p, which may take a second one. */
static uint32_t decode_unicode(const char **p, const char *end)
{
    int32_t c = hex4(*p + 2, end);
    *p += 6;
    if (c < 0xd800 || c >= 0xdc00 || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return (uint32_t)c;
    int32_t low = hex4(*p + 2, end);
    if (low < 0xdc00 || low >= 0xe000)
        return (uint32_t)c;
    *p += 6;
    return (uint32_t)(0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
}

size_t rw_json_decode(struct rw_str text, uint8_t *out, bool *ret_halves)
{
    const char *p = text.p, *end = text.p + text.n;
    size_t n = 0;
    bool halves = false;
    while (p < end) {
        if (*p != '\\') {
            out[n++] = (uint8_t)*p++;
        } else if (p[1] != 'u') {
            out[n++] = (uint8_t)meanings[strchr(letters, p[1]) - letters];
            p += 2;
        } else {
            size_t more = rw_utf8_put(out + n, decode_unicode(&p, end));
            halves |= more == 0;
            n += more ? more : rw_utf8_put(out + n, 0xfffd);
        }
    }
    if (ret_halves)
        *ret_halves = halves;
    return n;
}

/* ---- numbers and words ---- */

static const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

bool rw_json_is_number(struct rw_str text)
{
    const char *p = text.p, *end = text.p + (text.n > 0 ? text.n : 0), *from;
    if (p < end && *p == '-')
        p++;
    from = p;
    p = digits(p, end);
    if (p == from || (*from == '0' && p > from + 1))
        return false;
    if (p < end && *p == '.') {
        from = ++p;
        p = digits(p, end);
        if (p == from)
            return false;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        from = p;
        p = digits(p, end);
        if (p == from)
            return false;
    }
    return p == end && text.n > 0;
}

static int word(struct rw_json_scan *s, struct rw_json_value *ret)
{
    const char *p = s->at;
    while (p < s->end && *p && !strchr(" \t\r\n,:{}[]\"", *p))
        p++;
    struct rw_str text = {s->at, (int32_t)(p - s->at)};
    *ret = (struct rw_json_value){.text = text};
    if (rw_str_is(text, "true") || rw_str_is(text, "false"))
        ret->kind = RW_JSON_BOOL;
    else if (rw_str_is(text, "null"))
        ret->kind = RW_JSON_NULL;
    else if (rw_json_is_number(text))
        ret->kind = RW_JSON_NUMBER;
    else
        return rw_json_wrong(s, "a value was expected");
    s->at = p;
    return RW_OK;
}

/* ---- values ---- */

struct rw_json_scan rw_json_inside(const struct rw_json_scan *s, const struct rw_json_value *v)
{
    struct rw_json_scan inside = *s;
    inside.at = v->text.p;
    inside.end = v->text.p + v->text.n;
    inside.begun = false;
    inside.depth++;
    return inside;
}

/* From the bracket on: all that is inside is checked. */
static int nested(struct rw_json_scan *s, bool object, struct rw_json_value *ret)
{
    struct rw_json_scan inside = *s;
    struct rw_json_value name, v;
    inside.begun = false;
    int rc = ++inside.depth > RW_JSON_SCAN_DEPTH ? rw_json_wrong(s, "nested too deeply") : RW_OK;
    while (!rc)
        rc = object ? rw_json_next_member(&inside, &name, &v) : rw_json_next_element(&inside, &v);
    if (rc != RW_E_NOT_FOUND)
        return rc;
    *ret = (struct rw_json_value){.kind = object ? RW_JSON_OBJECT : RW_JSON_ARRAY,
                                  .text = {s->at, (int32_t)(inside.at - s->at)}};
    s->at = inside.at;
    return RW_OK;
}

int rw_json_next(struct rw_json_scan *s, struct rw_json_value *ret)
{
    char c = peek(s);
    if (c == '"')
        return string(s, ret);
    return c == '{' || c == '[' ? nested(s, c == '{', ret) : word(s, ret);
}

int rw_json_end_of_text(struct rw_json_scan *s)
{
    (void)peek(s);
    return s->at == s->end ? RW_OK : rw_json_wrong(s, "something follows the value");
}

/* To where the next piece begins. RW_E_NOT_FOUND: there is none. */
static int go_on(struct rw_json_scan *s, char open, char close, const char *no_open,
                 const char *no_comma)
{
    bool first = !s->begun;
    s->begun = true;
    if (first && !take(s, open))
        return rw_json_wrong(s, no_open);
    if (take(s, close)) /* not behind a comma: that was taken with the piece before */
        return RW_E_NOT_FOUND;
    return first || take(s, ',') ? RW_OK : rw_json_wrong(s, no_comma);
}

int rw_json_next_member(struct rw_json_scan *s, struct rw_json_value *ret_name,
                        struct rw_json_value *ret_value)
{
    int rc = go_on(s, '{', '}', "an object was expected", "a comma or } was expected");
    if (!rc)
        rc = string(s, ret_name);
    if (!rc && !take(s, ':'))
        rc = rw_json_wrong(s, "a colon was expected");
    return rc ? rc : rw_json_next(s, ret_value);
}

int rw_json_next_element(struct rw_json_scan *s, struct rw_json_value *ret_value)
{
    int rc = go_on(s, '[', ']', "an array was expected", "a comma or ] was expected");
    return rc ? rc : rw_json_next(s, ret_value);
}
