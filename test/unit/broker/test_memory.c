/* Chunks: classes, the bound, the one that is let through, waiting, reuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/mem.h"
#include "broker/memory.h"

static void chunks_fit_and_waste_little(void **state)
{
    (void)state;
    struct rw_memory *m = rw_memory_new((size_t)4 << 30);
    for (size_t size = 1; size < (8u << 20); size += size / 7 + 1) {
        struct rw_chunk *c = rw_chunk_take(m, size);
        assert_non_null(c);
        assert_true(c->cap >= size);
        assert_true(size <= RW_CHUNK_MIN || c->cap <= size + size / 4 + 1);
        rw_chunk_unref(c);
        rw_memory_trim(m);
        rw_memory_trim(m);
    }
    assert_int_equal(rw_memory_used(m), 0);
    rw_memory_free(m);
}

struct waiting {
    struct rw_memory_waiter waiter;
    int retries;
};

static void retry(struct rw_memory_waiter *w)
{
    RW_CONTAINER(w, struct waiting, waiter)->retries++;
}

static void the_bound(void **state)
{
    (void)state;
    struct rw_memory *m = rw_memory_new(4 * RW_CHUNK_MIN);
    struct rw_chunk *c[5];
    for (int i = 0; i < 5; i++) /* four fit, one more is let through */
        assert_non_null(c[i] = rw_chunk_take(m, RW_CHUNK_MIN));
    assert_null(rw_chunk_take(m, RW_CHUNK_MIN));
    struct waiting w = {.waiter.retry = retry};
    rw_memory_wait(m, &w.waiter);
    assert_false(rw_memory_wake(m));
    struct rw_chunk *second = rw_chunk_ref(c[0]);
    rw_chunk_unref(c[0]);
    assert_false(rw_memory_wake(m)); /* still referred to */
    rw_chunk_unref(second);
    assert_true(rw_memory_wake(m));
    assert_int_equal(w.retries, 1);
    /* Larger than everything: let through as soon as the other excess is gone. */
    assert_null(rw_chunk_take(m, 100 * RW_CHUNK_MIN));
    rw_chunk_unref(c[4]);
    struct rw_chunk *large = rw_chunk_take(m, 100 * RW_CHUNK_MIN);
    assert_non_null(large);
    assert_null(rw_chunk_take(m, RW_CHUNK_MIN));
    rw_chunk_unref(large);
    for (int i = 1; i < 4; i++)
        rw_chunk_unref(c[i]);
    rw_memory_free(m);
}

static void reused_and_trimmed(void **state)
{
    (void)state;
    struct rw_memory *m = rw_memory_new(1u << 20);
    struct rw_chunk *a = rw_chunk_take(m, 50000);
    rw_chunk_unref(a);
    assert_ptr_equal(rw_chunk_take(m, 50000), a);
    rw_chunk_unref(a);
    rw_memory_trim(m); /* it was in use since the last trim */
    rw_mem_fail_at(1, 1);
    assert_ptr_equal(rw_chunk_take(m, 50000), a);
    assert_null(rw_chunk_take(m, 50000)); /* refused by malloc: wait, like for the bound */
    rw_mem_fail_at(0, 0);
    rw_chunk_unref(a);
    rw_memory_trim(m);
    rw_memory_trim(m);
    rw_mem_fail_at(1, 1);
    assert_null(rw_chunk_take(m, 50000)); /* nothing was kept */
    rw_mem_fail_at(0, 0);
    rw_memory_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(chunks_fit_and_waste_little),
                                       cmocka_unit_test(the_bound),
                                       cmocka_unit_test(reused_and_trimmed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
