/* human.c: rounding at the edges of units, and that exact texts parse back. */
#include "unit.h"
#include "base/human.h"
#include "base/units.h"

static void bytes_and_counts(void **state)
{
    (void)state;
    char b[RW_HUMAN_SIZE];
    assert_string_equal(rw_human_bytes(b, 0), "0 B");
    assert_string_equal(rw_human_bytes(b, 1023), "1023 B");
    assert_string_equal(rw_human_bytes(b, 1024), "1.00 KiB");
    assert_string_equal(rw_human_bytes(b, 1536), "1.50 KiB");
    assert_string_equal(rw_human_bytes(b, 10239), "10.0 KiB");
    assert_string_equal(rw_human_bytes(b, 102390), "100 KiB");
    assert_string_equal(rw_human_bytes(b, 1048575), "1.00 MiB");
    assert_string_equal(rw_human_bytes(b, UINT64_MAX), "16.0 EiB");
    assert_string_equal(rw_human_count(b, 999), "999");
    assert_string_equal(rw_human_count(b, 1000), "1.00k");
    assert_string_equal(rw_human_count(b, 999999), "1.00M");
    assert_string_equal(rw_human_count(b, 3450000), "3.45M");
}

static void durations(void **state)
{
    (void)state;
    char b[RW_HUMAN_SIZE];
    assert_string_equal(rw_human_ms(b, -1), "-1ms");
    assert_string_equal(rw_human_ms(b, 0), "0ms");
    assert_string_equal(rw_human_ms(b, 999), "999ms");
    assert_string_equal(rw_human_ms(b, 1250), "1.25s");
    assert_string_equal(rw_human_ms(b, 59999), "59.99s");
    assert_string_equal(rw_human_ms(b, 150000), "2m30s");
    assert_string_equal(rw_human_ms(b, 120000), "2m");
    assert_string_equal(rw_human_ms(b, 3900000), "1h05m");
    assert_string_equal(rw_human_ms(b, 7 * 86400000LL), "7d");
    assert_string_equal(rw_human_ms(b, 3 * 86400000LL + 4 * 3600000), "3d04h");
    assert_string_equal(rw_human_ms(b, INT64_MAX), "106751991167d07h");
}

static void exact_comes_back(void **state)
{
    (void)state;
    static const int64_t values[] = {1,     500,       1000,       90000,     3600000,
                                     65536, 604800000, 1073741824, INT64_MAX, 1ll << 40};
    char b[RW_HUMAN_SIZE];
    int64_t back;
    for (size_t i = 0; i < RW_COUNT(values); i++) {
        assert_true(rw_units_parse_ms(rw_str(rw_exact_ms(b, values[i])), &back));
        assert_int_equal(back, values[i]);
        assert_true(rw_units_parse_bytes(rw_str(rw_exact_bytes(b, values[i])), &back));
        assert_int_equal(back, values[i]);
    }
    assert_string_equal(rw_exact_ms(b, 604800000), "7d");
    assert_string_equal(rw_exact_ms(b, 90000), "90s");
    assert_string_equal(rw_exact_bytes(b, 65536), "64KiB");
    assert_string_equal(rw_exact_bytes(b, 1048588), "1048588B");
    assert_string_equal(rw_exact_bytes(b, -1), "-1");
    assert_string_equal(rw_exact_ms(b, 0), "0");
}

static void grouped(void **state)
{
    (void)state;
    char b[RW_HUMAN_SIZE];
    assert_string_equal(rw_human_grouped(b, 0), "0");
    assert_string_equal(rw_human_grouped(b, -999), "-999");
    assert_string_equal(rw_human_grouped(b, 1234567), "1,234,567");
    assert_string_equal(rw_human_grouped(b, INT64_MIN), "-9,223,372,036,854,775,808");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_and_counts),
                                       cmocka_unit_test(durations), cmocka_unit_test(grouped),
                                       cmocka_unit_test(exact_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
