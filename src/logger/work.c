/*
 * The threads' work: collecting, appending, and waiting until it is done.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "logger/process.h"
#include "os/task.h"
#include "os/ticks.h"

enum { IDLE_FACTOR = 5 };
#define TELL_EVERY_NS 10000000000ll
#define LOOK_AGAIN_NS 1000000000ll

static __thread bool inside
    __attribute__((tls_model("initial-exec"))); /* this thread writes: a signal handler must not */

struct timespec rw_lg_until(int64_t mono_ns)
{
    return (struct timespec){.tv_sec = mono_ns / 1000000000, .tv_nsec = mono_ns % 1000000000};
}

uint64_t rw_lg_floor(const struct rw_lg_engine *e)
{
    uint64_t floor = UINT64_MAX;
    for (unsigned i = 0; i < e->n_appenders; i++) {
        uint64_t done = atomic_load_explicit(&e->appenders[i].cursor->done, memory_order_acquire);
        floor = done < floor ? done : floor;
    }
    return floor;
}

/* ---- collecting: `turn` is held ---- */

static size_t collect(struct rw_lg_engine *e)
{
    bool full;
    size_t n = rw_lg_collect(&e->collector, rw_lg_floor(e), &full);
    if (full) {
        for (unsigned i = 0; i < e->n_appenders; i++)
            (void)rw_lg_appender_drop(&e->appenders[i], rw_lg_engine_header(e)->journal_bytes / 4);
        n += rw_lg_collect(&e->collector, rw_lg_floor(e), &full);
    }
    return n;
}

/* `turn` is held, but for the time of waiting. */
static bool wait_for_appenders(void *arg, uint64_t *ret_floor)
{
    struct rw_lg_engine *e = arg;
    *ret_floor = rw_lg_floor(e);
    if (atomic_load(&rw_lg_engine_header(e)->head) + RW_LG_ENTRY_MAX * 2 <=
        *ret_floor + rw_lg_engine_header(e)->journal_bytes)
        return true;
    if (e->config.sync) {
        for (unsigned i = 0; i < e->n_appenders; i++)
            (void)rw_lg_appender_step(&e->appenders[i], atomic_load(&rw_lg_engine_header(e)->head));
    } else {
        struct timespec t = rw_lg_until(rw_os_mono_ns() + 20000000);
        pthread_cond_broadcast(&rw_lg_process.moved);
        pthread_cond_timedwait(&rw_lg_process.progress, &rw_lg_process.turn, &t);
    }
    *ret_floor = rw_lg_floor(e);
    return !e->stop_collector;
}

void rw_lg_leftovers(struct rw_lg_engine *e, void (*what)(struct rw_lg_adoption *a))
{
    struct rw_lg_adoption a = {.collector = &e->collector,
                               .dir = e->config.dir,
                               .name = e->config.name,
                               .appenders = e->appenders,
                               .n_appenders = e->n_appenders,
                               .wait = wait_for_appenders,
                               .arg = e};
    if (e->collector.map->path[0])
        what(&a);
    if (a.held && what == rw_lg_adopt)
        e->adopt_ns = rw_os_mono_ns() + LOOK_AGAIN_NS;
    e->rescued += a.records;
    pthread_cond_broadcast(&rw_lg_process.moved);
}

/* To the other appenders, and to this one when it is back. */
static void tell_state(const struct rw_lg_engine *e, struct rw_lg_appender *a)
{
    int state = atomic_load(&a->breaker_state);
    bool open = state != RW_LG_CLOSED;
    if (open == (a->told_state != RW_LG_CLOSED))
        return;
    a->told_state = state;
    if (open)
        rollway_to(e->own, ROLLWAY_WARN, "an appender's breaker is open", "appender", a->o.name,
                   "why", rw_code_text(atomic_load(&a->counts.last_error)));
    else
        rollway_to(e->own, ROLLWAY_INFO, "an appender writes again", "appender", a->o.name);
}

static void tell_dropped(const struct rw_lg_engine *e, struct rw_lg_appender *a)
{
    for (unsigned i = 0; i < RW_LG_LEVELS; i++) {
        uint64_t dropped = atomic_load(&a->counts.dropped[i]), n = dropped - a->told[i];
        a->told[i] = dropped;
        if (n)
            rollway_to(e->own, ROLLWAY_WARN, "records were dropped", "count", n, "of_level",
                       rw_lg_level_name(i), "appender", a->o.name);
    }
}

static void tell_suppressed(const struct rw_lg_engine *e)
{
    char pattern[RW_LG_LIMIT_PATTERN];
    uint64_t n;
    for (unsigned i = 0; rw_lg_limits_tell(i, pattern, &n); i++)
        if (n)
            rollway_to(e->own, ROLLWAY_INFO, "records were held back", "count", n, "limit",
                       pattern);
}

/* What was dropped and what the clock did is told in the log itself. */
static void tell(struct rw_lg_engine *e)
{
    if (e->collector.calibration.stepped_ns)
        rollway_to(e->own, ROLLWAY_WARN, "the clock was set back", "by_ms",
                   e->collector.calibration.stepped_ns / 1000000);
    for (unsigned i = 0; i < e->n_appenders; i++)
        tell_state(e, &e->appenders[i]);
    int64_t now = rw_os_mono_coarse_ns();
    if (now < e->tell_ns)
        return;
    e->tell_ns = now + TELL_EVERY_NS;
    for (unsigned i = 0; i < e->n_appenders; i++)
        tell_dropped(e, &e->appenders[i]);
    tell_suppressed(e);
    struct rollway_logger_stats s = {.size = sizeof(s)};
    rw_lg_ring_stats(&s);
    for (int i = 0; i < ROLLWAY_LEVELS; i++) {
        uint64_t n = s.dropped[i] - e->told[i];
        e->told[i] = s.dropped[i];
        if (n)
            rollway_to(e->own, ROLLWAY_WARN, "records were dropped", "count", n, "of_level",
                       rw_lg_level_name((unsigned)i));
    }
}

