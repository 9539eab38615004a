/*
 * The format mini-language: unpack[...], numbers out of binary keys and values.
 *
 *   < what follows is little-endian   > big-endian (the default)   x a blank in the output
 *   b B 8 bits, h H 16, i I 32, q Q 64; small letters are signed
 *   c or . a character                s the rest as text           $ nothing may be left
 *
 * Data that is too short, or longer than $ allows, is said in the output: a record of another shape must
 * not end the listing.
 */
#include "cli/format.h"

#include <inttypes.h>
#include <string.h>

static const char letters[] = "<>xbBhHiIqQc.s$";

bool rw_format_unpack_check(const char *pattern)
{
    for (const char *p = pattern; *p; p++)
        if (!strchr(letters, *p) || (*p == 's' && p[1] && strcmp(p + 1, "$") != 0) ||
            (*p == '$' && p[1]))
            return false;
    return *pattern != 0;
}

static size_t width_of(char letter)
{
    static const char wide[] = "bhiq";
    const char *at = strchr(wide, letter | 32);
    return at ? (size_t)1 << (at - wide) : 1;
}

static uint64_t unsigned_of(const uint8_t *p, size_t width, bool little)
{
    uint64_t v = 0;
    for (size_t i = 0; i < width; i++)
        v = v << 8 | p[little ? width - 1 - i : i];
    return v;
}

void rw_format_unpack(const char *pattern, struct rw_slice s, struct rw_buf *out)
{
    bool little = false;
    size_t at = 0;
    for (const char *p = pattern; *p; p++) {
        size_t width = width_of(*p);
        if (*p == '<' || *p == '>') {
            little = *p == '<';
        } else if (*p == 'x') {
            rw_buf_add_u8(out, ' ');
        } else if (*p == 's') {
            rw_buf_add(out, s.p + at, s.n - at);
            at = s.n;
        } else if (*p == '$') {
            if (at < s.n)
                rw_buf_printf(out, "(%zu bytes more)", s.n - at);
        } else if (s.n - at < width) {
            rw_buf_add_str(out, "(too short)");
            return;
        } else {
            uint64_t v = unsigned_of(s.p + at, width, little);
            int spare = (int)(64 - 8 * width);
            if (*p == 'c' || *p == '.')
                rw_buf_add_u8(out, (uint8_t)v);
            else if (*p >= 'a')
                rw_buf_printf(out, "%" PRId64, (int64_t)(v << spare) >> spare);
            else
                rw_buf_printf(out, "%" PRIu64, v);
            at += width;
        }
    }
}
