/* The nearest word. */
#include "test_support.h"
#include "cli/suggest.h"

static void nearest_word(void **state)
{
    (void)state;
    assert_int_equal(rw_suggest_distance("list", "lsit"), 1);
    assert_int_equal(rw_suggest_distance("kitten", "sitting"), 3);
    assert_int_equal(rw_suggest_distance("", "abc"), 3);
    struct rw_suggest s = {"desc", NULL, 0};
    rw_suggest_offer(&s, "delete");
    rw_suggest_offer(&s, "describe");
    assert_string_equal(s.best, "describe");
    struct rw_suggest none = {"xyzzy", NULL, 0};
    rw_suggest_offer(&none, "list");
    assert_null(none.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
