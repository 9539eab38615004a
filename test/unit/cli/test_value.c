/* Numbers with units, in and out; and the nearest word. */
#include "test_support.h"
#include "cli/suggest.h"
#include "cli/value.h"

static void durations_in(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},           {"250", 250},         {"250ms", 250},    {"30s", 30000},
                {"5m", 300000},     {"12h", 43200000},    {"7d", 604800000}, {"2w", 1209600000},
                {"1h30m", 5400000}, {"-48h", -172800000}, {"1D", 86400000}};
    static const char *const bad[] = {
        "", "-", "s", "5x", "1h30", "5 5", "9999999999999999999", "999999999999999d", "1.5h"};
    int64_t v;
    for (size_t i = 0; i < RW_COUNT(good); i++) {
        assert_true(rw_parse_duration(good[i].text, &v));
        assert_int_equal(v, good[i].ms);
    }
    for (size_t i = 0; i < RW_COUNT(bad); i++)
        assert_false(rw_parse_duration(bad[i], &v));
}

static void bytes_in(void **state)
{
    (void)state;
    int64_t v;
    assert_true(rw_parse_bytes("64KiB", &v) && v == 65536);
    assert_true(rw_parse_bytes("64k", &v) && v == 65536);
    assert_true(rw_parse_bytes("1 GiB", &v) && v == 1 << 30);
    assert_true(rw_parse_bytes("10MB", &v) && v == 10000000);
    assert_true(rw_parse_bytes("512", &v) && v == 512);
    assert_true(rw_parse_bytes("-1", &v) && v == -1);
    assert_false(rw_parse_bytes("1GiB2", &v));
    assert_false(rw_parse_bytes("8EiB", &v));
    assert_false(rw_parse_bytes("99999999TiB", &v));
}

static void integers_in(void **state)
{
    (void)state;
    int64_t v;
    assert_true(rw_parse_int("-3", &v) && v == -3);
    assert_true(rw_parse_int("9223372036854775807", &v) && v == INT64_MAX);
    assert_false(rw_parse_int("9223372036854775808", &v));
    assert_false(rw_parse_int("3x", &v));
    assert_false(rw_parse_int(" 3", &v));
    assert_false(rw_parse_int("", &v));
}

static void out(void **state)
{
    (void)state;
    char b[RW_VALUE_TEXT];
    assert_string_equal(rw_format_duration(604800000, b), "7d");
    assert_string_equal(rw_format_duration(5400000, b), "1h30m");
    assert_string_equal(rw_format_duration(-1, b), "-1ms");
    assert_string_equal(rw_format_duration(0, b), "0");
    assert_string_equal(rw_format_bytes(1 << 30, b), "1 GiB");
    assert_string_equal(rw_format_bytes(1536, b), "1.5 KiB");
    assert_string_equal(rw_format_bytes(812, b), "812 B");
    assert_string_equal(rw_format_count(1234567, b), "1,234,567");
    assert_string_equal(rw_format_count(-999, b), "-999");
    assert_string_equal(rw_format_count(INT64_MIN, b), "-9,223,372,036,854,775,808");
}

static void nearest_word(void **state)
{
    (void)state;
    assert_int_equal(rw_suggest_distance("list", "lsit"), 1);
    assert_int_equal(rw_suggest_distance("kitten", "sitting"), 3);
    assert_int_equal(rw_suggest_distance("", "abc"), 3);
    struct rw_suggest s = {"desc", NULL, 0};
    rw_suggest_offer(&s, "delete");
    rw_suggest_offer(&s, "describe");
    assert_string_equal(s.best, "describe");
    struct rw_suggest none = {"xyzzy", NULL, 0};
    rw_suggest_offer(&none, "list");
    assert_null(none.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_in), cmocka_unit_test(bytes_in),
        cmocka_unit_test(integers_in),  cmocka_unit_test(out),
        cmocka_unit_test(nearest_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
