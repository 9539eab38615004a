/* The timer heap against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/assert.h"
#include "os/timers.h"

static int64_t earliest(const struct rw_timer *t, size_t n)
{
    int64_t best = INT64_MAX;
    for (size_t i = 0; i < n; i++)
        if (t[i].armed && t[i].at_us < best)
            best = t[i].at_us;
    return best;
}

static void like_an_array(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 50; seed++) {
        struct rw_timer t[60] = {0};
        struct rw_timers h = {0};
        srand(seed);
        for (int step = 0; step < 3000; step++) {
            struct rw_timer *one = &t[(size_t)rand() % RW_COUNT(t)];
            if (one->armed) {
                rw_timers_remove(&h, one);
            } else {
                one->at_us = rand() % 100;
                rw_timers_add(&h, one);
            }
            if (rand() % 5 == 0 && rw_timers_first(&h))
                rw_timers_remove(&h, rw_timers_first(&h));
            struct rw_timer *first = rw_timers_first(&h);
            assert_int_equal(first ? first->at_us : INT64_MAX, earliest(t, RW_COUNT(t)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(like_an_array)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
