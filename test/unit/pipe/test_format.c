/* Records as lines: valid, on one line, and the same again when they are parsed. */
#include "pipe/format.h"
#include "unit.h"

static void becomes(const char *line, enum rw_pipe_format format, const char *expected)
{
    struct rw_pipe_record r;
    struct rw_buf out;
    struct rw_err err = {0};
    rw_pipe_record_init(&r);
    rw_buf_init(&out);
    assert_int_equal(rw_pipe_parse(RW_PIPE_AUTO, NULL, rw_str(line), &r, &err), RW_OK);
    rw_pipe_format(format, &r, rw_slice(line, strlen(line)), &out);
    assert_string_equal(rw_buf_cstr(&out), expected);
    rw_buf_deinit(&out);
    rw_pipe_record_deinit(&r);
}

static void test_json(void **state)
{
    (void)state;
    becomes("a=1 b=\"x\\\"y\" c=true d=null e=\"1\"", RW_PIPE_AS_JSON,
            "{\"a\":1,\"b\":\"x\\\"y\",\"c\":true,\"d\":null,\"e\":\"1\"}");
    becomes("plain", RW_PIPE_AS_JSON, "{\"message\":\"plain\"}");
    becomes("{\"o\":{\"x\":\n[1]}}", RW_PIPE_AS_JSON, "{\"o\":{\"x\": [1]}}");
    becomes("{}", RW_PIPE_AS_JSON, "{}");
    becomes("\xff", RW_PIPE_AS_JSON, "{\"message\":\"\xef\xbf\xbd\"}");
}

static void test_logfmt(void **state)
{
    (void)state;
    becomes("{\"a b\":1,\"c\":\"x y\",\"d\":\"\",\"e\":{\"f\":1},\"g\":\"7\",\"h\":\"w\",\"\":2}",
            RW_PIPE_AS_LOGFMT, "a_b=1 c=\"x y\" d=\"\" e=\"{\\\"f\\\":1}\" g=\"7\" h=w _=2");
    becomes("{\"m\":\"two\\nlines\"}", RW_PIPE_AS_LOGFMT, "m=\"two\\nlines\"");
}

static void test_text_and_raw(void **state)
{
    (void)state;
    becomes("level=info msg=\"it is\"", RW_PIPE_AS_TEXT, "it is");
    becomes("level=info", RW_PIPE_AS_TEXT, "level=info");
    becomes("{\"a\":1} ", RW_PIPE_AS_RAW, "{\"a\":1} ");
}

static void test_names(void **state)
{
    (void)state;
    enum rw_pipe_format f;
    assert_true(rw_pipe_format_named("raw", &f) && f == RW_PIPE_AS_RAW);
    assert_true(rw_pipe_format_named("text", &f) && f == RW_PIPE_AS_TEXT);
    assert_false(rw_pipe_format_named("xml", &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_json), cmocka_unit_test(test_logfmt),
                                       cmocka_unit_test(test_text_and_raw),
                                       cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
