/* The event loop and the worker pools, with real threads (run it under ThreadSanitizer too). */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "os/jobs.h"
#include "os/loop.h"
#include "os/os.h"

enum { SENDERS = 4, EACH = 20000 };

static struct rw_loop *new_loop(void)
{
    struct rw_loop *l;
    assert_int_equal(rw_os_loop_new(rw_os_env()->clock, &l), RW_OK);
    return l;
}

/* ---- messages ---- */

struct numbered {
    struct rw_post post;
    int sender, number;
};

struct receiver {
    struct rw_loop *loop;
    int next[SENDERS];
    int total;
    bool disorder;
};

static struct receiver receiver;

static void receive(struct rw_loop *loop, struct rw_post *p)
{
    struct numbered *m = RW_CONTAINER(p, struct numbered, post);
    if (receiver.next[m->sender]++ != m->number)
        receiver.disorder = true;
    free(m);
    if (++receiver.total == SENDERS * EACH)
        rw_loop_stop(loop);
}

static void *send_many(void *arg)
{
    struct timespec pause = {0, 50000};
    for (int i = 0; i < EACH; i++) {
        struct numbered *m = malloc(sizeof(*m));
        *m = (struct numbered){.post.run = receive, .sender = (int)(intptr_t)arg, .number = i};
        rw_loop_post(receiver.loop, &m->post);
        if (i % 1000 == 0) /* lets the loop fall asleep now and then */
            nanosleep(&pause, NULL);
    }
    return NULL;
}

static void messages_of_many_threads_arrive_in_order(void **state)
{
    (void)state;
    pthread_t senders[SENDERS];
    receiver = (struct receiver){.loop = new_loop()};
    for (int i = 0; i < SENDERS; i++)
        pthread_create(&senders[i], NULL, send_many, (void *)(intptr_t)i);
    rw_os_loop_run(receiver.loop);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i], NULL);
    assert_int_equal(receiver.total, SENDERS * EACH);
    assert_false(receiver.disorder);
    rw_os_loop_free(receiver.loop);
}

/* Two loops that send one message to and fro: each must be woken every time. */
struct ball {
    struct rw_post post;
    struct rw_loop *a, *b;
    int left;
};

static void hit(struct rw_loop *loop, struct rw_post *p)
{
    struct ball *ball = RW_CONTAINER(p, struct ball, post);
    struct rw_loop *other = loop == ball->a ? ball->b : ball->a;
    if (ball->left-- <= 0)
        rw_loop_stop(loop);
    if (ball->left >= -1)
        rw_loop_post(other, p);
}

static void sleeping_loops_are_woken(void **state)
{
    (void)state;
    struct ball ball = {.post.run = hit, .a = new_loop(), .b = new_loop(), .left = 5000};
    struct rw_thread *a, *b;
    assert_int_equal(rw_os_thread_start(ball.a, "a", &a), RW_OK);
    assert_int_equal(rw_os_thread_start(ball.b, "b", &b), RW_OK);
    rw_loop_post(ball.a, &ball.post);
    rw_os_thread_join(a);
    rw_os_thread_join(b);
    assert_true(ball.left < 0);
    rw_os_loop_free(ball.a);
    rw_os_loop_free(ball.b);
}

/* ---- timers and hooks ---- */

struct clockwork {
    struct rw_timer timers[5];
    struct rw_timer again, never;
    struct rw_hook hook;
    struct rw_loop *loop;
    int order[8], n, rings, hooks;
};

static struct clockwork cw;

static void ring(struct rw_timer *t)
{
    cw.order[cw.n++] = (int)(t - cw.timers);
    assert_true(rw_loop_now_us(cw.loop) >= t->at_us);
    if (cw.n == 5)
        rw_loop_stop(cw.loop);
}

static void ring_again(struct rw_timer *t)
{
    if (++cw.rings < 3)
        rw_timer_start_in(cw.loop, t, 1000);
}

static void must_not_ring(struct rw_timer *t)
{
    (void)t;
    fail_msg("a stopped timer rang");
}

static bool count_hook(struct rw_hook *h)
{
    (void)h;
    return ++cw.hooks == 1; /* once more, please */
}