void *rw_lg_collector_run(void *arg)
{
    struct rw_lg_engine *e = arg;
    rw_os_task_name("rollway-collect");
    rw_lg_self.collects = 1;
    pthread_mutex_lock(&rw_lg_process.turn);
    rw_lg_leftovers(e, rw_lg_adopt);
    while (!e->stop_collector) {
        uint64_t asked = e->asked;
        bool full = collect(e) > 0;
        tell(e);
        if (e->adopt_ns && rw_os_mono_ns() >= e->adopt_ns) {
            e->adopt_ns = 0;
            rw_lg_leftovers(e, rw_lg_adopt_settled);
        }
        if (asked != e->answered) {
            while (collect(e) > 0)
                ;
            e->answered = asked;
            atomic_store(&e->want, atomic_load(&rw_lg_engine_header(e)->head));
            pthread_cond_broadcast(&rw_lg_process.progress);
            full = true;
        }
        if (full)
            pthread_cond_broadcast(&rw_lg_process.moved);
        if (e->asked != e->answered)
            continue;
        struct timespec t =
            rw_lg_until(rw_os_mono_ns() + e->config.poll_us * 1000 * (full ? 1 : IDLE_FACTOR));
        pthread_cond_timedwait(&rw_lg_process.ask, &rw_lg_process.turn, &t);
    }
    pthread_mutex_unlock(&rw_lg_process.turn);
    return NULL;
}

void *rw_lg_appender_run(void *arg)
{
    struct rw_lg_appender *a = arg;
    struct rw_lg_engine *e = rw_lg_process.engine;
    rw_os_task_name("rollway-append");
    pthread_mutex_lock(&rw_lg_process.turn);
    while (!e->stop_appenders) {
        uint64_t want = atomic_load(&e->want);
        pthread_mutex_unlock(&rw_lg_process.turn);
        int64_t next = rw_lg_appender_step(a, want);
        pthread_mutex_lock(&rw_lg_process.turn);
        pthread_cond_broadcast(&rw_lg_process.progress);
        while (!e->stop_appenders && atomic_load(&rw_lg_engine_header(e)->head) == a->read &&
               atomic_load(&e->want) == want && !atomic_load(&a->reopen) &&
               rw_os_mono_ns() < next) {
            if (next == INT64_MAX) {
                pthread_cond_wait(&rw_lg_process.moved, &rw_lg_process.turn);
                continue;
            }
            struct timespec t = rw_lg_until(next);
            pthread_cond_timedwait(&rw_lg_process.moved, &rw_lg_process.turn, &t);
        }
        /* An appender that can not write now is not called again for each new record. */
        while (!e->stop_appenders && a->error && rw_os_mono_ns() < a->retry_ns) {
            struct timespec t = rw_lg_until(a->retry_ns);
            pthread_cond_timedwait(&rw_lg_process.moved, &rw_lg_process.turn, &t);
        }
    }
    pthread_mutex_unlock(&rw_lg_process.turn);
    return NULL;
}

void rw_lg_write_now(void)
{
    if (inside)
        return;
    RW_OS_NOT_CANCELLED;
    int saved = errno;
    inside = true;
    pthread_mutex_lock(&rw_lg_process.turn);
    if (rw_lg_process.engine) {
        while (collect(rw_lg_process.engine) > 0)
            ;
        uint64_t head = atomic_load(&rw_lg_engine_header(rw_lg_process.engine)->head);
        for (unsigned i = 0; i < rw_lg_process.engine->n_appenders; i++)
            (void)rw_lg_appender_step(&rw_lg_process.engine->appenders[i], head);
    }
    pthread_mutex_unlock(&rw_lg_process.turn);
    inside = false;
    errno = saved;
}

/* ---- flush ---- */

static bool all_flushed(const struct rw_lg_engine *e, uint64_t upto)
{
    for (unsigned i = 0; i < e->n_appenders; i++)
        if (atomic_load(&e->appenders[i].flushed) < upto)
            return false;
    return true;
}

/* Waits for progress until `deadline` (INT64_MAX: for ever). False: the time is over. */
static bool wait_progress(int64_t deadline)
{
    if (deadline == INT64_MAX)
        return pthread_cond_wait(&rw_lg_process.progress, &rw_lg_process.turn) == 0;
    struct timespec t = rw_lg_until(deadline);
    return pthread_cond_timedwait(&rw_lg_process.progress, &rw_lg_process.turn, &t) == 0 ||
           rw_os_mono_ns() < deadline;
}

int rw_lg_flush(struct rw_lg_engine *e, int64_t deadline)
{
    if (e->config.sync) {
        rw_lg_write_now();
        return all_flushed(e, atomic_load(&rw_lg_engine_header(e)->head)) ? RW_OK : RW_E_TIMEOUT;
    }
    pthread_mutex_lock(&rw_lg_process.turn);
    uint64_t asked = ++e->asked;
    pthread_cond_broadcast(&rw_lg_process.ask);
    bool time = true;
    while (time && e->answered < asked)
        time = wait_progress(deadline);
    uint64_t upto = atomic_load(&e->want);
    while (time && !all_flushed(e, upto))
        time = wait_progress(deadline);
    bool done = e->answered >= asked && all_flushed(e, upto);
    pthread_mutex_unlock(&rw_lg_process.turn);
    return done ? RW_OK : RW_E_TIMEOUT;
}
