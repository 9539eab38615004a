/*
 * JSON writer. Invariant: after each call the buffer holds the beginning of a valid document, closed by
 * as many ends as `depth`.
 */
#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/base64.h"
#include "base/utf8.h"

void rw_json_init(struct rw_json *j, struct rw_buf *out, unsigned indent)
{
    *j = (struct rw_json){.out = out, .indent = indent};
}

static void new_line(struct rw_json *j)
{
    if (!j->indent)
        return;
    rw_buf_add_u8(j->out, '\n');
    for (unsigned i = 0; i < j->indent * j->depth; i++)
        rw_buf_add_u8(j->out, ' ');
}

static uint64_t bit(const struct rw_json *j)
{
    return UINT64_C(1) << j->depth;
}

/* Everything that comes before a value: comma, line break, key. */
static void before_value(struct rw_json *j, const char *key)
{
    bool member = j->depth > 0 && !(j->arrays & bit(j));
    RW_ASSERT(member == (key != NULL));
    if (j->depth == 0)
        return;
    if (j->nonempty & bit(j))
        rw_buf_add_u8(j->out, ',');
    j->nonempty |= bit(j);
    new_line(j);
    if (key) {
        rw_json_quote(j->out, key, strlen(key));
        rw_buf_add_str(j->out, j->indent ? ": " : ":");
    }
}

static void begin(struct rw_json *j, const char *key, char c, bool array)
{
    before_value(j, key);
    RW_ASSERT(j->depth < RW_JSON_DEPTH_MAX);
    rw_buf_add_u8(j->out, (uint8_t)c);
    j->depth++;
    j->nonempty &= ~bit(j);
    j->arrays = array ? j->arrays | bit(j) : j->arrays & ~bit(j);
}

void rw_json_object(struct rw_json *j, const char *key)
{
    begin(j, key, '{', false);
}

void rw_json_array(struct rw_json *j, const char *key)
{
    begin(j, key, '[', true);
}

void rw_json_end(struct rw_json *j)
{
    RW_ASSERT(j->depth > 0);
    bool array = (j->arrays & bit(j)) != 0, nonempty = (j->nonempty & bit(j)) != 0;
    j->depth--;
    if (nonempty)
        new_line(j);
    rw_buf_add_u8(j->out, array ? ']' : '}');
}

static void add_plain(struct rw_buf *out, const uint8_t *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = p[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        rw_buf_add(out, p + done, i - done);
        done = i + 1;
        char two[2] = {'\\', 0};
        two[1] = c == '"' || c == '\\' ? (char)c
                 : c == '\n'           ? 'n'
                 : c == '\r'           ? 'r'
                 : c == '\t'           ? 't'
                 : c == '\b'           ? 'b'
                 : c == '\f'           ? 'f'
                                       : 0;
        if (two[1]) {
            rw_buf_add(out, two, 2);
        } else {
            const char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            rw_buf_add(out, six, 6);
        }
    }
    rw_buf_add(out, p + done, n - done);
}

void rw_json_escape(struct rw_buf *out, const void *data, size_t n)
{
    const uint8_t *p = data;
    while (n > 0) {
        size_t good = rw_utf8_prefix(p, n);
        add_plain(out, p, good);
        p += good;
        n -= good;
        if (n > 0) { /* one replacement character for each bad byte */
            rw_buf_add(out, "\xef\xbf\xbd", 3);
            p++;
            n--;
        }
    }
}

void rw_json_quote(struct rw_buf *out, const void *p, size_t n)
{
    rw_buf_add_u8(out, '"');
    rw_json_escape(out, p, n);
    rw_buf_add_u8(out, '"');
}

void rw_json_null(struct rw_json *j, const char *key)
{
    before_value(j, key);
    rw_buf_add_str(j->out, "null");
}

void rw_json_bool(struct rw_json *j, const char *key, bool v)
{
    before_value(j, key);
    rw_buf_add_str(j->out, v ? "true" : "false");
}

void rw_json_int(struct rw_json *j, const char *key, int64_t v)
{
    before_value(j, key);
    rw_buf_printf(j->out, "%" PRId64, v);
}

void rw_json_uint(struct rw_json *j, const char *key, uint64_t v)
{
    before_value(j, key);
    rw_buf_printf(j->out, "%" PRIu64, v);
}

void rw_json_double(struct rw_json *j, const char *key, double v)
{
    char text[32];
    if (!isfinite(v)) {
        rw_json_null(j, key);
        return;
    }
    before_value(j, key);
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    rw_buf_add_str(j->out, text);
}

void rw_json_str(struct rw_json *j, const char *key, struct rw_str v)
{
    if (v.n < 0) {
        rw_json_null(j, key);
        return;
    }
    before_value(j, key);
    rw_json_quote(j->out, v.p, (size_t)v.n);
}

void rw_json_cstr(struct rw_json *j, const char *key, const char *v)
{
    rw_json_str(j, key, rw_str(v));
}

void rw_json_bytes(struct rw_json *j, const char *key, struct rw_slice v)
{
    if (!v.p) {
        rw_json_null(j, key);
    } else if (rw_utf8_valid(v.p, v.n)) {
        before_value(j, key);
        rw_json_quote(j->out, v.p, v.n);
    } else {
        before_value(j, key);
        rw_buf_add_str(j->out, "{\"base64\":\"");
        rw_base64_encode(RW_BASE64_STANDARD, v, j->out);
        rw_buf_add_str(j->out, "\"}");
    }
}
