/* The thread of a shipper: see ship_thread.h. */
#include "logger/ship_thread.h"

#include <signal.h>
#include <time.h>
#include "base/mem.h"
#include "os/dial.h"
#include "os/os.h"
#include "os/task.h"
#include "os/ticks.h"

#define ADOPT_EVERY_NS 60000000000ll

struct rw_lg_shipper {
    struct rw_lg_ship ship;
    struct rw_dialer dialer;
    struct rw_lg_spool *own;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    bool woken;                  /* under lock */
    _Atomic int64_t deadline_ns; /* INT64_MAX: it runs; else ends then at the latest */
    int64_t adopt_ns;
};

static bool canceled(void *arg)
{
    struct rw_lg_shipper *s = arg;
    return rw_os_mono_ns() >= atomic_load(&s->deadline_ns);
}

static void adopt(struct rw_lg_shipper *s)
{
    struct rw_lg_spool *found;
    for (unsigned n = 0; n < RW_LG_SPOOLS; n++) {
        if (rw_lg_spool_adopt(s->ship.env, &s->own->o, n, &found))
            continue;
        if (rw_lg_ship_add(&s->ship, found))
            rw_lg_spool_close(found);
    }
    s->adopt_ns = rw_os_mono_ns() + ADOPT_EVERY_NS;
}

/* Spools of dead processes that are empty now. */
static void let_go(struct rw_lg_shipper *s, bool all)
{
    for (unsigned i = s->ship.n_spools; i-- > 0;) {
        struct rw_lg_spool *spool = s->ship.spools[i];
        if (spool == s->own || (!all && !rw_lg_ship_is_done(spool)))
            continue;
        rw_lg_ship_remove(&s->ship, spool);
        rw_lg_spool_tidy(spool);
        rw_lg_spool_close(spool);
    }
}

/* Until something new comes, or the time is over. */
static void wait_more(struct rw_lg_shipper *s, int64_t us)
{
    int64_t until = s->adopt_ns, now = rw_os_mono_ns();
    if (us >= 0 && us < (until - now) / 1000)
        until = now + us * 1000;
    pthread_mutex_lock(&s->lock);
    while (!(s->woken && us < 0) && rw_os_mono_ns() < until) {
        int64_t deadline = atomic_load(&s->deadline_ns);
        until = until < deadline ? until : deadline;
        struct timespec t = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
        pthread_cond_timedwait(&s->more, &s->lock, &t);
    }
    s->woken = false;
    pthread_mutex_unlock(&s->lock);
}

static bool has_ended(const struct rw_lg_shipper *s, int64_t us)
{
    int64_t deadline = atomic_load(&s->deadline_ns);
    return deadline != INT64_MAX && (us < 0 || rw_os_mono_ns() >= deadline);
}

static void *run(void *arg)
{
    struct rw_lg_shipper *s = arg;
    rw_os_task_name("rollway-ship");
    for (;;) {
        int64_t us = rw_lg_ship_step(&s->ship);
        if (has_ended(s, us))
            break;
        if (us < 0)
            let_go(s, false);
        if (us != 0)
            wait_more(s, us);
        if (rw_os_mono_ns() >= s->adopt_ns)
            adopt(s);
    }
    rw_lg_ship_save(&s->ship);
    return NULL;
}

static void shipper_free(struct rw_lg_shipper *s)
{
    let_go(s, true);
    rw_lg_ship_remove(&s->ship, s->own);
    rw_lg_ship_deinit(&s->ship);
    pthread_cond_destroy(&s->more);
    pthread_mutex_destroy(&s->lock);
    rw_free(s);
}

static int init_wait(struct rw_lg_shipper *s)
{
    pthread_condattr_t attr;
    if (pthread_mutex_init(&s->lock, NULL) != 0)
        return RW_E_NOMEM;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int rc = pthread_cond_init(&s->more, &attr);
    pthread_condattr_destroy(&attr);
    if (rc == 0)
        return RW_OK;
    pthread_mutex_destroy(&s->lock);
    return RW_E_NOMEM;
}

/* Library threads take no signals: they are the program's. */
static int start(struct rw_lg_shipper *s)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&s->thread, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc ? RW_E_LIMIT : RW_OK;
}

int rw_lg_shipper_start(struct rw_lg_spool *spool, const struct rw_lg_ship_options *options,
                        struct rw_lg_shipper **ret_shipper)
{
    struct rw_lg_shipper *s = rw_zalloc(sizeof(*s));
    int rc = s ? init_wait(s) : RW_E_NOMEM;
    if (rc) {
        rw_free(s);
        return rc;
    }
    s->own = spool;
    atomic_store(&s->deadline_ns, INT64_MAX);
    rw_os_dialer_init(&s->dialer);
    s->dialer.canceled = canceled;
    s->dialer.canceled_arg = s;
    rc = rw_lg_ship_init(&s->ship, rw_os_env(), &s->dialer, options);
    if (rc) {
        pthread_cond_destroy(&s->more);
        pthread_mutex_destroy(&s->lock);
        rw_free(s);
        return rc;
    }
    rc = rw_lg_ship_add(&s->ship, spool);
    if (!rc) {
        adopt(s);
        rc = start(s);
    }
    if (rc) {
        shipper_free(s);
        return rc;
    }
    *ret_shipper = s;
    return RW_OK;
}

void rw_lg_shipper_wake(struct rw_lg_shipper *s)
{
    pthread_mutex_lock(&s->lock);
    s->woken = true;
    pthread_cond_signal(&s->more);
    pthread_mutex_unlock(&s->lock);
}

void rw_lg_shipper_stop(struct rw_lg_shipper *s, int64_t drain_ms)
{
    pthread_mutex_lock(&s->lock);
    s->woken = true;
    atomic_store(&s->deadline_ns, rw_os_mono_ns() + drain_ms * 1000000);
    pthread_cond_signal(&s->more);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    shipper_free(s);
}

const struct rw_lg_ship_counts *rw_lg_shipper_counts(const struct rw_lg_shipper *s)
{
    return &s->ship.counts;
}
