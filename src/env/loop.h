/*
 * An event loop on one thread: timers, messages from other threads, and work at the end of a turn.
 * Sockets (env/net.h) and finished jobs (env/jobs.h) call back on the loop they belong to.
 *
 * A turn: messages, timers, sockets, then the end-of-turn hooks, then sleep until something
 * happens. All functions but rw_loop_post() are called on the loop's own thread, or before it runs.
 * Implementations: os/loop_uv.c, and the simulator's scheduler; each embeds struct rw_loop as its
 * first member. Who runs the loop is not the business of this interface.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

struct rw_loop;

/* A message to a loop. Belongs to the loop from post until run; run() may free it or post it again.
 */
struct rw_post {
    struct rw_post *next;
    void (*run)(struct rw_loop *loop, struct rw_post *post);
};

/* One shot; may be started again, also from fire(). Zero-initialise, then set `fire`. */
struct rw_timer {
    void (*fire)(struct rw_timer *t);
    int64_t at_us; /* set by start */
    bool armed;
    struct rw_timer *child, *next, *prev; /* the loop's heap */
};

/* Called at the end of every turn, before the loop sleeps; may post and start timers. Returns true when
 * it did something: then all hooks are called once more, because one's work may be another's input. */
struct rw_hook {
    bool (*run)(struct rw_hook *h);
    struct rw_link link;
};

struct rw_loop_ops {
    void (*post)(struct rw_loop *l, struct rw_post *p);
    void (*timer_start)(struct rw_loop *l, struct rw_timer *t, int64_t at_us);
    void (*timer_stop)(struct rw_loop *l, struct rw_timer *t);
    void (*hook_add)(struct rw_loop *l, struct rw_hook *h);
    void (*hook_remove)(struct rw_loop *l, struct rw_hook *h);
    void (*stop)(struct rw_loop *l);
};

struct rw_loop {
    const struct rw_loop_ops *ops;
    int64_t now_us; /* monotonic; read once per turn */
};

/* Monotonic time of this turn in microseconds (env's mono clock). */
static inline int64_t rw_loop_now_us(const struct rw_loop *l)
{
    return l->now_us;
}

/* From any thread. Messages of one sender arrive in the order they were posted. Wakes the loop only
 * when it sleeps or is about to. Everything the sender wrote before is visible to run(). */
static inline void rw_loop_post(struct rw_loop *l, struct rw_post *p)
{
    l->ops->post(l, p);
}

/* Fires once at or after at_us (millisecond accuracy). Restarts a timer that is armed. */
static inline void rw_timer_start_at(struct rw_loop *l, struct rw_timer *t, int64_t at_us)
{
    l->ops->timer_start(l, t, at_us);
}

static inline void rw_timer_start_in(struct rw_loop *l, struct rw_timer *t, int64_t delay_us)
{
    l->ops->timer_start(l, t, l->now_us + delay_us);
}

/* Does nothing when it is not armed. */
static inline void rw_timer_stop(struct rw_loop *l, struct rw_timer *t)
{
    if (t->armed)
        l->ops->timer_stop(l, t);
}

static inline void rw_loop_hook_add(struct rw_loop *l, struct rw_hook *h)
{
    l->ops->hook_add(l, h);
}

static inline void rw_loop_hook_remove(struct rw_loop *l, struct rw_hook *h)
{
    l->ops->hook_remove(l, h);
}

/* The loop returns to who runs it after this turn. Messages that are still queued are not run. */
static inline void rw_loop_stop(struct rw_loop *l)
{
    l->ops->stop(l);
}
