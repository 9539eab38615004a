/* arena.c: alignment, limit, reset, text, memory that runs out. */
#include "unit.h"
#include "base/arena.h"

static void takes_and_resets(void **state)
{
    (void)state;
    struct rw_arena a;
    rw_arena_init(&a, 0);
    for (int round = 0; round < 3; round++) {
        for (size_t n = 0; n < 9000; n += 37) {
            uint8_t *p = rw_arena_alloc(&a, n);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 8, 0);
            memset(p, 0xaa, n);
        }
        const uint8_t *z = rw_arena_zalloc(&a, 100);
        assert_non_null(z);
        for (int i = 0; i < 100; i++)
            assert_int_equal(z[i], 0);
        assert_non_null(rw_arena_alloc(&a, 200000));
        rw_arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    assert_null(rw_arena_array(&a, SIZE_MAX / 2, 3));
    assert_null(rw_arena_alloc(&a, SIZE_MAX));
    const uint32_t *array = rw_arena_array(&a, 10, sizeof(uint32_t));
    assert_int_equal(array[9], 0);
    rw_arena_deinit(&a);
    rw_arena_reset(&a); /* an arena without a chunk */
    rw_arena_deinit(&a);
}

static void text_in_an_arena(void **state)
{
    (void)state;
    struct rw_arena a;
    rw_arena_init(&a, 0);
    assert_null(rw_arena_cstr(&a, RW_STR_NULL));
    assert_string_equal(rw_arena_cstr(&a, (struct rw_str){NULL, 0}), "");
    assert_string_equal(rw_arena_cstr(&a, (struct rw_str){"abcdef", 3}), "abc");
    assert_true(rw_str_is(rw_arena_str(&a, "topic"), "topic"));
    assert_int_equal(rw_arena_str(&a, NULL).n, -1);
    assert_string_equal(rw_arena_printf(&a, "%s-%d", "t", 7), "t-7");
    rw_arena_deinit(&a);
}

static void limits_and_failures(void **state)
{
    (void)state;
    struct rw_arena a;
    rw_arena_init(&a, 100);
    assert_non_null(rw_arena_alloc(&a, 96));
    assert_null(rw_arena_alloc(&a, 8));
    assert_null(rw_arena_zalloc(&a, 200));
    assert_null(rw_arena_printf(&a, "%s", "more than nothing"));
    rw_arena_reset(&a);
    assert_non_null(rw_arena_alloc(&a, 96));
    rw_arena_deinit(&a);
    rw_arena_init(&a, 0);
    rw_mem_fail_at(1, 1);
    assert_null(rw_arena_alloc(&a, 1));
    assert_null(rw_arena_cstr(&a, RW_STR_LIT("x")));
    rw_mem_fail_at(0, 0);
    assert_non_null(rw_arena_alloc(&a, 1));
    rw_arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_and_resets),
                                       cmocka_unit_test(text_in_an_arena),
                                       cmocka_unit_test(limits_and_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
