/*
 * A record out of a line of JSON, the way back from record_json.c and `rollway log export -f json`.
 *
 * Its own reader, because nothing may be lost on the way: strings may hold NUL, timestamps are 64-bit
 * integers, null is not the empty string. It reads one object of known shape and steps over members it
 * does not know; it builds no tree. Decoded text is never longer than what it was decoded from.
 */
#include "cli/record_json.h"

#include <string.h>
#include "base/base64.h"
#include "base/units.h"
#include "base/utf8.h"

#define DEPTH_MAX 32 /* of what is stepped over */

struct reader {
    const char *start, *at, *end;
    struct rw_buf *out;
    struct rw_err *err;
};

static int wrong(const struct reader *r, const char *what)
{
    return rw_err_set(r->err, RW_E_INVAL, "character %d: %s", (int)(r->at - r->start) + 1, what);
}

static void blanks(struct reader *r)
{
    while (r->at < r->end && *r->at && strchr(" \t\r\n", *r->at))
        r->at++;
}

/* Takes that character, with blanks before it. */
static bool take(struct reader *r, char c)
{
    blanks(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t n = strlen(word);
    blanks(r);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
        return false;
    r->at += n;
    return true;
}

static int hex4(struct reader *r, uint32_t *ret)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        static const char digits[] = "0123456789abcdef";
        char c = r->at < r->end ? *r->at : 0;
        const char *d = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
        if (!d)
            return wrong(r, "\\u wants four hexadecimal digits");
        v = v << 4 | (uint32_t)(d - digits);
    }
    *ret = v;
    return RW_OK;
}

/* After "\u": a character, which may take a second escape. */
static int unicode(struct reader *r)
{
    uint32_t c = 0, low = 0;
    uint8_t bytes[4];
    int rc = hex4(r, &c);
    if (rc == RW_OK && c >= 0xd800 && c < 0xdc00 && r->end - r->at >= 2 && r->at[0] == '\\' &&
        r->at[1] == 'u') {
        r->at += 2;
        rc = hex4(r, &low);
        /* Out of range when the second half is none, which is then refused below. */
        c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : c;
    }
    if (rc != RW_OK)
        return rc;
    size_t n = rw_utf8_put(bytes, c);
    if (n == 0)
        return wrong(r, "half of a surrogate pair");
    rw_buf_add(r->out, bytes, n);
    return RW_OK;
}

static int escape(struct reader *r)
{
    static const char letters[] = "btnfr\"\\/";
    static const char bytes[] = "\b\t\n\f\r\"\\/";
    char c = r->at < r->end ? *r->at : 0;
    const char *known = c ? strchr(letters, c) : NULL;
    if (!known && c != 'u')
        return wrong(r, "unknown escape");
    r->at++;
    if (!known)
        return unicode(r);
    rw_buf_add_u8(r->out, (uint8_t)bytes[known - letters]);
    return RW_OK;
}

/* Appends the decoded text to r->out. */
static int string(struct reader *r, struct rw_slice *ret)
{
    size_t from = r->out->n;
    if (!take(r, '"'))
        return wrong(r, "a string was expected");
    for (;;) {
        const char *run = r->at;
        while (r->at < r->end && (uint8_t)*r->at >= 0x20 && *r->at != '"' && *r->at != '\\')
            r->at++;
        rw_buf_add(r->out, run, (size_t)(r->at - run));
        if (r->at == r->end)
            return wrong(r, "a string is not closed");
        char c = *r->at;
        if ((uint8_t)c < 0x20)
            return wrong(r, "a control character in a string");
        r->at++;
        if (c == '"')
            break;
        int rc = escape(r);
        if (rc != RW_OK)
            return rc;
    }
    *ret = rw_slice(r->out->p + from, r->out->n - from);
    return RW_OK;
}

/* The text between two characters of a number or word. */
static struct rw_str token(struct reader *r)
{
    blanks(r);
    const char *from = r->at;
    while (r->at < r->end && *r->at && !strchr(" \t\r\n,:]}[{\"", *r->at))
        r->at++;
    return (struct rw_str){from, (int32_t)(r->at - from)};
}

static int integer(struct reader *r, int64_t *ret)
{
    struct rw_str t = token(r);
    if (t.n > 0 && t.p[0] != '+' && rw_units_parse_int(t, ret))
        return RW_OK;
    return wrong(r, "no whole number before this");
}

static int skip(struct reader *r, int depth);

/* Calls member(arg, name) for every member; that one reads the value. */
static int object(struct reader *r, int (*member)(struct reader *r, void *arg, struct rw_str name),
                  void *arg)
{
    if (!take(r, '{'))
        return wrong(r, "an object was expected");
    if (take(r, '}'))
        return RW_OK;
    do {
        struct rw_slice name;
        size_t before = r->out->n;
        int rc = string(r, &name);
        if (rc != RW_OK)
            return rc;
        if (!take(r, ':'))
            return wrong(r, "a colon was expected");
        char copy[16] = "";
        if (name.n < sizeof(copy))
            memcpy(copy, name.p, name.n);
        r->out->n = before;
        rc = member(r, arg, (struct rw_str){copy, name.n < sizeof(copy) ? (int32_t)name.n : 0});
        if (rc != RW_OK)
            return rc;
    } while (take(r, ','));
    return take(r, '}') ? RW_OK : wrong(r, "a comma or a closing brace was expected");
}

