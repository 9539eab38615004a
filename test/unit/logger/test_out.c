/* out.c, double.c, date.c, escape.c: next to the C library and to simple models. */
#include <locale.h>
#include <float.h>
#include <math.h>
#include <time.h>
#include "base/utf8.h"
#include "entries.h"

static uint64_t seed = 88172645463325252u;

static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static char text[2048];
static struct rw_lg_out out;

static void begin(void)
{
    memset(text, 0, sizeof(text));
    out = (struct rw_lg_out){text, sizeof(text) - 1, 0};
}

/* What is behind it means nothing. */
static const char *said(void)
{
    text[out.n] = 0;
    return text;
}

static void integers(void **state)
{
    (void)state;
    char want[64];
    for (int i = 0; i < 200000; i++) {
        uint64_t v = any() >> (any() & 63);
        if (i < 400) /* around the powers of ten */
            v = (uint64_t)powl(10, i / 20) + (uint64_t)(i % 20) - 10;
        begin();
        rw_lg_put_uint(&out, v);
        snprintf(want, sizeof(want), "%llu", (unsigned long long)v);
        assert_string_equal(said(), want);
        begin();
        rw_lg_put_int(&out, (int64_t)v);
        snprintf(want, sizeof(want), "%lld", (long long)v);
        assert_string_equal(said(), want);
        begin();
        rw_lg_put_hex(&out, v);
        snprintf(want, sizeof(want), "%llx", (unsigned long long)v);
        assert_string_equal(said(), want);
    }
    begin();
    rw_lg_put_int(&out, INT64_MIN);
    assert_string_equal(said(), "-9223372036854775808");
    begin();
    rw_lg_put_hex_bytes(&out, "\x00\xff\x1a", 3);
    assert_string_equal(said(), "00ff1a");
}

/* The way of base/json.c. */
static void model_double(char *p, size_t n, double v)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(p, n, "%.*g", digits, v);
        if (strtod(p, NULL) == v)
            break;
    }
}

static double any_double(int i)
{
    uint64_t bits = any();
    double v;
    memcpy(&v, &bits, 8);
    switch (i % 4) {
    case 0:
        return v;
    case 1:
        return (double)(int64_t)any() / pow(10, (double)(any() % 20));
    case 2:
        return (double)(any() % 100000) / pow(10, (double)(any() % 8));
    default:
        return (double)(any() >> (any() & 63));
    }
}

static void doubles(void **state)
{
    (void)state;
    static const double edges[] = {
        0,          -0.0, 1,       -1.5, 1e15,   999999999999999.0,       1e-4,
        0.00009999, 1e-5, 1e22,    1e23, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
        0.1,        0.3,  1.0 / 3, 12.5, 1e100,  123456789012345680.0,    9007199254740993.0};
    char want[64];
    for (int i = 0; i < 100000; i++) {
        double v = i < (int)COUNT(edges) ? edges[i] : any_double(i);
        if (!isfinite(v))
            continue;
        begin();
        rw_lg_put_double(&out, v);
        model_double(want, sizeof(want), v);
        assert_string_equal(said(), want);
        for (unsigned digits = 0; digits <= 9; digits++) {
            begin();
            if (!rw_lg_put_fixed(&out, v, digits)) {
                assert_true(fabs(v) >= 1e18);
                continue;
            }
            snprintf(want, sizeof(want), "%.*f", (int)digits, v);
            assert_string_equal(said(), want);
        }
    }
    begin();
    rw_lg_put_double(&out, NAN), rw_lg_put_double(&out, -INFINITY);
    assert_string_equal(said(), "nan-inf");
}

static const char *float_text(float f)
{
    double d = (double)f;
    uint64_t bits;
    memcpy(&bits, &d, sizeof(bits));
    bits = rw_lg_float_bits(bits);
    memcpy(&d, &bits, sizeof(d));
    begin();
    rw_lg_put_double(&out, d);
    return said();
}

