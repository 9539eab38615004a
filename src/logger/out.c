/* Numbers into text. What fits is written in place; digits go two at a time. */
#include "logger/out.h"

static const char pairs[200] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";
static const char hex[16] = "0123456789abcdef";

static unsigned digits_of(uint64_t v)
{
    static const uint64_t powers[20] = {0,
                                        10,
                                        100,
                                        1000,
                                        10000,
                                        100000,
                                        1000000,
                                        10000000,
                                        100000000,
                                        1000000000,
                                        10000000000,
                                        100000000000,
                                        1000000000000,
                                        10000000000000,
                                        100000000000000,
                                        1000000000000000,
                                        10000000000000000,
                                        100000000000000000,
                                        1000000000000000000,
                                        10000000000000000000u};
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);
    unsigned guess = bits * 1233 >> 12; /* log10(2) */
    return guess + (v >= powers[guess]);
}

/* The last n digits of v. Four at a time, in 32 bits where that is enough: what is waited for is the division. */
static inline void write_digits(char *p, uint64_t v, unsigned n)
{
    uint32_t four;
    for (; n >= 4; v /= 10000) {
        n -= 4;
        four = v >> 32 ? (uint32_t)(v % 10000) : (uint32_t)v % 10000;
        memcpy(p + n, &pairs[four / 100 * 2], 2);
        memcpy(p + n + 2, &pairs[four % 100 * 2], 2);
    }
    four = (uint32_t)(v % 10000);
    if (n & 1)
        p[n - 1] = (char)('0' + four % 10), four /= 10;
    if (n & 2)
        memcpy(p, &pairs[four % 100 * 2], 2);
}

void rw_lg_put_digits(struct rw_lg_out *o, uint64_t v, unsigned n)
{
    if (o->n + n <= o->cap) {
        write_digits(o->p + o->n, v, n);
        o->n += n;
        return;
    }
    char text[20];
    write_digits(text, v, n);
    for (unsigned i = 0; i < n; i++)
        rw_lg_put_char(o, text[i]);
}

void rw_lg_put_uint(struct rw_lg_out *o, uint64_t v)
{
    if (v < 10)
        rw_lg_put_char(o, (char)('0' + v));
    else
        rw_lg_put_digits(o, v, digits_of(v));
}

void rw_lg_put_int(struct rw_lg_out *o, int64_t v)
{
    if (v < 0) {
        rw_lg_put_char(o, '-');
        rw_lg_put_uint(o, 0 - (uint64_t)v);
    } else {
        rw_lg_put_uint(o, (uint64_t)v);
    }
}

void rw_lg_put_hex(struct rw_lg_out *o, uint64_t v)
{
    unsigned n = (67 - (unsigned)__builtin_clzll(v | 1)) / 4;
    char text[16];
    for (unsigned i = n; i-- > 0; v >>= 4)
        text[i] = hex[v & 15];
    rw_lg_put(o, text, n);
}

void rw_lg_put_hex_bytes(struct rw_lg_out *o, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t room = o->n < o->cap ? o->cap - o->n : 0;
    for (size_t i = 0; i < n && 2 * i < room; i++) {
        o->p[o->n + 2 * i] = hex[p[i] >> 4];
        if (2 * i + 1 < room)
            o->p[o->n + 2 * i + 1] = hex[p[i] & 15];
    }
    o->n += 2 * n;
}

void rw_lg_put_repeat(struct rw_lg_out *o, char c, size_t n)
{
    size_t room = o->n < o->cap ? o->cap - o->n : 0;
    if (room)
        memset(o->p + o->n, c, n < room ? n : room);
    o->n += n;
}
