/* Statistics: what the rings, the appenders and the calls without a ring have counted. */
#include <string.h>
#include "logger/engine.h"

static void add_rings(struct rollway_logger_stats *s, const struct rw_lg_map *m)
{
    for (unsigned i = 0; i < rw_lg_header(m)->rings; i++) {
        const struct rw_lg_ring *r = rw_lg_ring(m, i);
        s->accepted += atomic_load_explicit(&r->sequence, memory_order_relaxed);
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
    if (atomic_load(&rw_lg_now.generation))
        add_rings(s, &rw_lg_caller.map);
}

void rollway_logger_get_stats(struct rollway_logger_stats *stats)
{
    struct rollway_logger_stats s = {.size = sizeof(s)};
    rw_lg_ring_stats(&s);
    rw_lg_appender_stats(&s);
    size_t n = stats->size && stats->size < sizeof(s) ? stats->size : sizeof(s);
    s.size = stats->size ? stats->size : sizeof(s);
    memcpy(stats, &s, n);
}
