/*
 * The event loop on libuv. libuv polls descriptors; messages, timers and hooks are ours, because
 * they are intrusive (no allocation) and because a message must not cost a system call while the
 * loop is awake. So is the wake-up, an eventfd: with uv_async_send() the loop spins until the sender,
 * whom it has perhaps just displaced from the core, comes back from its system call.
 *
 * Inbox: senders push on an atomic stack, the loop takes the whole of it and reverses it. `asleep` is
 * set before the loop looks at the inbox for the last time; a sender that finds it set clears it and
 * wakes. Both sides write before they read (sequentially consistent), so one of them sees the other.
 * The poll's first callback clears it again, so that what callbacks post to their own loop wakes nobody.
 *
 * It does not own threads; os/thread.c does.
 */
#include "os/loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/mem.h"
#include "os/loop_uv.h"
#include "os/timers.h"

struct uv_loop {
    struct rw_loop base;
    uv_loop_t uv;
    uv_poll_t wake;
    int wake_fd;
    uv_timer_t alarm;
    int64_t alarm_us; /* when `alarm` rings; INT64_MAX: not set */
    struct rw_clock *clock;
    struct rw_timers timers;
    struct rw_link hooks;
    bool stopped;
    bool clock_due; /* the clock was not read since the poll returned */
    _Alignas(64) _Atomic(struct rw_post *) inbox;
    atomic_bool asleep;
};

static struct uv_loop *self(struct rw_loop *l)
{
    return (struct uv_loop *)(void *)l;
}

static void loop_post(struct rw_loop *loop, struct rw_post *p)
{
    struct uv_loop *l = self(loop);
    struct rw_post *head = atomic_load_explicit(&l->inbox, memory_order_relaxed);
    do
        p->next = head;
    while (!atomic_compare_exchange_weak(&l->inbox, &head, p));
    if (atomic_load(&l->asleep) && atomic_exchange(&l->asleep, false)) {
        /* Can not be full: one wake-up per sleep. */
        ssize_t put;
        do
            put = write(l->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
        while (put < 0 && errno == EINTR);
        RW_ASSERT(put == sizeof(uint64_t));
    }
}

static void loop_timer_stop(struct rw_loop *loop, struct rw_timer *t)
{
    rw_timers_remove(&self(loop)->timers, t);
}

static void loop_timer_start(struct rw_loop *loop, struct rw_timer *t, int64_t at_us)
{
    struct uv_loop *l = self(loop);
    if (t->armed)
        rw_timers_remove(&l->timers, t);
    t->at_us = at_us;
    rw_timers_add(&l->timers, t);
}

static void loop_hook_add(struct rw_loop *loop, struct rw_hook *h)
{
    rw_list_push(&self(loop)->hooks, &h->link);
}

static void loop_hook_remove(struct rw_loop *loop, struct rw_hook *h)
{
    (void)loop;
    rw_list_remove(&h->link);
}

static void loop_stop(struct rw_loop *loop)
{
    self(loop)->stopped = true;
}

static const struct rw_loop_ops ops = {.post = loop_post,
                                       .timer_start = loop_timer_start,
                                       .timer_stop = loop_timer_stop,
                                       .hook_add = loop_hook_add,
                                       .hook_remove = loop_hook_remove,
                                       .stop = loop_stop};

static void read_clock(struct uv_loop *l)
{
    l->base.now_us = rw_mono_us(l->clock);
    l->clock_due = false;
}

/* The poll has returned. */
static void awake(struct uv_loop *l)
{
    if (!l->clock_due)
        return;
    atomic_store(&l->asleep, false);
    read_clock(l);
}

static void on_wake(uv_poll_t *h, int status, int events)
{
    (void)status;
    (void)events;
    struct uv_loop *l = RW_CONTAINER(h, struct uv_loop, wake);
    uint64_t n;
    ssize_t got = read(l->wake_fd, &n, sizeof(n));
    (void)got; /* interrupted: it is readable again on the next turn */
    /* The inbox is looked at every turn. */
    awake(l);
}

static void on_alarm(uv_timer_t *h)
{
    struct uv_loop *l = RW_CONTAINER(h, struct uv_loop, alarm);
    l->alarm_us = INT64_MAX;
}

int rw_os_loop_new(struct rw_clock *clock, struct rw_loop **ret_loop)
{
    struct uv_loop *l = rw_zalloc(sizeof(*l));
    if (!l)
        return RW_E_NOMEM;
    l->base.ops = &ops;
    l->clock = clock;
    l->alarm_us = INT64_MAX;
    rw_list_init(&l->hooks);
    read_clock(l);
    if (uv_loop_init(&l->uv)) {
        rw_free(l);
        return RW_E_LIMIT;
    }
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake_fd < 0 || uv_poll_init(&l->uv, &l->wake, l->wake_fd)) {
        if (l->wake_fd >= 0)
            close(l->wake_fd);
        uv_loop_close(&l->uv);
        rw_free(l);
        return RW_E_LIMIT;
    }
    int rc = uv_poll_start(&l->wake, UV_READABLE, on_wake);
    RW_ASSERT(rc == 0);
    uv_timer_init(&l->uv, &l->alarm);
    *ret_loop = &l->base;
    return RW_OK;
}

