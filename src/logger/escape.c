/*
 * Text into lines: nothing that somebody logged can end a line, a string or a colour. Runs of harmless bytes are found eight
 * at a time and copied whole; only what stands between them is looked at.
 */
#include "logger/out.h"

#include <endian.h>
#include "base/utf8.h"

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* High bits at bytes that are no printable ASCII; with `quotes`, at " and \ too. The first one set is exact (a borrow
 * reaches only bytes behind it). */
static inline uint64_t suspects(uint64_t w, bool quotes)
{
    uint64_t hits = (w - ONES * 0x20) | w | ((w ^ ONES * 0x7f) - ONES);
    if (quotes)
        hits |= ((w ^ ONES * '"') - ONES) | ((w ^ ONES * '\\') - ONES);
    return hits & HIGHS;
}

/* Byte i of memory is bits 8*i of a word, on every machine. */
static inline uint64_t load(const char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return le64toh(w);
}

static inline uint64_t load4(const char *p)
{
    uint32_t w;
    memcpy(&w, p, 4);
    return le32toh(w);
}

/* The last 1 to 7 bytes, filled up with `fill`, without reading more than is there. */
static inline uint64_t load_tail(const char *p, size_t n, uint8_t fill)
{
    uint64_t w;
    if (n >= 4)
        w = load4(p) | load4(p + n - 4) << 8 * (n - 4);
    else
        w = (uint64_t)(uint8_t)p[0] | (uint64_t)(uint8_t)p[n >> 1] << 8 * (n >> 1) |
            (uint64_t)(uint8_t)p[n - 1] << 8 * (n - 1);
    return w | ONES * fill << 8 * n;
}

static inline void store(char *p, uint64_t w)
{
    w = htole64(w);
    memcpy(p, &w, 8);
}

/* How many bytes from p on are harmless; they are copied to `to` (NULL: nowhere), and up to 7 bytes of no meaning behind. */
static inline size_t copy_harmless(char *to, const char *p, size_t n, bool quotes)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t w = load(p + i), hits = suspects(w, quotes);
        if (to)
            store(to + i, w);
        if (hits)
            return i + (size_t)__builtin_ctzll(hits) / 8;
    }
    if (i == n)
        return n;
    uint64_t w = load_tail(p + i, n - i, ' '), hits = suspects(w, quotes);
    if (to)
        store(to + i, w);
    return hits ? i + (size_t)__builtin_ctzll(hits) / 8 : n;
}

static void put_control(struct rw_lg_out *o, unsigned c)
{
    static const char digits[] = "0123456789abcdef";
    char two[2] = {'\\', 0};
    switch (c) {
    case '"':
    case '\\':
        two[1] = (char)c;
        break;
    case '\n':
        two[1] = 'n';
        break;
    case '\r':
        two[1] = 'r';
        break;
    case '\t':
        two[1] = 't';
        break;
    default:
        break;
    }
    if (two[1]) {
        rw_lg_put(o, two, 2);
    } else {
        const char six[6] = {'\\', 'u', '0', '0', digits[c >> 4 & 15], digits[c & 15]};
        rw_lg_put(o, six, 6);
    }
}

/* Length of the whole valid character at p that is not ASCII; 0: there is none. */
static size_t character(const char *p, size_t n)
{
    uint8_t lead = (uint8_t)p[0];
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return n >= length && rw_utf8_prefix(p, length) == length ? length : 0;
}

/* One suspect; returns how many bytes of the input it was. */
static size_t put_suspect(struct rw_lg_out *o, const char *p, size_t n, bool quotes)
{
    uint8_t c = (uint8_t)*p;
    if (c < 0x80) {
        if (c == '\t' && !quotes)
            rw_lg_put_char(o, '\t');
        else
            put_control(o, c);
        return 1;
    }
    size_t length = character(p, n);
    if (length == 0) {
        rw_lg_put(o, "\xef\xbf\xbd", 3); /* U+FFFD for each bad byte */
        return 1;
    }
    if (c == 0xc2 && (uint8_t)p[1] < 0xa0) /* U+0080 to U+009F: terminals obey them */
        put_control(o, (uint8_t)p[1]);
    else
        rw_lg_put(o, p, length);
    return length;
}

static inline void put_safe(struct rw_lg_out *o, const char *p, size_t n, bool quotes)
{
    for (size_t used; n > 0; p += used, n -= used) {
        if (__builtin_expect(o->n + n + 8 <= o->cap, 1)) {
            used = copy_harmless(o->p + o->n, p, n, quotes);
            o->n += used;
        } else {
            used = copy_harmless(NULL, p, n, quotes);
            rw_lg_put(o, p, used);
        }
        if (used < n)
            used += put_suspect(o, p + used, n - used, quotes);
    }
}

void rw_lg_put_json(struct rw_lg_out *o, const char *p, size_t n)
{
    put_safe(o, p, n, true);
}

void rw_lg_put_plain(struct rw_lg_out *o, const char *p, size_t n)
{
    put_safe(o, p, n, false);
}

void rw_lg_put_escaped(struct rw_lg_out *o, enum rw_lg_escape escape, const char *p, size_t n)
{
    if (escape == RW_LG_RAW && n)
        rw_lg_put(o, p, n);
    else if (escape == RW_LG_QUOTED)
        put_safe(o, p, n, true);
    else if (escape == RW_LG_PLAIN)
        put_safe(o, p, n, false);
}

static inline bool bare_word(uint64_t w)
{
    uint64_t hits = suspects(w, true) | (w - ONES * 0x21) | ((w ^ ONES * '=') - ONES);
    return !(hits & HIGHS);
}

/* Bare: no blank, no quote, no '=', nothing that is escaped, and not empty. */
static bool bare(const char *p, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        if (!bare_word(load(p + i)))
            return false;
    return n > 0 && (i == n || bare_word(load_tail(p + i, n - i, 'x')));
}

void rw_lg_put_logfmt(struct rw_lg_out *o, const char *p, size_t n)
{
    /* The text "null" is not nothing. */
    if (bare(p, n) && !(n == 4 && !memcmp(p, "null", 4))) {
        rw_lg_put(o, p, n);
        return;
    }
    rw_lg_put_char(o, '"');
    put_safe(o, p, n, true);
    rw_lg_put_char(o, '"');
}

void rw_lg_put_logfmt_key(struct rw_lg_out *o, const char *p, size_t n)
{
    if (n == 0)
        rw_lg_put_char(o, '_');
    for (size_t i = 0; i < n;) {
        uint8_t c = (uint8_t)p[i];
        size_t length = c < 0x80 ? 0 : character(p + i, n - i);
        if (length && !(c == 0xc2 && (uint8_t)p[i + 1] < 0xa0))
            rw_lg_put(o, p + i, length);
        else
            rw_lg_put_char(o, c <= ' ' || c == '=' || c == '"' || c >= 0x7f ? '_' : (char)c);
        i += length ? length : 1;
    }
}
