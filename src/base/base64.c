/* Base64, both alphabets. Tables instead of arithmetic: the text is short (ids, tokens, binary keys). */
#include "base/base64.h"

#include <string.h>

static const char digits[3][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
};

void rw_base64_encode(enum rw_base64 alphabet, struct rw_slice in, struct rw_buf *out)
{
    const char *d = digits[alphabet];
    for (size_t i = 0; i < in.n; i += 3) {
        size_t have = in.n - i < 3 ? in.n - i : 3;
        uint32_t v = (uint32_t)in.p[i] << 16;
        if (have > 1)
            v |= (uint32_t)in.p[i + 1] << 8;
        if (have > 2)
            v |= in.p[i + 2];
        char four[4] = {d[v >> 18], d[v >> 12 & 63], d[v >> 6 & 63], d[v & 63]};
        if (alphabet == RW_BASE64_STANDARD)
            memset(four + have + 1, '=', 3 - have);
        rw_buf_add(out, four, alphabet == RW_BASE64_STANDARD ? 4 : have + 1);
    }
}

/* Value of a digit, -1 for anything else. */
static int value(enum rw_base64 alphabet, char c)
{
    const char *at = c ? memchr(digits[alphabet], c, 64) : NULL;
    return at ? (int)(at - digits[alphabet]) : -1;
}

int rw_base64_decode(enum rw_base64 alphabet, struct rw_str in, struct rw_buf *out)
{
    size_t n = in.n > 0 ? (size_t)in.n : 0, before = out->n;
    bool padded = n >= 4 && n % 4 == 0 && in.p[n - 1] == '=';
    if (padded)
        n -= in.p[n - 2] == '=' ? 2 : 1;
    else if (alphabet == RW_BASE64_STANDARD && n % 4)
        return RW_E_INVAL;
    if (n % 4 == 1)
        return RW_E_INVAL;
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < n; i++) {
        int v = value(alphabet, in.p[i]);
        if (v < 0) {
            out->n = before;
            return RW_E_INVAL;
        }
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            rw_buf_add_u8(out, (uint8_t)(bits >> have));
        }
    }
    int code = out->failed ? RW_E_NOMEM : bits & ((1u << have) - 1) ? RW_E_INVAL : RW_OK;
    if (code)
        out->n = before;
    return code;
}