static bool inbox_empty(struct uv_loop *l)
{
    return atomic_load(&l->inbox) == NULL;
}

/* Messages that are answered with messages to this same loop must not keep the sockets waiting. */
#define POST_ROUNDS 4

/* Those that are there now. False: none. */
static bool run_round(struct uv_loop *l)
{
    if (atomic_load_explicit(&l->inbox, memory_order_relaxed) == NULL)
        return false;
    struct rw_post *newest = atomic_exchange(&l->inbox, NULL), *oldest = NULL;
    while (newest) {
        struct rw_post *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct rw_post *p = oldest;
        oldest = p->next;
        p->run(&l->base, p);
    }
    return true;
}

/* Several rounds: a request to a partition of its own shard goes there and back without a poll. */
static void run_posts(struct uv_loop *l)
{
    for (int i = 0; i < POST_ROUNDS && !l->stopped && run_round(l); i++)
        ;
}

static void run_timers(struct uv_loop *l)
{
    struct rw_timer *t;
    while ((t = rw_timers_first(&l->timers)) && t->at_us <= l->base.now_us) {
        rw_timers_remove(&l->timers, t);
        t->fire(t);
    }
}

/* Hooks that keep one another busy must not keep the sockets waiting. */
#define HOOK_ROUNDS 8

/* True when there may be more to do. */
static bool run_hooks(struct uv_loop *l)
{
    bool busy = true;
    for (int i = 0; busy && i < HOOK_ROUNDS; i++) {
        busy = false;
        RW_LIST_EACH_SAFE (it, next, &l->hooks) {
            struct rw_hook *h = RW_CONTAINER(it, struct rw_hook, link);
            busy |= h->run(h);
        }
    }
    return busy;
}

static void set_alarm(struct uv_loop *l)
{
    struct rw_timer *t = rw_timers_first(&l->timers);
    if (!t) {
        if (l->alarm_us == INT64_MAX)
            uv_timer_stop(&l->alarm); /* it may repeat, see below */
        return;
    }
    /* An alarm that rings too early costs one empty turn; it is moved only forward in time. */
    if (l->alarm_us <= t->at_us)
        return;
    int64_t delay = t->at_us - l->base.now_us;
    l->alarm_us = t->at_us;
    /* It repeats: libuv rings before it polls as well, and would then sleep without an alarm. */
    uv_timer_start(&l->alarm, on_alarm, delay > 0 ? ((uint64_t)delay + 999) / 1000 : 0, 1);
}

static void poll_sockets(struct uv_loop *l, bool busy)
{
    uv_run_mode mode = UV_RUN_NOWAIT;
    set_alarm(l);
    if (!busy && !l->stopped && inbox_empty(l)) {
        atomic_store(&l->asleep, true);
        if (inbox_empty(l))
            mode = UV_RUN_ONCE;
    }
    l->clock_due = true;
    uv_run(&l->uv, mode);
    atomic_store(&l->asleep, false);
    if (l->clock_due)
        read_clock(l);
}

void rw_os_loop_run(struct rw_loop *loop)
{
    struct uv_loop *l = self(loop);
    l->stopped = false;
    read_clock(l);
    while (!l->stopped) {
        run_posts(l);
        run_timers(l);
        poll_sockets(l, run_hooks(l));
    }
}

void rw_os_loop_free(struct rw_loop *loop)
{
    if (!loop)
        return;
    struct uv_loop *l = self(loop);
    uv_close((uv_handle_t *)&l->wake, NULL);
    uv_close((uv_handle_t *)&l->alarm, NULL);
    /* Runs the close callbacks, also those of sockets that were closed on the last turn. */
    uv_run(&l->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&l->uv);
    RW_ASSERT(rc == 0);
    close(l->wake_fd);
    rw_free(l);
}

/* ---- descriptors ---- */

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct rw_fd_watch *w = RW_CONTAINER(h, struct rw_fd_watch, poll);
    struct uv_loop *l = RW_CONTAINER(h->loop, struct uv_loop, uv);
    awake(l);
    if (status < 0)
        w->wanted = 0; /* libuv has stopped watching */
    w->ready(w, status, events);
}

static void on_closed(uv_handle_t *h)
{
    struct rw_fd_watch *w = RW_CONTAINER(h, struct rw_fd_watch, poll);
    w->closed(w);
}

int rw_fd_watch_open(struct rw_fd_watch *w, struct rw_loop *loop, int fd)
{
    int rc = uv_poll_init(&self(loop)->uv, &w->poll, fd);
    w->wanted = 0;
    if (rc == 0)
        return RW_OK;
    return rc == UV_ENOMEM ? RW_E_NOMEM : rc == UV_EEXIST ? RW_E_EXISTS : RW_E_LIMIT;
}

void rw_fd_watch_want(struct rw_fd_watch *w, unsigned events)
{
    if (w->wanted == events)
        return;
    w->wanted = events;
    int rc = events ? uv_poll_start(&w->poll, (int)events, on_poll) : uv_poll_stop(&w->poll);
    RW_ASSERT(rc == 0);
}

void rw_fd_watch_close(struct rw_fd_watch *w)
{
    uv_close((uv_handle_t *)&w->poll, on_closed);
}
