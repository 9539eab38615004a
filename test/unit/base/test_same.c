/* Texts that are there twice, against comparing each with each; and very many of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/map.h"
#include "base/mem.h"
#include "base/same.h"

#define N 300

static void test_against_each_with_each(void **state)
{
    (void)state;
    struct rw_arena arena;
    char words[N][8];
    struct rw_str texts[N];
    uint64_t seed = 3;
    rw_arena_init(&arena, 0);
    for (int i = 0; i < N; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        snprintf(words[i], sizeof(words[i]), "w%u", (unsigned)(seed >> 33) % (N / 2));
        texts[i] = i % 50 == 7 ? RW_STR_NULL : i % 50 == 8 ? RW_STR_LIT("") : rw_str(words[i]);
    }
    int32_t *same;
    assert_int_equal(rw_find_same(texts, N, &arena, &same), RW_OK);
    int twice = 0;
    for (int i = 0; i < N; i++) {
        int first = -1, others = 0;
        for (int j = 0; j < N && texts[i].n >= 0; j++) {
            if (texts[j].n < 0 || !rw_str_eq(texts[i], texts[j]))
                continue;
            first = first < 0 ? j : first;
            others += j != i;
        }
        if (!others)
            assert_int_equal(same[i], -1);
        else if (first != i)
            assert_int_equal(same[i], first);
        else
            assert_true(same[i] > i && rw_str_eq(texts[same[i]], texts[i]));
        twice += others > 0;
    }
    assert_true(twice > 50 && twice < N);
    rw_arena_deinit(&arena);
}

static void test_nothing_and_no_memory(void **state)
{
    (void)state;
    struct rw_arena arena;
    struct rw_str texts[] = {RW_STR_LIT("a"), RW_STR_LIT("a")};
    int32_t *same = NULL;
    rw_arena_init(&arena, 0);
    assert_int_equal(rw_find_same(NULL, 0, &arena, &same), RW_OK);
    for (unsigned at = 1;; at++) {
        rw_arena_deinit(&arena);
        rw_arena_init(&arena, 0);
        rw_mem_fail_at(at, 0);
        int rc = rw_find_same(texts, 2, &arena, &same);
        rw_mem_fail_at(0, 0);
        if (rc == RW_OK) {
            assert_true(at > 1);
            break;
        }
        assert_int_equal(rc, RW_E_NOMEM);
    }
    assert_int_equal(same[0], 1);
    assert_int_equal(same[1], 0);
    rw_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_each_with_each),
        cmocka_unit_test(test_nothing_and_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
