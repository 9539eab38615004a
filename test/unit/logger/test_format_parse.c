/* format_parse.c and message.c: what is kept and put together later is what printf writes at once. */
#include <errno.h>
#include <wchar.h>
#include "entries.h"

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static char got[8192], want[8192];

static const char *message(enum rw_lg_escape escape)
{
    struct rw_lg_out o = {got, sizeof(got) - 1, 0};
    rw_lg_put_message_as(&o, &entries.view, escape);
    got[o.n] = 0;
    for (size_t cap = 0; cap < o.n; cap += 1 + cap / 8) {
        char small[sizeof(got)];
        struct rw_lg_out again = {small, cap, 0};
        rw_lg_put_message_as(&again, &entries.view, escape);
        assert_int_equal(again.n, o.n);
        assert_memory_equal(small, got, cap);
    }
    return got;
}

static void put(const char *format, const uint64_t *values)
{
    struct rollway_site site = {
        .message = format, .file = "a.c", .function = "f", .line = 1, .level = 2};
    entries_put(&entries, &site, values);
}

static unsigned random_state = 12345;
static unsigned below(unsigned n)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 8) % n;
}

struct spec {
    char format[64];
    bool star_width, star_precision;
    int width, precision;
    unsigned length; /* of `lengths` */
    char conversion;
};

static const char *const lengths[] = {"", "hh", "h", "l", "ll", "j", "z", "t"};

static void any_spec(struct spec *s, const char *conversions)
{
    static const char *const before[] = {"", "x", "100%% ", "%%", "a%%%%b "};
    static const char *const flags[] = {"", "", "-", "0", "+", " ", "#", "-0", "+#", "0 "};
    char width[16] = "", precision[16] = "";
    *s = (struct spec){.width = (int)below(30) - 8, .precision = (int)below(20) - 4};
    s->conversion = conversions[below((unsigned)strlen(conversions))];
    s->star_width = below(4) == 0;
    s->star_precision = below(4) == 0;
    if (s->star_width)
        strcpy(width, "*");
    else if (below(2))
        snprintf(width, sizeof(width), "%d", 1 + (int)below(20));
    if (s->star_precision)
        strcpy(precision, ".*");
    else if (below(2))
        snprintf(precision, sizeof(precision), ".%.0u", below(15)); /* "." too */
    s->length = strchr("diuxXo", s->conversion) ? below(COUNT(lengths)) : 0;
    snprintf(s->format, sizeof(s->format), "%s%%%s%s%s%s%c%s", before[below(COUNT(before))],
             flags[below(COUNT(flags))], width, precision, lengths[s->length], s->conversion,
             before[below(COUNT(before))]);
}

/* With what stars there are. */
#define PRINT(s, v)                                                                                \
    ((s)->star_width && (s)->star_precision                                                        \
         ? snprintf(want, sizeof(want), (s)->format, (s)->width, (s)->precision, v)                \
     : (s)->star_width     ? snprintf(want, sizeof(want), (s)->format, (s)->width, v)              \
     : (s)->star_precision ? snprintf(want, sizeof(want), (s)->format, (s)->precision, v)          \
                           : snprintf(want, sizeof(want), (s)->format, v))

static void put_spec(const struct spec *s, uint64_t value)
{
    uint64_t values[3];
    unsigned n = 0;
    if (s->star_width)
        values[n++] = INT(s->width);
    if (s->star_precision)
        values[n++] = INT(s->precision);
    values[n] = value;
    put(s->format, values);
    if (strcmp(message(RW_LG_RAW), want) != 0)
        fail_msg("%s: \"%s\", and not \"%s\"", s->format, got, want);
}

static void print_integer(const struct spec *s, uint64_t v)
{
    bool is_signed = s->conversion == 'd' || s->conversion == 'i';
    switch (s->length) {
    case 0: /* int and what is promoted to it: as va_arg gives it, widened */
    case 1:
    case 2:
        PRINT(s, (int)v);
        put_spec(s, is_signed ? INT((int)v) : (uint64_t)(unsigned)v);
        break;
    default:
        PRINT(s, (long long)v);
        put_spec(s, v);
        break;
    }
}

static void integers(void **state)
{
    (void)state;
    for (int i = 0; i < 6000; i++) {
        struct spec s;
        any_spec(&s, "diuxXo");
        uint64_t v =
            (uint64_t)below(1u << 24) << 40 | (uint64_t)below(1u << 24) << 20 | below(1u << 20);
        v = i % 9 == 0 ? 0 : v >> below(64);
        print_integer(&s, i % 5 ? v : 0 - v);
        if (i % 500 == 0) {
            entries_deinit(&entries); /* each is a call site */
            entries_init(&entries);
        }
    }
}

