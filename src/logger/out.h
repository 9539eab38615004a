/*
 * Text into memory of a fixed size: no allocation, so that a line can be made anywhere, in a signal handler too. What does not
 * fit is cut, but counted: the caller makes room for `n` bytes and does it again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rw_lg_out {
    char *p;
    size_t cap;
    size_t n; /* bytes that it takes; more than cap: they are not all there */
};

/* A copy of few bytes without a call: two moves that overlap. */
static inline void rw_lg_copy(char *to, const char *p, size_t n)
{
    if (n > 32) {
        memcpy(to, p, n);
    } else if (n >= 16) {
        char a[16], b[16];
        memcpy(a, p, 16), memcpy(b, p + n - 16, 16);
        memcpy(to, a, 16), memcpy(to + n - 16, b, 16);
    } else if (n >= 8) {
        char a[8], b[8];
        memcpy(a, p, 8), memcpy(b, p + n - 8, 8);
        memcpy(to, a, 8), memcpy(to + n - 8, b, 8);
    } else if (n >= 4) {
        char a[4], b[4];
        memcpy(a, p, 4), memcpy(b, p + n - 4, 4);
        memcpy(to, a, 4), memcpy(to + n - 4, b, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = p[i];
    }
}

static inline void rw_lg_put(struct rw_lg_out *o, const void *p, size_t n)
{
    if (__builtin_expect(o->n + n <= o->cap, 1)) {
        if (__builtin_constant_p(n))
            memcpy(o->p + o->n, p, n);
        else
            rw_lg_copy(o->p + o->n, (const char *)p, n);
    } else if (o->n < o->cap) {
        memcpy(o->p + o->n, p, o->cap - o->n);
    }
    o->n += n;
}
/* A string literal. */
#define rw_lg_put_lit(o, s) rw_lg_put(o, s "", sizeof(s) - 1)
static inline void rw_lg_put_char(struct rw_lg_out *o, char c)
{
    if (__builtin_expect(o->n < o->cap, 1))
        o->p[o->n] = c;
    o->n++;
}
static inline void rw_lg_put_cstr(struct rw_lg_out *o, const char *s)
{
    rw_lg_put(o, s, strlen(s));
}
void rw_lg_put_repeat(struct rw_lg_out *o, char c, size_t n);
void rw_lg_put_uint(struct rw_lg_out *o, uint64_t v);
void rw_lg_put_int(struct rw_lg_out *o, int64_t v);
/* Exactly n digits, with zeros before. */
void rw_lg_put_digits(struct rw_lg_out *o, uint64_t v, unsigned n);
void rw_lg_put_hex(struct rw_lg_out *o, uint64_t v); /* without 0x, without leading zeros */
void rw_lg_put_hex_bytes(struct rw_lg_out *o, const void *p, size_t n);

/* double.c. The shortest digits that read back as the same number; nan, inf, -inf. The locale does not matter. */
void rw_lg_put_double(struct rw_lg_out *o, double v);
/* The bits of the double that has the shortest digits which a float reads back as this one: 0.1 for 0.1f. */
uint64_t rw_lg_float_bits(uint64_t bits);
/* As printf's %.<digits>f in the C locale, for digits <= 9 and a finite |v| < 1e18. False: not written. */
bool rw_lg_put_fixed(struct rw_lg_out *o, double v, unsigned digits);

/* escape.c. What is not UTF-8 becomes U+FFFD in all but RAW. */
enum rw_lg_escape {
    RW_LG_RAW,    /* as it is */
    RW_LG_QUOTED, /* the inside of a JSON string, and of a quoted value of logfmt */
    RW_LG_PLAIN   /* for people: control characters (but tabs) escaped, nothing else */
};
void rw_lg_put_escaped(struct rw_lg_out *o, enum rw_lg_escape escape, const char *p, size_t n);
/* A JSON string without its quotes: control characters escaped. */
void rw_lg_put_json(struct rw_lg_out *o, const char *p, size_t n);
/* A value of logfmt: bare when it can be, otherwise quoted and escaped. */
void rw_lg_put_logfmt(struct rw_lg_out *o, const char *p, size_t n);
/* A key of logfmt: what would end it becomes '_'. */
void rw_lg_put_logfmt_key(struct rw_lg_out *o, const char *p, size_t n);
/* Plain text for people: control characters (a line end in what somebody sent is not a line end of the log) escaped. */
void rw_lg_put_plain(struct rw_lg_out *o, const char *p, size_t n);

/* "2026-11-22T15:40:01.123456Z". `cache` remembers the second that was formatted last; zero it before the first use. */
struct rw_lg_second {
    int64_t second;
    char text[24];
    size_t n; /* 0: nothing yet */
};
void rw_lg_put_time(struct rw_lg_out *o, int64_t ns, struct rw_lg_second *cache);

/* Parts of a time in UTC. All of int64 nanoseconds lies in the years 1677 to 2262. */
struct rw_lg_date {
    int year, month, day, hour, minute, second, nano;
    int weekday, day_of_year; /* 0: Sunday; 0: first of January */
};
void rw_lg_date(int64_t ns, struct rw_lg_date *ret_date);
/* As strftime(3) does it in the C locale, and %f %L %N for micro-, milli- and nanoseconds. False: an unknown letter, which
 * is written as it is. */
bool rw_lg_put_date(struct rw_lg_out *o, int64_t ns, const char *format, size_t n);
