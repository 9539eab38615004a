/*
 * The logger's life: start, threads, flush, close, fork.
 *
 * What was mapped is unmapped only when no call can be looking at its ring any more (retired.c); its pages are given back at once.
 */
#include "logger/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "logger/process.h"
#include "logger/sink_memory.h"
#include "os/task.h"
#include "os/ticks.h"

enum { LAST_WAIT_NS = 100000000, EXIT_MS = 2000 };
#define RELOAD_WAIT_NS 5000000000ll
#define ADOPT_NS       1000000000ll

struct rw_lg_process rw_lg_process = {.admin = PTHREAD_MUTEX_INITIALIZER,
                                      .turn = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic bool orphan; /* a child whose parent had a logger */
static __thread char last_error[400];

/* ---- small things ---- */

static int fail(int code, const char *text)
{
    snprintf(last_error, sizeof(last_error), "%s", text);
    return code;
}

const char *rollway_logger_error(void)
{
    return last_error;
}

/* What was said lately, by the hash of its words: seconds, with the hash above them. */
enum { SAID = 32 };
static _Atomic uint64_t said[SAID];

/* The same words again within a second. Two threads at once may both say it. */
static bool was_said(const char *line, size_t n)
{
    uint32_t hash = rw_crc32c(0, line, n);
    uint32_t now = (uint32_t)(rw_os_mono_ns() / 1000000000) + 1;
    uint64_t last = atomic_exchange(&said[hash % SAID], (uint64_t)hash << 32 | now);
    return last >> 32 == hash && (uint32_t)last == now;
}

void rw_lg_report(const char *words, const char *appender, int code)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "rollway logger: %s: appender %s%s%s\n", words, appender,
                     code ? ": " : "", code ? rw_code_text(code) : "");
    size_t size = n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1;
    if (!was_said(line, size))
        rw_os_write_stderr(line, size);
}

static int64_t deadline_of(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : rw_os_mono_ns() + (int64_t)timeout_ms * 1000000;
}

struct rw_lg_engine *rw_lg_running(void)
{
    return atomic_load(&orphan) ? NULL : rw_lg_process.engine;
}

int rollway_logger_flush(int timeout_ms)
{
    RW_OS_NOT_CANCELLED;
    int64_t deadline = deadline_of(timeout_ms);
    pthread_mutex_lock(&rw_lg_process.admin);
    int rc = rw_lg_running() ? rw_lg_flush(rw_lg_running(), deadline) : RW_OK;
    pthread_mutex_unlock(&rw_lg_process.admin);
    return rc ? fail(rc, "some appender has not written everything in time") : RW_OK;
}

static void before_fork(void)
{
    pthread_mutex_lock(&rw_lg_process.admin);
    pthread_mutex_lock(&rw_lg_process.turn);
    rw_lg_names_lock(true);
}

/* In the parent, and in the child, whose only thread is the one that has the locks. */
static void after_fork(void)
{
    rw_lg_names_lock(false);
    pthread_mutex_unlock(&rw_lg_process.turn);
    pthread_mutex_unlock(&rw_lg_process.admin);
}

static void make_conds(void)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&rw_lg_process.moved, &attr);
    pthread_cond_init(&rw_lg_process.ask, &attr);
    pthread_cond_init(&rw_lg_process.progress, &attr);
    pthread_condattr_destroy(&attr);
}

/* The child has none of the threads, and nothing in the rings is its own. Its descriptor and its mapping would keep the parent's lock alive.
 * Only when a signal handler forks inside a call must the mapping stay. */
static void in_child(void)
{
    after_fork();
    make_conds(); /* nobody waits here */
    rw_lg_care_init();
    const struct rw_lg_ring *ring = rw_lg_self.ring;
    bool inside =
        rw_lg_self.acquiring || (ring && atomic_load_explicit(&ring->busy, memory_order_relaxed));
    rw_lg_self.ring = NULL;
    rw_lg_self.quick = NULL;
    rw_lg_self.acquiring = 0;
    if (!rw_lg_process.engine)
        return;
    atomic_store(&rw_lg_now.generation, 0);
    atomic_store(&orphan, true);
    rw_os_shared_forget(&rw_lg_caller.map.mem, inside);
}

/* A program that ends without rollway_logger_close(): what other threads log from now on is for the next start, and so is what takes
 * longer. */
static void at_exit(void)
{
    if (rw_lg_self.collects || pthread_mutex_trylock(&rw_lg_process.admin) != 0)
        return;
    if (rw_lg_running())
        (void)rw_lg_flush(rw_lg_running(), deadline_of(EXIT_MS));
    pthread_mutex_unlock(&rw_lg_process.admin);
}

static void once_only(void)
{
    make_conds();
    rw_lg_care_init();
    pthread_atfork(before_fork, after_fork, in_child);
    (void)atexit(at_exit); /* refused: then all is for the next start */
}

