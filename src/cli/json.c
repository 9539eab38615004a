/* JSON out. What is quoted was checked to be UTF-8 or is replaced byte by byte with U+FFFD. */
#include "cli/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "base/assert.h"

void rw_cli_json_init(struct rw_cli_json *j, struct rw_buf *out, int indent)
{
    *j = (struct rw_cli_json){.out = out, .indent = indent};
}

/* Length of the valid UTF-8 sequence at p, 0 when there is none. Rejects overlong forms, surrogates
 * and what is above U+10FFFF. */
static size_t utf8_sequence(const uint8_t *p, size_t n)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}

static bool ascii8(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return (v & 0x8080808080808080ull) == 0;
}

bool rw_cli_utf8_valid(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        if (n - i >= 8 && ascii8(p + i)) {
            i += 8;
            continue;
        }
        size_t len = utf8_sequence(p + i, n - i);
        if (!len)
            return false;
        i += len;
    }
    return true;
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void quote_special(struct rw_buf *out, uint8_t c)
{
    static const char letters[] = "\b\t\n\f\r\"\\";
    static const char escapes[] = "btnfr\"\\";
    const char *at = c ? strchr(letters, c) : NULL;
    if (at) {
        rw_buf_add_u8(out, '\\');
        rw_buf_add_u8(out, (uint8_t)escapes[at - letters]);
    } else {
        rw_buf_printf(out, "\\u%04x", c);
    }
}

void rw_cli_json_quote(struct rw_buf *out, const char *s, size_t n)
{
    const uint8_t *p = (const uint8_t *)s;
    rw_buf_add_u8(out, '"');
    size_t i = 0;
    while (i < n) {
        size_t run = i;
        while (run < n && is_plain(p[run]))
            run++;
        rw_buf_add(out, p + i, run - i);
        i = run;
        if (i == n)
            break;
        size_t len = utf8_sequence(p + i, n - i);
        if (len > 1)
            rw_buf_add(out, p + i, len);
        else if (len == 1)
            quote_special(out, p[i]);
        else
            rw_buf_add_str(out, "\\ufffd");
        i += len ? len : 1;
    }
    rw_buf_add_u8(out, '"');
}

static void line_break(struct rw_cli_json *j)
{
    if (j->indent == 0)
        return;
    rw_buf_add_u8(j->out, '\n');
    for (int i = 0; i < j->depth * j->indent; i++)
        rw_buf_add_u8(j->out, ' ');
}

/* Everything that comes before a value: the comma, the key. */
static void begin_value(struct rw_cli_json *j, const char *key)
{
    if (j->depth == 0)
        return;
    uint32_t bit = 1u << (j->depth - 1);
    RW_ASSERT(((j->is_array & bit) != 0) == (key == NULL));
    if (j->has_some & bit)
        rw_buf_add_u8(j->out, ',');
    j->has_some |= bit;
    line_break(j);
    if (key) {
        rw_cli_json_quote(j->out, key, strlen(key));
        rw_buf_add_str(j->out, j->indent ? ": " : ":");
    }
}

static void open_level(struct rw_cli_json *j, const char *key, bool array)
{
    begin_value(j, key);
    RW_ASSERT(j->depth < RW_CLI_JSON_DEPTH_MAX);
    uint32_t bit = 1u << j->depth++;
    j->is_array = array ? j->is_array | bit : j->is_array & ~bit;
    j->has_some &= ~bit;
    rw_buf_add_u8(j->out, array ? '[' : '{');
}

void rw_cli_json_object(struct rw_cli_json *j, const char *key)
{
    open_level(j, key, false);
}

void rw_cli_json_array(struct rw_cli_json *j, const char *key)
{
    open_level(j, key, true);
}

void rw_cli_json_end(struct rw_cli_json *j)
{
    RW_ASSERT(j->depth > 0);
    uint32_t bit = 1u << --j->depth;
    if (j->has_some & bit)
        line_break(j);
    rw_buf_add_u8(j->out, j->is_array & bit ? ']' : '}');
}

void rw_cli_json_str(struct rw_cli_json *j, const char *key, struct rw_str s)
{
    if (s.n < 0) {
        rw_cli_json_null(j, key);
        return;
    }
    begin_value(j, key);
    rw_cli_json_quote(j->out, s.p, (size_t)s.n);
}

void rw_cli_json_string(struct rw_cli_json *j, const char *key, const char *s)
{
    rw_cli_json_str(j, key, rw_str(s));
}

void rw_cli_json_int(struct rw_cli_json *j, const char *key, int64_t v)
{
    begin_value(j, key);
    rw_buf_printf(j->out, "%" PRId64, v);
}

void rw_cli_json_double(struct rw_cli_json *j, const char *key, double v)
{
    if (!isfinite(v)) {
        rw_cli_json_null(j, key);
        return;
    }
    begin_value(j, key);
    rw_buf_printf(j->out, "%.6g", v);
}

void rw_cli_json_bool(struct rw_cli_json *j, const char *key, bool v)
{
    begin_value(j, key);
    rw_buf_add_str(j->out, v ? "true" : "false");
}

void rw_cli_json_null(struct rw_cli_json *j, const char *key)
{
    begin_value(j, key);
    rw_buf_add_str(j->out, "null");
}

void rw_cli_json_bytes(struct rw_cli_json *j, const char *key, struct rw_slice v)
{
    if (!v.p) {
        rw_cli_json_null(j, key);
        return;
    }
    begin_value(j, key);
    if (rw_cli_utf8_valid(v.p, v.n)) {
        rw_cli_json_quote(j->out, (const char *)v.p, v.n);
        return;
    }
    rw_buf_add_str(j->out, "{\"base64\":\"");
    rw_cli_base64(j->out, v.p, v.n, true);
    rw_buf_add_str(j->out, "\"}");
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void rw_cli_base64(struct rw_buf *out, const uint8_t *p, size_t n, bool padding)
{
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (left > 2 ? p[i + 2] : 0);
        char four[4] = {base64_digits[v >> 18], base64_digits[v >> 12 & 63],
                        left > 1 ? base64_digits[v >> 6 & 63] : '=',
                        left > 2 ? base64_digits[v & 63] : '='};
        rw_buf_add(out, four, padding || left > 2 ? 4 : left + 1);
    }
}

bool rw_cli_base64_decode(struct rw_buf *out, const char *s, size_t n)
{
    uint32_t v = 0;
    int bits = 0;
    while (n && s[n - 1] == '=')
        n--;
    if (n % 4 == 1)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *at = s[i] ? strchr(base64_digits, s[i]) : NULL;
        if (!at)
            return false;
        v = v << 6 | (uint32_t)(at - base64_digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            rw_buf_add_u8(out, (uint8_t)(v >> bits));
        }
    }
    return true;
}
