/* Which parser a line is given to. */
#include "unit.h"

static void test_auto(void **state)
{
    (void)state;
    unit_parses(RW_PIPE_AUTO, " {\"a\":1}", "a:n=1");
    unit_parses(
        RW_PIPE_AUTO, "<13>Nov 23 06:32:30 h app: x",
        "facility:s=user level:s=notice time:s=Nov 23 06:32:30 host:s=h app:s=app message:s=x");
    unit_parses(RW_PIPE_AUTO, "ts=1 level=info", "ts:n=1 level:s=info");
    unit_parses(RW_PIPE_AUTO, "GET /x?a=b 200", "message:s=GET /x?a=b 200");
    unit_parses(RW_PIPE_AUTO, "", "message:s=");
    /* What only looks like it is text. */
    unit_parses(RW_PIPE_AUTO, "{not json", "message:s={not json");
    unit_parses(RW_PIPE_AUTO, "<999>x", "message:s=<999>x");
    unit_parses(RW_PIPE_AUTO, "a=\"open", "message:s=a=\"open");
}

static void test_text(void **state)
{
    (void)state;
    unit_parses(RW_PIPE_TEXT, "{\"a\":1}", "message:s={\"a\":1}");
}

static void test_names(void **state)
{
    (void)state;
    enum rw_pipe_parser p;
    assert_true(rw_pipe_parser_named("syslog", &p) && p == RW_PIPE_SYSLOG);
    assert_true(rw_pipe_parser_named("auto", &p) && p == RW_PIPE_AUTO);
    assert_true(rw_pipe_parser_named("logfmt", &p) && p == RW_PIPE_LOGFMT);
    assert_false(rw_pipe_parser_named("xml", &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_auto), cmocka_unit_test(test_text),
                                       cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