static void doubles(void **state)
{
    (void)state;
    static const double some[] = {0.0,
                                  -0.0,
                                  1.5,
                                  -2.25,
                                  1e300,
                                  1e-300,
                                  3.14159265358979,
                                  1e18,
                                  999999.9999995,
                                  0.5,
                                  2.5,
                                  1234567.891,
                                  __builtin_nan(""),
                                  __builtin_inf(),
                                  -__builtin_inf()};
    for (int i = 0; i < 6000; i++) {
        struct spec s;
        any_spec(&s, "ffeEgGaAF");
        double v = i % 2 ? some[below(COUNT(some))] : (double)((int)below(2000000) - 1000000) / 977;
        PRINT(&s, v);
        put_spec(&s, DOUBLE(v));
        if (i % 500 == 0) {
            entries_deinit(&entries);
            entries_init(&entries);
        }
    }
}

static void texts(void **state)
{
    (void)state;
    static const char *const some[] = {"", "a", "text", "a longer text, with more than twenty",
                                       NULL};
    for (int i = 0; i < 4000; i++) {
        struct spec s;
        any_spec(&s, i % 4 == 0 ? "c" : i % 4 == 1 ? "p" : "s");
        if (strpbrk(s.format, "+#0 ") && s.conversion != 'p') /* not defined for text */
            continue;
        const char *text = some[below(COUNT(some))];
        if (s.conversion == 'c') {
            PRINT(&s, 'c');
            put_spec(&s, 'c');
        } else if (s.conversion == 'p') {
            if (strpbrk(s.format, "+# .0"))
                continue;
            void *p = i % 8 == 1 ? NULL : &s;
            PRINT(&s, p);
            put_spec(&s, (uint64_t)(uintptr_t)p);
        } else {
            struct rollway_text given = {text, text ? strlen(text) : 0};
            PRINT(&s, text);
            put_spec(&s, text ? (uint64_t)(uintptr_t)&given : 0);
        }
        if (i % 500 == 0) {
            entries_deinit(&entries);
            entries_init(&entries);
        }
    }
}

static void several(void **state)
{
    (void)state;
    put("user %s has %d of %5.1f%% (%c, %#lx) %m%%",
        (uint64_t[]){TEXT("ann\n\"x\""), INT(-3), DOUBLE(99.25), 'q', 255, ENOENT});
    assert_string_equal(message(RW_LG_RAW),
                        "user ann\n\"x\" has -3 of  99.2% (q, 0xff) No such file or directory%");
    assert_string_equal(message(RW_LG_QUOTED), "user ann\\n\\\"x\\\" has -3 of  99.2% (q, 0xff) No "
                                               "such file or directory%");
    assert_string_equal(message(RW_LG_PLAIN),
                        "user ann\\n\"x\" has -3 of  99.2% (q, 0xff) No such file or directory%");
    put("no conversion, 100 %%", NULL);
    assert_string_equal(message(RW_LG_RAW), "no conversion, 100 %");
    put("%20m|%d", (uint64_t[]){123456, INT(1)});
    assert_string_equal(message(RW_LG_RAW), "Unknown error 123456|1");
    put("%Ld %hhd", (uint64_t[]){(uint64_t)INT64_MIN, INT(300)});
    assert_string_equal(message(RW_LG_RAW), "-9223372036854775808 44");
    put("", NULL);
    assert_string_equal(message(RW_LG_RAW), "");
    put("%*d|%-*d|", (uint64_t[]){INT(INT32_MAX), INT(5), INT(INT32_MIN), INT(5)});
    assert_int_equal(strlen(message(RW_LG_RAW)), 4002); /* bounded */
    put("%.1500f", (uint64_t[]){DOUBLE(1.7976931348623157e308)});
    snprintf(want, sizeof(want), "%.1500f", 1.7976931348623157e308);
    assert_string_equal(message(RW_LG_RAW), want);
}

/* What the caller has to format: one text. */
static void refused(void **state)
{
    (void)state;
    static const char *const formats[] = {"%n", "%ls", "%lc",   "%S",  "%1$d", "%Lf",  "%",   "%5",
                                          "%.", "%-",  "%y %d", "% %", "%qf",  "%llf", "%hn", "%I"};
    struct rw_lg_part parts[RW_LG_PARTS];
    unsigned args;
    for (size_t i = 0; i < COUNT(formats); i++) {
        assert_int_equal(rw_lg_format_parse(formats[i], parts, RW_LG_PARTS, &args), 0);
        put(formats[i], (uint64_t[]){TEXT("made by the caller: 5%d")});
        assert_string_equal(message(RW_LG_RAW), "made by the caller: 5%d");
    }
    char many[256] = "";
    for (int i = 0; i < 33; i++)
        strcat(many, "%d ");
    assert_int_not_equal(rw_lg_format_parse(many, parts, RW_LG_PARTS, &args), 0);
    put(many, (uint64_t[]){TEXT("1 2 3")}); /* more arguments than an entry has */
    assert_string_equal(message(RW_LG_RAW), "1 2 3");
    assert_int_equal(rw_lg_format_parse("%d%d", parts, 2, &args), 0);
    assert_int_equal(rw_lg_format_parse("%d%d", parts, 3, &args), 3);
    assert_int_equal(args, 2);
    assert_int_equal(rw_lg_format_parse("%*.*f", parts, 3, &args), 2);
    assert_int_equal(args, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(integers), cmocka_unit_test(doubles),
                                       cmocka_unit_test(texts), cmocka_unit_test(several),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, entries_setup, entries_teardown);
}
