/* JSON: types, escapes, members of members, and what is refused where. */
#include "base/mem.h"
#include "pipe/json.h"
#include "unit.h"

static void test_types_and_order(void **state)
{
    (void)state;
    unit_parses(RW_PIPE_JSON, "{}", "");
    unit_parses(RW_PIPE_JSON,
                " {\"z\" : 9007199254740993 , \"a\":-1.50e+3,\"b\":true,\"c\":null } ",
                "z:n=9007199254740993 a:n=-1.50e+3 b:b=true c:z=null");
    unit_parses(RW_PIPE_JSON, "{\"o\":{\"x\":[1, {}]},\"l\":[],\"o\":2}",
                "o:j={\"x\":[1, {}]} l:j=[] o:n=2");
}

static void test_escapes(void **state)
{
    (void)state;
    unit_parses(RW_PIPE_JSON, "{\"a\\tb\":\"x\\n\\\"\\\\\\/\\u00e9\\ud83d\\ude00\"}",
                "a\tb:s=x\n\"\\/\xc3\xa9\xf0\x9f\x98\x80");
    /* Half a pair is replaced, and what follows is not swallowed. */
    unit_parses(RW_PIPE_JSON, "{\"a\":\"\\ud800x\"}", "a:s=\xef\xbf\xbdx");
    unit_parses(RW_PIPE_JSON, "{\"a\":\"\\ud800\\u0041\"}",
                "a:s=\xef\xbf\xbd"
                "A");
}

static void test_refusals(void **state)
{
    (void)state;
    unit_refuses(RW_PIPE_JSON, "", "character 1: an object was expected");
    unit_refuses(RW_PIPE_JSON, "[1]", "character 1: an object was expected");
    unit_refuses(RW_PIPE_JSON, "{\"a\":1", "character 7: a comma or } was expected");
    unit_refuses(RW_PIPE_JSON, "{\"a\":1,}", "character 8: a string was expected");
    unit_refuses(RW_PIPE_JSON, "{\"a\":01}", "character 6: a value was expected");
    unit_refuses(RW_PIPE_JSON, "{\"a\":tru}", "character 6: a value was expected");
    unit_refuses(RW_PIPE_JSON, "{\"a\" 1}", "character 6: a colon was expected");
    unit_refuses(RW_PIPE_JSON, "{\"a\":\"x", "character 8: a string is not closed");
    unit_refuses(RW_PIPE_JSON, "{\"a\":\"x\\\"", "character 10: a string is not closed");
    unit_refuses(RW_PIPE_JSON, "{\"a\":\"\\q\"}", "character 7: this is no escape of JSON");
    unit_refuses(RW_PIPE_JSON, "{\"a\":\"\n\"}",
                 "character 7: control characters are escaped in JSON");
    unit_refuses(RW_PIPE_JSON, "{} x", "character 4: something follows the value");
    unit_refuses(RW_PIPE_JSON, "{\"a\":[1,2}", "character 10: a comma or ] was expected");
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    char line[400] = "{\"a\":";
    memset(line + 5, '[', 300);
    unit_refuses(RW_PIPE_JSON, line, "character 69: nested too deeply");
}

static void test_too_many_fields(void **state)
{
    (void)state;
    struct rw_pipe_record r;
    struct rw_buf line;
    struct rw_err err = {0};
    rw_pipe_record_init(&r);
    rw_buf_init(&line);
    rw_buf_add_str(&line, "{\"a\":1");
    for (int i = 0; i < RW_PIPE_FIELDS_MAX; i++)
        rw_buf_add_str(&line, ",\"a\":1");
    rw_buf_add_str(&line, "}");
    assert_int_equal(rw_pipe_parse(RW_PIPE_JSON, NULL, rw_str(rw_buf_cstr(&line)), &r, &err),
                     RW_E_TOO_BIG);
    assert_string_equal(err.text, "more than 1024 fields, or too much of them");
    rw_buf_deinit(&line);
    rw_pipe_record_deinit(&r);
}

static void test_members(void **state)
{
    (void)state;
    struct rw_arena arena;
    struct rw_pipe_value v;
    struct rw_str o = RW_STR_LIT("{\"a\":{\"b\":{\"c\":7},\"x.y\":1},\"k\":\"\\n\"}");
    rw_arena_init(&arena, 0);
    assert_true(rw_pipe_json_member(o, RW_STR_LIT("a.b.c"), &arena, &v));
    assert_true(v.kind == RW_PIPE_NUMBER && rw_str_is(v.text, "7"));
    assert_true(rw_pipe_json_member(o, RW_STR_LIT("a.x.y"), &arena, &v));
    assert_true(rw_pipe_json_member(o, RW_STR_LIT("k"), &arena, &v));
    assert_true(rw_str_is(v.text, "\n"));
    assert_false(rw_pipe_json_member(o, RW_STR_LIT("a.b.d"), &arena, &v));
    assert_false(rw_pipe_json_member(o, RW_STR_LIT("k.b"), &arena, &v));
    assert_false(rw_pipe_json_member(RW_STR_LIT("[1]"), RW_STR_LIT("a"), &arena, &v));
    rw_arena_deinit(&arena);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct rw_pipe_record r;
    struct rw_err err;
    int rc = RW_E_NOMEM;
    for (uint64_t i = 1; rc && i < 20; i++) {
        rw_pipe_record_init(&r);
        rw_mem_fail_at(i, 1);
        rc = rw_pipe_parse(RW_PIPE_JSON, NULL, RW_STR_LIT("{\"a\":\"\\n\",\"b\":2}"), &r, &err);
        rw_mem_fail_at(0, 0);
        assert_true(rc == RW_OK || rc == RW_E_NOMEM || rc == RW_E_TOO_BIG);
        rw_pipe_record_deinit(&r);
    }
    assert_int_equal(rc, RW_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_and_order), cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_too_many_fields), cmocka_unit_test(test_members),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
