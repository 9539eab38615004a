/* Clocks, random numbers and mutexes of the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "os/os.h"

static void clocks(void **state)
{
    (void)state;
    struct rw_clock *c = rw_os_env()->clock;
    int64_t a = rw_mono_us(c), b = rw_mono_us(c);
    assert_true(b >= a);
    int64_t off = rw_wall_ms(c) - (int64_t)time(NULL) * 1000;
    assert_true(off > -1000 && off < 5000);
}

static void random_bytes(void **state)
{
    (void)state;
    struct rw_rand *r = rw_os_env()->rand;
    assert_true(rw_rand_u64(r) != rw_rand_u64(r));
    uint8_t big[1000] = {0}, zero[500] = {0};
    r->fill(r, big, sizeof(big));
    assert_memory_not_equal(big + 500, zero, 500); /* also beyond the 256 bytes of one call */
}

static void a_wait_times_out(void **state)
{
    (void)state;
    struct rw_sync *s = rw_os_env()->sync;
    struct rw_mutex *m;
    struct rw_cond *c;
    assert_int_equal(s->mutex_new(s, &m), RW_OK);
    assert_int_equal(s->cond_new(s, &c), RW_OK);
    s->lock(s, m);
    int64_t before = rw_mono_us(rw_os_env()->clock);
    int code;
    do
        code = s->wait(s, c, m, 20000);
    while (code == RW_OK);
    assert_int_equal(code, RW_E_TIMEOUT);
    assert_true(rw_mono_us(rw_os_env()->clock) - before >= 20000);
    s->unlock(s, m);
    s->cond_free(s, c);
    s->mutex_free(s, m);
}

struct shared {
    struct rw_sync *s;
    struct rw_mutex *m;
    struct rw_cond *c;
    long count;
};

static void *count_up(void *arg)
{
    struct shared *x = arg;
    for (int i = 0; i < 10000; i++) {
        x->s->lock(x->s, x->m);
        x->count++;
        x->s->unlock(x->s, x->m);
    }
    x->s->lock(x->s, x->m);
    x->s->broadcast(x->s, x->c);
    x->s->unlock(x->s, x->m);
    return NULL;
}

static void threads_meet(void **state)
{
    (void)state;
    struct shared x = {.s = rw_os_env()->sync};
    assert_int_equal(x.s->mutex_new(x.s, &x.m), RW_OK);
    assert_int_equal(x.s->cond_new(x.s, &x.c), RW_OK);
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, count_up, &x), 0);
    x.s->lock(x.s, x.m);
    while (x.count < 20000)
        assert_int_equal(x.s->wait(x.s, x.c, x.m, -1), RW_OK);
    x.s->unlock(x.s, x.m);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    x.s->cond_free(x.s, x.c);
    x.s->mutex_free(x.s, x.m);
}

/* Many more threads than cores: whoever sleeps is woken, and nobody is in there with another. */
static void *take_turns(void *arg)
{
    struct shared *x = arg;
    for (int i = 0; i < 3000; i++) {
        x->s->lock(x->s, x->m);
        long before = x->count;
        if (i % 64 == 0)
            sched_yield();
        x->count = before + 1;
        if (x->count % 100 == 0)
            x->s->broadcast(x->s, x->c);
        x->s->unlock(x->s, x->m);
    }
    return NULL;
}

static void nobody_is_forgotten(void **state)
{
    (void)state;
    enum { THREADS = 24 };
    struct shared x = {.s = rw_os_env()->sync};
    assert_int_equal(x.s->mutex_new(x.s, &x.m), RW_OK);
    assert_int_equal(x.s->cond_new(x.s, &x.c), RW_OK);
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, take_turns, &x), 0);
    x.s->lock(x.s, x.m);
    for (int i = 0; x.count < THREADS * 3000;
         i++) /* with and without a limit that is not reached */
        assert_int_equal(x.s->wait(x.s, x.c, x.m, i % 2 ? -1 : 3600ll * 1000000), RW_OK);
    x.s->unlock(x.s, x.m);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(x.count, THREADS * 3000);
    x.s->cond_free(x.s, x.c);
    x.s->mutex_free(x.s, x.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clocks), cmocka_unit_test(random_bytes),
                                       cmocka_unit_test(a_wait_times_out),
                                       cmocka_unit_test(threads_meet),
                                       cmocka_unit_test(nobody_is_forgotten)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
