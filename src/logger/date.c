/* Times as text, in UTC and in English, whatever the locale of the program says. */
#include "logger/out.h"

static const char days[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                 "Thursday", "Friday", "Saturday"};
static const char months[12][10] = {"January",   "February", "March",    "April",
                                    "May",       "June",     "July",     "August",
                                    "September", "October",  "November", "December"};

/* Days since 1970 into the civil calendar, by 400-year cycles that begin on the first of March. */
static void civil(int64_t day, struct rw_lg_date *d)
{
    int64_t shifted = day + 719468;
    int64_t cycle = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_cycle = shifted - cycle * 146097;
    int64_t year = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
    int64_t of_year = of_cycle - (365 * year + year / 4 - year / 100);
    int64_t m = (5 * of_year + 2) / 153;
    d->day = (int)(of_year - (153 * m + 2) / 5) + 1;
    d->month = (int)(m < 10 ? m + 3 : m - 9);
    d->year = (int)(year + cycle * 400) + (d->month <= 2);
    d->weekday = (int)(((day + 4) % 7 + 7) % 7);
    bool leap = (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;
    d->day_of_year = (int)(m < 10 ? of_year + 59 + leap : of_year - 306);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Not by subtraction: the first second of int64 begins before it. */
static int nano_of(int64_t ns)
{
    int nano = (int)(ns % 1000000000);
    return nano < 0 ? nano + 1000000000 : nano;
}

void rw_lg_date(int64_t ns, struct rw_lg_date *ret_date)
{
    int64_t seconds = floor_div(ns, 1000000000);
    int64_t day = floor_div(seconds, 86400);
    int of_day = (int)(seconds - day * 86400);
    ret_date->nano = nano_of(ns);
    ret_date->hour = of_day / 3600;
    ret_date->minute = of_day / 60 % 60;
    ret_date->second = of_day % 60;
    civil(day, ret_date);
}

static void put_two(struct rw_lg_out *o, int v, char behind)
{
    rw_lg_put_digits(o, (uint64_t)v, 2);
    if (behind)
        rw_lg_put_char(o, behind);
}

static void put_day(struct rw_lg_out *o, const struct rw_lg_date *d)
{
    rw_lg_put_digits(o, (uint64_t)d->year, 4);
    rw_lg_put_char(o, '-');
    put_two(o, d->month, '-');
    put_two(o, d->day, 0);
}

static void put_clock(struct rw_lg_out *o, const struct rw_lg_date *d)
{
    put_two(o, d->hour, ':');
    put_two(o, d->minute, ':');
    put_two(o, d->second, 0);
}

void rw_lg_put_time(struct rw_lg_out *o, int64_t ns, struct rw_lg_second *cache)
{
    int64_t second = floor_div(ns, 1000000000);
    if (second != cache->second || !cache->n) {
        struct rw_lg_date d;
        struct rw_lg_out text = {cache->text, sizeof(cache->text), 0};
        rw_lg_date(ns, &d);
        put_day(&text, &d);
        rw_lg_put_char(&text, 'T');
        put_clock(&text, &d);
        rw_lg_put_char(&text, '.');
        cache->second = second;
        cache->n = text.n;
    }
    rw_lg_put(o, cache->text, 20);
    rw_lg_put_digits(o, (uint64_t)nano_of(ns) / 1000, 6);
    rw_lg_put_char(o, 'Z');
}

static bool put_name(struct rw_lg_out *o, const struct rw_lg_date *d, char c)
{
    const char *name = c == 'a' || c == 'A' ? days[d->weekday] : months[d->month - 1];
    rw_lg_put(o, name, c == 'A' || c == 'B' ? strlen(name) : 3);
    return true;
}

static bool put_field(struct rw_lg_out *o, int64_t ns, const struct rw_lg_date *d, char c)
{
    int hour12 = d->hour % 12 ? d->hour % 12 : 12;
    switch (c) {
    case 'Y':
        rw_lg_put_digits(o, (uint64_t)d->year, 4);
        return true;
    case 'a':
    case 'A':
    case 'b':
    case 'h':
    case 'B':
        return put_name(o, d, c);
    case 'F':
        put_day(o, d);
        return true;
    case 'T':
        put_clock(o, d);
        return true;
    case 'R':
        put_two(o, d->hour, ':');
        put_two(o, d->minute, 0);
        return true;
    case 'e':
        rw_lg_put_char(o, d->day < 10 ? ' ' : (char)('0' + d->day / 10));
        rw_lg_put_char(o, (char)('0' + d->day % 10));
        return true;
    case 'j':
        rw_lg_put_digits(o, (uint64_t)d->day_of_year + 1, 3);
        return true;
    case 'p':
        rw_lg_put(o, d->hour < 12 ? "AM" : "PM", 2);
        return true;
    case 's':
        rw_lg_put_int(o, floor_div(ns, 1000000000));
        return true;
    case 'N':
        rw_lg_put_digits(o, (uint64_t)d->nano, 9);
        return true;
    case 'f':
        rw_lg_put_digits(o, (uint64_t)d->nano / 1000, 6);
        return true;
    case 'L':
        rw_lg_put_digits(o, (uint64_t)d->nano / 1000000, 3);
        return true;
    case 'z':
        rw_lg_put_lit(o, "+0000");
        return true;
    case 'Z':
        rw_lg_put_lit(o, "UTC");
        return true;
    case '%':
        rw_lg_put_char(o, '%');
        return true;
    default:
        break;
    }
    static const char twos[] = "mdHMSIy";
    const int values[] = {d->month, d->day, d->hour, d->minute, d->second, hour12, d->year % 100};
    const char *found = c ? strchr(twos, c) : NULL;
    if (found)
        put_two(o, values[found - twos], 0);
    return found != NULL;
}

bool rw_lg_put_date(struct rw_lg_out *o, int64_t ns, const char *format, size_t n)
{
    struct rw_lg_date d;
    bool known = true;
    rw_lg_date(ns, &d);
    for (size_t i = 0; i < n; i++) {
        if (format[i] != '%' || i + 1 == n) {
            known = known && format[i] != '%';
            rw_lg_put_char(o, format[i]);
        } else if (!put_field(o, ns, &d, format[++i])) {
            known = false;
            rw_lg_put(o, format + i - 1, 2);
        }
    }
    return known;
}
