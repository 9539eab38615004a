/*
 * Parses .properties. One logical line at a time is decoded into a buffer that holds key, NUL, value,
 * NUL; the callback sees views into it.
 */
#include "base/properties.h"

#include <stdbool.h>
#include <stdio.h>
#include "base/utf8.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* U+FEFF */

struct parser {
    const uint8_t *at, *end;
    int line;          /* of `at` */
    struct rw_buf buf; /* the pair being decoded */
    struct rw_err *err;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_newline(uint8_t c)
{
    return c == '\n' || c == '\r';
}

/* \n, \r and \r\n are one line end each. */
static void skip_newline(struct parser *p)
{
    uint8_t c = *p->at++;
    if (c == '\r' && p->at < p->end && *p->at == '\n')
        p->at++;
    p->line++;
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end && is_blank(*p->at))
        p->at++;
}

static int hex4(struct parser *p, uint32_t *ret_value)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        uint8_t c = p->at < p->end ? *p->at : 0;
        uint32_t digit = c >= '0' && c <= '9'                 ? c - (uint32_t)'0'
                         : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32u) - 'a' + 10
                                                              : 16;
        if (digit > 15)
            return rw_err_set(p->err, RW_E_INVAL, "line %d: \\u needs four hexadecimal digits",
                              p->line);
        v = v << 4 | digit;
    }
    *ret_value = v;
    return RW_OK;
}

/* After "\u": one code point, which may take a second escape. */
static int unicode(struct parser *p)
{
    uint32_t c = 0, low = 0;
    uint8_t bytes[4];
    int code = hex4(p, &c);
    if (code)
        return code;
    if (c >= 0xd800 && c < 0xdc00 && p->end - p->at >= 2 && p->at[0] == '\\' && p->at[1] == 'u') {
        p->at += 2;
        code = hex4(p, &low);
        if (code)
            return code;
        /* Out of range when the second half is none, which is then refused below. */
        c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : c;
    }
    size_t n = rw_utf8_put(bytes, c);
    if (n == 0 || c == 0)
        return rw_err_set(p->err, RW_E_INVAL, "line %d: \\u%04x is not a character", p->line, c);
    rw_buf_add(&p->buf, bytes, n);
    return RW_OK;
}

/* After a backslash that is not followed by a line end. */
static int escape(struct parser *p)
{
    uint8_t c = *p->at++;
    switch (c) {
    case 0:
        return rw_err_set(p->err, RW_E_INVAL, "line %d: a NUL byte", p->line);
    case 'u':
        return unicode(p);
    case 't':
        c = '\t';
        break;
    case 'n':
        c = '\n';
        break;
    case 'r':
        c = '\r';
        break;
    case 'f':
        c = '\f';
        break;
    default: /* Java drops the backslash before anything else */
        break;
    }
    rw_buf_add_u8(&p->buf, c);
    return RW_OK;
}

/* Decodes up to the end of the logical line, or, for a key, up to its separator. */
static int decode(struct parser *p, bool key)
{
    while (p->at < p->end && !is_newline(*p->at)) {
        uint8_t c = *p->at;
        if (key && (c == '=' || c == ':' || is_blank(c)))
            break;
        if (c == 0)
            return rw_err_set(p->err, RW_E_INVAL, "line %d: a NUL byte", p->line);
        p->at++;
        if (c != '\\') {
            rw_buf_add_u8(&p->buf, c);
            continue;
        }
        if (p->at == p->end)
            break; /* a backslash at the very end continues into nothing */
        if (is_newline(*p->at)) {
            skip_newline(p);
            skip_blanks(p);
            continue;
        }
        int code = escape(p);
        if (code)
            return code;
    }
    rw_buf_add_u8(&p->buf, 0);
    return RW_OK;
}

/* Blanks, at most one = or :, blanks; lines may be continued in between. */
static void skip_separator(struct parser *p, bool *ret_seen)
{
    bool seen = false;
    while (p->at < p->end) {
        if (is_blank(*p->at)) {
            p->at++;
        } else if (!seen && (*p->at == '=' || *p->at == ':')) {
            p->at++;
            seen = true;
        } else if (*p->at == '\\' && p->at + 1 < p->end && is_newline(p->at[1])) {
            p->at++;
            skip_newline(p);
        } else {
            break;
        }
    }
    *ret_seen = seen;
}