void rw_lg_once(void)
{
    pthread_once(&once, once_only);
}

int rollway_logger_start(const struct rollway_logger_options *options)
{
    RW_OS_NOT_CANCELLED;
    rw_lg_once();
    pthread_mutex_lock(&rw_lg_process.admin);
    struct rw_err err = {.text = ""};
    int rc = rw_lg_process.engine ? rw_err_set(&err, RW_E_INVAL, "the logger runs already") : RW_OK;
    struct rw_lg_engine *e = rc ? NULL : rw_zalloc(sizeof(*e));
    if (!rc && !e)
        rc = RW_E_NOMEM;
    if (!rc)
        rc = rw_lg_keep_options(e, options, &err);
    if (!rc)
        rc = rw_lg_read_settings(e, &e->config, &err);
    if (!rc)
        rc = rw_lg_launch(e, &err);
    if (rc && e)
        rw_lg_engine_free(e);
    pthread_mutex_unlock(&rw_lg_process.admin);
    return rc ? fail(rc, err.text[0] ? err.text : rw_code_text(rc)) : RW_OK;
}

/* ---- reading the settings again ---- */

/* Threads have ended and everything is written, or will be by the new appender of the same name. The old ones are freed after that, when
 * records move again: a broker's may take its time. */
static int replace_appenders(struct rw_lg_engine *e, const struct rw_lg_config *c,
                             struct rw_lg_sink *sinks[], struct rw_err *err)
{
    for (unsigned i = 0; i < e->n_appenders; i++)
        e->old[i] = e->appenders[i];
    e->n_old = e->n_appenders;
    e->n_appenders = 0;
    e->stop_appenders = false;
    /* What sizes and policies rings have is settled at start. */
    memcpy(e->config.appenders, c->appenders, sizeof(e->config.appenders));
    e->config.n_appenders = c->n_appenders;
    memcpy(e->config.metrics_path, c->metrics_path, sizeof(e->config.metrics_path));
    e->config.metrics_ms = c->metrics_ms;
    return rw_lg_start_appenders(e, sinks, err);
}

/* Counts go on. What an appender had in memory because the journal had to go on goes with it, or is dropped. */
static void pass_on(struct rw_lg_engine *e)
{
    for (unsigned i = 0; i < e->n_old; i++) {
        struct rw_lg_appender *from = &e->old[i], *to = NULL;
        for (unsigned j = 0; j < e->n_appenders && !to; j++)
            if (strcmp(from->o.name, e->appenders[j].o.name) == 0)
                to = &e->appenders[j];
        rw_lg_appender_drop_chunk(from, !to);
        if (to) {
            rw_lg_appender_inherit(to, from);
        } else {
            e->gone_written += atomic_load(&from->counts.written);
            e->gone_failed += rw_lg_appender_gave_up(from);
        }
    }
}

static void free_old(struct rw_lg_engine *e)
{
    for (unsigned i = 0; i < e->n_old; i++)
        rw_lg_appender_deinit(&e->old[i]);
    e->n_old = 0;
}

int rw_lg_reload(struct rw_lg_engine *e, struct rw_err *err)
{
    struct rw_lg_config *c = &e->next;
    struct rw_lg_sink *sinks[RW_LG_APPENDERS];
    int rc = rw_lg_read_settings(e, c, err);
    if (!rc)
        rc = rw_lg_start_sinks(c, sinks, err);
    if (rc)
        return rc;
    (void)rw_lg_flush(e, rw_os_mono_ns() + RELOAD_WAIT_NS);
    rw_lg_stop_appenders(e);
    if (!rw_lg_join_appenders(e, rw_os_mono_ns() + RELOAD_WAIT_NS)) {
        /* It still uses what it has: the old settings stay for all that is left of this process. */
        for (unsigned i = 0; i < c->n_appenders; i++)
            sinks[i]->ops->free(sinks[i]);
        return rw_err_set(err, RW_E_TIMEOUT, "an appender hangs in its destination");
    }
    pthread_mutex_lock(&rw_lg_process.turn);
    rc = replace_appenders(e, c, sinks, err);
    pass_on(e);
    pthread_mutex_unlock(&rw_lg_process.turn);
    rw_lg_levels_set(c->levels, c->n_levels);
    rw_lg_limits_set(c->limits, c->n_limits);
    if (!rc)
        rc = rw_lg_start_appender_threads(e);
    free_old(e);
    return rc ? rc : rw_lg_care_start(e);
}

int rollway_logger_reload(void)
{
    RW_OS_NOT_CANCELLED;
    struct rw_err err = {.text = ""};
    (void)rw_lg_revive();
    pthread_mutex_lock(&rw_lg_process.admin);
    struct rw_lg_engine *e = rw_lg_running();
    int rc = e ? rw_lg_reload(e, &err) : rw_err_set(&err, RW_E_INVAL, "the logger does not run");
    pthread_mutex_unlock(&rw_lg_process.admin);
    return rc ? fail(rc, err.text[0] ? err.text : rw_code_text(rc)) : RW_OK;
}

