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

/* Reads sign and digits; *ret_used tells how far. False when there is no digit or it overflows. */
static bool read_number(struct rw_str text, int64_t *ret_value, int32_t *ret_used)
{
    int32_t i = 0;
    bool negative = false;
    if (text.n > 0 && (text.p[0] == '-' || text.p[0] == '+'))
        negative = text.p[i++] == '-';
    int32_t first = i;
    int64_t v = 0;
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
        int digit = text.p[i] - '0';
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, negative ? -digit : digit, &v))
            return false;
    }
    if (i == first)
        return false;
    *ret_value = v;
    *ret_used = i;
    return true;
}

static bool parse(struct rw_str text, const struct unit *units, size_t n_units, int64_t *ret_value)
{
    int64_t v;
    int32_t used;
    if (!read_number(text, &v, &used))
        return false;
    while (used < text.n && text.p[used] == ' ')
        used++;
    struct rw_str rest = {text.p + used, text.n - used};
    for (size_t i = 0; i < n_units; i++)
        if (is_unit(rest, units[i].name))
            return !__builtin_mul_overflow(v, units[i].factor, ret_value);
    return false;
}

bool rw_units_parse_ms(struct rw_str text, int64_t *ret_ms)
{
    return parse(text, durations, RW_COUNT(durations), ret_ms);
}

bool rw_units_parse_bytes(struct rw_str text, int64_t *ret_bytes)
{
    return parse(text, sizes, RW_COUNT(sizes), ret_bytes);
}

bool rw_units_parse_int(struct rw_str text, int64_t *ret_value)
{
    return parse(text, durations, 1, ret_value);
}
