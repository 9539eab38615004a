/*
 * Floating point into text, whatever the locale of the program says. Most numbers that people log have few digits and are
 * found by trying decimals: m / 10^k is rounded once when m < 2^53 and k <= 22, so equality proves that these digits read
 * back as the number. The others go through snprintf and strtod, of which only the digits are taken.
 */
#include "logger/out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
static const uint64_t integers[] = {1,      10,      100,      1000,      10000,
                                    100000, 1000000, 10000000, 100000000, 1000000000};

static bool put_short(struct rw_lg_out *o, double v)
{
    uint64_t scale = 1;
    for (unsigned k = 1; k < 16; k++) {
        double t = v * powers[k];
        scale *= 10;
        if (t >= 1e15)
            return false;
        uint64_t m = (uint64_t)(t + 0.5);
        if ((double)m / powers[k] == v) {
            rw_lg_put_uint(o, m / scale);
            rw_lg_put_char(o, '.');
            rw_lg_put_digits(o, m % scale, k);
            return true;
        }
    }
    return false;
}

/* As %.<precision>g would arrange these digits. */
static void arrange(struct rw_lg_out *o, const char *digits, int n, int exponent, int precision)
{
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (exponent < -4 || exponent >= precision) {
        rw_lg_put_char(o, digits[0]);
        if (n > 1)
            rw_lg_put_char(o, '.');
        rw_lg_put(o, digits + 1, (size_t)n - 1);
        rw_lg_put(o, exponent < 0 ? "e-" : "e+", 2);
        unsigned e = (unsigned)abs(exponent);
        rw_lg_put_digits(o, e, e < 100 ? 2 : 3);
    } else if (exponent < 0) {
        rw_lg_put_lit(o, "0.");
        rw_lg_put_repeat(o, '0', (size_t)(-exponent - 1));
        rw_lg_put(o, digits, (size_t)n);
    } else if (n <= exponent + 1) {
        rw_lg_put(o, digits, (size_t)n);
        rw_lg_put_repeat(o, '0', (size_t)(exponent + 1 - n));
    } else {
        rw_lg_put(o, digits, (size_t)exponent + 1);
        rw_lg_put_char(o, '.');
        rw_lg_put(o, digits + exponent + 1, (size_t)(n - exponent - 1));
    }
}

static void put_long(struct rw_lg_out *o, double v)
{
    char text[48], digits[64];
    int precision = 15, n = 0;
    for (;; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, v);
        if (precision == 17 || strtod(text, NULL) == v)
            break;
    }
    const char *p = text;
    for (; *p && *p != 'e'; p++) /* between the digits stands the point of the locale */
        if (*p >= '0' && *p <= '9' && n < (int)sizeof(digits))
            digits[n++] = *p;
    arrange(o, digits, n, *p ? (int)strtol(p + 1, NULL, 10) : 0, precision);
}

void rw_lg_put_double(struct rw_lg_out *o, double v)
{
    if (isnan(v)) {
        rw_lg_put_lit(o, "nan");
        return;
    }
    if (signbit(v)) {
        rw_lg_put_char(o, '-');
        v = -v;
    }
    if (isinf(v))
        rw_lg_put_lit(o, "inf");
    else if (v < 1e15 && (double)(uint64_t)v == v)
        rw_lg_put_uint(o, (uint64_t)v);
    else if (v < 1e-4 || v >= 1e15 || !put_short(o, v))
        put_long(o, v);
}

static double shortest_float(float v)
{
    for (unsigned k = 0; k < 10; k++) {
        double t = fabs((double)v) * powers[k];
        if (t >= 1e9)
            break;
        double d = copysign((double)(uint64_t)(t + 0.5) / powers[k], (double)v);
        if ((float)d == v)
            return d;
    }
    char text[32];
    for (int precision = 1; isfinite(v); precision++) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, (double)v);
        if (precision == 9 || strtof(text, NULL) == v)
            return strtod(text, NULL);
    }
    return (double)v;
}

uint64_t rw_lg_float_bits(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof(d));
    d = shortest_float((float)d);
    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

/* The number is whole + f / 2^shift, all exact; f * 10^digits has at most 83 bits. */
bool rw_lg_put_fixed(struct rw_lg_out *o, double v, unsigned digits)
{
    uint64_t bits, rounded = 0;
    double a = fabs(v);
    if (!(a < 1e18) || digits > 9)
        return false;
    uint64_t whole = (uint64_t)a;
    double fraction = a - (double)whole;
    memcpy(&bits, &fraction, sizeof(bits));
    unsigned exponent = (unsigned)(bits >> 52);
    if (fraction != 0 && exponent > 1075 - 120) { /* below, it rounds to nothing */
        unsigned shift = 1075 - exponent;
        unsigned __int128 product = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
        product *= integers[digits];
        unsigned __int128 rest = product & (((unsigned __int128)1 << shift) - 1);
        unsigned __int128 half = (unsigned __int128)1 << (shift - 1);
        rounded = (uint64_t)(product >> shift);
        uint64_t last = digits ? rounded : whole;
        if (rest > half || (rest == half && (last & 1)))
            rounded++;
        if (rounded == integers[digits]) {
            rounded = 0;
            whole++;
        }
    }
    if (signbit(v))
        rw_lg_put_char(o, '-');
    rw_lg_put_uint(o, whole);
    if (digits) {
        rw_lg_put_char(o, '.');
        rw_lg_put_digits(o, rounded, digits);
    }
    return true;
}