/* What a float says is read back as this float, and nothing with fewer digits is. */
static void floats(void **state)
{
    (void)state;
    static const struct {
        float f;
        const char *text;
    } known[] = {{0.1F, "0.1"},
                 {-0.3F, "-0.3"},
                 {1.5F, "1.5"},
                 {16777216.0F, "16777216"},
                 {1e10F, "10000000000"},
                 {3.4028235e38F, "3.4028235e+38"},
                 {1e-45F, "1e-45"},
                 {1e-7F, "1e-07"},
                 {0.0F, "0"},
                 {-0.0F, "-0"},
                 {NAN, "nan"},
                 {-INFINITY, "-inf"},
                 {3.14159274F, "3.1415927"}};
    for (size_t i = 0; i < COUNT(known); i++)
        assert_string_equal(float_text(known[i].f), known[i].text);
    char shorter[32];
    uint32_t bits = 1;
    for (int i = 0; i < 200000; i++) {
        float f;
        bits = bits * 1664525 + 1013904223;
        memcpy(&f, &bits, sizeof(f));
        if (!isfinite(f) || fabsf(f) < FLT_MIN)
            continue;
        const char *told = float_text(f);
        assert_true(strtof(told, NULL) == f);
        if (fabsf(f) < 1e9F && truncf(f) == f)
            continue; /* integers are written out */
        int digits = 0;
        for (const char *p = told; *p && *p != 'e'; p++)
            digits += *p >= '0' && *p <= '9' && (digits || *p != '0');
        for (size_t n = strlen(told); n && told[n - 1] == '0' && !strchr(told, 'e'); n--)
            digits--;
        snprintf(shorter, sizeof(shorter), "%.*e", digits > 1 ? digits - 2 : 0, (double)f);
        assert_true(digits <= 9 && (digits <= 1 || strtof(shorter, NULL) != f));
    }
}

/* Exactly between two decimals: to the even one. */
static void halves(void **state)
{
    (void)state;
    char want[64];
    for (int i = -4096; i < 4096; i++) {
        double v = i / 64.0;
        for (unsigned digits = 0; digits <= 6; digits++) {
            begin();
            assert_true(rw_lg_put_fixed(&out, v, digits));
            snprintf(want, sizeof(want), "%.*f", (int)digits, v);
            assert_string_equal(said(), want);
        }
    }
}

#pragma GCC diagnostic ignored "-Wformat-y2k"
static void times(void **state)
{
    (void)state;
    struct rw_lg_second cache = {0};
    char want[128];
    for (int i = 0; i < 100000; i++) {
        int64_t ns = i == 0   ? INT64_MIN
                     : i == 1 ? INT64_MAX
                     : i < 9  ? (int64_t)i - 5
                     : i & 1  ? (int64_t)any()
                              : (int64_t)any() >> 8;
        int64_t second = ns / 1000000000 - (ns % 1000000000 < 0),
                nano = (ns % 1000000000 + 1000000000) % 1000000000;
        struct tm tm;
        time_t t = second;
        assert_non_null(gmtime_r(&t, &tm));
        size_t n = strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(want + n, sizeof(want) - n, ".%06dZ", (int)(nano / 1000));
        begin();
        rw_lg_put_time(&out, ns, &cache);
        assert_string_equal(said(), want);
        if (i % 16)
            continue;
        static const char form[] = "%a %A %b %B %d %e %F %H %I %j %m %M %p %R %S %T %y %Y %h %z %%";
        strftime(want, sizeof(want), form, &tm);
        begin();
        assert_true(rw_lg_put_date(&out, ns, form, strlen(form)));
        assert_string_equal(said(), want);
    }
    begin();
    assert_true(rw_lg_put_date(&out, TIME_NS, "%s.%L.%f.%N %Z", 14));
    assert_string_equal(said(), "1795362001.123.123456.123456789 UTC");
    begin();
    assert_false(rw_lg_put_date(&out, TIME_NS, "%Q", 2));
    assert_false(rw_lg_put_date(&out, TIME_NS, "50%", 3));
    assert_string_equal(said(), "%Q50%");
}

