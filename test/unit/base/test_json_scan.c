/* Pieces of JSON: inside of values, what strings say, where mistakes are. Types and escapes in lines: test/unit/pipe/test_json.c. */
#include "base/json_scan.h"
#include "unit.h"

static struct rw_err err;

static void test_elements(void **state)
{
    (void)state;
    static const struct {
        enum rw_json_kind kind;
        const char *text;
    } want[] = {{RW_JSON_NUMBER, "18446744073709551616"},
                {RW_JSON_STRING, "a\\\"]"},
                {RW_JSON_NULL, "null"},
                {RW_JSON_BOOL, "true"},
                {RW_JSON_OBJECT, "{\"x\" : [ 1 ]}"},
                {RW_JSON_ARRAY, "[]"}};
    struct rw_json_scan s = rw_json_scan(
        rw_str(" [18446744073709551616, \"a\\\"]\",null ,true,{\"x\" : [ 1 ]},[] ] "), &err);
    struct rw_json_value all, v;
    assert_int_equal(rw_json_next(&s, &all), RW_OK);
    assert_int_equal(all.kind, RW_JSON_ARRAY);
    assert_int_equal(rw_json_end_of_text(&s), RW_OK);
    struct rw_json_scan inside = rw_json_inside(&s, &all);
    for (size_t i = 0; i < RW_COUNT(want); i++) {
        assert_int_equal(rw_json_next_element(&inside, &v), RW_OK);
        assert_int_equal(v.kind, want[i].kind);
        assert_true(rw_str_is(v.text, want[i].text));
        assert_int_equal(v.escapes, i == 1);
    }
    assert_int_equal(rw_json_next_element(&inside, &v), RW_E_NOT_FOUND);
}

static void says(const char *text, const char *bytes, size_t n, bool halves)
{
    uint8_t out[64];
    bool got;
    assert_true(strlen(text) <= sizeof(out));
    assert_int_equal(rw_json_decode(rw_str(text), out, &got), n);
    assert_memory_equal(out, bytes, n);
    assert_int_equal(got, halves);
}

static void test_strings(void **state)
{
    (void)state;
    says("", "", 0, false);
    says("a\\u0000b", "a\0b", 3, false);
    says("\\b\\t\\n\\f\\r\\\"\\\\\\/", "\b\t\n\f\r\"\\/", 8, false);
    says("\\u00E9\\uD83D\\uDE00", "\xc3\xa9\xf0\x9f\x98\x80", 6, false);
    says("\\uD83D", "\xef\xbf\xbd", 3, true);
    says("\\uD83D\\uD83D\\uDE00", "\xef\xbf\xbd\xf0\x9f\x98\x80", 7, true);
    says("\\uDE00x", "\xef\xbf\xbdx", 4, true);
}

/* Character by character of a text that has all there is: none of its beginnings is whole. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[1,-2.5e+3,{\"b\":\"\\u00e9\\n\"},true,false,null],\"c\":{}}";
    struct rw_json_value v;
    for (int32_t n = 0; n < (int32_t)sizeof(text) - 1; n++) {
        struct rw_json_scan s = rw_json_scan((struct rw_str){text, n}, &err);
        err = (struct rw_err){0};
        assert_int_equal(rw_json_next(&s, &v), RW_E_INVAL);
        assert_true(strncmp(err.text, "character ", 10) == 0);
    }
    struct rw_json_scan s = rw_json_scan(rw_str(text), &err);
    assert_int_equal(rw_json_next(&s, &v), RW_OK);
    assert_int_equal(rw_json_end_of_text(&s), RW_OK);
}

/* Inside, characters are counted from where the text begins. */
static void test_places(void **state)
{
    (void)state;
    struct rw_json_scan s = rw_json_scan(rw_str("{\"a\":[1]}"), &err);
    struct rw_json_value name, v, unused;
    assert_int_equal(rw_json_next_member(&s, &name, &v), RW_OK);
    struct rw_json_scan inside = rw_json_inside(&s, &v);
    assert_int_equal(rw_json_next_member(&inside, &name, &unused), RW_E_INVAL);
    assert_string_equal(err.text, "character 6: an object was expected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