void rollway_logger_reopen(void)
{
    pthread_mutex_lock(&rw_lg_process.turn);
    for (unsigned i = 0; rw_lg_running() && i < rw_lg_running()->n_appenders; i++)
        atomic_store(&rw_lg_running()->appenders[i].reopen, true);
    pthread_cond_broadcast(&rw_lg_process.moved);
    pthread_mutex_unlock(&rw_lg_process.turn);
}

/* ---- after fork ---- */

bool rw_lg_revive(void)
{
    RW_OS_NOT_CANCELLED;
    if (!atomic_load(&orphan) || pthread_mutex_trylock(&rw_lg_process.admin) != 0)
        return atomic_load(&rw_lg_now.generation) != 0;
    struct rw_lg_engine *old = rw_lg_process.engine;
    struct rw_lg_engine *e = atomic_load(&orphan) ? rw_zalloc(sizeof(*e)) : NULL;
    if (e) {
        /* What the parent's threads were doing with the old one is unknown: it is left alone. */
        memcpy(&e->config, &old->config, sizeof(e->config));
        e->file = old->file;
        e->settings = old->settings;
        memcpy(e->name, old->name, sizeof(e->name));
        memcpy(e->folder, old->folder, sizeof(e->folder));
        /* daemon(3): the parent ends right after the fork, with lines in its rings. */
        e->adopt_ns = rw_os_mono_ns() + ADOPT_NS;
        rw_lg_process.engine = NULL;
        struct rw_err err;
        if (rw_lg_launch(e, &err) != RW_OK)
            rw_lg_report("the logger of a child could not start", err.text, err.code);
        atomic_store(&orphan, false);
    }
    pthread_mutex_unlock(&rw_lg_process.admin);
    return atomic_load(&rw_lg_now.generation) != 0;
}

size_t rollway_logger_memory(const char *appender, char *out, size_t size, size_t *ret_n)
{
    size_t all = 0;
    *ret_n = 0;
    pthread_mutex_lock(&rw_lg_process.turn);
    for (unsigned i = 0; rw_lg_running() && i < rw_lg_running()->n_appenders; i++) {
        const struct rw_lg_appender *a = &rw_lg_running()->appenders[i];
        if (strcmp(a->o.name, appender) == 0 && strcmp(a->sink->ops->type, "memory") == 0)
            all = rw_lg_memory_copy(a->sink, out, size, ret_n);
    }
    pthread_mutex_unlock(&rw_lg_process.turn);
    return all;
}

/* ---- close ---- */

static int64_t unwritten(const struct rw_lg_engine *e)
{
    uint64_t head = atomic_load(&rw_lg_engine_header(e)->head), floor = rw_lg_floor(e);
    int64_t n = 0;
    for (uint64_t at = floor; at < head;) {
        const struct rw_lg_entry *entry = rw_lg_journal(e->collector.map, at);
        n += !(entry->size & RW_LG_PAD);
        at += entry->size & ~RW_LG_PAD;
    }
    return n;
}

int64_t rollway_logger_close(int timeout_ms)
{
    RW_OS_NOT_CANCELLED;
    int64_t deadline = deadline_of(timeout_ms), lost = 0;
    pthread_mutex_lock(&rw_lg_process.admin);
    struct rw_lg_engine *e = rw_lg_running();
    if (atomic_exchange(&orphan, false))
        rw_lg_process.engine = NULL; /* not this process's; its threads are not here */
    if (e) {
        (void)rw_lg_flush(e, deadline);
        atomic_store(&rw_lg_now.generation, 0);
        rw_lg_rings_settle(e->collector.map);
        /* What came in between. */
        (void)rw_lg_flush(e, deadline);
        rw_lg_stop_threads(e);
        bool joined = rw_lg_join_appenders(
            e, deadline == INT64_MAX ? deadline : rw_os_mono_ns() + LAST_WAIT_NS);
        lost = unwritten(e);
        atomic_store(&rw_lg_engine_header(e)->closed, lost == 0);
        if (lost == 0)
            rw_lg_map_unlink(e->collector.map);
        for (unsigned i = 0; joined && i < e->n_appenders; i++)
            lost += (int64_t)rw_lg_appender_memory_only(&e->appenders[i]);
        /* Nobody who looks at it has it any more. */
        pthread_mutex_lock(&rw_lg_process.turn);
        rw_lg_process.engine = NULL;
        pthread_mutex_unlock(&rw_lg_process.turn);
        if (joined) {
            rw_lg_retire(e->collector.map);
            rw_lg_engine_free(e);
        }
    }
    pthread_mutex_unlock(&rw_lg_process.admin);
    return lost;
}
