/* datetime.c: known dates, every day of eight centuries there and back, forms and refusals. */
#include "unit.h"
#include "base/datetime.h"

static void known(void **state)
{
    (void)state;
    char b[RW_TIME_SIZE];
    assert_string_equal(rw_time_format(b, 0), "1970-01-01T00:00:00.000Z");
    assert_string_equal(rw_time_format(b, 951782400123), "2000-02-29T00:00:00.123Z");
    assert_string_equal(rw_time_format(b, 1700000000000), "2023-11-14T22:13:20.000Z");
    assert_string_equal(rw_time_format(b, -1), "1969-12-31T23:59:59.999Z");
    assert_string_equal(rw_time_format(b, 253402300799999), "9999-12-31T23:59:59.999Z");
    assert_string_equal(rw_time_format(b, 253402300800000), "+10000-01-01T00:00:00.000Z");
    /* As long as it gets. */
    assert_string_equal(rw_time_format(b, INT64_MAX), "+292278994-08-17T07:12:55.807Z");
    assert_string_equal(rw_time_format(b, INT64_MIN), "-292275055-05-16T16:47:04.192Z");
}

static void every_day(void **state)
{
    (void)state;
    char b[RW_TIME_SIZE], before[RW_TIME_SIZE] = "";
    int64_t back;
    for (int64_t day = -150000; day < 150000; day++) {
        int64_t ms = day * 86400000 + (day + 150000) * 277;
        rw_time_format(b, ms);
        assert_true(rw_time_parse(rw_str(b), &back));
        assert_int_equal(back, ms);
        assert_true(strcmp(before, b) < 0);
        memcpy(before, b, sizeof(b));
    }
}

static void forms(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        int64_t ms;
    } good[] = {
        {"2023-11-14", 1699920000000},
        {"2023-11-14T22:13", 1699999980000},
        {"2023-11-14 22:13:20", 1700000000000},
        {"2023-11-14T22:13:20.5", 1700000000500},
        {"2023-11-14T22:13:20.123456789Z", 1700000000123},
        {"2023-11-15T00:13:20+02:00", 1700000000000},
        {"2023-11-14T16:43:20-0530", 1700000000000},
        {"2023-11-15T00:13:20+02", 1700000000000},
        {"0000-01-01", -62167219200000},
    };
    static const char *const bad[] = {
        "",
        "2023",
        "2023-13-01",
        "2023-00-01",
        "2023-02-29",
        "1900-02-29",
        "2023-1-01",
        "2023-11-14T",
        "2023-11-14T24:00",
        "2023-11-14T22:60",
        "2023-11-14T22:13:60",
        "2023-11-14T22:13:20.",
        "2023-11-14T22:13:20x",
        "2023-11-14T22:13:20Zx",
        "2023-11-14T22:13:20+2",
        "2023-11-14T22:13:20+24:00",
        "2023-11-14T22:13:20+02:60",
        "2023-11-14T22:13:20+02:0",
        "2023-11-14x22:13",
        "2023/11/14",
    };
    int64_t ms;
    for (size_t i = 0; i < RW_COUNT(good); i++) {
        assert_true(rw_time_parse(rw_str(good[i].s), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < RW_COUNT(bad); i++)
        assert_false(rw_time_parse(rw_str(bad[i]), &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known), cmocka_unit_test(every_day),
                                       cmocka_unit_test(forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
