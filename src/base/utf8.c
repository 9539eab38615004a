/* Checks UTF-8, eight bytes at a time while it is ASCII, which keys and log lines mostly are. */
#include "base/utf8.h"

#include <string.h>

/* Length of the valid character at p (n >= 1 bytes are there), 0 when there is none. The second byte's
 * range depends on the first (RFC 3629, section 4); that excludes overlong forms and surrogates. */
static size_t character(const uint8_t *p, size_t n)
{
    uint8_t lead = p[0], low = 0x80, high = 0xbf;
    size_t length;
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead == 0xe0)
        low = 0xa0;
    if (lead == 0xed)
        high = 0x9f;
    if (lead == 0xf0)
        low = 0x90;
    if (lead == 0xf4)
        high = 0x8f;
    if (n < length || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

size_t rw_utf8_prefix(const void *data, size_t n)
{
    const uint8_t *p = data;
    size_t at = 0;
    while (at < n) {
        uint64_t v;
        if (n - at >= 8) {
            memcpy(&v, p + at, 8);
            if (!(v & UINT64_C(0x8080808080808080))) {
                at += 8;
                continue;
            }
        }
        size_t length = character(p + at, n - at);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

bool rw_utf8_valid(const void *p, size_t n)
{
    return rw_utf8_prefix(p, n) == n;
}

size_t rw_utf8_put(uint8_t b[4], uint32_t c)
{
    if (c < 0x80) {
        b[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        b[0] = (uint8_t)(0xc0 | c >> 6);
        b[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    if (c < 0x10000) {
        b[0] = (uint8_t)(0xe0 | c >> 12);
        b[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        b[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    b[0] = (uint8_t)(0xf0 | c >> 18);
    b[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    b[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    b[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}
