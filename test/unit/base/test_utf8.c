/* utf8.c: the edges of every range of RFC 3629, and each code point there and back. */
#include "unit.h"
#include "base/utf8.h"

static void edges(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        size_t prefix; /* bytes that are fine */
    } cases[] = {
        {"", 0},
        {"plain ascii, long enough for words", 34},
        {"\x7f", 1},
        {"\x80", 0},
        {"\xc0\x80", 0},
        {"\xc1\xbf", 0},
        {"\xc2\x80", 2},
        {"\xc2", 0},
        {"\xc2\x7f", 0},
        {"\xdf\xbf", 2},
        {"\xe0\x9f\xbf", 0},
        {"\xe0\xa0\x80", 3},
        {"\xe0\xa0", 0},
        {"\xe0\xa0\xc0", 0},
        {"\xed\x9f\xbf", 3},
        {"\xed\xa0\x80", 0},
        {"\xef\xbf\xbf", 3},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 0},
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
        {"abcdefgh\xff", 8},
        {"abcdefg\xc3\xa9x\x80", 10},
        {"abcdefghijklmno\xe2\x82", 15},
    };
    for (size_t i = 0; i < RW_COUNT(cases); i++) {
        size_t n = strlen(cases[i].s);
        char *exact = malloc(n + !n);
        assert_non_null(exact);
        memcpy(exact, cases[i].s, n);
        assert_int_equal(rw_utf8_prefix(exact, n), cases[i].prefix);
        assert_int_equal(rw_utf8_valid(exact, n), n == cases[i].prefix);
        free(exact);
    }
}

static void there_and_back(void **state)
{
    (void)state;
    uint8_t b[4];
    for (uint32_t c = 0; c < 0x110400; c++) {
        size_t n = rw_utf8_put(b, c);
        if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff) {
            assert_int_equal(n, 0);
            continue;
        }
        assert_true(n >= 1 && n <= 4);
        assert_true(rw_utf8_valid(b, n));
        assert_int_equal(rw_utf8_prefix(b, n - 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(edges), cmocka_unit_test(there_and_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
