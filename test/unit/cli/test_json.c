/* JSON out: commas, nesting, escapes, bytes that are no text; base64 both ways. */
#include "test_support.h"
#include <math.h>
#include "cli/json.h"

static struct rw_buf buf;

static int setup(void **state)
{
    (void)state;
    rw_buf_init(&buf);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rw_buf_deinit(&buf);
    return 0;
}

static void nesting(void **state)
{
    (void)state;
    struct rw_cli_json j;
    rw_cli_json_init(&j, &buf, 0);
    rw_cli_json_object(&j, NULL);
    rw_cli_json_array(&j, "a");
    rw_cli_json_int(&j, NULL, -1);
    rw_cli_json_bool(&j, NULL, true);
    rw_cli_json_object(&j, NULL);
    rw_cli_json_end(&j);
    rw_cli_json_end(&j);
    rw_cli_json_string(&j, "b", NULL);
    rw_cli_json_double(&j, "c", 0.5);
    rw_cli_json_double(&j, "d", INFINITY);
    rw_cli_json_end(&j);
    assert_string_equal(rw_buf_cstr(&buf), "{\"a\":[-1,true,{}],\"b\":null,\"c\":0.5,\"d\":null}");
}

static void indented(void **state)
{
    (void)state;
    struct rw_cli_json j;
    rw_cli_json_init(&j, &buf, 2);
    rw_cli_json_object(&j, NULL);
    rw_cli_json_array(&j, "a");
    rw_cli_json_int(&j, NULL, 1);
    rw_cli_json_end(&j);
    rw_cli_json_array(&j, "b");
    rw_cli_json_end(&j);
    rw_cli_json_end(&j);
    assert_string_equal(rw_buf_cstr(&buf), "{\n  \"a\": [\n    1\n  ],\n  \"b\": []\n}");
}

static void quoting(void **state)
{
    (void)state;
    rw_cli_json_quote(&buf, "a\"\\\n\t\001\x7f\xc3\xa9\xff", 10);
    assert_string_equal(rw_buf_cstr(&buf), "\"a\\\"\\\\\\n\\t\\u0001\\u007f\xc3\xa9\\ufffd\"");
}

static void nul_is_escaped(void **state)
{
    (void)state;
    rw_cli_json_quote(&buf, "\0", 1);
    assert_string_equal(rw_buf_cstr(&buf), "\"\\u0000\"");
}

static void utf8(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "plain text, long", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",         "\xc0\x80",         "\xe0\x80\x80",
                                      "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                                      "\xe2\x82",     "12345678\xff"};
    for (size_t i = 0; i < RW_COUNT(good); i++)
        assert_true(rw_cli_utf8_valid((const uint8_t *)good[i], strlen(good[i])));
    for (size_t i = 0; i < RW_COUNT(bad); i++)
        assert_false(rw_cli_utf8_valid((const uint8_t *)bad[i], strlen(bad[i])));
}

static void bytes(void **state)
{
    (void)state;
    struct rw_cli_json j;
    rw_cli_json_init(&j, &buf, 0);
    rw_cli_json_array(&j, NULL);
    rw_cli_json_bytes(&j, NULL, rw_slice(NULL, 0));
    rw_cli_json_bytes(&j, NULL, rw_slice("", 0));
    rw_cli_json_bytes(&j, NULL, rw_slice("\xff\x00", 2));
    rw_cli_json_end(&j);
    assert_string_equal(rw_buf_cstr(&buf), "[null,\"\",{\"base64\":\"/wA=\"}]");
}

static void base64_both_ways(void **state)
{
    (void)state;
    uint8_t in[64];
    struct rw_buf back;
    rw_buf_init(&back);
    for (size_t n = 0; n < sizeof(in); n++) {
        in[n] = (uint8_t)(n * 37 + 200);
        for (int padding = 0; padding < 2; padding++) {
            rw_buf_clear(&buf);
            rw_buf_clear(&back);
            rw_cli_base64(&buf, in, n, padding);
            assert_true(rw_cli_base64_decode(&back, (const char *)buf.p, buf.n));
            assert_int_equal(back.n, n);
            assert_true(n == 0 || memcmp(back.p, in, n) == 0);
        }
    }
    assert_false(rw_cli_base64_decode(&back, "a", 1));
    assert_false(rw_cli_base64_decode(&back, "ab*d", 4));
    rw_buf_deinit(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nesting, setup, teardown),
        cmocka_unit_test_setup_teardown(indented, setup, teardown),
        cmocka_unit_test_setup_teardown(quoting, setup, teardown),
        cmocka_unit_test_setup_teardown(nul_is_escaped, setup, teardown),
        cmocka_unit_test(utf8),
        cmocka_unit_test_setup_teardown(bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(base64_both_ways, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
