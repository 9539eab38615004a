/* Points in time, as people type them. */
#include "cli/when.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/units.h"

struct cursor {
    const char *at, *end;
};

/* Exactly `digits` digits. */
static bool number(struct cursor *c, int digits, int *ret)
{
    int v = 0;
    for (int i = 0; i < digits; i++, c->at++) {
        if (c->at >= c->end || !isdigit((unsigned char)*c->at))
            return false;
        v = v * 10 + (*c->at - '0');
    }
    *ret = v;
    return true;
}

static bool skip(struct cursor *c, char ch)
{
    if (c->at >= c->end || *c->at != ch)
        return false;
    c->at++;
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    /* March is the first month: the leap day is the last of the year. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    int64_t day_of_year = (153 * m + 2) / 5 + day - 1;
    int64_t days = 365 * y + y / 4 - y / 100 + y / 400 + day_of_year;
    return days - 719468;
}

static bool valid_date(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (leap && month == 2);
}

/* Up to nine digits; only milliseconds count. */
static int fraction_ms(struct cursor *c)
{
    int ms = 0, scale = 100;
    for (; c->at < c->end && isdigit((unsigned char)*c->at); c->at++, scale /= 10)
        ms += scale * (*c->at - '0');
    return ms;
}

static bool zone(struct cursor *c, int64_t *ms)
{
    int hours, minutes;
    if (c->at == c->end || skip(c, 'Z') || skip(c, 'z'))
        return c->at == c->end;
    bool east = skip(c, '+');
    if (!east && !skip(c, '-'))
        return false;
    if (!number(c, 2, &hours) || !skip(c, ':') || !number(c, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    int64_t offset = (hours * 60 + minutes) * 60000LL;
    *ms += east ? -offset : offset;
    return c->at == c->end;
}

static bool rfc3339(struct cursor c, int64_t *ret_ms)
{
    int year, month, day, hour, minute, second = 0;
    if (!number(&c, 4, &year) || !skip(&c, '-') || !number(&c, 2, &month) || !skip(&c, '-') ||
        !number(&c, 2, &day) || !valid_date(year, month, day))
        return false;
    int64_t ms = days_of(year, month, day) * 86400000;
    if (c.at == c.end) {
        *ret_ms = ms;
        return true;
    }
    if (!skip(&c, 'T') && !skip(&c, 't') && !skip(&c, ' '))
        return false;
    if (!number(&c, 2, &hour) || !skip(&c, ':') || !number(&c, 2, &minute) || hour > 23 ||
        minute > 59)
        return false;
    if (skip(&c, ':') && (!number(&c, 2, &second) || second > 60))
        return false;
    ms += hour * 3600000LL + minute * 60000LL + second * 1000LL;
    if (skip(&c, '.'))
        ms += fraction_ms(&c);
    if (!zone(&c, &ms))
        return false;
    *ret_ms = ms;
    return true;
}

bool rw_parse_time(const char *text, size_t n, int64_t now_ms, int64_t *ret_ms)
{
    char copy[64];
    int64_t v;
    if (n == 0 || n >= sizeof(copy))
        return false;
    memcpy(copy, text, n);
    copy[n] = 0;
    if (strcmp(copy, "now") == 0) {
        *ret_ms = now_ms;
        return true;
    }
    if (copy[0] == '-' && rw_units_parse_ms(rw_str(copy), &v)) {
        *ret_ms = now_ms + v;
        return true;
    }
    if (strspn(copy, "0123456789") == n && rw_units_parse_int(rw_str(copy), &v)) {
        *ret_ms = n >= 13 ? v : v * 1000;
        return n <= 11 || n == 13;
    }
    return rfc3339((struct cursor){copy, copy + n}, ret_ms);
}

const char *rw_format_time(int64_t ms, char buf[RW_TIME_TEXT])
{
    struct tm tm;
    time_t s = (time_t)(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
    if (!gmtime_r(&s, &tm) || tm.tm_year > 8099) {
        snprintf(buf, RW_TIME_TEXT, "%" PRId64, ms);
        return buf;
    }
    size_t n = strftime(buf, RW_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(buf + n, RW_TIME_TEXT - n, ".%03dZ", (int)(ms - (int64_t)s * 1000));
    return buf;
}
