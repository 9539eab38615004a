/* Durations, sizes and counts as people read them. */
#include "base/human.h"

#include <inttypes.h>
#include <stdio.h>
#include "base/assert.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Three significant digits. The value is kept below the next unit also after rounding: 1023.9 KiB is
 * "1.00 MiB". */
static const char *scaled(char *buf, uint64_t n, unsigned base, const char *const *units,
                          const char *gap)
{
    double v = (double)n;
    int unit = 0;
    if (n < base) {
        snprintf(buf, RW_HUMAN_SIZE, "%" PRIu64 "%s%s", n, gap, units[0]);
        return buf;
    }
    while (v >= base - 0.5 && unit < 6) {
        v /= base;
        unit++;
    }
    int digits = v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
    snprintf(buf, RW_HUMAN_SIZE, "%.*f%s%s", digits, v, gap, units[unit]);
    return buf;
}

const char *rw_human_bytes(char buf[RW_HUMAN_SIZE], uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    return scaled(buf, bytes, 1024, units, " ");
}

const char *rw_human_count(char buf[RW_HUMAN_SIZE], uint64_t n)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};
    return scaled(buf, n, 1000, units, "");
}

const char *rw_human_grouped(char buf[RW_HUMAN_SIZE], int64_t n)
{
    char digits[24];
    int count = snprintf(digits, sizeof(digits), "%" PRIu64, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
    size_t at = 0;
    if (n < 0)
        buf[at++] = '-';
    for (int i = 0; i < count; i++) {
        if (i && (count - i) % 3 == 0)
            buf[at++] = ',';
        buf[at++] = digits[i];
    }
    buf[at] = 0;
    return buf;
}

static const char *two_units(char *buf, int64_t v, int64_t large, const char *large_name,
                             int64_t small, const char *small_name)
{
    int64_t a = v / large, b = v % large / small;
    if (b)
        snprintf(buf, RW_HUMAN_SIZE, "%" PRId64 "%s%02" PRId64 "%s", a, large_name, b, small_name);
    else
        snprintf(buf, RW_HUMAN_SIZE, "%" PRId64 "%s", a, large_name);
    return buf;
}

const char *rw_human_ms(char buf[RW_HUMAN_SIZE], int64_t ms)
{
    if (ms < SECOND) /* negative ones too: they mean "never" or "none", not a duration */
        snprintf(buf, RW_HUMAN_SIZE, "%" PRId64 "ms", ms);
    else if (ms < MINUTE)
        snprintf(buf, RW_HUMAN_SIZE, "%" PRId64 ".%02" PRId64 "s", ms / SECOND, ms % SECOND / 10);
    else if (ms < HOUR)
        return two_units(buf, ms, MINUTE, "m", SECOND, "s");
    else if (ms < DAY)
        return two_units(buf, ms, HOUR, "h", MINUTE, "m");
    else
        return two_units(buf, ms, DAY, "d", HOUR, "h");
    return buf;
}

struct unit {
    int64_t size;
    const char *name;
};

/* units: largest first, the last one is 1. */
static const char *exact(char *buf, int64_t v, const struct unit *units, size_t n)
{
    size_t i = 0;
    if (v <= 0) {
        snprintf(buf, RW_HUMAN_SIZE, "%" PRId64, v);
        return buf;
    }
    while (i < n - 1 && v % units[i].size)
        i++;
    snprintf(buf, RW_HUMAN_SIZE, "%" PRId64 "%s", v / units[i].size, units[i].name);
    return buf;
}

const char *rw_exact_ms(char buf[RW_HUMAN_SIZE], int64_t ms)
{
    static const struct unit units[] = {
        {DAY, "d"}, {HOUR, "h"}, {MINUTE, "m"}, {SECOND, "s"}, {1, "ms"}};
    return exact(buf, ms, units, RW_COUNT(units));
}

const char *rw_exact_bytes(char buf[RW_HUMAN_SIZE], int64_t bytes)
{
    static const struct unit units[] = {
        {INT64_C(1) << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, "B"}};
    return exact(buf, bytes, units, RW_COUNT(units));
}
