/*
 * Durations and sizes: a number and a unit out of a table. Does not know about locales, fractions or
 * calendar units (a month has no fixed length).
 */
#include "base/units.h"

#include <string.h>
#include "base/assert.h"

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {
    {"", 1},        {"ms", 1},      {"s", 1000},     {"m", 60000},
    {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {"w", 604800000},
};

static const struct unit sizes[] = {
    {"", 1},
    {"b", 1},
    {"k", 1ll << 10},
    {"kib", 1ll << 10},
    {"kb", 1000},
    {"m", 1ll << 20},
    {"mib", 1ll << 20},
    {"mb", 1000000},
    {"g", 1ll << 30},
    {"gib", 1ll << 30},
    {"gb", 1000000000},
    {"t", 1ll << 40},
    {"tib", 1ll << 40},
    {"tb", 1000000000000},
};

static bool is_unit(struct rw_str text, const char *name)
{
    if ((size_t)text.n != strlen(name))
        return false;
    for (int32_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != name[i])
            return false;
    }
    return true;
}

static const struct unit *find_unit(const struct unit *units, size_t n, struct rw_str text)
{
    for (size_t i = 0; i < n; i++)
        if (is_unit(text, units[i].name))
            return &units[i];
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One number with its unit, from *at on; summed up with the sign, so that the lowest number fits. */
static bool parse_term(struct rw_str text, int32_t *at, const struct unit *units, size_t n_units,
                       bool negative, int64_t *sum)
{
    int32_t i = *at;
    int64_t v = 0;
    for (; i < text.n && is_digit(text.p[i]); i++) {
        int digit = text.p[i] - '0';
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, negative ? -digit : digit, &v))
            return false;
    }
    if (i == *at)
        return false;
    while (i < text.n && text.p[i] == ' ')
        i++;
    int32_t from = i;
    while (i < text.n && !is_digit(text.p[i]))
        i++;
    const struct unit *u = find_unit(units, n_units, (struct rw_str){text.p + from, i - from});
    *at = i;
    return u && !__builtin_mul_overflow(v, u->factor, &v) && !__builtin_add_overflow(*sum, v, sum);
}

static bool parse(struct rw_str text, const struct unit *units, size_t n_units, bool several,
                  int64_t *ret_value)
{
    int32_t at = 0;
    int64_t sum = 0;
    bool negative = text.n > 0 && text.p[0] == '-';
    if (negative || (text.n > 0 && text.p[0] == '+'))
        at++;
    int32_t first = at;
    do {
        /* "1h30": what would the 30 be? */
        bool bare = at > first && is_digit(text.p[text.n - 1]);
        if (bare || (at > first && !several) ||
            !parse_term(text, &at, units, n_units, negative, &sum))
            return false;
    } while (at < text.n);
    *ret_value = sum;
    return true;
}

bool rw_units_parse_ms(struct rw_str text, int64_t *ret_ms)
{
    return parse(text, durations, RW_COUNT(durations), true, ret_ms);
}

bool rw_units_parse_bytes(struct rw_str text, int64_t *ret_bytes)
{
    return parse(text, sizes, RW_COUNT(sizes), false, ret_bytes);
}

bool rw_units_parse_int(struct rw_str text, int64_t *ret_value)
{
    return parse(text, durations, 1, false, ret_value);
}
