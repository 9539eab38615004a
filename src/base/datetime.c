/*
 * ISO 8601. The calendar is the proleptic Gregorian one, computed (H. Hinnant, "chrono-compatible
 * low-level date algorithms"): the C library's functions depend on the environment's time zone.
 */
#include "base/datetime.h"

#include <inttypes.h>
#include <stdio.h>

#define DAY_MS INT64_C(86400000)

/* Days since 1970-01-01 of a date; the year begins in March, so that leap days come last. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int m = (int)((5 * of_year + 2) / 153);
    *ret_day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *ret_month = m + (m < 10 ? 3 : -9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

const char *rw_time_format(char buf[RW_TIME_SIZE], int64_t ms)
{
    int64_t days = ms / DAY_MS, rest = ms % DAY_MS, year;
    int month, day;
    if (rest < 0) {
        rest += DAY_MS;
        days--;
    }
    date_of(days, &year, &month, &day);
    int t = (int)rest;
    snprintf(buf, RW_TIME_SIZE, "%s%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%03dZ",
             year > 9999 ? "+" : "", year, month, day, t / 3600000, t / 60000 % 60, t / 1000 % 60,
             t % 1000);
    return buf;
}

/* Takes exactly n digits. */
static bool digits(struct rw_str *s, int n, int *ret)
{
    int v = 0;
    if (s->n < n)
        return false;
    for (int i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    s->p += n;
    s->n -= n;
    *ret = v;
    return true;
}

static bool take(struct rw_str *s, char c)
{
    if (s->n < 1 || *s->p != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* ":SS" and ".fff", both optional. */
static bool parse_seconds(struct rw_str *s, int *ret_ms)
{
    int second = 0, ms = 0, scale = 100;
    if (take(s, ':')) {
        if (!digits(s, 2, &second) || second > 59)
            return false;
        if (take(s, '.')) {
            int digit;
            if (!digits(s, 1, &digit))
                return false;
            do {
                ms += digit * scale;
                scale /= 10;
            } while (digits(s, 1, &digit));
        }
    }
    *ret_ms = second * 1000 + ms;
    return true;
}

/* Nothing, "Z" or "+hh:mm". */
static bool parse_zone(struct rw_str *s, int64_t *ret_offset_ms)
{
    int hour, minute = 0, sign;
    *ret_offset_ms = 0;
    if (s->n == 0 || take(s, 'Z'))
        return s->n == 0;
    sign = take(s, '-') ? -1 : take(s, '+') ? 1 : 0;
    if (!sign || !digits(s, 2, &hour))
        return false;
    if (s->n > 0 && (take(s, ':'), !digits(s, 2, &minute)))
        return false;
    *ret_offset_ms = sign * (hour * INT64_C(3600000) + minute * INT64_C(60000));
    return s->n == 0 && hour < 24 && minute < 60;
}

bool rw_time_parse(struct rw_str s, int64_t *ret_ms)
{
    int year, month, day, hour = 0, minute = 0, ms = 0;
    int64_t zone = 0;
    if (!digits(&s, 4, &year) || !take(&s, '-') || !digits(&s, 2, &month) || !take(&s, '-') ||
        !digits(&s, 2, &day) || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    if (s.n > 0) {
        if ((!take(&s, 'T') && !take(&s, ' ')) || !digits(&s, 2, &hour) || !take(&s, ':') ||
            !digits(&s, 2, &minute) || hour > 23 || minute > 59 || !parse_seconds(&s, &ms) ||
            !parse_zone(&s, &zone))
            return false;
    }
    *ret_ms = days_of(year, month, day) * DAY_MS + hour * INT64_C(3600000) +
              minute * INT64_C(60000) + ms - zone;
    return true;
}
