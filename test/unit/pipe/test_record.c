/* Fields by their usual names, levels, numbers. */
#include "base/json_scan.h"
#include "unit.h"

static bool found(const char *line, const char *name, const char *expected)
{
    struct rw_pipe_record r;
    struct rw_pipe_value v;
    struct rw_err err = {0};
    rw_pipe_record_init(&r);
    assert_int_equal(rw_pipe_parse(RW_PIPE_AUTO, NULL, rw_str(line), &r, &err), RW_OK);
    bool is = rw_pipe_record_get(&r, rw_str(name), &v) && rw_str_is(v.text, expected);
    rw_pipe_record_deinit(&r);
    return is;
}

static void test_usual_names(void **state)
{
    (void)state;
    assert_true(found("{\"severity\":\"WARN\"}", "level", "WARN"));
    assert_true(found("lvl=dbg", "level", "dbg"));
    assert_true(found("{\"@timestamp\":\"x\"}", "time", "x"));
    assert_true(found("msg=hi", "message", "hi"));
    assert_true(found("level=a severity=b", "severity", "b"));
    assert_false(found("level=a", "severity", "a")); /* only the general name stands for others */
    assert_true(found("{\"log\":{\"level\":\"e\"}}", "log.level", "e"));
    assert_true(found("{\"a\":{\"b\":{\"c\":1}}}", "a.b.c", "1"));
    assert_true(found("{\"a.b\":{\"c\":1}}", "a.b.c", "1"));
}

static void test_levels(void **state)
{
    (void)state;
    static const char *const up[] = {"TRACE", "debug", "Info",  "notice", "WARNING",
                                     "err",   "crit",  "alert", "fatal"};
    for (int i = 0; i < 9; i++)
        assert_int_equal(rw_pipe_level(rw_str(up[i])), i);
    assert_int_equal(rw_pipe_level(rw_str("warnings")), -1);
    assert_int_equal(rw_pipe_level(rw_str("")), -1);
}

static void test_numbers(void **state)
{
    (void)state;
    double d = 0;
    assert_true(rw_pipe_number(rw_str("-1.5e2"), &d));
    assert_true(d > -150.1 && d < -149.9);
    assert_true(rw_json_is_number(rw_str("0")));
    static const char *const none[] = {"",    "-",  "01",  "1.", ".5", "1e",
                                       "1e+", "+1", "0x1", "1 ", "nan"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(rw_json_is_number(rw_str(none[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_usual_names),
                                       cmocka_unit_test(test_levels),
                                       cmocka_unit_test(test_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
