/* The map against a plain array, with hashes that collide on purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/map.h"
#include "base/mem.h"

#define ITEMS 200

static bool is_same(const void *item, const void *key)
{
    return item == key;
}

static void test_against_array(void **state)
{
    (void)state;
    struct rw_map m = {0};
    int items[ITEMS];
    bool in[ITEMS] = {0};
    uint64_t seed = 7;
    size_t count = 0;
    for (int step = 0; step < 20000; step++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t i = (size_t)(seed >> 33) % ITEMS;
        uint64_t hash = i % 3 == 0 ? 5 : rw_hash(&i, sizeof(i)); /* every third collides */
        if (in[i]) {
            rw_map_remove(&m, hash, &items[i]);
            count--;
        } else {
            assert_int_equal(rw_map_put(&m, hash, &items[i]), RW_OK);
            count++;
        }
        in[i] = !in[i];
        assert_int_equal(m.n, count);
        size_t probe = (size_t)(seed >> 40) % ITEMS;
        uint64_t probe_hash = probe % 3 == 0 ? 5 : rw_hash(&probe, sizeof(probe));
        assert_ptr_equal(rw_map_get(&m, probe_hash, is_same, &items[probe]),
                         in[probe] ? &items[probe] : NULL);
    }
    size_t walked = 0, at = 0;
    while (rw_map_next(&m, &at))
        walked++;
    assert_int_equal(walked, count);
    rw_map_deinit(&m);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct rw_map m = {0};
    int item = 0;
    rw_map_remove(&m, 1, &item);
    rw_mem_fail_at(1, 0);
    assert_int_equal(rw_map_put(&m, 1, &item), RW_E_NOMEM);
    rw_mem_fail_at(0, 0);
    assert_null(rw_map_get(&m, 1, is_same, &item));
    assert_int_equal(rw_map_put(&m, 1, &item), RW_OK);
    rw_map_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_array),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