static void timers_ring_in_order(void **state)
{
    (void)state;
    static const int64_t delays[5] = {30000, 10000, 50000, 20000, 40000};
    cw = (struct clockwork){.loop = new_loop()};
    for (int i = 0; i < 5; i++) {
        cw.timers[i].fire = ring;
        rw_timer_start_in(cw.loop, &cw.timers[i], delays[i]);
    }
    cw.again.fire = ring_again;
    rw_timer_start_in(cw.loop, &cw.again, 1000);
    cw.never.fire = must_not_ring;
    rw_timer_start_in(cw.loop, &cw.never, 5000);
    rw_timer_stop(cw.loop, &cw.never);
    rw_timer_stop(cw.loop, &cw.never);
    cw.hook.run = count_hook;
    rw_loop_hook_add(cw.loop, &cw.hook);
    rw_os_loop_run(cw.loop);
    static const int order[5] = {1, 3, 0, 4, 2};
    assert_memory_equal(cw.order, order, sizeof(order));
    assert_int_equal(cw.rings, 3);
    assert_true(cw.hooks >= 7);
    rw_loop_hook_remove(cw.loop, &cw.hook);
    rw_os_loop_free(cw.loop);
}

/* ---- jobs ---- */

enum { JOBS = 500 };

struct work {
    struct rw_job job;
    pthread_t worker;
    int round;
};

static atomic_int worked;
static int done_count;
static pthread_t loop_thread;
static struct rw_jobs *jobs;

static void work(struct rw_job *j)
{
    struct work *w = RW_CONTAINER(j, struct work, job);
    w->worker = pthread_self();
    atomic_fetch_add(&worked, 1);
}

static void done(struct rw_job *j)
{
    struct work *w = RW_CONTAINER(j, struct work, job);
    assert_true(pthread_equal(pthread_self(), loop_thread));
    assert_false(pthread_equal(w->worker, loop_thread));
    if (w->round++ == 0) {
        rw_jobs_submit(jobs, RW_JOB_READ, j->loop, j); /* again, from done() */
        return;
    }
    if (++done_count == JOBS)
        rw_loop_stop(j->loop);
}

static void every_job_comes_back(void **state)
{
    (void)state;
    static const int threads[RW_JOB_CLASSES] = {1, 4, 2, 2};
    static struct work all[JOBS];
    struct rw_loop *l = new_loop();
    assert_int_equal(rw_os_jobs_new(threads, &jobs), RW_OK);
    loop_thread = pthread_self();
    for (int i = 0; i < JOBS; i++) {
        all[i] = (struct work){.job = {.work = work, .done = done}};
        rw_jobs_submit(jobs, (enum rw_job_class)(i % RW_JOB_CLASSES), l, &all[i].job);
    }
    rw_os_loop_run(l);
    assert_int_equal(atomic_load(&worked), 2 * JOBS);
    rw_os_jobs_free(jobs);
    rw_os_loop_free(l);
}

static atomic_int hold;

static void held(struct rw_job *j)
{
    struct timespec ms = {0, 1000000};
    (void)j;
    while (atomic_load(&hold))
        nanosleep(&ms, NULL);
}

static void let_go(struct rw_job *j)
{
    (void)j;
    atomic_store(&hold, 0);
}

static void stop_loop(struct rw_job *j)
{
    rw_loop_stop(j->loop);
}

static void nothing(struct rw_job *j)
{
    (void)j;
}

/* A background job that does not end until a sync has been done. */
static void classes_do_not_delay_each_other(void **state)
{
    (void)state;
    static const int threads[RW_JOB_CLASSES] = {1, 1, 1};
    struct rw_job slow = {.work = held, .done = stop_loop},
                  sync = {.work = nothing, .done = let_go};
    struct rw_loop *l = new_loop();
    atomic_store(&hold, 1);
    assert_int_equal(rw_os_jobs_new(threads, &jobs), RW_OK);
    rw_jobs_submit(jobs, RW_JOB_BACKGROUND, l, &slow);
    rw_jobs_submit(jobs, RW_JOB_SYNC, l, &sync);
    rw_os_loop_run(l);
    assert_int_equal(atomic_load(&hold), 0);
    rw_os_jobs_free(jobs);
    rw_os_loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_many_threads_arrive_in_order),
        cmocka_unit_test(sleeping_loops_are_woken),
        cmocka_unit_test(timers_ring_in_order),
        cmocka_unit_test(every_job_comes_back),
        cmocka_unit_test(classes_do_not_delay_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
