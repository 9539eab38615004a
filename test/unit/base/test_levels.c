/* Log levels by logger. */
#include "base/levels.h"
#include "unit.h"

static void by_logger(void **state)
{
    (void)state;
    struct rw_levels l;
    assert_true(rw_levels_parse("warn", &l));
    assert_int_equal(l.least, RW_WARN);
    assert_int_equal(rw_levels_of(&l, "conn"), RW_WARN);
    assert_true(rw_levels_parse("conn=debug,error,log=trace", &l));
    assert_int_equal(rw_levels_of(&l, "conn"), RW_DEBUG);
    assert_int_equal(rw_levels_of(&l, "log"), RW_TRACE);
    assert_int_equal(rw_levels_of(&l, "connx"), RW_ERROR);
    assert_int_equal(l.least, RW_TRACE);
    assert_true(rw_levels_parse("conn=error", &l));
    assert_int_equal(rw_levels_of(&l, "log"), RW_INFO);
}

static void mistakes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      "loud",  "conn=",     "=debug",      "conn=loud",
        "info,", ",info", "a=b=debug", "conn=debug ", "averyveryverylongname123=info"};
    struct rw_levels l = {.n = 77};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(rw_levels_parse(bad[i], &l));
    char many[400] = "info";
    for (int i = 0; i < RW_LEVELS_MAX + 1; i++)
        strcat(many, ",conn=debug");
    assert_false(rw_levels_parse(many, &l));
    assert_int_equal(l.n, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_logger), cmocka_unit_test(mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
