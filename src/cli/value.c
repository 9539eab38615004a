/*
 * Numbers with units, as people type and read them. Exact: every parse is checked for overflow, no
 * floating point on the way in.
 */
#include "cli/value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/assert.h"

bool rw_parse_int(const char *text, int64_t *ret_v)
{
    char *end;
    if (!isdigit((unsigned char)text[0]) &&
        !((text[0] == '-' || text[0] == '+') && isdigit((unsigned char)text[1])))
        return false;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || *end)
        return false;
    *ret_v = v;
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first, so that formatting picks the coarsest unit that fits. */
static const struct unit durations[] = {{"w", 604800000}, {"d", 86400000}, {"h", 3600000},
                                        {"m", 60000},     {"s", 1000},     {"ms", 1}};

static const struct unit sizes[] = {{"tib", 1LL << 40},
                                    {"gib", 1LL << 30},
                                    {"mib", 1LL << 20},
                                    {"kib", 1LL << 10},
                                    {"tb", 1000000000000LL},
                                    {"gb", 1000000000LL},
                                    {"mb", 1000000LL},
                                    {"kb", 1000LL},
                                    {"t", 1LL << 40},
                                    {"g", 1LL << 30},
                                    {"m", 1LL << 20},
                                    {"k", 1LL << 10},
                                    {"b", 1}};

static const struct unit *unit_find(const struct unit *units, size_t n, const char *s, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(units[i].name) == len && strncasecmp(units[i].name, s, len) == 0)
            return &units[i];
    return NULL;
}

/* A sum of terms like "1h30m"; a single bare number has factor 1. */
static bool parse_terms(const char *text, const struct unit *units, size_t n_units, bool several,
                        int64_t *ret_v)
{
    bool negative = text[0] == '-';
    const char *p = text + negative;
    int64_t sum = 0;
    int terms = 0;
    while (*p) {
        if (!isdigit((unsigned char)*p) || (terms && !several))
            return false;
        int64_t v = 0;
        for (; isdigit((unsigned char)*p); p++)
            if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
                return false;
        while (*p == ' ')
            p++;
        size_t len = 0;
        while (isalpha((unsigned char)p[len]))
            len++;
        if (len) {
            const struct unit *u = unit_find(units, n_units, p, len);
            if (!u || __builtin_mul_overflow(v, u->factor, &v))
                return false;
        } else if (terms || *p) {
            return false;
        }
        p += len;
        if (__builtin_add_overflow(sum, v, &sum))
            return false;
        terms++;
    }
    if (terms)
        *ret_v = negative ? -sum : sum;
    return terms > 0;
}

bool rw_parse_duration(const char *text, int64_t *ret_ms)
{
    return parse_terms(text, durations, RW_COUNT(durations), true, ret_ms);
}

bool rw_parse_bytes(const char *text, int64_t *ret_bytes)
{
    return parse_terms(text, sizes, RW_COUNT(sizes), false, ret_bytes);
}

const char *rw_format_duration(int64_t ms, char buf[RW_VALUE_TEXT])
{
    if (ms == 0)
        return memcpy(buf, "0", 2);
    size_t n = 0;
    buf[0] = 0;
    uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    if (ms < 0)
        n += (size_t)snprintf(buf, RW_VALUE_TEXT, "-");
    int shown = 0;
    /* Weeks are for input only: 7d reads better than 1w in a table of retention times. */
    for (size_t i = 1; i < RW_COUNT(durations) && left && shown < 2; i++) {
        uint64_t f = (uint64_t)durations[i].factor;
        if (left >= f) {
            n += (size_t)snprintf(buf + n, RW_VALUE_TEXT - n, "%" PRIu64 "%s", left / f,
                                  durations[i].name);
            left %= f;
            shown++;
        }
    }
    return buf;
}

const char *rw_format_bytes(int64_t bytes, char buf[RW_VALUE_TEXT])
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double v = (double)bytes;
    size_t i = 0;
    while ((v >= 1024 || v <= -1024) && i + 1 < RW_COUNT(names)) {
        v /= 1024;
        i++;
    }
    bool whole = v >= 99.95 || v == (double)(int64_t)v;
    snprintf(buf, RW_VALUE_TEXT, whole ? "%.0f %s" : "%.1f %s", v, names[i]);
    return buf;
}

const char *rw_format_count(int64_t v, char buf[RW_VALUE_TEXT])
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%" PRIu64, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
    size_t at = 0;
    if (v < 0)
        buf[at++] = '-';
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            buf[at++] = ',';
        buf[at++] = digits[i];
    }
    buf[at] = 0;
    return buf;
}
