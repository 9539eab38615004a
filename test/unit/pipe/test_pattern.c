/* Patterns: what they take, and what is wrong with them or with a line. */
#include "unit.h"

static struct rw_pipe_pattern *made(const char *text)
{
    struct rw_pipe_pattern *p = NULL;
    struct rw_err err = {0};
    int rc = rw_pipe_pattern_new(rw_str(text), &p, &err);
    if (rc)
        print_message("%s\n", err.text);
    assert_int_equal(rc, RW_OK);
    return p;
}

static void matches(const char *pattern, const char *line, const char *expected)
{
    struct rw_pipe_pattern *p = made(pattern);
    struct rw_pipe_record r;
    struct rw_buf out;
    struct rw_err err = {0};
    rw_pipe_record_init(&r);
    rw_buf_init(&out);
    int rc = rw_pipe_parse(RW_PIPE_PATTERN, p, rw_str(line), &r, &err);
    if (rc)
        rw_buf_printf(&out, "%s", err.text);
    else
        unit_show(&r, &out);
    assert_string_equal(rw_buf_cstr(&out), expected);
    rw_buf_deinit(&out);
    rw_pipe_record_deinit(&r);
    rw_pipe_pattern_free(p);
}

static void wrong(const char *pattern, const char *words)
{
    struct rw_pipe_pattern *p = NULL;
    struct rw_err err = {0};
    assert_int_equal(rw_pipe_pattern_new(rw_str(pattern), &p, &err), RW_E_INVAL);
    assert_string_equal(err.text, words);
}

static void test_lines(void **state)
{
    (void)state;
    const char *web = "<ip> - - [<time>] \"<method> <path> <_>\" <status> <_>";
    matches(web, "10.0.0.1 - - [23/Nov/2026:06:32:30 +0000] \"GET /a b HTTP/1.1\" 200 17",
            "ip:s=10.0.0.1 time:s=23/Nov/2026:06:32:30 +0000 method:s=GET path:s=/a status:n=200");
    matches("<a>", "", "a:s=");
    matches("<a>;", "x;", "a:s=x"); /* what follows the last text is nobody's */
    matches("\\<<pri>> <rest>", "<13> x y", "pri:n=13 rest:s=x y");
    matches("<a> aab <b>", "x aaab aab y", "a:s=x aaab b:s=y");
    matches("[<level>] <message>", "[WARN] it burns", "level:s=WARN message:s=it burns");
}

static void test_lines_that_do_not_fit(void **state)
{
    (void)state;
    matches("[<level>] <m>", "WARN x", "character 1: \"[\" was expected");
    matches("[<level>] <m>", "[WARN x", "character 2: no \"] \" behind <level>");
}

static void test_wrong_patterns(void **state)
{
    (void)state;
    wrong("", "a pattern has fields: <name>");
    wrong("text", "a pattern has fields: <name>");
    wrong("a <b", "character 3: < is not closed (\\< is a bracket)");
    wrong("<a><b>", "character 4: text must stand between two fields");
    wrong("<a b>", "character 1: <a b> is no field's name");
    wrong("<>", "character 1: <> is no field's name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_lines_that_do_not_fit),
                                       cmocka_unit_test(test_wrong_patterns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
