/* The waits between tries, and the breaker's three states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "logger/backoff.h"

static void waits_double_up_to_the_cap(void **state)
{
    (void)state;
    /* The random number that picks the longest one. */
    for (unsigned i = 0; i < 12; i++) {
        int64_t most = 100LL << i;
        most = most > 30000 ? 30000 : most;
        assert_int_equal(rw_lg_backoff_us(i, 100, 30000, (uint64_t)most), most);
        assert_int_equal(rw_lg_backoff_us(i, 100, 30000, (uint64_t)most + 1), 0);
        assert_int_equal(rw_lg_backoff_us(i, 100, 30000, 0), 0);
    }
    assert_in_range(rw_lg_backoff_us(UINT32_MAX, 100, 30000, UINT64_MAX), 0, 30000);
    assert_int_equal(rw_lg_backoff_us(3, 0, 0, 77), 0);
}

static void opens_after_the_limit_and_probes(void **state)
{
    (void)state;
    struct rw_lg_breaker b = {.limit = 3, .base_us = 100, .cap_us = 1000};
    assert_true(rw_lg_breaker_may(&b, 0));
    assert_false(rw_lg_breaker_failed(&b, 0, 100)); /* waits 100 */
    assert_false(rw_lg_breaker_may(&b, 99));
    assert_true(rw_lg_breaker_may(&b, 100));
    assert_false(rw_lg_breaker_failed(&b, 100, 200));
    assert_int_equal(b.state, RW_LG_CLOSED);
    assert_true(rw_lg_breaker_failed(&b, 300, 400)); /* the third: it opens, once */
    assert_int_equal(b.state, RW_LG_OPEN);
    assert_false(rw_lg_breaker_may(&b, 699));
    assert_int_equal(b.state, RW_LG_OPEN);
    assert_true(rw_lg_breaker_may(&b, 700));
    assert_int_equal(b.state, RW_LG_HALF_OPEN);
    assert_false(rw_lg_breaker_failed(&b, 700, 800)); /* the probe failed: open again, no news */
    assert_int_equal(b.state, RW_LG_OPEN);
    assert_true(rw_lg_breaker_may(&b, 1500));
    assert_true(rw_lg_breaker_succeeded(&b));
    assert_int_equal(b.state, RW_LG_CLOSED);
    assert_int_equal(b.failures, 0);
    assert_true(rw_lg_breaker_may(&b, 0));
    assert_false(rw_lg_breaker_succeeded(&b));
}

static void success_forgets_failures(void **state)
{
    (void)state;
    struct rw_lg_breaker b = {.limit = 2, .base_us = 100, .cap_us = 1000};
    for (int i = 0; i < 10; i++) {
        assert_false(rw_lg_breaker_failed(&b, i, 0));
        assert_false(rw_lg_breaker_succeeded(&b));
    }
    assert_int_equal(b.state, RW_LG_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(waits_double_up_to_the_cap),
                                       cmocka_unit_test(opens_after_the_limit_and_probes),
                                       cmocka_unit_test(success_forgets_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
