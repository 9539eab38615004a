/*
 * Mutexes and condition variables of futexes (U. Drepper, "Futexes Are Tricky", 2011: mutex 2), for locks that
 * are held about as long as a small write takes. Whoever finds one taken looks on for a few microseconds
 * before it sleeps: to be woken costs several times what the holder does meanwhile, and two threads that
 * append with a mutex of pthreads put each other to sleep at every other record.
 *
 * Waits are measured on the monotonic clock, so that a jump of the wall clock neither shortens nor prolongs
 * them. Not here: fairness. Who comes first when the holder lets go has it.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "os/parts.h"

#define LOOKS 100 /* at a taken mutex; of 50 ns or less each */

enum { FREE, HELD, WANTED }; /* WANTED: held, and somebody may sleep */

struct rw_mutex {
    atomic_uint state;
};

struct rw_cond {
    atomic_uint turn;    /* changes with each broadcast */
    atomic_uint waiting; /* changes with the mutex held */
};

/* Sleeps while *at is `value`, until `until` (NULL: for ever) or woken, perhaps for no reason. */
static int sleep_on(atomic_uint *at, unsigned value, const struct timespec *until)
{
    long r = syscall(SYS_futex, at, FUTEX_WAIT_BITSET_PRIVATE, value, until, NULL,
                     FUTEX_BITSET_MATCH_ANY);
    int code = r < 0 ? errno : 0;
    RW_ASSERT(code == 0 || code == EAGAIN || code == EINTR || code == ETIMEDOUT);
    return code;
}

static void wake(atomic_uint *at, int n)
{
    long r = syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, n);
    RW_ASSERT(r >= 0);
}

static int mutex_new(struct rw_sync *s, struct rw_mutex **ret_mutex)
{
    (void)s;
    struct rw_mutex *m = rw_alloc(sizeof(*m));
    if (!m)
        return RW_E_NOMEM;
    atomic_init(&m->state, FREE);
    *ret_mutex = m;
    return RW_OK;
}

static void mutex_free(struct rw_sync *s, struct rw_mutex *m)
{
    (void)s;
    RW_ASSERT(!m || atomic_load(&m->state) == FREE);
    rw_free(m);
}

static inline bool try_lock(struct rw_mutex *m)
{
    unsigned seen = FREE;
    return atomic_compare_exchange_strong_explicit(&m->state, &seen, HELD, memory_order_acquire,
                                                   memory_order_relaxed);
}

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" : : : "memory");
#endif
}

static __attribute__((noinline)) void lock_taken(struct rw_mutex *m)
{
    for (int i = 0; i < LOOKS; i++) {
        if (atomic_load_explicit(&m->state, memory_order_relaxed) == FREE && try_lock(m))
            return;
        relax();
    }
    while (atomic_exchange_explicit(&m->state, WANTED, memory_order_acquire) != FREE)
        (void)sleep_on(&m->state, WANTED, NULL);
}

static void lock(struct rw_sync *s, struct rw_mutex *m)
{
    (void)s;
    if (__builtin_expect(!try_lock(m), 0))
        lock_taken(m);
}

static void unlock(struct rw_sync *s, struct rw_mutex *m)
{
    (void)s;
    unsigned was = atomic_exchange_explicit(&m->state, FREE, memory_order_release);
    RW_ASSERT(was != FREE);
    if (__builtin_expect(was == WANTED, 0))
        wake(&m->state, 1);
}

static int cond_new(struct rw_sync *s, struct rw_cond **ret_cond)
{
    (void)s;
    struct rw_cond *c = rw_alloc(sizeof(*c));
    if (!c)
        return RW_E_NOMEM;
    atomic_init(&c->turn, 0);
    atomic_init(&c->waiting, 0);
    *ret_cond = c;
    return RW_OK;
}

static void cond_free(struct rw_sync *s, struct rw_cond *c)
{
    (void)s;
    rw_free(c);
}

/* Who changed what is waited for had the mutex: it sees everybody who looked before, and who looks
 * afterwards does not wait. */
static void broadcast(struct rw_sync *s, struct rw_cond *c)
{
    (void)s;
    if (!atomic_load(&c->waiting))
        return;
    atomic_fetch_add(&c->turn, 1);
    wake(&c->turn, INT_MAX);
}

static struct timespec after_us(int64_t us)
{
    struct timespec t;
    int r = clock_gettime(CLOCK_MONOTONIC, &t);
    RW_ASSERT(r == 0);
    t.tv_sec += us / 1000000;
    t.tv_nsec += us % 1000000 * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

static int wait(struct rw_sync *s, struct rw_cond *c, struct rw_mutex *m, int64_t timeout_us)
{
    struct timespec until;
    if (timeout_us >= 0)
        until = after_us(timeout_us);
    atomic_fetch_add(&c->waiting, 1);
    unsigned turn = atomic_load(&c->turn);
    unlock(s, m);
    int code = sleep_on(&c->turn, turn, timeout_us < 0 ? NULL : &until);
    lock(s, m);
    atomic_fetch_sub(&c->waiting, 1);
    return code == ETIMEDOUT ? RW_E_TIMEOUT : RW_OK;
}

struct rw_sync rw_os_sync = {.mutex_new = mutex_new,
                             .mutex_free = mutex_free,
                             .lock = lock,
                             .unlock = unlock,
                             .cond_new = cond_new,
                             .cond_free = cond_free,
                             .broadcast = broadcast,
                             .wait = wait};
