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
    struct rw_memory *refused_by; /* it queues again when it is called */
    int *calls;                   /* of several waiters */
    int called;                   /* which of these calls was the last to it */
};

static bool retry(struct rw_memory_waiter *w)
{
    struct waiting *waiting = RW_CONTAINER(w, struct waiting, waiter);
    waiting->retries++;
    if (waiting->calls)
        waiting->called = ++*waiting->calls;
    if (waiting->refused_by)
        rw_memory_wait(waiting->refused_by, w);
    return !waiting->refused_by;
}

static void the_bound(void **state)
{
    (void)state;
    struct rw_memory *m = rw_memory_new(4 * RW_CHUNK_MIN);
    struct rw_chunk *c[5];
    for (int i = 0; i < 5; i++) /* four fit, one more is let through */
        assert_non_null(c[i] = rw_chunk_take(m, RW_CHUNK_MIN));
    assert_null(rw_chunk_take(m, RW_CHUNK_MIN));
    struct waiting w = {.waiter.retry = retry, .refused_by = m};
    rw_memory_wait(m, &w.waiter);
    assert_true(rw_memory_wake(m)); /* a request could be let through; not a chunk */
    assert_false(rw_memory_wake(m));
    w.refused_by = NULL;
    struct rw_chunk *second = rw_chunk_ref(c[0]);
    rw_chunk_unref(c[0]);
    assert_false(rw_memory_wake(m)); /* still referred to */
    rw_chunk_unref(second);
    assert_true(rw_memory_wake(m));
    assert_int_equal(w.retries, 2);
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

/* When there is no room one request is let through, and the next when nothing is over the limit. */
static void requests_over_the_limit(void **state)
{
    (void)state;
    struct rw_memory *m = rw_memory_new(1000000);
    size_t first = 0, second = 0;
    assert_true(rw_memory_admits(m));
    rw_memory_charge(m, &first, 999999);
    assert_false(rw_memory_is_over(m));
    assert_true(rw_memory_admits(m));
    rw_memory_charge(m, &second, 5000000);
    assert_true(rw_memory_is_over(m));
    assert_false(rw_memory_admits(m));
    struct waiting w = {.waiter.retry = retry};
    rw_memory_wait(m, &w.waiter);
    /* What does not bring it below the limit does not help: it is asked because a chunk could be had. */
    rw_memory_charge(m, &first, 0);
    assert_false(rw_memory_admits(m));
    rw_memory_over_ended(m);
    assert_false(rw_memory_admits(m)); /* not before the one who waits */
    assert_true(rw_memory_wake(m));
    assert_int_equal(w.retries, 1);
    assert_true(rw_memory_admits(m));
    rw_memory_charge(m, &second, 0);
    rw_memory_free(m);
}

static void queued_in_order(void **state)
{
    (void)state;
    struct rw_memory *m = rw_memory_new(4 * RW_CHUNK_MIN);
    int calls = 0;
    struct waiting w[4];
    struct rw_chunk *all = rw_chunk_take(m, 4 * RW_CHUNK_MIN), *c;
    assert_non_null(all);
    for (int i = 0; i < 4; i++) {
        w[i] = (struct waiting){.waiter.retry = retry, .calls = &calls};
        rw_memory_wait(m, &w[i].waiter);
    }
    /* There is room for none, and who comes new is not let through before them. */
    assert_null(rw_chunk_take(m, RW_CHUNK_MIN));
    w[0].refused_by = w[2].refused_by = m;
    rw_chunk_unref(all);
    assert_true(rw_memory_wake(m));
    for (int i = 0; i < 4; i++)
        assert_int_equal(w[i].called, i + 1);
    assert_false(rw_memory_wake(m)); /* nothing came back since */
    /* Those that were refused are where they were: before one that comes now. */
    rw_memory_wait(m, &w[1].waiter);
    w[0].refused_by = w[2].refused_by = NULL;
    c = rw_chunk_take(m, RW_CHUNK_MIN); /* it fits: nobody is passed over for it */
    assert_non_null(c);
    rw_chunk_unref(c);
    assert_true(rw_memory_wake(m));
    assert_int_equal(w[0].called, 5);
    assert_int_equal(w[2].called, 6);
    assert_int_equal(w[1].called, 7);
    assert_false(rw_memory_scarce(m));
    rw_memory_free(m);
}

/* One has a chunk that was let through, and its frame is whole: it is not before those who wait for that
 * chunk, and nothing will come back before it is. */
static void not_refused_for_ever(void **state)
{
    (void)state;
    struct rw_memory *m = rw_memory_new(RW_CHUNK_MIN);
    struct waiting first = {.waiter.retry = retry, .refused_by = m};
    struct waiting whole = {.waiter.retry = retry};
    struct rw_chunk *let_through = rw_chunk_take(m, 2 * RW_CHUNK_MIN);
    assert_non_null(let_through);
    assert_null(rw_chunk_take(m, RW_CHUNK_MIN));
    rw_memory_wait(m, &first.waiter);
    (void)rw_memory_wake(m);
    int before = first.retries;
    assert_false(rw_memory_wake(m));
    assert_false(rw_memory_admits(m));
    rw_memory_wait(m, &whole.waiter);
    assert_true(rw_memory_wake(m));
    assert_int_equal(first.retries, before + 1);
    assert_int_equal(whole.retries, 1);
    assert_false(rw_memory_wake(m)); /* who was refused does not ask again and again */
    rw_memory_leave(&first.waiter);
    rw_chunk_unref(let_through);
    rw_memory_free(m);
}

/* Nobody is asked while nobody could get anything; and one that leaves is not. */
static void not_asked_in_vain(void **state)
{
    (void)state;
    struct rw_memory *m = rw_memory_new(RW_CHUNK_MIN);
    struct waiting w[2] = {{.waiter.retry = retry}, {.waiter.retry = retry}};
    struct rw_chunk *fits = rw_chunk_take(m, RW_CHUNK_MIN), *over = rw_chunk_take(m, RW_CHUNK_MIN);
    size_t charged = 0;
    rw_memory_charge(m, &charged, 2);
    assert_true(rw_memory_is_over(m));
    rw_memory_wait(m, &w[0].waiter);
    rw_memory_wait(m, &w[1].waiter);
    rw_memory_charge(m, &charged, 1);
    (void)rw_memory_wake(m);
    assert_int_equal(w[0].retries + w[1].retries, 0);
    rw_memory_leave(&w[0].waiter);
    rw_memory_charge(m, &charged, 0);
    rw_memory_over_ended(m);
    assert_true(rw_memory_wake(m));
    assert_int_equal(w[0].retries, 0);
    assert_int_equal(w[1].retries, 1);
    rw_chunk_unref(fits);
    rw_chunk_unref(over);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_fit_and_waste_little), cmocka_unit_test(the_bound),
        cmocka_unit_test(requests_over_the_limit),     cmocka_unit_test(queued_in_order),
        cmocka_unit_test(not_asked_in_vain),           cmocka_unit_test(not_refused_for_ever),
        cmocka_unit_test(reused_and_trimmed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
