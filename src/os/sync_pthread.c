/*
 * Mutexes and condition variables of pthreads. Waits are measured on the monotonic clock, so that a
 * jump of the wall clock neither shortens nor prolongs them. Errors that only misuse can cause
 * (unlocking what is not locked) are assertions.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/assert.h"
#include "base/mem.h"
#include "os/parts.h"

struct rw_mutex {
    pthread_mutex_t m;
};

struct rw_cond {
    pthread_cond_t c;
};

static int mutex_new(struct rw_sync *s, struct rw_mutex **ret_mutex)
{
    (void)s;
    struct rw_mutex *m = rw_alloc(sizeof(*m));
    if (!m)
        return RW_E_NOMEM;
    int r = pthread_mutex_init(&m->m, NULL);
    RW_ASSERT(r == 0);
    *ret_mutex = m;
    return RW_OK;
}

static void mutex_free(struct rw_sync *s, struct rw_mutex *m)
{
    (void)s;
    if (!m)
        return;
    int r = pthread_mutex_destroy(&m->m);
    RW_ASSERT(r == 0);
    rw_free(m);
}

static void lock(struct rw_sync *s, struct rw_mutex *m)
{
    (void)s;
    int r = pthread_mutex_lock(&m->m);
    RW_ASSERT(r == 0);
}

static void unlock(struct rw_sync *s, struct rw_mutex *m)
{
    (void)s;
    int r = pthread_mutex_unlock(&m->m);
    RW_ASSERT(r == 0);
}

static int cond_new(struct rw_sync *s, struct rw_cond **ret_cond)
{
    (void)s;
    struct rw_cond *c = rw_alloc(sizeof(*c));
    if (!c)
        return RW_E_NOMEM;
    pthread_condattr_t attr;
    int r = pthread_condattr_init(&attr);
    RW_ASSERT(r == 0);
    r = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    RW_ASSERT(r == 0);
    r = pthread_cond_init(&c->c, &attr);
    RW_ASSERT(r == 0);
    pthread_condattr_destroy(&attr);
    *ret_cond = c;
    return RW_OK;
}

static void cond_free(struct rw_sync *s, struct rw_cond *c)
{
    (void)s;
    if (!c)
        return;
    int r = pthread_cond_destroy(&c->c);
    RW_ASSERT(r == 0);
    rw_free(c);
}

static void broadcast(struct rw_sync *s, struct rw_cond *c)
{
    (void)s;
    int r = pthread_cond_broadcast(&c->c);
    RW_ASSERT(r == 0);
}

static int wait(struct rw_sync *s, struct rw_cond *c, struct rw_mutex *m, int64_t timeout_us)
{
    (void)s;
    if (timeout_us < 0) {
        int r = pthread_cond_wait(&c->c, &m->m);
        RW_ASSERT(r == 0);
        return RW_OK;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_us / 1000000;
    until.tv_nsec += timeout_us % 1000000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    int r = pthread_cond_timedwait(&c->c, &m->m, &until);
    RW_ASSERT(r == 0 || r == ETIMEDOUT);
    return r == ETIMEDOUT ? RW_E_TIMEOUT : RW_OK;
}

struct rw_sync rw_os_sync = {.mutex_new = mutex_new,
                             .mutex_free = mutex_free,
                             .lock = lock,
                             .unlock = unlock,
                             .cond_new = cond_new,
                             .cond_free = cond_free,
                             .broadcast = broadcast,
                             .wait = wait};
