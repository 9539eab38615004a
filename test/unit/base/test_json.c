/* json.c: whole documents, escapes, numbers that read back, bytes that are no text. */
#include "unit.h"
#include <math.h>
#include "base/json.h"

static void documents(void **state)
{
    (void)state;
    for (unsigned indent = 0; indent <= 2; indent += 2) {
        struct rw_buf b = {0};
        struct rw_json j;
        rw_json_init(&j, &b, indent);
        rw_json_object(&j, NULL);
        rw_json_array(&j, "a");
        rw_json_int(&j, NULL, -1);
        rw_json_uint(&j, NULL, UINT64_MAX);
        rw_json_bool(&j, NULL, true);
        rw_json_bool(&j, NULL, false);
        rw_json_null(&j, NULL);
        rw_json_object(&j, NULL);
        rw_json_end(&j);
        rw_json_array(&j, NULL);
        rw_json_end(&j);
        rw_json_end(&j);
        rw_json_cstr(&j, "b", NULL);
        rw_json_str(&j, "c", RW_STR_LIT("x"));
        rw_json_end(&j);
        assert_string_equal(
            rw_buf_cstr(&b),
            indent ? "{\n  \"a\": [\n    -1,\n    18446744073709551615,\n    true,\n    false,\n"
                     "    null,\n    {},\n    []\n  ],\n  \"b\": null,\n  \"c\": \"x\"\n}"
                   : "{\"a\":[-1,18446744073709551615,true,false,null,{},[]],\"b\":null,\"c\":"
                     "\"x\"}");
        rw_buf_deinit(&b);
    }
}

static void escapes(void **state)
{
    (void)state;
    static const char in[] = "q\" b\\ \n\r\t\b\f \x01\x1f\x7f \xc3\xa9 \xff\xfe \xe2\x82";
    struct rw_buf b = {0};
    struct rw_json j;
    rw_json_init(&j, &b, 0);
    rw_json_cstr(&j, NULL, in);
    assert_string_equal(rw_buf_cstr(&b),
                        "\"q\\\" b\\\\ \\n\\r\\t\\b\\f \\u0001\\u001f\\u007f \xc3\xa9 "
                        "\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\"");
    rw_buf_deinit(&b);
}

static void numbers(void **state)
{
    (void)state;
    static const double values[] = {0,   -0.5,  0.1, 1e300, 5e-324, 1.0 / 3, 123456789012345678.0,
                                    1e6, 1.5e-7};
    struct rw_buf b = {0};
    struct rw_json j;
    for (size_t i = 0; i < RW_COUNT(values); i++) {
        rw_buf_clear(&b);
        rw_json_init(&j, &b, 0);
        rw_json_double(&j, NULL, values[i]);
        assert_true(strtod(rw_buf_cstr(&b), NULL) == values[i]);
    }
    rw_buf_clear(&b);
    rw_json_init(&j, &b, 0);
    rw_json_array(&j, NULL);
    rw_json_double(&j, NULL, 0.1);
    rw_json_double(&j, NULL, (double)NAN);
    rw_json_double(&j, NULL, (double)-INFINITY);
    rw_json_end(&j);
    assert_string_equal(rw_buf_cstr(&b), "[0.1,null,null]");
    rw_buf_deinit(&b);
}

static void message_bytes(void **state)
{
    (void)state;
    struct rw_buf b = {0};
    struct rw_json j;
    rw_json_init(&j, &b, 0);
    rw_json_array(&j, NULL);
    rw_json_bytes(&j, NULL, (struct rw_slice){NULL, 0});
    rw_json_bytes(&j, NULL, text(""));
    rw_json_bytes(&j, NULL, text("caf\xc3\xa9"));
    rw_json_bytes(&j, NULL, rw_slice("a\0b", 3));
    rw_json_bytes(&j, NULL, rw_slice("\xff\x00\xfe", 3));
    rw_json_int(&j, NULL, 1);
    rw_json_end(&j);
    assert_string_equal(rw_buf_cstr(&b),
                        "[null,\"\",\"caf\xc3\xa9\",\"a\\u0000b\",{\"base64\":\"/wD+\"},1]");
    rw_buf_deinit(&b);
}

static void memory_runs_out(void **state)
{
    (void)state;
    for (uint64_t fail = 1; fail < 4; fail++) {
        struct rw_buf b = {0};
        struct rw_json j;
        rw_mem_fail_at(fail, 1);
        rw_json_init(&j, &b, 1);
        rw_json_array(&j, NULL);
        for (int i = 0; i < 200; i++)
            rw_json_cstr(&j, NULL, "text");
        rw_json_end(&j);
        rw_mem_fail_at(0, 0);
        assert_true(b.failed);
        rw_buf_deinit(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),       cmocka_unit_test(escapes),
        cmocka_unit_test(numbers),         cmocka_unit_test(message_bytes),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
