/*
 * One value of one key: its check and its canonical form, and the search for the nearest name.
 *
 * Canonical: integers in plain decimal (durations in ms, sizes in bytes), booleans true/false, lists
 * without blanks, names of a set as the table spells them. What canonical accepts is what the broker
 * stores and reports.
 */
#include "broker/config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/units.h"

#define NAME_MAX_LENGTH 96

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct rw_str trim(struct rw_str v)
{
    while (v.n > 0 && is_blank(v.p[0]))
        v.p++, v.n--;
    while (v.n > 0 && is_blank(v.p[v.n - 1]))
        v.n--;
    return v;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_ignoring_case(struct rw_str a, struct rw_str b)
{
    if (a.n != b.n)
        return false;
    for (int32_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

/* The element of "a|b|c" that equals v but for case; null when none does. */
static struct rw_str pick(const char *one_of, struct rw_str v)
{
    for (const char *p = one_of; p;) {
        const char *bar = strchr(p, '|');
        struct rw_str name = {p, (int32_t)(bar ? (size_t)(bar - p) : strlen(p))};
        if (same_ignoring_case(name, v))
            return name;
        p = bar ? bar + 1 : NULL;
    }
    return RW_STR_NULL;
}

static int bad(const struct rw_config_key *key, struct rw_str v, struct rw_err *ret_err,
               const char *expected)
{
    if (key->flags & RW_CONFIG_SECRET)
        return rw_err_set(ret_err, RW_E_INVAL, "Invalid value for %s: expected %s", key->name,
                          expected);
    return rw_err_set(ret_err, RW_E_INVAL, "Invalid value '%.*s' for %s: expected %s",
                      v.n > 100 ? 100 : (int)v.n, v.p ? v.p : "", key->name, expected);
}

static int canonical_integer(const struct rw_config_key *key, struct rw_str v, struct rw_buf *out,
                             struct rw_err *ret_err)
{
    int64_t number;
    bool fine = key->unit == RW_UNIT_MS      ? rw_units_parse_ms(v, &number)
                : key->unit == RW_UNIT_BYTES ? rw_units_parse_bytes(v, &number)
                                             : rw_units_parse_int(v, &number);
    if (!fine)
        return bad(key, v, ret_err,
                   key->unit == RW_UNIT_MS      ? "a duration: milliseconds, or 500ms, 30s, 12h, 7d"
                   : key->unit == RW_UNIT_BYTES ? "a size: bytes, or 64KiB, 1GiB"
                                                : "a whole number");
    int64_t low = key->min, high = key->max;
    if (low == 0 && high == 0) {
        low = key->type == RW_CONFIG_LONG ? INT64_MIN : INT32_MIN;
        high = key->type == RW_CONFIG_LONG ? INT64_MAX : INT32_MAX;
    }
    if (number < low || number > high) {
        char words[80];
        (void)snprintf(words, sizeof(words),
                       key->unit == RW_UNIT_BYTES ? "a size from %lld to %lld bytes"
                                                  : "a number from %lld to %lld",
                       (long long)low, (long long)high);
        return bad(key, v, ret_err, words);
    }
    rw_buf_printf(out, "%lld", (long long)number);
    return RW_OK;
}

static int canonical_double(const struct rw_config_key *key, struct rw_str v, struct rw_buf *out,
                            struct rw_err *ret_err)
{
    char text[64], *end;
    if (v.n <= 0 || (size_t)v.n >= sizeof(text))
        return bad(key, v, ret_err, "a number");
    memcpy(text, v.p, (size_t)v.n);
    text[v.n] = 0;
    double d = strtod(text, &end);
    if (*end || !isfinite(d))
        return bad(key, v, ret_err, "a number");
    if ((key->min || key->max) && (d < (double)key->min || d > (double)key->max))
        return bad(key, v, ret_err, "a number in the allowed range");
    rw_buf_printf(out, "%.12g", d);
    return RW_OK;
}

static int canonical_list(const struct rw_config_key *key, struct rw_str v, struct rw_buf *out,
                          struct rw_err *ret_err)
{
    struct rw_str rest = v;
    bool first = true;
    while (rest.n > 0) {
        const char *comma = memchr(rest.p, ',', (size_t)rest.n);
        struct rw_str item = {rest.p, comma ? (int32_t)(comma - rest.p) : rest.n};
        rest = comma ? (struct rw_str){comma + 1, rest.n - item.n - 1} : (struct rw_str){rest.p, 0};
        item = trim(item);
        if (item.n == 0 && !key->one_of)
            continue;
        if (key->one_of) {
            item = pick(key->one_of, item);
            if (item.n < 0)
                return bad(key, v, ret_err, key->one_of);
        }
        if (!first)
            rw_buf_add_u8(out, ',');
        rw_buf_add(out, item.p, (size_t)item.n);
        first = false;
    }
    if (first && key->one_of)
        return bad(key, v, ret_err, key->one_of);
    return RW_OK;
}

static int canonical_text(const struct rw_config_key *key, struct rw_str v, struct rw_buf *out,
                          struct rw_err *ret_err)
{
    const char *set = key->type == RW_CONFIG_BOOLEAN ? "true|false" : key->one_of;
    if (set) {
        struct rw_str name = pick(set, v);
        if (name.n < 0)
            return bad(key, v, ret_err, set);
        v = name;
    }
    if (v.n > 0 && memchr(v.p, 0, (size_t)v.n))
        return bad(key, v, ret_err, "text without NUL bytes");
    rw_buf_add(out, v.p, (size_t)v.n);
    return RW_OK;
}

int rw_config_canonical(const struct rw_config_key *key, struct rw_str value, struct rw_buf *out,
                        struct rw_err *ret_err)
{
    if (value.n < 0)
        return bad(key, value, ret_err, "a value, not null");
    struct rw_str v = key->type == RW_CONFIG_PASSWORD ? value : trim(value);
    size_t from = out->n;
    int rc = RW_OK;
    switch (key->type) {
    case RW_CONFIG_INT:
    case RW_CONFIG_SHORT:
    case RW_CONFIG_LONG:
        rc = canonical_integer(key, v, out, ret_err);
        break;
    case RW_CONFIG_DOUBLE:
        rc = canonical_double(key, v, out, ret_err);
        break;
    case RW_CONFIG_LIST:
        rc = canonical_list(key, v, out, ret_err);
        break;
    case RW_CONFIG_BOOLEAN:
    case RW_CONFIG_STRING:
    case RW_CONFIG_CLASS:
    case RW_CONFIG_PASSWORD:
        rc = canonical_text(key, v, out, ret_err);
        break;
    }
    if (rc)
        return rc;
    if (out->failed)
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    struct rw_str made = {(const char *)out->p + from, (int32_t)(out->n - from)};
    if (key->check && !key->check(made))
        return bad(key, v, ret_err, "another value");
    return RW_OK;
}

/* Edit distance with one row of memory; `limit` is more than anything of interest. */
static size_t distance(struct rw_str a, const char *b, size_t limit)
{
    size_t m = (size_t)a.n, n = strlen(b);
    size_t row[NAME_MAX_LENGTH + 1];
    if (m > NAME_MAX_LENGTH || n > NAME_MAX_LENGTH)
        return limit;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t up = row[j], best = diagonal + (lower(a.p[i - 1]) != lower(b[j - 1]));
            if (up + 1 < best)
                best = up + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = up;
        }
    }
    return row[n];
}

const char *rw_config_nearest(enum rw_config_scope scope, struct rw_str name)
{
    size_t n_keys;
    const struct rw_config_key *keys = rw_config_table(&n_keys);
    const char *nearest = NULL;
    /* A third of the letters may be wrong: "retention.hours" still finds its key. */
    size_t best = (size_t)(name.n < 0 ? 0 : name.n) / 3 + 1;
    for (size_t i = 0; i < n_keys; i++) {
        if (keys[i].scope != scope)
            continue;
        size_t d = distance(name, keys[i].name, best);
        if (d < best) {
            best = d;
            nearest = keys[i].name;
        }
    }
    return nearest;
}