static void skip_comment(struct parser *p)
{
    while (p->at < p->end && !is_newline(*p->at))
        p->at++;
}

static int pair(struct parser *p, int (*each)(void *, const struct rw_property *), void *arg)
{
    struct rw_property property = {.line = p->line};
    rw_buf_clear(&p->buf);
    int code = decode(p, true);
    if (code)
        return code;
    size_t value_at = p->buf.n;
    bool separated;
    skip_separator(p, &separated);
    code = decode(p, false);
    if (code)
        return code;
    if (p->buf.failed)
        return RW_E_NOMEM;
    property.key = (struct rw_str){(const char *)p->buf.p, (int32_t)(value_at - 1)};
    property.value =
        (struct rw_str){(const char *)p->buf.p + value_at, (int32_t)(p->buf.n - value_at - 1)};
    property.bare = !separated && property.value.n == 0;
    return each(arg, &property);
}

static int line_of_bad_byte(struct rw_slice text, size_t at)
{
    int line = 1;
    for (size_t i = 0; i < at; i++)
        line += text.p[i] == '\n' || (text.p[i] == '\r' && text.p[i + 1] != '\n');
    return line;
}

int rw_properties_parse(struct rw_slice text, int (*each)(void *, const struct rw_property *),
                        void *arg, struct rw_err *ret_err)
{
    if (text.n == 0)
        return RW_OK;
    if (text.n > INT32_MAX)
        return rw_err_set(ret_err, RW_E_TOO_BIG, "the file is larger than 2 GiB");
    size_t good = rw_utf8_prefix(text.p, text.n);
    if (good < text.n)
        return rw_err_set(ret_err, RW_E_INVAL, "line %d: not UTF-8", line_of_bad_byte(text, good));
    struct parser p = {.at = text.p, .end = text.p + text.n, .line = 1, .err = ret_err};
    /* A byte order mark, which editors of one system leave. */
    if (text.n >= 3 && !memcmp(text.p, BYTE_ORDER_MARK, 3))
        p.at += 3;
    int code = RW_OK;
    while (code == RW_OK && p.at < p.end) {
        if (is_blank(*p.at))
            p.at++;
        else if (is_newline(*p.at))
            skip_newline(&p);
        else if (*p.at == '#' || *p.at == '!')
            skip_comment(&p);
        else
            code = pair(&p, each, arg);
    }
    if (code == RW_E_NOMEM && p.buf.failed)
        rw_err_set(ret_err, code, "out of memory");
    rw_buf_deinit(&p.buf);
    return code;
}

static void write_escaped(struct rw_buf *out, struct rw_str s, bool key)
{
    int32_t i = 0;
    /* In front of a file this would be a byte order mark, and dropped. */
    if (key && s.n >= 3 && !memcmp(s.p, BYTE_ORDER_MARK, 3)) {
        rw_buf_add_str(out, "\\ufeff");
        i = 3;
    }
    for (; i < s.n; i++) {
        char c = s.p[i];
        const char *named = memchr("\tt\nn\rr\ff", c, 8);
        bool special = c == '\\' || (key && (c == '=' || c == ':' || c == ' ')) ||
                       (i == 0 && (c == ' ' || (key && (c == '#' || c == '!'))));
        /* Every second character of the list is a letter, not a control character. */
        if (named && (uint8_t)c < 0x20) {
            rw_buf_add_u8(out, '\\');
            rw_buf_add_u8(out, (uint8_t)named[1]);
        } else if ((uint8_t)c < 0x20) {
            rw_buf_printf(out, "\\u%04x", (unsigned)c);
        } else {
            if (special)
                rw_buf_add_u8(out, '\\');
            rw_buf_add_u8(out, (uint8_t)c);
        }
    }
}

void rw_properties_write(struct rw_buf *out, struct rw_str key, struct rw_str value)
{
    write_escaped(out, key, true);
    rw_buf_add_u8(out, '=');
    write_escaped(out, value, false);
    rw_buf_add_u8(out, '\n');
}
