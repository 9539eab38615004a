/* Times and the language of -o. */
#include "test_support.h"
#include "cli/offsets.h"
#include "cli/when.h"

#define NOW 1700000000000

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"1700000000123", 1700000000123},
                {"1700000000", 1700000000000},
                {"1970-01-01", 0},
                {"2024-02-29", 1709164800000},
                {"2024-02-29T12:30:00Z", 1709209800000},
                {"2024-02-29T12:30:00.25Z", 1709209800250},
                {"2024-02-29 12:30", 1709209800000},
                {"2024-02-29T13:30:00+01:00", 1709209800000},
                {"2024-02-29T12:00:00-00:30", 1709209800000},
                {"-1h", NOW - 3600000},
                {"now", NOW}};
    static const char *const bad[] = {"",
                                      "x",
                                      "2023-02-29",
                                      "2024-13-01",
                                      "2024-02-29T25:00",
                                      "2024-02-29T12:30:00+1",
                                      "2024-2-9",
                                      "123456789012",
                                      "99999999999999",
                                      "2024-02-29T12:30:00Zx",
                                      "-",
                                      "1h"};
    int64_t v;
    for (size_t i = 0; i < RW_COUNT(good); i++) {
        assert_true(rw_parse_time(good[i].text, strlen(good[i].text), NOW, &v));
        assert_int_equal(v, good[i].ms);
    }
    for (size_t i = 0; i < RW_COUNT(bad); i++)
        assert_false(rw_parse_time(bad[i], strlen(bad[i]), NOW, &v));
    char text[RW_TIME_TEXT];
    assert_string_equal(rw_format_time(1709209800250, text), "2024-02-29T12:30:00.250Z");
    assert_string_equal(rw_format_time(-1, text), "1969-12-31T23:59:59.999Z");
}

static void offsets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct rw_offset_range range;
    } good[] = {{"start", {{RW_POINT_START, 0}, {RW_POINT_NONE, 0}}},
                {"beginning", {{RW_POINT_START, 0}, {RW_POINT_NONE, 0}}},
                {"end", {{RW_POINT_END, 0}, {RW_POINT_NONE, 0}}},
                {":end", {{RW_POINT_START, 0}, {RW_POINT_END, 0}}},
                {"47", {{RW_POINT_EXACT, 47}, {RW_POINT_NONE, 0}}},
                {"47:", {{RW_POINT_EXACT, 47}, {RW_POINT_NONE, 0}}},
                {":47", {{RW_POINT_START, 0}, {RW_POINT_EXACT, 47}}},
                {"5:10", {{RW_POINT_EXACT, 5}, {RW_POINT_EXACT, 10}}},
                {"+3", {{RW_POINT_FROM_START, 3}, {RW_POINT_NONE, 0}}},
                {"-3", {{RW_POINT_FROM_END, 3}, {RW_POINT_NONE, 0}}},
                {"@1700000000", {{RW_POINT_TIME, 1700000000000}, {RW_POINT_NONE, 0}}},
                {"@-1h", {{RW_POINT_TIME, NOW - 3600000}, {RW_POINT_NONE, 0}}},
                {"@1970-01-02:", {{RW_POINT_TIME, 86400000}, {RW_POINT_NONE, 0}}},
                {"@:1970-01-02", {{RW_POINT_START, 0}, {RW_POINT_TIME, 86400000}}},
                {"@1970-01-01T00:00:01Z:1970-01-01T00:00:02Z",
                 {{RW_POINT_TIME, 1000}, {RW_POINT_TIME, 2000}}},
                {"s@1700000000123", {{RW_POINT_TIME, 1700000000123}, {RW_POINT_NONE, 0}}},
                {"e@1700000000123", {{RW_POINT_START, 0}, {RW_POINT_TIME, 1700000000123}}}};
    static const char *const bad[] = {"",      ":",   "x",   "1:x", "@",  "@x",
                                      "1:2:3", "++1", "--1", "s@",  "4 7"};
    struct rw_offset_range r;
    for (size_t i = 0; i < RW_COUNT(good); i++) {
        assert_true(rw_parse_offsets(good[i].text, NOW, &r));
        assert_int_equal(r.from.kind, good[i].range.from.kind);
        assert_int_equal(r.from.value, good[i].range.from.value);
        assert_int_equal(r.to.kind, good[i].range.to.kind);
        assert_int_equal(r.to.value, good[i].range.to.value);
    }
    for (size_t i = 0; i < RW_COUNT(bad); i++)
        assert_false(rw_parse_offsets(bad[i], NOW, &r));
}

static void sums(void **state)
{
    (void)state;
    assert_int_equal(rw_offset_add(7, 3), 10);
    assert_int_equal(rw_offset_add(0, INT64_MAX), INT64_MAX);
    assert_int_equal(rw_offset_add(1, INT64_MAX - 1), INT64_MAX);
    assert_int_equal(rw_offset_add(2, INT64_MAX - 1), INT64_MAX);
    assert_int_equal(rw_offset_add(INT64_MAX, INT64_MAX), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times), cmocka_unit_test(offsets),
                                       cmocka_unit_test(sums)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
