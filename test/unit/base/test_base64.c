/* base64.c: the vectors of RFC 4648, the alphabets, and what a strict decoder refuses. */
#include "unit.h"
#include "base/base64.h"

static void vectors(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
        {"", "", "", ""},
        {"f", "Zg==", "Zg", "Zg"},
        {"fo", "Zm8=", "Zm8", "Zm8"},
        {"foo", "Zm9v", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg", "Zm9vYg"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+", "-__-", "+//+"},
    };
    struct rw_buf b = {0};
    for (size_t i = 0; i < RW_COUNT(cases); i++)
        for (int a = 0; a < 3; a++) {
            enum rw_base64 alphabet = (enum rw_base64)a;
            rw_buf_clear(&b);
            rw_base64_encode(alphabet, text(cases[i][0]), &b);
            assert_string_equal(rw_buf_cstr(&b), cases[i][1 + a]);
            rw_buf_clear(&b);
            assert_int_equal(rw_base64_decode(alphabet, rw_str(cases[i][1 + a]), &b), RW_OK);
            assert_string_equal(rw_buf_cstr(&b), cases[i][0]);
        }
    rw_buf_clear(&b);
    assert_int_equal(rw_base64_decode(RW_BASE64_URL, RW_STR_LIT("Zm8="), &b), RW_OK);
    rw_buf_clear(&b);
    assert_int_equal(rw_base64_decode(RW_BASE64_RAW, RW_STR_LIT("Zm8="), &b), RW_OK);
    assert_int_equal(rw_base64_decode(RW_BASE64_URL, RW_STR_NULL, &b), RW_OK);
    assert_string_equal(rw_buf_cstr(&b), "fo");
    rw_buf_deinit(&b);
}

static void refused(void **state)
{
    (void)state;
    static const char *const standard[] = {
        "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm 9", "-_-_", "Z", "Zm9vYmFy=", "=Zg="};
    struct rw_buf b = {0};
    rw_buf_add_str(&b, "kept");
    for (size_t i = 0; i < RW_COUNT(standard); i++)
        assert_int_equal(rw_base64_decode(RW_BASE64_STANDARD, rw_str(standard[i]), &b), RW_E_INVAL);
    const struct rw_str nul = {"Zm\0v", 4};
    assert_int_equal(rw_base64_decode(RW_BASE64_STANDARD, nul, &b), RW_E_INVAL);
    assert_int_equal(rw_base64_decode(RW_BASE64_URL, RW_STR_LIT("Zm9vY"), &b), RW_E_INVAL);
    assert_int_equal(rw_base64_decode(RW_BASE64_URL, RW_STR_LIT("+//+"), &b), RW_E_INVAL);
    assert_string_equal(rw_buf_cstr(&b), "kept");
    rw_buf_deinit(&b);
    rw_mem_fail_at(1, 1);
    assert_int_equal(rw_base64_decode(RW_BASE64_URL, RW_STR_LIT("Zm9v"), &b), RW_E_NOMEM);
    rw_mem_fail_at(0, 0);
    rw_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