static int array(struct reader *r, int (*element)(struct reader *r, void *arg), void *arg)
{
    if (!take(r, '['))
        return wrong(r, "an array was expected");
    if (take(r, ']'))
        return RW_OK;
    do {
        int rc = element(r, arg);
        if (rc != RW_OK)
            return rc;
    } while (take(r, ','));
    return take(r, ']') ? RW_OK : wrong(r, "a comma or a closing bracket was expected");
}

static int skip_element(struct reader *r, void *arg)
{
    return skip(r, *(int *)arg);
}

static int skip_member(struct reader *r, void *arg, struct rw_str name)
{
    (void)name;
    return skip(r, *(int *)arg);
}

static int skip(struct reader *r, int depth)
{
    size_t before = r->out->n;
    struct rw_slice unused;
    int below = depth + 1, rc = RW_OK;
    blanks(r);
    char c = r->at < r->end ? *r->at : 0;
    if (depth > DEPTH_MAX)
        return wrong(r, "nested too deeply");
    if (c == '"')
        rc = string(r, &unused);
    else if (c == '{')
        rc = object(r, skip_member, &below);
    else if (c == '[')
        rc = array(r, skip_element, &below);
    else if (token(r).n == 0)
        rc = wrong(r, "a value was expected");
    r->out->n = before;
    return rc;
}

static int base64_member(struct reader *r, void *arg, struct rw_str name)
{
    struct rw_slice *ret = arg, text;
    size_t from = r->out->n;
    if (!rw_str_is(name, "base64"))
        return wrong(r, "an object in the place of text is {\"base64\":\"...\"}");
    int rc = string(r, &text);
    if (rc != RW_OK)
        return rc;
    rc = rw_base64_decode(RW_BASE64_RAW, (struct rw_str){(const char *)text.p, (int32_t)text.n},
                          r->out);
    if (rc != RW_OK)
        return rc == RW_E_INVAL ? wrong(r, "no base64 before this") : rc;
    size_t n = r->out->n - from - text.n;
    memmove(r->out->p + from, r->out->p + from + text.n, n);
    r->out->n = from + n;
    *ret = rw_slice(r->out->p + from, n);
    return RW_OK;
}

/* null, a string, or {"base64": "..."}. */
static int bytes(struct reader *r, struct rw_slice *ret)
{
    *ret = rw_slice(NULL, 0);
    if (take_word(r, "null"))
        return RW_OK;
    blanks(r);
    if (r->at == r->end || *r->at != '{')
        return string(r, ret);
    int rc = object(r, base64_member, ret);
    return rc == RW_OK && !ret->p ? wrong(r, "an empty object in the place of text") : rc;
}

static int header_member(struct reader *r, void *arg, struct rw_str name)
{
    struct rw_record_header *h = arg;
    if (rw_str_is(name, "value"))
        return bytes(r, &h->value);
    if (!rw_str_is(name, "key"))
        return skip(r, 0);
    struct rw_slice key;
    int rc = bytes(r, &key);
    if (rc == RW_OK && !key.p)
        rc = wrong(r, "a header without a key");
    if (rc == RW_OK)
        h->key = (struct rw_str){(const char *)key.p, (int32_t)key.n};
    return rc;
}

static int header(struct reader *r, void *arg)
{
    struct rw_record_line *line = arg;
    if (line->n_headers == line->headers_max)
        return wrong(r, "too many headers");
    struct rw_record_header *h = &line->headers[line->n_headers++];
    *h = (struct rw_record_header){{NULL, -1}, {NULL, 0}};
    int rc = object(r, header_member, h);
    return rc == RW_OK && h->key.n < 0 ? wrong(r, "a header without a key") : rc;
}

static int record_member(struct reader *r, void *arg, struct rw_str name)
{
    struct rw_record_line *line = arg;
    if (rw_str_is(name, "key"))
        return bytes(r, &line->key);
    if (rw_str_is(name, "value"))
        return bytes(r, &line->value);
    if (rw_str_is(name, "timestamp")) {
        if (take_word(r, "null"))
            return RW_OK;
        line->has_timestamp = true;
        return integer(r, &line->timestamp);
    }
    if (rw_str_is(name, "headers")) {
        line->n_headers = 0;
        return take_word(r, "null") ? RW_OK : array(r, header, line);
    }
    return skip(r, 0);
}

int rw_record_json_read(struct rw_str text, struct rw_buf *scratch, struct rw_record_line *line,
                        struct rw_err *ret_err)
{
    struct reader r = {text.p, text.p, text.p + text.n, scratch, ret_err};
    line->key = line->value = rw_slice(NULL, 0);
    line->has_timestamp = false;
    line->n_headers = 0;
    size_t good = rw_utf8_prefix(text.p, (size_t)text.n);
    if (good < (size_t)text.n) {
        r.at += good;
        return wrong(&r, "not UTF-8");
    }
    if (!rw_buf_reserve(scratch, 2 * (size_t)text.n + 1))
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    int rc = object(&r, record_member, line);
    blanks(&r);
    if (rc == RW_OK && r.at < r.end)
        rc = wrong(&r, "more than one value");
    return rc;
}
