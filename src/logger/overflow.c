/*
 * The journal is full because an appender is behind: what becomes of the records that wait for it, by their levels.
 *
 * The journal is one piece, so what is in the way of new records are always the oldest ones. DROP_OLD gives them up. DROP_NEW moves them to memory of
 * the appender, as much as the journal has room for; when that is full, what is in the way is given up, so that those that came first
 * stay: they say what went wrong. BLOCK leaves them, and everybody waits; BREAKER does so while the destination answers.
 *
 * What was moved to memory is lost when the process is killed. The collector does all this, under the appender's lock.
 */
#include <string.h>
#include "base/mem.h"
#include "logger/appender.h"
#include "os/ticks.h"

const struct rw_lg_entry *rw_lg_kept_next(struct rw_lg_appender *a)
{
    struct rw_lg_kept *k = &a->kept;
    if (k->at == k->n) {
        rw_free(k->p);
        *k = (struct rw_lg_kept){.p = NULL};
        return NULL;
    }
    const struct rw_lg_entry *e = (const void *)(k->p + k->at);
    k->at += e->size;
    atomic_fetch_sub_explicit(&a->kept_records, 1, memory_order_relaxed);
    return e;
}

/* False: there is no room. */
static bool keep(struct rw_lg_appender *a, const struct rw_lg_entry *e)
{
    struct rw_lg_kept *k = &a->kept;
    if (!k->p) {
        k->cap = rw_lg_header(a->map)->journal_bytes;
        k->p = rw_alloc(k->cap);
    }
    if (!k->p || k->n + e->size > k->cap)
        return false;
    memcpy(k->p + k->n, e, e->size);
    k->n += e->size;
    atomic_fetch_add_explicit(&a->kept_records, 1, memory_order_relaxed);
    return true;
}

static bool waits(const struct rw_lg_appender *a, unsigned level, int64_t now)
{
    if (a->o.overflow[level] == RW_LG_BREAKER)
        return atomic_load(&a->breaker_state) == RW_LG_CLOSED;
    return a->o.overflow[level] == RW_LG_BLOCK &&
           (a->o.wait_ns[level] < 0 || now - atomic_load(&a->full_ns) < a->o.wait_ns[level]);
}

/* Something in the chunk, which is in memory only once the journal has gone over it, must not be lost. */
static bool chunk_waits(const struct rw_lg_appender *a, int64_t now)
{
    uint32_t levels = atomic_load_explicit(&a->levels, memory_order_relaxed);
    for (unsigned i = 0; i < RW_LG_LEVELS; i++)
        if (levels >> i & 1 && waits(a, i, now))
            return true;
    return false;
}

/* From a->read to `end`, or to the first one that waits. */
static void make_way(struct rw_lg_appender *a, uint64_t end, int64_t now)
{
    while (a->read < end) {
        const struct rw_lg_entry *e = rw_lg_journal(a->map, a->read);
        if (!(e->size & RW_LG_PAD) && rw_lg_appender_wants(a, e)) {
            unsigned level = rw_lg_entry_level(e);
            if (waits(a, level, now))
                return;
            if (a->o.overflow[level] != RW_LG_DROP_NEW || !keep(a, e))
                atomic_fetch_add_explicit(&a->counts.dropped[level], 1, memory_order_relaxed);
        }
        a->read += e->size & ~RW_LG_PAD;
    }
}

bool rw_lg_appender_drop(struct rw_lg_appender *a, uint64_t room)
{
    const struct rw_lg_shared *h = rw_lg_header(a->map);
    uint64_t head = atomic_load_explicit(&h->head, memory_order_relaxed);
    uint64_t done = atomic_load(&a->cursor->done);
    if (done + h->journal_bytes >= head + room)
        return true;
    int64_t now = rw_os_mono_ns();
    if (!atomic_load(&a->full_ns))
        atomic_store(&a->full_ns, now);
    if (pthread_mutex_trylock(&a->lock) != 0)
        return false;
    bool can = !chunk_waits(a, now);
    if (can) {
        uint64_t end = head + room - h->journal_bytes;
        make_way(a, end < head ? end : head, now);
        while (done < a->read && !atomic_compare_exchange_weak(&a->cursor->done, &done, a->read))
            ;
        can = a->read + h->journal_bytes >= head + room;
    }
    pthread_mutex_unlock(&a->lock);
    return can;
}

static void move_counts(struct rw_lg_appender_counts *to, struct rw_lg_appender_counts *from)
{
    to->written = from->written;
    to->failed = from->failed;
    for (int i = 0; i < RW_LG_LEVELS; i++)
        to->dropped[i] = from->dropped[i];
    to->bytes = from->bytes;
    to->writes = from->writes;
    to->errors = from->errors;
    to->last_error = from->last_error;
    to->last_error_ns = from->last_error_ns;
}

void rw_lg_appender_inherit(struct rw_lg_appender *to, struct rw_lg_appender *from)
{
    move_counts(&to->counts, &from->counts);
    memcpy(to->told, from->told, sizeof(to->told));
    to->kept = from->kept;
    to->kept_records = from->kept_records;
    from->kept = (struct rw_lg_kept){.p = NULL};
}

void rw_lg_appender_note_orphans(struct rw_lg_appender *a)
{
    if (atomic_load(&a->cursor->done) >= a->upto)
        a->orphans = a->lines;
}

/* Of the chunk. The journal goes over all of what was read until then, which are the first lines. */
static uint64_t gone_over(const struct rw_lg_appender *a)
{
    uint64_t waiting = a->sink->ops->lines ? a->lines : a->pending;
    return atomic_load(&a->cursor->done) >= a->upto ? waiting : a->orphans;
}

uint64_t rw_lg_appender_memory_only(const struct rw_lg_appender *a)
{
    return gone_over(a) + atomic_load(&a->kept_records);
}

void rw_lg_appender_drop_chunk(struct rw_lg_appender *a, bool all)
{
    atomic_fetch_add_explicit(&a->counts.failed, gone_over(a), memory_order_relaxed);
    for (const struct rw_lg_entry *e; all && (e = rw_lg_kept_next(a));)
        atomic_fetch_add_explicit(&a->counts.dropped[rw_lg_entry_level(e)], 1,
                                  memory_order_relaxed);
}