/* One byte after the other, as escape.h says. */
static size_t model_escape(char *to, const char *p, size_t n, bool quotes)
{
    char *from = to;
    for (size_t i = 0; i < n;) {
        uint8_t c = (uint8_t)p[i];
        size_t length = 1;
        while (length < 4 && i + length < n && !rw_utf8_valid(p + i, length))
            length++;
        bool valid = rw_utf8_valid(p + i, length);
        if (!valid) {
            to += sprintf(to, "\xef\xbf\xbd");
            length = 1;
        } else if (length == 2 && c == 0xc2 && (uint8_t)p[i + 1] < 0xa0) {
            to += sprintf(to, "\\u%04x", (uint8_t)p[i + 1]);
        } else if (length > 1 || (c >= 0x20 && c != 0x7f && !(quotes && strchr("\"\\", c)))) {
            memcpy(to, p + i, length);
            to += length;
        } else if (c == '\t' && !quotes) {
            *to++ = '\t';
        } else if (c && strchr("\"\\\n\r\t", c)) {
            *to++ = '\\';
            *to++ = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : (char)c;
        } else {
            to += sprintf(to, "\\u%04x", c);
        }
        i += length;
    }
    return (size_t)(to - from);
}

static void escapes(void **state)
{
    (void)state;
    static const char alphabet[] =
        "aaaabbbbccc xyz\"\\\n\t\r\x01\x1f\x7f\x80\xc2\x85\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff";
    char want[1024];
    for (int i = 0; i < 200000; i++) {
        size_t n = any() % 40;
        char *p = malloc(n + 1); /* exactly that: what reads beyond it is seen */
        assert_non_null(p);
        char *copy = realloc(p, n ? n : 1);
        assert_non_null(copy);
        unsigned kinds = i % 3 == 0 ? 15 : sizeof(alphabet) - 1;
        for (size_t k = 0; k < n; k++)
            copy[k] = i % 7 ? alphabet[any() % kinds] : (char)any();
        for (int quotes = 0; quotes < 2; quotes++) {
            size_t want_n = model_escape(want, copy, n, quotes);
            begin();
            rw_lg_put_escaped(&out, quotes ? RW_LG_QUOTED : RW_LG_PLAIN, copy, n);
            assert_int_equal(out.n, want_n);
            assert_memory_equal(text, want, want_n);
            assert_true(rw_utf8_valid(text, out.n));
        }
        free(copy);
    }
}

static void logfmt(void **state)
{
    (void)state;
    static const struct {
        const char *value, *want;
    } cases[] = {{"bare", "bare"},     {"", "\"\""},           {"two words", "\"two words\""},
                 {"a=b", "\"a=b\""},   {"null", "\"null\""},   {"nul", "nul"},
                 {"1.5", "1.5"},       {"a\"b", "\"a\\\"b\""}, {"\xc3\xa9", "\"\xc3\xa9\""},
                 {"a\nb", "\"a\\nb\""}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        rw_lg_put_logfmt(&out, cases[i].value, strlen(cases[i].value));
        assert_string_equal(said(), cases[i].want);
    }
    begin();
    rw_lg_put_logfmt_key(&out, "a b=c\"\n\xc3\xa9\xff", 10);
    assert_string_equal(said(), "a_b_c__\xc3\xa9_");
}

/* A program that speaks with commas. */
static void locales(void **state)
{
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        skip();
    begin();
    rw_lg_put_double(&out, 1.0 / 3), rw_lg_put_char(&out, ' '), rw_lg_put_double(&out, 1.5e300);
    setlocale(LC_ALL, "C");
    assert_string_equal(said(), "0.3333333333333333 1.5e+300");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers), cmocka_unit_test(doubles), cmocka_unit_test(floats),
        cmocka_unit_test(halves),   cmocka_unit_test(times),   cmocka_unit_test(escapes),
        cmocka_unit_test(logfmt),   cmocka_unit_test(locales),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
