/* What reaches a terminal of text that somebody else wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/assert.h"
#include "cli/printable.h"

static void table(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } rows[] = {{"", ""},
                {"there is no topic \"a\\b\"", "there is no topic \"a\\b\""},
                {"a\nb\tc\r", "a\\nb\\tc\\r"},
                {"\033[31mred\177", "\\x1b[31mred\\x7f"},
                {"\303\244\342\202\254\360\237\246\212", "\303\244\342\202\254\360\237\246\212"},
                {"\302\233 31m\302\240", "\\xc2\\x9b 31m\302\240"}, /* CSI; a blank of Latin-1 */
                {"\377a\303", "\\xffa\\xc3"},
                {"\303\244\303\n\303\244", "\303\244\\xc3\\n\303\244"}};
    for (size_t i = 0; i < RW_COUNT(rows); i++) {
        struct rw_buf b;
        rw_buf_init(&b);
        rw_printable(&b, rows[i].text);
        assert_string_equal(rw_buf_cstr(&b), rows[i].wanted);
        rw_buf_deinit(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
