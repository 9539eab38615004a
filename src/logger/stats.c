/* Statistics: what the rings, the appenders and the calls without a ring have counted. */
#include <stdio.h>
#include <string.h>
#include "logger/process.h"

static void add_rings(struct rollway_logger_stats *s, const struct rw_lg_map *m)
{
    for (unsigned i = 0; i < rw_lg_header(m)->rings; i++) {
        const struct rw_lg_ring *r = rw_lg_ring(m, i);
        s->accepted += atomic_load_explicit(&r->taken, memory_order_relaxed);
        s->blocked += atomic_load_explicit(&r->blocked, memory_order_relaxed);
        s->blocked_ns += atomic_load_explicit(&r->blocked_ns, memory_order_relaxed);
        s->truncated += atomic_load_explicit(&r->truncated, memory_order_relaxed);
        s->rings += atomic_load_explicit(&r->used, memory_order_relaxed);
        uint64_t peak = atomic_load_explicit(&r->peak, memory_order_relaxed);
        if (peak > s->ring_bytes_peak)
            s->ring_bytes_peak = peak;
        for (int l = 0; l < RW_LG_LEVELS; l++)
            s->dropped[l] += atomic_load_explicit(&r->dropped[l], memory_order_relaxed);
    }
}

void rw_lg_ring_stats(struct rollway_logger_stats *s)
{
    for (int l = 0; l < RW_LG_LEVELS; l++)
        s->dropped[l] = atomic_load(&rw_lg_counts.dropped[l]);
    s->suppressed = atomic_load(&rw_lg_counts.suppressed);
    const struct rw_lg_engine *e = rw_lg_running();
    if (e)
        add_rings(s, e->collector.map);
}

static void add_appenders(struct rollway_logger_stats *s, const struct rw_lg_engine *e)
{
    s->rescued = e->rescued;
    s->written = e->gone_written;
    s->failed = e->gone_failed;
    for (unsigned i = 0; i < e->n_appenders; i++) {
        const struct rw_lg_appender *a = &e->appenders[i];
        s->written += atomic_load(&a->counts.written);
        s->failed += rw_lg_appender_gave_up(a);
        if (a->sink->ops->lost)
            s->failed += a->sink->ops->lost(a->sink);
    }
}

void rollway_logger_get_stats(struct rollway_logger_stats *stats)
{
    struct rollway_logger_stats s = {.size = sizeof(s)};
    pthread_mutex_lock(&rw_lg_process.turn);
    rw_lg_ring_stats(&s);
    if (rw_lg_running())
        add_appenders(&s, rw_lg_running());
    pthread_mutex_unlock(&rw_lg_process.turn);
    size_t n = stats->size && stats->size < sizeof(s) ? stats->size : sizeof(s);
    s.size = stats->size ? stats->size : sizeof(s);
    memcpy(stats, &s, n);
}

uint64_t rw_lg_appender_gave_up(const struct rw_lg_appender *a)
{
    uint64_t n = atomic_load(&a->counts.failed);
    for (int l = 0; l < RW_LG_LEVELS; l++)
        n += atomic_load(&a->counts.dropped[l]);
    return n;
}

/* With `turn` held. */
static void one_appender(const struct rw_lg_appender *a, struct rollway_logger_appender_stats *s)
{
    const struct rw_lg_appender_counts *c = &a->counts;
    memcpy(s->name, a->o.name, sizeof(s->name));
    snprintf(s->type, sizeof(s->type), "%s", a->sink->ops->type);
    s->written = atomic_load(&c->written);
    s->failed = atomic_load(&c->failed);
    for (int l = 0; l < RW_LG_LEVELS; l++)
        s->dropped[l] = atomic_load(&c->dropped[l]);
    s->bytes = atomic_load(&c->bytes);
    s->writes = atomic_load(&c->writes);
    s->errors = atomic_load(&c->errors);
    s->waiting = atomic_load(&a->kept_records) + atomic_load(&a->in_chunk);
    /* The head last: `done` may move on in between, and never passes it. */
    uint64_t done = atomic_load(&a->cursor->done);
    s->waiting_bytes = atomic_load(&rw_lg_header(a->map)->head) - done;
    s->breaker = atomic_load(&a->breaker_state);
    s->last_error = atomic_load(&c->last_error);
    s->last_error_ns = atomic_load(&c->last_error_ns);
    if (s->last_error)
        snprintf(s->last_error_text, sizeof(s->last_error_text), "%s", rw_code_text(s->last_error));
    if (a->sink->ops->lost)
        s->lost = a->sink->ops->lost(a->sink);
    if (a->sink->ops->counts)
        a->sink->ops->counts(a->sink, s);
}

int rollway_logger_get_appender_stats(unsigned i, struct rollway_logger_appender_stats *stats)
{
    struct rollway_logger_appender_stats s = {.size = sizeof(s)};
    int rc = RW_E_NOT_FOUND;
    pthread_mutex_lock(&rw_lg_process.turn);
    const struct rw_lg_engine *e = rw_lg_running();
    if (e && i < e->n_appenders) {
        one_appender(&e->appenders[i], &s);
        rc = RW_OK;
    }
    pthread_mutex_unlock(&rw_lg_process.turn);
    size_t n = stats->size && stats->size < sizeof(s) ? stats->size : sizeof(s);
    if (!rc) {
        s.size = stats->size ? stats->size : sizeof(s);
        memcpy(stats, &s, n);
    }
    return rc;
}
