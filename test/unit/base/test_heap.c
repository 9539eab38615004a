/* heap.c: random operations against a linear search, order among equals, memory that runs out. */
#include "unit.h"
#include "base/heap.h"

#define ITEMS 200

static uint32_t random_next(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static void first_is_first(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct rw_heap h;
        struct rw_heap_item items[ITEMS] = {{0}};
        uint32_t x = seed;
        rw_heap_init(&h);
        for (int step = 0; step < 5000; step++) {
            struct rw_heap_item *it = &items[random_next(&x) % ITEMS];
            int64_t at = random_next(&x) % 50;
            if (!rw_heap_holds(it)) {
                it->at = at;
                assert_int_equal(rw_heap_add(&h, it), RW_OK);
            } else if (at & 1) {
                rw_heap_move(&h, it, at);
            } else {
                rw_heap_remove(&h, it);
                assert_false(rw_heap_holds(it));
                rw_heap_remove(&h, it);
            }
            const struct rw_heap_item *best = NULL;
            for (int i = 0; i < ITEMS; i++)
                if (rw_heap_holds(&items[i]) &&
                    (!best || items[i].at < best->at ||
                     (items[i].at == best->at && items[i].order < best->order)))
                    best = &items[i];
            assert_ptr_equal(rw_heap_first(&h), best);
        }
        rw_heap_deinit(&h);
        for (int i = 0; i < ITEMS; i++)
            assert_false(rw_heap_holds(&items[i]));
    }
}

static void equals_queue(void **state)
{
    (void)state;
    struct rw_heap h;
    struct rw_heap_item items[20] = {{0}};
    rw_heap_init(&h);
    for (int i = 0; i < 20; i++)
        assert_int_equal(rw_heap_add(&h, &items[i]), RW_OK);
    rw_heap_move(&h, &items[0], 0); /* behind the others now */
    for (int i = 1; i <= 20; i++) {
        assert_ptr_equal(rw_heap_first(&h), &items[i % 20]);
        rw_heap_remove(&h, &items[i % 20]);
    }
    assert_null(rw_heap_first(&h));
    rw_heap_deinit(&h);
}

static void memory_runs_out(void **state)
{
    (void)state;
    struct rw_heap h;
    struct rw_heap_item items[20] = {{0}};
    rw_heap_init(&h);
    rw_mem_fail_at(1, 1);
    assert_int_equal(rw_heap_add(&h, &items[0]), RW_E_NOMEM);
    assert_false(rw_heap_holds(&items[0]));
    rw_mem_fail_at(2, 1);
    int added = 0;
    while (added < 20 && rw_heap_add(&h, &items[added]) == RW_OK)
        added++;
    rw_mem_fail_at(0, 0);
    assert_int_equal(added, 16);
    assert_ptr_equal(rw_heap_first(&h), &items[0]);
    rw_heap_deinit(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_is_first),
        cmocka_unit_test(equals_queue),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
