/* Records out of JSON: exact numbers, null and empty, bytes that are no text, and what is refused. */
#include "test_support.h"
#include "cli/record_json.h"

static struct rw_buf scratch;
static struct rw_record_header headers[2];
static struct rw_err err;

static int read_line(const char *text, struct rw_record_line *line)
{
    rw_buf_clear(&scratch);
    *line = (struct rw_record_line){.headers = headers, .headers_max = RW_COUNT(headers)};
    return rw_record_json_read(rw_str(text), &scratch, line, &err);
}

static int teardown(void **state)
{
    (void)state;
    rw_buf_deinit(&scratch);
    return 0;
}

static void expect(struct rw_slice v, const char *bytes, size_t n)
{
    assert_non_null(v.p);
    assert_int_equal(v.n, n);
    assert_memory_equal(v.p, bytes, n);
}

static void all_members(void **state)
{
    (void)state;
    struct rw_record_line r;
    assert_int_equal(read_line(" { \"offset\" : 7, \"key\":{\"base64\":\"\\/wD+\"} ,"
                               "\"value\":\"a\\u0000\\u00e9\\ud83d\\ude00\\n\","
                               "\"headers\":[{\"key\":\"h\",\"value\":null},{\"value\":\"\","
                               "\"key\":\"\"}],\"timestamp\":-9223372036854775808,"
                               "\"deep\":[[{\"x\":[\"]\"]}],false]}\r",
                               &r),
                     RW_OK);
    expect(r.key, "\xff\x00\xfe", 3);
    expect(r.value, "a\0\xc3\xa9\xf0\x9f\x98\x80\n", 9);
    assert_true(r.has_timestamp && r.timestamp == INT64_MIN);
    assert_int_equal(r.n_headers, 2);
    assert_true(rw_str_is(headers[0].key, "h"));
    assert_null(headers[0].value.p);
    assert_int_equal(headers[1].key.n, 0);
    expect(headers[1].value, "", 0);
}

static void null_is_not_empty(void **state)
{
    (void)state;
    struct rw_record_line r;
    assert_int_equal(read_line("{\"key\":null,\"value\":\"\"}", &r), RW_OK);
    assert_null(r.key.p);
    expect(r.value, "", 0);
    assert_false(r.has_timestamp);
    assert_int_equal(read_line("{}", &r), RW_OK);
    assert_null(r.value.p);
    assert_int_equal(read_line("{\"value\":{\"base64\":\"\"}}", &r), RW_OK);
    expect(r.value, "", 0);
}

/* Several records in one buffer: what was read first stays where it is when there was room. */
static void views_stay(void **state)
{
    (void)state;
    struct rw_record_line a = {.headers = headers}, b = a;
    rw_buf_clear(&scratch);
    assert_non_null(rw_buf_reserve(&scratch, 1000));
    struct rw_str text = rw_str("{\"value\":\"first\"}");
    assert_int_equal(rw_record_json_read(text, &scratch, &a, &err), RW_OK);
    assert_int_equal(rw_record_json_read(rw_str("{\"value\":\"second\"}"), &scratch, &b, &err),
                     RW_OK);
    expect(a.value, "first", 5);
    expect(b.value, "second", 6);
}

static void refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{\"key\"}",
        "{\"key\":}",
        "{\"key\":1}",
        "{\"key\":\"x}",
        "{\"key\":\"\x01\"}",
        "{\"key\":\"\\x\"}",
        "{\"key\":\"\\u12g4\"}",
        "{\"key\":\"\\ud800\"}",
        "{\"key\":\"\\ud800\\u0041\"}",
        "{\"key\":\"\xff\"}",
        "{\"key\":{}}",
        "{\"key\":{\"base64\":\"a\"}}",
        "{\"key\":{\"hex\":\"00\"}}",
        "{\"timestamp\":1.5}",
        "{\"timestamp\":\"1\"}",
        "{\"timestamp\":9223372036854775808}",
        "{\"headers\":{}}",
        "{\"headers\":[{}]}",
        "{\"headers\":[{\"key\":\"1\"},{\"key\":\"2\"},{\"key\":\"3\"}]}",
        "{\"x\":1,}",
        "{\"x\":[1}",
        "{} {}"};
    struct rw_record_line r;
    for (size_t i = 0; i < RW_COUNT(bad); i++) {
        err = (struct rw_err){0};
        if (read_line(bad[i], &r) != RW_E_INVAL || !strstr(err.text, "character "))
            fail_msg("%s: %s", bad[i], err.text);
    }
    char deep[200] = "{\"x\":";
    memset(deep + 5, '[', 100);
    assert_int_equal(read_line(deep, &r), RW_E_INVAL);
    assert_non_null(strstr(err.text, "too deeply"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(all_members, teardown),
        cmocka_unit_test_teardown(null_is_not_empty, teardown),
        cmocka_unit_test_teardown(views_stay, teardown),
        cmocka_unit_test_teardown(refused, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
