/* Durations and sizes: forms that people write, overflow, nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/units.h"

static void test_durations(void **state)
{
    (void)state;
    int64_t v = 0;
    assert_true(rw_units_parse_ms(rw_str("250"), &v) && v == 250);
    assert_true(rw_units_parse_ms(rw_str("250ms"), &v) && v == 250);
    assert_true(rw_units_parse_ms(rw_str("5m"), &v) && v == 300000);
    assert_true(rw_units_parse_ms(rw_str("2 h"), &v) && v == 7200000);
    assert_true(rw_units_parse_ms(rw_str("7D"), &v) && v == 604800000);
    assert_true(rw_units_parse_ms(rw_str("-1"), &v) && v == -1);
    assert_true(rw_units_parse_ms(rw_str("9223372036854775807"), &v) && v == INT64_MAX);
    assert_true(rw_units_parse_ms(rw_str("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_true(rw_units_parse_ms(rw_str("1h30m"), &v) && v == 5400000);
    assert_true(rw_units_parse_ms(rw_str("-1d12h"), &v) && v == -129600000);
    assert_true(rw_units_parse_ms(rw_str("2w"), &v) && v == 1209600000);
    assert_false(rw_units_parse_ms(rw_str("106751991167d10h"), &v));
    const char *bad[] = {"",
                         "-",
                         "d",
                         "1.5h",
                         "7days",
                         "1h30",
                         "1h 30m5",
                         "h30m",
                         "30 20",
                         "1h-30m",
                         "9223372036854775808",
                         "9223372036854775807s",
                         "0x10"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(rw_units_parse_ms(rw_str(bad[i]), &v));
    assert_false(rw_units_parse_ms(RW_STR_NULL, &v));
}

static void test_sizes(void **state)
{
    (void)state;
    int64_t v = 0;
    assert_true(rw_units_parse_bytes(rw_str("64KiB"), &v) && v == 65536);
    assert_true(rw_units_parse_bytes(rw_str("64k"), &v) && v == 65536);
    assert_true(rw_units_parse_bytes(rw_str("64KB"), &v) && v == 64000);
    assert_true(rw_units_parse_bytes(rw_str("1GiB"), &v) && v == 1 << 30);
    assert_true(rw_units_parse_bytes(rw_str("2T"), &v) && v == 2ll << 40);
    assert_false(rw_units_parse_bytes(rw_str("1s"), &v));
    assert_false(rw_units_parse_bytes(rw_str("9999999999TiB"), &v));
    assert_false(rw_units_parse_bytes(rw_str("1GiB2MiB"), &v));
    assert_true(rw_units_parse_int(rw_str("12"), &v) && v == 12);
    assert_true(rw_units_parse_int(rw_str("-3"), &v) && v == -3);
    assert_true(rw_units_parse_int(rw_str("+3"), &v) && v == 3);
    assert_false(rw_units_parse_int(rw_str("12k"), &v));
    assert_false(rw_units_parse_int(rw_str(" 3"), &v));
    assert_false(rw_units_parse_int(rw_str(""), &v));
    assert_false(rw_units_parse_int(rw_str("9223372036854775808"), &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
